"""``novelink annotate``: entities for texts and papers, without relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from novelink.cli import entities, options

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("annotate")
@options.inputs
@options.output
@options.from_format
@options.to_format
@entities.entity_options
@options.lenient
@options.schema
def command(
    inputs: tuple[str, ...],
    *,
    output: str,
    from_format: str | None,
    to_format: str | None,
    lenient: bool,
    schema: Schema | None,
    annotator: str,
    **settings: Any,
) -> None:
    r"""Mark genes, diseases, chemicals, variants, species and cell lines.

    INPUT is a PMID, a PMCID, a file, or - for standard input. Files may hold
    plain text (a blank line between documents), a table of id, title and
    abstract, PubMed XML, MEDLINE (nbib), a list of PMIDs, or any format with
    entities.

    \b
    novelink annotate 24259561 PMC7696669 -o papers.json     papers by id
    novelink annotate notes.txt --to pubtator                a text of your own
    novelink annotate export.nbib -o found.jsonl.gz          saved from PubMed
    echo "BRAF V600E in melanoma." | novelink annotate - --to pubtator

    `novelink extract` takes the same INPUT and finds relations as well. Where
    entities came from is said at the end; if a document had to be left out,
    the others are written and the exit code is 1.
    """
    from novelink.cli.progress import with_progress
    from novelink.formats import ReadReport, open_writer
    from novelink.schema import BIORED

    if output == "-" and to_format is None:
        to_format = "jsonl"
    report = ReadReport()
    with (
        entities.open_annotator(annotator, **settings) as annotate,
        open_writer(output, to_format) as writer,
    ):
        documents = entities.annotated(
            inputs, from_format, annotate, schema=schema or BIORED, lenient=lenient, report=report
        )
        for document in with_progress(documents, "documents"):
            writer.write(document.with_relations(()))
    options.say_reading(report)
    entities.say_annotation(annotate)
    options.say(writer.report.lines())
    click.get_current_context().exit(entities.exit_code(annotate))
