"""``novelink view``: documents as one page to read and to curate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import completion, options
from novelink.cli.streams import shown_name

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("view")
@options.inputs
@options.output
@click.option("--title", help="Heading of the page. Default: the first INPUT's name.")
@click.option(
    "--decisions",
    "decision_files",
    metavar="FILE",
    shell_complete=completion.files,
    multiple=True,
    help="Decisions to begin with, as the page hands them over; may be given several times.",
)
@options.from_format
@options.lenient
@options.schema
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
def command(
    inputs: tuple[str, ...],
    *,
    output: str,
    title: str | None,
    decision_files: tuple[str, ...],
    from_format: str | None,
    lenient: bool,
    schema: Schema | None,
    open_it: bool,
) -> None:
    r"""Make one self-contained page of documents and their relations.

    The page needs no network and works from disk. It shows every text with its
    entities coloured, relations as a table and a graph, and marks the mentions
    and evidence of a chosen relation. Relations can be filtered, accepted,
    rejected, corrected and added; decisions are downloaded as a file.

    \b
    novelink view found.jsonl -o page.html --open          read and decide
    novelink view found.jsonl --decisions d.json -o p.html go on from there
    novelink curate found.jsonl --decisions d.json -o gold.pubtator
    """
    from novelink.curation import CurationReport, latest, read_decisions, to_records
    from novelink.formats import ReadReport, read_all
    from novelink.formats.target import open_target
    from novelink.schema import BIORED
    from novelink.view.page import page_html

    if open_it and output == "-":
        raise click.UsageError("--open needs a file: add -o page.html")
    vocabulary = schema or BIORED
    overruled = CurationReport()
    decisions = latest(
        (one for name in decision_files for one in read_decisions(name, schema=vocabulary)),
        overruled,
    )
    if title is None:
        title = "NoveLink" if inputs[0] == "-" else shown_name(inputs[0])
    report = ReadReport()
    page = page_html(
        read_all(inputs, from_format, schema=vocabulary, lenient=lenient, report=report),
        title=title,
        schema=vocabulary,
        decisions=to_records(decisions.values()),
    )
    data = page.encode("utf-8", "backslashreplace")
    with open_target(output) as stream:
        stream.write(data)
    options.say_reading(report)
    if overruled.overruled:
        options.say([f"{overruled.overruled:,} decisions were overruled by later ones"])
    place = "standard output" if output == "-" else output
    options.say([f"{report.documents:,} documents on {place} ({len(data) / 1e6:.1f} MB)"])
    if open_it:
        click.launch(str(Path(output).resolve()))
