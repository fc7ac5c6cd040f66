"""``novelink show``: the relations of files, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from novelink.cli import completion, options
from novelink.wording import counted

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("show")
@click.argument("files", metavar="FILE…", nargs=-1, required=True, shell_complete=completion.files)
@options.from_format
@click.option(
    "--min-score",
    metavar="S",
    type=click.FloatRange(0, 1),
    help="Leave out relations that score less, 0–1; those without a score stay.",
)
@click.option("--novel", is_flag=True, help="Only relations that are news in their document.")
@click.option(
    "--all", "all_documents", is_flag=True, help="Also name documents without any relation."
)
@options.lenient
@options.schema
def command(
    files: tuple[str, ...],
    *,
    from_format: str | None,
    min_score: float | None,
    novel: bool,
    all_documents: bool,
    lenient: bool,
    schema: Schema | None,
) -> None:
    r"""Print the relations of FILE as a table, likeliest first in each document.

    Any format with relations will do: what `extract` wrote, or a corpus.
    `-` is standard input.

    \b
    novelink show found.jsonl
    novelink show found.jsonl --novel --min-score 0.8
    """
    from novelink.document import NOVEL
    from novelink.formats import ReadReport, read_all
    from novelink.schema import BIORED
    from novelink.tables import document_table, terminal_width

    schema = schema or BIORED
    width = terminal_width()
    report = ReadReport()
    documents = shown = relations = hidden = 0
    for document in read_all(files, from_format, schema=schema, lenient=lenient, report=report):
        kept = [
            relation
            for relation in document.relations
            if (not novel or relation.novelty == NOVEL)
            and (min_score is None or relation.score is None or relation.score >= min_score)
        ]
        documents += 1
        relations += len(kept)
        hidden += len(document.relations) - len(kept)
        if kept or all_documents:
            shown += 1
            block = document_table(document.with_relations(kept), schema, width=width)
            click.echo("\n".join([*block, ""]))
    names = ", ".join("standard input" if name == "-" else name for name in files)
    left_out = f"; {counted(hidden, 'other')} not asked for" if hidden else ""
    without = documents - shown
    none = f", {without:,} of them without any" if without else ""
    click.echo(
        f"{counted(relations, 'relation')} in {counted(documents, 'document')}{none}, "
        f"from {names}{left_out}"
    )
    options.say(report.lines())
