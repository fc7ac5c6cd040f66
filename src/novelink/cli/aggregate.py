"""``novelink aggregate``: each pair of entities over all documents."""

from __future__ import annotations

import click

from novelink.cli import answers, completion, options
from novelink.wording import counted


@click.command("aggregate")
@answers.results
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=completion.files,
    help="Where to write all pairs: .parquet, .tsv, .csv or .jsonl. It appears whole or not at "
    "all. Default: the pairs with most documents, on standard output.",
)
@answers.min_score
@click.option(
    "--min-support",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Leave out pairs with fewer documents.",
)
@click.option(
    "--conflicts",
    is_flag=True,
    help="Only pairs whose documents contradict each other: positive against negative "
    "correlation, or opposite directions.",
)
@answers.limit
@answers.form
def command(
    results: str,
    *,
    output: str | None,
    min_score: float | None,
    min_support: int,
    conflicts: bool,
    limit: int,
    form: str,
) -> None:
    r"""Join the relations of each pair of entities over all documents.

    RESULTS is what `novelink extract -o` wrote to. One row per pair: how many
    documents support it, in how many it is novel, the combined score, first and
    last year, the relation types with their support, and whether documents
    contradict each other in sign or direction.

    \b
    novelink aggregate results/                             most supported pairs
    novelink aggregate results/ -o pairs.parquet            all of them
    novelink aggregate results/ --conflicts --min-support 3 contradictions
    """
    from novelink.scale.aggregation import aggregate, top_pairs

    if output is None:
        answer = top_pairs(
            results,
            limit=limit or 2**62,
            min_score=min_score,
            min_support=min_support,
            conflicts=conflicts,
        )
        answers.say_answer(answer, form)
        return
    written = aggregate(
        results, output, min_score=min_score, min_support=min_support, conflicts=conflicts
    )
    options.say([f"{counted(written, 'pair')} written to {output}"])
