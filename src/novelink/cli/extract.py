"""``novelink extract``: relations from documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from novelink.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.document import Document
    from novelink.extractor import ExtractionReport, Extractor
    from novelink.schema import Schema


@click.command("extract")
@click.argument("inputs", metavar="INPUT…", nargs=-1, required=True)
@click.option(
    "--output",
    "-o",
    metavar="OUT",
    help="File to write, `-` for standard output. Without it, a table to read.",
)
@click.option("--from", "source_format", metavar="F", help="Format of INPUT; told by default.")
@click.option(
    "--to",
    "target_format",
    metavar="F",
    help="Format to write; by default told from OUT's name (standard output: jsonl).",
)
@click.option(
    "--model",
    "-m",
    metavar="NAME|DIR",
    help="A model of `novelink models list`, or a model folder.",
)
@click.option(
    "--min-score",
    metavar="S",
    type=click.FloatRange(0, 1),
    help="Least score of a relation, 0–1, in place of the model's own threshold: lower finds "
    "more, higher errs less.",
)
@click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(min=1),
    help="Pairs judged side by side; all cores by default. The result is the same.",
)
@click.option("--lenient", is_flag=True, help="Leave bad documents out, count them, go on.")
@click.option(
    "--schema",
    "schema_file",
    metavar="TOML",
    type=click.Path(exists=True, dir_okay=False),
    help="How INPUT names its types, where that is neither BioRED's nor PubTator's way.",
)
def command(
    inputs: tuple[str, ...],
    *,
    output: str | None,
    source_format: str | None,
    target_format: str | None,
    model: str | None,
    min_score: float | None,
    threads: int | None,
    lenient: bool,
    schema_file: str | None,
) -> None:
    r"""Find related entities: how they are related, whether that is new, how sure it is.

    INPUT are files with marked entities (PubTator, BioC XML, BioC JSON, JSON
    Lines, also .gz), or `-` for standard input. Relations already in them are
    replaced. Documents come out in the order they went in.

    \b
    novelink extract abstracts.pubtator                  a table to read
    novelink extract abstracts.pubtator -o found.json    the same as BioC JSON
    novelink extract a.xml b.json -o found.jsonl.gz      several files, one result
    novelink extract - --to pubtator < a.pubtator        in a pipe
    novelink extract a.pubtator --min-score 0.3          less sure ones too
    """
    from novelink.cli.progress import with_progress
    from novelink.extractor import Extractor
    from novelink.formats import ReadReport, open_writer, read_all

    extractor = Extractor.load(model, threads=threads)
    schema = _reading_schema(extractor, schema_file)
    read_report = ReadReport()
    documents = with_progress(
        extractor.extract(
            read_all(inputs, source_format, schema=schema, lenient=lenient, report=read_report),
            min_score=min_score,
        ),
        "documents",
    )
    losses: list[str] = []
    if output is None and target_format is None:
        _print_tables(documents, extractor.schema)
    else:
        target = "-" if output is None else output
        if target == "-" and target_format is None:
            target_format = "jsonl"
        with open_writer(target, target_format) as writer:
            for document in documents:
                writer.write(document)
        losses = writer.report.lines()
    target = f" in {output}" if output not in {None, "-"} else ""
    for line in (
        *_summary(extractor.report, extractor, target),
        *read_report.lines(),
        *losses,
    ):
        click.echo(f"novelink: {line}", err=True)


def _reading_schema(extractor: Extractor, schema_file: str | None) -> Schema:
    """The model's schema, or the user's where every type of it is one of the model's."""
    if schema_file is None:
        return extractor.schema
    from novelink.schema import load_schema

    schema = load_schema(schema_file)
    for name in schema.entity_types:
        if name not in extractor.schema.entity_types:
            raise SettingsError(
                f"the model '{extractor.name}' does not know the entity type '{name}'",
                source=schema_file,
                remedy=f"It knows {', '.join(extractor.schema.entity_types)}; "
                "name others under [aliases]",
            )
    return schema


def _print_tables(documents: Iterable[Document], schema: Schema) -> None:
    from novelink.tables import document_table, terminal_width

    width = terminal_width()
    for index, document in enumerate(documents):
        if index:
            click.echo()
        click.echo("\n".join(document_table(document, schema, width=width)))


def _summary(report: ExtractionReport, extractor: Extractor, target: str) -> list[str]:
    """What was done and what was left out, for stderr."""
    from novelink.tables import counted

    lines = [
        (
            f"{counted(report.relations, 'relation')} among {counted(report.pairs, 'pair')} of "
            f"entities in {counted(report.documents, 'document')}{target} (model {extractor.name})"
        )
    ]
    if report.documents_without_pairs:
        lines.append(
            f"{counted(report.documents_without_pairs, 'document')} without two entities that "
            "could be related"
        )
    if report.cut_documents:
        lines.append(
            f"{counted(report.cut_documents, 'document')} longer than the model's "
            f"{extractor.max_length:,} tokens: for {counted(report.cut_pairs, 'pair')} only the "
            f"text around the closest mentions was read, leaving out "
            f"{counted(report.cut_mentions, 'mention')} and "
            f"{counted(report.cut_tokens, 'token')} in all"
        )
    return lines
