"""``novelink query``: questions to the results of a run."""

from __future__ import annotations

import click

from novelink.cli import answers
from novelink.schema import BIORED


@click.command("query")
@answers.results
@click.argument("entities", nargs=-1, metavar="[ENTITY [ENTITY]]")
@click.option(
    "--type",
    "relations",
    multiple=True,
    metavar="RELATION",
    help="Relation type, as Positive_Correlation; may be given several times.",
)
@click.option(
    "--partner",
    "partner_types",
    multiple=True,
    metavar="ENTITYTYPE",
    help="Entity type of the other side, as Gene or Disease; may be given several times.",
)
@click.option("--novel/--known", "novel", default=None, help="Only findings that are (not) novel.")
@answers.min_score
@click.option("--since", type=int, metavar="YEAR", help="Published in that year or later.")
@click.option("--until", type=int, metavar="YEAR", help="Published in that year or before.")
@click.option("--document", metavar="ID", help="Relations of one document, by its PMID or id.")
@click.option("--partners", "kind", flag_value="partners", help="The other sides, and how often.")
@click.option("--counts", "kind", flag_value="counts", help="Counts by relation type and novelty.")
@click.option(
    "--first",
    "kind",
    flag_value="first",
    help="The year each pair was first reported, and first reported as novel.",
)
@click.option(
    "--sql", metavar="QUERY", help="A query of your own over the view `relations`, for DuckDB."
)
@answers.limit
@answers.form
def command(
    results: str,
    entities: tuple[str, ...],
    *,
    relations: tuple[str, ...],
    partner_types: tuple[str, ...],
    novel: bool | None,
    min_score: float | None,
    since: int | None,
    until: int | None,
    document: str | None,
    kind: str | None,
    sql: str | None,
    limit: int,
    form: str,
) -> None:
    r"""Ask the results of a run: relations of an entity or a pair, counts, partners, years.

    RESULTS is the folder (or URL) that `novelink extract -o` wrote to, in
    Parquet or JSON Lines, or one JSON Lines file. ENTITY is a concept id (672),
    a CURIE (NCBIGene:672) or any name that documents use (BRCA1), in any case.

    \b
    novelink query results/ BRCA1                                its relations, surest first
    novelink query results/ BRCA1 --type Positive_Correlation --novel
    novelink query results/ BRCA1 tamoxifen                      what joins the two
    novelink query results/ BRCA1 --partners --partner Disease   with what, how often
    novelink query results/ BRCA1 --first                        since when known
    novelink query results/ --counts                             all by type and novelty
    novelink query results/ --sql "SELECT year, count(*) FROM relations GROUP BY year"

    Columns of the view `relations`: document, source, member, title, year, id1,
    type1, name1, curie1, mentions1, id2, type2, name2, curie2, mentions2,
    relation, novelty, score, novelty_score, subject, evidence.
    """
    from novelink.scale.question import Question, ask, run_sql
    from novelink.scale.results import open_results

    if len(entities) > 2:
        raise click.UsageError(
            "ask for one entity or for two; put a name of several words in quotes"
        )
    question = Question(
        entities,
        relations,
        tuple(BIORED.entity_type(name) or name for name in partner_types),
        novel,
        min_score,
        since,
        until,
        document,
    )
    if sql is not None and (kind is not None or question != Question()):
        raise click.UsageError("--sql goes alone: write the conditions into the query")
    with open_results(results) as connection:
        most = limit or None
        if sql is not None:
            answer = run_sql(connection, sql, limit=most)
        else:
            answer = ask(connection, question, kind or "relations", limit=most)
    answers.say_answer(answer, form)
