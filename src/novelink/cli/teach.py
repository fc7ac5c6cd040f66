"""``novelink teach``: what trained models say of documents, for another model to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.cli.pair_limit import within_pair_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document
    from novelink.formats import ReadReport
    from novelink.schema import Schema


@click.command("teach")
@options.inputs
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="NAME|DIR",
    help="A model that teaches; repeatable: their probabilities are averaged.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; compressed where it ends in .gz. It appears whole or not at all.",
)
@click.option(
    "--screen",
    metavar="NAME|DIR",
    help="A fast model that answers for pairs it finds clearly unrelated, so that the teachers "
    "read fewer.",
)
@click.option(
    "--screen-below",
    metavar="S",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="The score under which it does.",
)
@options.threads
@options.from_format
@options.schema
@options.lenient
def command(
    inputs: tuple[str, ...],
    *,
    models: tuple[str, ...],
    output: Path,
    screen: str | None,
    screen_below: float,
    threads: int | None,
    from_format: str | None,
    schema: Schema | None,
    lenient: bool,
) -> None:
    r"""Let models label the pairs of documents with probabilities.

    \b
    novelink teach Train.PubTator more.pubtator -m compact-entity -o soft.jsonl.gz
    novelink teach more.pubtator -m fold-1/model -m fold-2/model --screen compact -o soft.jsonl
    novelink train recipes/document.toml --set teacher.labels=soft.jsonl.gz \
        --set teacher.documents=more.pubtator --set data.train=Train.PubTator …

    INPUT need entities, not relations. What comes out is for teacher.labels of novelink train.
    """
    from novelink.extractor import Extractor
    from novelink.formats import ReadReport
    from novelink.training.soft_labels import Teachers

    teachers = Teachers(
        [Extractor.load(model, threads=threads) for model in models],
        screen=None if screen is None else Extractor.load(screen, threads=threads),
        screen_below=screen_below,
    )
    reading = ReadReport()
    documents = _documents(inputs, from_format, schema or teachers.schema, reading, lenient=lenient)
    if lenient:
        documents = within_pair_limit(documents, teachers.schema, reading)
    teachers.write(documents, output)
    options.say_reading(reading)
    report = teachers.report
    line = f"{report.documents:,} documents with {report.pairs:,} pairs labelled in {output}"
    if teachers.screen is not None:
        line += f"; {report.screened:,} pairs by {teachers.screen.name} alone"
    options.say([line])


def _documents(
    inputs: tuple[str, ...],
    from_format: str | None,
    schema: Schema,
    report: ReadReport,
    *,
    lenient: bool,
) -> Iterator[Document]:
    from novelink.formats import read

    for source in inputs:
        yield from read(source, from_format, schema=schema, lenient=lenient, report=report)
