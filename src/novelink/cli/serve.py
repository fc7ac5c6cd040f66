"""``novelink serve``: the web application and the REST service."""

from __future__ import annotations

import ipaddress

import click

from novelink.cli import options
from novelink.errors import MissingExtraError


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one.",
)
@options.model
@options.threads
@click.option(
    "--annotator",
    type=click.Choice(("auto", "pubtator3", "offline", "given")),
    default="auto",
    show_default=True,
    help="Who finds entities in text and papers. `offline` sends nothing anywhere.",
)
@click.option(
    "--database",
    metavar="FILE",
    default="novelink.sqlite",
    show_default=True,
    help="SQLite file of jobs and decisions; `:memory:` keeps nothing.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which others reach this server; may be given several times.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    envvar="NOVELINK_TOKEN_FILE",
    help="Let in only who has the token in this file's first line.",
)
@click.option("--max-body", default=20, show_default=True, help="MB of one request's body.")
@click.option("--max-documents", default=1_000, show_default=True, help="Documents of a request.")
@click.option("--max-pairs", default=20_000, show_default=True, help="Entity pairs of a document.")
@click.option("--max-seconds", default=300.0, show_default=True, help="Time of one request.")
@click.option(
    "--max-queue", default=20_000, show_default=True, help="Documents that may wait; then 429."
)
@click.option("--grace", default=30, show_default=True, help="Seconds to finish when stopped.")
def command(
    *,
    host: str,
    port: int,
    model: str | None,
    threads: int | None,
    annotator: str,
    database: str,
    hosts: tuple[str, ...],
    token_file: str | None,
    max_body: int,
    max_documents: int,
    max_pairs: int,
    max_seconds: float,
    max_queue: int,
    grace: int,
) -> None:
    r"""Serve the page as a web application, with a REST service beside it.

    Paste text, give PMIDs or drop a file; see relations in their text, decide
    on them, download results and gold data. The server listens on this machine
    only unless told otherwise. It has no accounts: where others can reach it,
    give it a token, and a proxy before it that encrypts.

    \b
    novelink serve                                     http://127.0.0.1:8000
    novelink serve --annotator offline                 text stays here
    novelink serve --host 0.0.0.0 --allow-host lab.example.org --token-file token.txt
    curl -H 'Content-Type: text/x-pubtator' --data-binary @a.pubtator \
         http://127.0.0.1:8000/v1/extract
    """
    try:
        from novelink.serve.access import read_token
        from novelink.serve.app import create_app
        from novelink.serve.server import listen, run
        from novelink.serve.settings import ServeSettings
    except ImportError as error:
        raise MissingExtraError("the server", "serve") from error
    from novelink.extractor import Extractor

    own_name = () if host in {"0.0.0.0", "::"} else (host,)  # noqa: S104 (compared, not bound)
    settings = ServeSettings(
        max_body=max_body * 1_000_000,
        max_documents=max_documents,
        max_pairs=max_pairs,
        max_seconds=max_seconds,
        max_queue=max_queue,
        annotator=annotator,
        database=database,
        grace=grace,
        hosts=(*hosts, *own_name),
        token=None if token_file is None else read_token(token_file),
    )
    # Before the model is loaded: a taken port is the commonest reason to fail.
    listener = listen(host, port)
    app = create_app(Extractor.load(model, threads=threads), settings)
    service = app.state.service
    shown = f"[{host}]" if ":" in host else host
    port = listener.getsockname()[1]
    lines = [
        f"model {service.extractor.name}; listening on http://{shown}:{port} (Ctrl-C stops)",
        "jobs and decisions are kept in memory only"
        if database == ":memory:"
        else f"jobs and decisions are kept in {database}",
    ]
    if token_file is not None:
        lines.append("asks for the token: open /?token=… once in a browser, see docs/rest.md")
    elif not _is_loopback(host):
        lines.append(
            "others can reach this server, and it asks nobody who they are: see --token-file"
        )
    options.say(lines)
    run(app, listener, grace)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
