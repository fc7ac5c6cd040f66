"""Options that several commands share, and what they say on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from novelink.cli import completion
from novelink.cli.verbosity import note
from novelink.formats import names
from novelink.schema import load_schema
from novelink.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.formats import ReadReport, WriteReport
    from novelink.schema import Schema


def _schema(_: click.Context, __: click.Parameter, path: str | None) -> Schema | None:
    return None if path is None else load_schema(path)


inputs = click.argument(
    "inputs", nargs=-1, required=True, metavar="INPUT…", shell_complete=completion.files
)
"""One or more files, ``-`` for standard input."""

output = click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
    shell_complete=completion.files,
    help="Where to write; compressed where it ends in .gz. It appears whole or not at all. "
    "Default: standard output.",
)
"""``-o FILE``, ``-`` by default."""

from_format = click.option(
    "--from",
    "from_format",
    type=click.Choice(names(readable=True)),
    help="Format of the input. Default: told from name and content.",
)
"""``--from FORMAT``, None by default."""

to_format = click.option(
    "--to",
    "to_format",
    type=click.Choice(names(writable=True)),
    help="Format of the output. Default: told from the name given with -o.",
)
"""``--to FORMAT``, None by default."""

lenient = click.option(
    "--lenient",
    is_flag=True,
    help="Leave bad documents out and go on; how many and why is said at the end.",
)
"""``--lenient``."""

schema = click.option(
    "--schema",
    metavar="FILE",
    callback=_schema,
    shell_complete=completion.files,
    help="TOML file of entity and relation types. Default: BioRED's.",
)
"""``--schema FILE``: a loaded :class:`~novelink.schema.Schema`, None by default."""

model = click.option(
    "--model",
    "-m",
    metavar="NAME|DIR",
    shell_complete=completion.models,
    help="A model of `novelink models list`, or a model folder.",
)
"""``--model NAME|DIR``; None, the default model, by default."""

threads = click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(min=1),
    help="Pairs judged side by side; all cores by default. The result is the same.",
)
"""``--threads N``, None by default."""

config = click.argument("config", type=click.Path(exists=True, dir_okay=False))
"""A TOML file of settings."""

overrides = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting; repeatable."
)
"""``--set KEY=VALUE``, as often as wanted."""


def say(lines: Iterable[str]) -> None:
    """Lines for people, on stderr; none with ``-q``."""
    for line in lines:
        note(f"novelink: {line}")


def say_reading(report: ReadReport) -> None:
    """What a reading recognised and left out."""
    if report.dialects:
        named = ", ".join(f"{name} {count:,}" for name, count in report.dialects.most_common())
        say([f"relation lines by dialect: {named}"])
    say(report.lines())


def say_writing(report: WriteReport, place: str, format_name: str) -> None:
    """How much was written and what the format could not hold."""
    place = "standard output" if place == "-" else place
    say(report.lines())
    say([f"{counted(report.documents, 'document')} written to {place} ({format_name})"])


def pubtator_options(format_name: str, **flags: bool) -> dict[str, Any]:
    """Those flags that are set, for a PubTator writer.

    Raises:
        click.UsageError: one is set and the output is no PubTator text.
    """
    chosen = {name: True for name, is_set in flags.items() if is_set}
    if chosen and format_name != "pubtator":
        flag = next(iter(chosen))
        raise click.UsageError(f"--{flag} is for --to pubtator; {format_name} always holds them")
    return chosen
