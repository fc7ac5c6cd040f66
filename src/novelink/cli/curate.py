"""``novelink curate``: decisions from the page become gold data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from novelink.cli import completion, options
from novelink.curation import INCOMPLETE

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("curate")
@options.inputs
@click.option(
    "--decisions",
    "decision_files",
    metavar="FILE",
    shell_complete=completion.files,
    multiple=True,
    required=True,
    help="Decisions that a page handed over; may be given several times. Of several decisions on "
    "one relation the latest counts.",
)
@options.output
@options.from_format
@options.to_format
@click.option(
    "--incomplete",
    type=click.Choice(INCOMPLETE),
    default="skip",
    show_default=True,
    help="Documents with undecided relations: skip them, drop the undecided relations, or keep "
    "these as predicted.",
)
@options.lenient
@options.schema
def command(
    inputs: tuple[str, ...],
    *,
    decision_files: tuple[str, ...],
    output: str,
    from_format: str | None,
    to_format: str | None,
    incomplete: str,
    lenient: bool,
    schema: Schema | None,
) -> None:
    r"""Write the documents people decided on, with the relations they confirmed.

    INPUT is the file that the page was made of. Only documents with decisions
    are written; their relations are the accepted, corrected and added ones,
    without scores. The result is gold data for `novelink train`.

    \b
    novelink view found.jsonl -o page.html
    novelink curate found.jsonl --decisions decisions.json -o gold.pubtator
    novelink curate found.jsonl --decisions a.json --decisions b.json -o gold.xml
    """
    from novelink.curation import CurationReport, curated, read_decisions
    from novelink.formats import ReadReport, format_of_target, open_writer, read_all
    from novelink.formats.registry import by_name
    from novelink.schema import BIORED

    entry = by_name(to_format, writing=True) if to_format else format_of_target(output)
    vocabulary = schema or BIORED
    decisions = [one for name in decision_files for one in read_decisions(name, schema=vocabulary)]
    reading, report = ReadReport(), CurationReport()
    documents = read_all(inputs, from_format, schema=vocabulary, lenient=lenient, report=reading)
    with open_writer(output, entry.name) as writer:
        for document in curated(documents, decisions, incomplete=incomplete, report=report):
            writer.write(document)
    options.say_reading(reading)
    options.say(report.lines(incomplete))
    options.say_writing(writer.report, output, entry.name)
