"""Questions to the results of a run, as SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.document import NOT_NOVEL, NOVEL
from novelink.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KINDS = ("relations", "partners", "counts", "first")


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for; everything that is given must hold.

    Attributes:
        terms: none, one or two entities, each by concept id, CURIE, or any name
            a document calls it by; letter case does not matter.
        relations: relation types.
        partner_types: entity types of the other side.
        novel: True for Novel, False for No, None for both.
        min_score: least score.
        since: first year; documents without a year are left out then.
        until: last year, likewise.
        document: id of one document.
    """

    terms: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    partner_types: tuple[str, ...] = ()
    novel: bool | None = None
    min_score: float | None = None
    since: int | None = None
    until: int | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a table.

    Attributes:
        columns: names.
        rows: values in the order of the columns.
        total: rows there are, more than given where a limit was set.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    total: int


def ask(
    connection: Any, question: Question, kind: str = "relations", *, limit: int | None = None
) -> Answer:
    """Put a question.

    Args:
        connection: of :func:`~novelink.scale.results.open_results`.
        question: what to look for.
        kind: ``"relations"`` (best first), ``"partners"`` (those with most
            documents first), ``"counts"`` (by relation type and novelty) or
            ``"first"`` (the year each pair was first reported, and first
            reported as novel).
        limit: most rows.

    Raises:
        SettingsError: an unknown kind, or more than two terms.
    """
    if kind not in KINDS:
        raise SettingsError(f"no question of the kind '{kind}'")
    if len(question.terms) > 2:
        raise SettingsError(
            f"{len(question.terms)} entities asked for", remedy="Ask for one, or for a pair"
        )
    values: list[Any] = []
    found = _matching(question, values)
    query = f"WITH found AS ({found}) {_SHAPES[kind]}"
    return run_sql(connection, query, values, limit=limit)


def run_sql(
    connection: Any, query: str, values: Sequence[Any] = (), *, limit: int | None = None
) -> Answer:
    """Run a query and count its rows.

    Args:
        connection: of :func:`~novelink.scale.results.open_results`.
        query: SQL over the view ``relations``.
        values: of its parameters.
        limit: most rows to give.
    """
    cursor = connection.execute(query, list(values))
    columns = tuple(entry[0] for entry in cursor.description or ())
    rows: list[tuple[Any, ...]] = []
    total = 0
    for row in _fetched(cursor):
        total += 1
        if limit is None or total <= limit:
            rows.append(row)
    return Answer(columns, rows, total)


def _fetched(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while batch := cursor.fetchmany(10_000):
        yield from batch


def _side(number: int, term: str, values: list[Any]) -> str:
    values.extend([term.lower()] * 4)
    return (
        f"(lower(id{number}) = ? OR lower(curie{number}) = ? OR lower(name{number}) = ? "
        f"OR list_contains([lower(one.text) for one in mentions{number}], ?))"
    )


def _matching(question: Question, values: list[Any]) -> str:
    """Rows that fit, with the entity asked for on the left."""
    terms = question.terms
    if not terms:
        # Documents name the two in any order; here each pair has one.
        on_left = "((id1, coalesce(type1, '')) <= (id2, coalesce(type2, '')))"
    elif len(terms) == 1:
        on_left = _side(1, terms[0], values)
    else:
        on_left = f"({_side(1, terms[0], values)} AND {_side(2, terms[1], values)})"
    if not terms:
        matches = "(true)"
    elif len(terms) == 1:
        matches = f"(on_left OR {_side(2, terms[0], values)})"
    else:
        matches = f"(on_left OR ({_side(2, terms[0], values)} AND {_side(1, terms[1], values)}))"
    conditions = [matches]
    if question.relations:
        conditions.append(f"relation IN ({', '.join('?' * len(question.relations))})")
        values.extend(question.relations)
    for condition, value in (
        ("novelty = ?", {None: None, True: NOVEL, False: NOT_NOVEL}[question.novel]),
        ("score >= ?", question.min_score),
        ("year >= ?", question.since),
        ("year <= ?", question.until),
        ("document = ?", question.document),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    outer = ""
    if question.partner_types:
        names = ", ".join("?" * len(question.partner_types))
        outer = f" WHERE type2 IN ({names})"
        values.extend(question.partner_types)
        if not terms:
            # Either side may be the partner then.
            outer += f" OR type1 IN ({names})"
            values.extend(question.partner_types)
    picked = ", ".join(
        f"CASE WHEN on_left THEN {name}1 ELSE {name}2 END AS {name}1, "
        f"CASE WHEN on_left THEN {name}2 ELSE {name}1 END AS {name}2"
        for name in ("id", "type", "name", "curie")
    )
    columns = (
        f"document, source, title, year, {picked}, relation, novelty, score, novelty_score, "
        "subject, evidence"
    )
    return (
        f"SELECT * FROM (SELECT {columns} "  # noqa: S608 (what a user gives is a parameter)
        f"FROM (SELECT *, {on_left} AS on_left FROM relations) "
        f"WHERE {' AND '.join(conditions)}){outer}"
    )


_SHAPES = {
    "relations": """
        SELECT document, year, name1, id1, type1, name2, id2, type2, relation, novelty,
            score, novelty_score, subject, title
        FROM found
        ORDER BY score DESC NULLS LAST, document, id1, id2, relation
    """,
    "partners": """
        SELECT mode(name2 ORDER BY name2) AS partner, id2 AS id, type2 AS type,
            count(DISTINCT document) AS documents,
            count(DISTINCT document) FILTER (novelty = 'Novel') AS novel,
            max(score) AS best_score,
            string_agg(DISTINCT relation, ', ' ORDER BY relation) AS relations,
            min(year) AS first_year, max(year) AS last_year
        FROM found
        GROUP BY id2, type2
        ORDER BY documents DESC, best_score DESC NULLS LAST, id2
    """,
    "counts": """
        SELECT relation, novelty, count(*) AS relations,
            count(DISTINCT document) AS documents,
            min(year) AS first_year, max(year) AS last_year
        FROM found
        GROUP BY relation, novelty
        ORDER BY relations DESC, relation, novelty
    """,
    "first": """
        SELECT mode(name1 ORDER BY name1) AS entity, id1,
            mode(name2 ORDER BY name2) AS partner, id2, relation,
            min(year) AS first_year,
            min(year) FILTER (novelty = 'Novel') AS first_novel_year,
            arg_min(document, year) FILTER (novelty = 'Novel') AS first_novel_document,
            count(DISTINCT document) AS documents
        FROM found
        GROUP BY id1, type1, id2, type2, relation
        ORDER BY first_novel_year NULLS LAST, first_year NULLS LAST, documents DESC, id1, id2,
            relation
    """,
}
