"""``novelink convert``: one document format to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from novelink.cli import options

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("convert")
@options.inputs
@options.output
@options.from_format
@options.to_format
@click.option(
    "--subjects", is_flag=True, help="PubTator: add lines that name a relation's subject."
)
@click.option("--scores", is_flag=True, help="PubTator: write type|score and novelty|score.")
@options.lenient
@options.schema
def command(
    inputs: tuple[str, ...],
    *,
    output: str,
    from_format: str | None,
    to_format: str | None,
    subjects: bool,
    scores: bool,
    lenient: bool,
    schema: Schema | None,
) -> None:
    r"""Convert documents from one format to another.

    INPUT is a file, or - for standard input; several are joined into one
    output. Files may be compressed with gzip. Documents stream, so size does
    not matter.

    \b
    novelink convert Train.PubTator -o train.json          PubTator to BioC JSON
    novelink convert a.xml b.json.gz -o all.jsonl.gz       join and compress
    cat a.PubTator | novelink convert - --to jsonl | head  through a pipe
    novelink convert corpus.txt --lenient -o clean.jsonl   leave bad documents out
    novelink convert CDR.PubTator --schema cdr.toml -o cdr.jsonl

    Entity types and ids come out as BioRED names them (Gene becomes
    GeneOrGeneProduct, MESH:D008545 becomes D008545). Where a format cannot hold
    something, that is counted and said.
    """
    from novelink.formats import ReadReport, format_of_target, open_writer, read_all
    from novelink.formats.registry import by_name
    from novelink.schema import BIORED

    entry = by_name(to_format, writing=True) if to_format else format_of_target(output)
    settings = options.pubtator_options(entry.name, subjects=subjects, scores=scores)
    report = ReadReport()
    documents = read_all(
        inputs, from_format, schema=schema or BIORED, lenient=lenient, report=report
    )
    with open_writer(output, entry.name, **settings) as writer:
        for document in documents:
            writer.write(document)
    options.say_reading(report)
    options.say_writing(writer.report, output, entry.name)
