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
    only unless told otherwise: it has no accounts, so put a proxy that asks for
    a password before it where others can reach it.

    \b
    novelink serve                                     http://127.0.0.1:8000
    novelink serve --annotator offline                 text stays here
    novelink serve --host 0.0.0.0 --allow-host lab.example.org
    curl -H 'Content-Type: text/x-pubtator' --data-binary @a.pubtator \
         http://127.0.0.1:8000/v1/extract
    """
    try:
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
    if not _is_loopback(host):
        lines.append("others can reach this server, and it asks nobody who they are")
    options.say(lines)
    run(app, listener, grace)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
