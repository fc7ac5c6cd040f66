"""``novelink extract``: relations from documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from novelink.cli import completion, corpus, entities, options
from novelink.cli.pair_limit import within_pair_limit
from novelink.schema import schema_for_model
from novelink.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.document import Document
    from novelink.extractor import ExtractionReport, Extractor
    from novelink.schema import Schema


@click.command("extract")
@options.inputs
@click.option(
    "-o",
    "--output",
    metavar="FILE|DIR",
    shell_complete=completion.files,
    help="Where to write, `-` for standard output; compressed where it ends in .gz. It appears "
    "whole or not at all. A folder makes it a run over a corpus. Default: a table to read, on "
    "standard output.",
)
@options.from_format
@options.to_format
@entities.entity_options
@options.model
@click.option(
    "--min-score",
    metavar="S",
    type=click.FloatRange(0, 1),
    help="Least score of a relation, 0–1, in place of the model's own threshold: lower finds "
    "more, higher errs less.",
)
@click.option(
    "--evidence/--no-evidence",
    default=None,
    help="Also give the sentences each relation rests on, with weights; on where the model "
    "reads whole documents and the output can hold it.",
)
@click.option(
    "--subjects",
    is_flag=True,
    help="PubTator: add lines that name which entity of a relation acts, where the model says so.",
)
@options.threads
@options.lenient
@options.schema
@corpus.corpus_options
def command(
    inputs: tuple[str, ...],
    *,
    output: str | None,
    from_format: str | None,
    to_format: str | None,
    model: str | None,
    min_score: float | None,
    evidence: bool | None,
    subjects: bool,
    threads: int | None,
    lenient: bool,
    schema: Schema | None,
    annotator: str,
    **settings: Any,
) -> None:
    r"""Find related entities: how they are related, whether that is new, how sure it is.

    INPUT are PMIDs, PMCIDs, or files: with marked entities (PubTator, BioC XML,
    BioC JSON, JSON Lines) or without (plain text, a table of texts, PubMed XML,
    MEDLINE), also .gz; `-` is standard input. Entities that are missing are
    found first. Relations already in them are replaced. Documents come out in
    the order they went in.

    \b
    novelink extract abstracts.pubtator                  a table to read
    novelink extract abstracts.pubtator -o found.json    the same as BioC JSON
    novelink extract a.xml b.json -o found.jsonl.gz      several files, one result
    novelink extract abstracts.pubtator -o found.tsv     a spreadsheet
    novelink extract - --to pubtator < a.pubtator        in a pipe
    novelink extract a.pubtator --min-score 0.3          less sure ones too
    novelink extract 24259561 PMC7696669                 papers, through PubTator 3
    novelink extract notes.txt                           a text of your own

    Entities of a text of your own are found offline, by the tagger that comes
    along; with --lexicon they get database ids (novelink lexicon), otherwise
    ids that hold within their document.

    A folder as output makes it a run over a corpus: any number of files,
    folders, patterns, archives (.tar.gz) and URLs, on all cores or a cluster,
    written in parts. Killed at any moment, it goes on with --resume.

    \b
    novelink extract BioCXML.*.tar.gz -o results/ --to parquet
    novelink extract BioCXML.*.tar.gz -o results/ --to parquet --resume
    novelink extract s3://bucket/in/ -o s3://bucket/out/ --engine ray --address auto
    """
    given = corpus.taken(settings)
    if corpus.is_run(output, given):
        if subjects:
            raise click.UsageError("--subjects is for one PubTator file, not for a run in parts")
        corpus.run_corpus(
            inputs,
            output or "",
            given,
            from_format=from_format,
            to_format=to_format,
            model=model,
            min_score=min_score,
            evidence=evidence,
            schema=schema,
            annotator=annotator,
            others={"threads": threads, **settings},
        )
        return
    from novelink.cli.progress import with_progress
    from novelink.extractor import Extractor
    from novelink.formats import ReadReport, format_of_target, open_writer

    wanted = {}
    if subjects and output is None and to_format is None:
        raise click.UsageError("--subjects is for --to pubtator; the table always has them")
    if subjects:  # before a model is opened
        to_standard = "jsonl" if output in {None, "-"} else None
        kind = to_format or to_standard or format_of_target(output or "-").name
        wanted = options.pubtator_options(kind, subjects=True)
    extractor = Extractor.load(model, threads=threads)
    report = ReadReport()
    place, losses = "", []
    with entities.open_annotator(annotator, threads=threads, **settings) as annotate:
        documents = entities.annotated(
            inputs,
            from_format,
            annotate,
            schema=schema_for_model(schema, extractor.schema, extractor.name),
            lenient=lenient,
            report=report,
        )
        if lenient:
            documents = within_pair_limit(documents, extractor.schema, report)
        found = with_progress(
            extractor.extract(
                documents,
                min_score=min_score,
                evidence=extractor.gives_evidence if evidence is None else evidence,
            ),
            "documents",
        )
        if output is None and to_format is None:
            _print_tables(found, extractor.schema)
        else:
            target = output or "-"
            if target == "-":
                to_format = to_format or "jsonl"
            else:
                place = f", written to {target}"
            with open_writer(target, to_format, **wanted) as writer:
                for document in found:
                    writer.write(document)
            losses = writer.report.lines()
    options.say_reading(report)
    entities.say_annotation(annotate)
    options.say(losses)
    options.say(_summary(extractor.report, extractor, place))
    click.get_current_context().exit(entities.exit_code(annotate))


def _print_tables(documents: Iterable[Document], schema: Schema) -> None:
    from novelink.tables import document_table, terminal_width

    width = terminal_width()
    for index, document in enumerate(documents):
        if index:
            click.echo()
        click.echo("\n".join(document_table(document, schema, width=width)))


def _summary(report: ExtractionReport, extractor: Extractor, place: str) -> list[str]:
    """What was done and what was left out, for stderr."""
    lines = [
        (
            f"{counted(report.relations, 'relation')} among {counted(report.pairs, 'pair')} of "
            f"entities in {counted(report.documents, 'document')} (model {extractor.name}){place}"
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
    if report.pairs_apart:
        lines.append(
            f"{counted(report.pairs_apart, 'pair')} of entities that are never mentioned within "
            f"one window of {extractor.max_length:,} tokens: judged from both windows"
        )
    return lines
