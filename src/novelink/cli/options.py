"""Options that several commands share, and what they say on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from novelink.cli.verbosity import note
from novelink.formats import names
from novelink.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.formats import ReadReport, WriteReport
    from novelink.schema import Schema


def _schema(_: click.Context, __: click.Parameter, path: str | None) -> Schema | None:
    return None if path is None else load_schema(path)


inputs = click.argument("inputs", nargs=-1, required=True, metavar="INPUT…")
"""One or more files, ``-`` for standard input."""

output = click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
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
    help="TOML file of entity and relation types. Default: BioRED's.",
)
"""``--schema FILE``: a loaded :class:`~novelink.schema.Schema`, None by default."""


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
    count = report.documents
    place = "standard output" if place == "-" else place
    say(report.lines())
    say([f"{count:,} document{'' if count == 1 else 's'} written to {place} ({format_name})"])


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
