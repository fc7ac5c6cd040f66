"""``novelink extract`` over a corpus: what turns an extraction into a run, and its options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import options
from novelink.cli.verbosity import is_quiet
from novelink.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from novelink.schema import Schema

_PARTS = ("jsonl", "parquet")


def _shard(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """``i/n`` as two numbers, 1 ≤ i ≤ n."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise click.BadParameter(f"'{value}' is no share; of four, write 1/4, 2/4, 3/4 or 4/4")
    return int(found[1]), int(found[2])


_OPTIONS = (
    click.option(
        "--workers",
        metavar="N",
        type=click.IntRange(min=1),
        help="Corpus run: processes side by side; all cores by default.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Corpus run: go on with the run in the output folder, however it ended.",
    ),
    click.option(
        "--shard",
        metavar="I/N",
        callback=_shard,
        help="Corpus run: do the I-th of N shares, for job arrays; all write to one folder.",
    ),
    click.option(
        "--block-size",
        metavar="N",
        type=click.IntRange(min=1),
        help="Corpus run: documents of one output part, which a crash does again. Default: 1000.",
    ),
    click.option(
        "--max-failed",
        metavar="SHARE",
        type=click.FloatRange(0, 1),
        help="Corpus run: stop when more than this share of documents fails. Default: 0.5.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        help="Corpus run: processes of this machine (local), or Ray, here or on a cluster.",
    ),
    click.option(
        "--address",
        metavar="ADDRESS",
        help="For --engine ray: the cluster, as auto, host:6379 or ray://host:10001.",
    ),
)


def corpus_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--workers --resume --shard --block-size --max-failed --engine --address``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def taken(settings: dict[str, Any]) -> dict[str, Any]:
    """Take the options above out of a command's settings."""
    names = ("workers", "resume", "shard", "block_size", "max_failed", "engine", "address")
    return {name: settings.pop(name) for name in names}


def is_run(output: str | None, given: dict[str, Any]) -> bool:
    """Whether an extraction is a corpus run: by its output or its options.

    A corpus that is read into one file is no run: it cannot be resumed or shared
    out.

    Raises:
        click.UsageError: an option of a run, but no folder to write to.
    """
    from novelink.scale.storage import is_url, local_path

    asked = [
        f"--{name.replace('_', '-')}" for name, value in given.items() if value not in {None, False}
    ]
    if output is not None and output != "-" and _is_folder(output):
        return True
    if output is not None and is_url(local_path(output)):
        return True
    if not asked:
        return False
    if output is None or output == "-" or not _could_be_folder(output):
        raise click.UsageError(
            f"{asked[0]} makes this a run over a corpus, whose result is a folder of parts: "
            "name one, as -o results/"
        )
    return True


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _could_be_folder(output: str) -> bool:
    """Whether a name does not look like that of a file to write."""
    from novelink.formats.registry import by_suffix

    return not Path(output).is_file() and not by_suffix(Path(output).name, writing=True)


def run_corpus(
    inputs: tuple[str, ...],
    output: str,
    given: dict[str, Any],
    *,
    from_format: str | None,
    to_format: str | None,
    model: str | None,
    min_score: float | None,
    evidence: bool | None,
    schema: Schema | None,
    annotator: str,
    others: dict[str, Any],
) -> None:
    """Do the run and say what came of it; exit code 1 where something could not be read.

    Raises:
        click.UsageError: an option that a run does not know.
    """
    if to_format not in {None, *_PARTS}:
        raise click.UsageError(
            f"a run over a corpus writes --to {' or --to '.join(_PARTS)}, not {to_format}; "
            "convert its parts with: novelink convert"
        )
    if annotator not in {"auto", "given"}:
        raise click.UsageError(
            f"a run over a corpus takes the entities that are in its input, not --annotator "
            f"{annotator}; add them first with: novelink annotate"
        )
    for name, value in others.items():
        if value:
            raise click.UsageError(
                f"--{name.replace('_', '-')} has no meaning in a run over a corpus"
                + (": give the number of --workers, of one thread each" * (name == "threads"))
            )
    from novelink.scale.progress import NoProgress
    from novelink.scale.run import RunSettings, run

    chosen = {
        {"block_size": "block_documents"}.get(name, name): value
        for name, value in given.items()
        if value is not None
    }
    report = run(
        RunSettings(
            inputs,
            output,
            model=model,
            min_score=min_score,
            evidence=evidence,
            schema=schema,
            format=from_format,
            parts=to_format or "jsonl",
            **chosen,
        ),
        NoProgress() if is_quiet() else None,
    )
    if report.resumed_blocks:
        was = "was" if report.resumed_blocks == 1 else "were"
        options.say([f"{counted(report.resumed_blocks, 'block')} {was} done before"])
    options.say(report.lines())
    options.say([f"written to {report.place}"])
    if report.faults:
        click.get_current_context().exit(1)
