"""The same pair over all documents: support, novelty, combined score, contradictions."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError, SettingsError
from novelink.scale.results import open_results, sql_text

if TYPE_CHECKING:
    from novelink.scale.question import Answer

POSITIVE, NEGATIVE = "Positive_Correlation", "Negative_Correlation"

PAIRS = f"""
    WITH oriented AS (
        SELECT document, year, relation, novelty, score, subject,
            (id1, coalesce(type1, '')) <= (id2, coalesce(type2, '')) AS kept,
            CASE WHEN kept THEN id1 ELSE id2 END AS a,
            CASE WHEN kept THEN coalesce(type1, '') ELSE coalesce(type2, '') END AS type_a,
            CASE WHEN kept THEN name1 ELSE name2 END AS name_a,
            CASE WHEN kept THEN id2 ELSE id1 END AS b,
            CASE WHEN kept THEN coalesce(type2, '') ELSE coalesce(type1, '') END AS type_b,
            CASE WHEN kept THEN name2 ELSE name1 END AS name_b
        FROM relations
        WHERE $least IS NULL OR score >= $least
    ), per_document AS (
        -- A document that occurs twice in the corpus counts once.
        SELECT a, type_a, b, type_b, document, relation,
            mode(name_a ORDER BY name_a) AS name_a,
            mode(name_b ORDER BY name_b) AS name_b, min(year) AS year,
            max(score) AS score, bool_or(novelty = 'Novel') AS novel,
            bool_or(subject = a) AS forward, bool_or(subject = b) AS backward
        FROM oriented
        GROUP BY a, type_a, b, type_b, document, relation
    ), per_type AS (
        SELECT a, type_a, b, type_b, relation, count(*) AS documents,
            count(*) FILTER (novel) AS novel,
            1 - exp(sum(ln(greatest(1 - score, 1e-12)))) AS score
        FROM per_document
        GROUP BY a, type_a, b, type_b, relation
    ), types AS (
        SELECT a, type_a, b, type_b,
            list({{'relation': relation, 'documents': documents, 'novel': novel, 'score': score}}
                ORDER BY documents DESC, score DESC NULLS LAST, relation) AS relations
        FROM per_type
        GROUP BY a, type_a, b, type_b
    ), whole AS (
        -- One row per document: with several relations of a pair the surest counts.
        SELECT a, type_a, b, type_b, document,
            mode(name_a ORDER BY name_a) AS name_a,
            mode(name_b ORDER BY name_b) AS name_b, min(year) AS year,
            max(score) AS score, coalesce(bool_or(novel), false) AS novel,
            bool_or(relation = '{POSITIVE}') AS positive,
            bool_or(relation = '{NEGATIVE}') AS negative,
            coalesce(bool_or(forward), false) AS forward,
            coalesce(bool_or(backward), false) AS backward
        FROM per_document
        GROUP BY a, type_a, b, type_b, document
    ), pairs AS (
        SELECT a, type_a, b, type_b, mode(name_a ORDER BY name_a) AS name_a,
            mode(name_b ORDER BY name_b) AS name_b,
            count(*) AS support, count(*) FILTER (novel) AS novel,
            1 - exp(sum(ln(greatest(1 - score, 1e-12)))) AS score,
            max(score) AS best_score, avg(score) AS mean_score,
            min(year) AS first_year, min(year) FILTER (novel) AS first_novel_year,
            max(year) AS last_year,
            count(*) FILTER (positive) AS positive, count(*) FILTER (negative) AS negative,
            count(*) FILTER (forward) AS forward, count(*) FILTER (backward) AS backward,
            list(document ORDER BY score DESC NULLS LAST, document)[:10] AS documents
        FROM whole
        GROUP BY a, type_a, b, type_b
    )
    SELECT a AS id1, name_a AS name1, nullif(type_a, '') AS type1,
        b AS id2, name_b AS name2, nullif(type_b, '') AS type2,
        types.relations[1].relation AS relation, support, novel, score, best_score, mean_score,
        first_year, first_novel_year, last_year, positive, negative,
        positive > 0 AND negative > 0 AS conflicting_signs,
        forward AS subject1, backward AS subject2,
        forward > 0 AND backward > 0 AS conflicting_directions,
        relations, documents
    FROM pairs JOIN types USING (a, type_a, b, type_b)
    WHERE support >= $support
        AND (NOT $conflicts OR conflicting_signs OR conflicting_directions)
    ORDER BY support DESC, score DESC NULLS LAST, id1, id2, type1, type2
"""  # noqa: S608 (made of constants)
"""One row per pair of entities. ``score`` is 1 − Π(1 − score of a document): the chance that at
least one document is right, if they erred independently. Needs $least, $support, $conflicts."""

_COPIES = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".tsv": "FORMAT csv, HEADER, DELIMITER '\t'",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
}


def aggregate(
    place: str,
    target: str,
    *,
    min_score: float | None = None,
    min_support: int = 1,
    conflicts: bool = False,
) -> int:
    """Join the relations of each pair over documents and write one row per pair.

    Args:
        place: what a run wrote.
        target: file to write; its ending gives the format (.parquet, .tsv,
            .csv, .jsonl). It appears whole or not at all.
        min_score: leave out relations below this score.
        min_support: leave out pairs with fewer documents.
        conflicts: only pairs whose documents contradict each other.

    Returns:
        How many pairs were written.

    Raises:
        SettingsError: no format ends like the target.
        DataError: no results, or the target cannot be written.
    """
    path = Path(target)
    options = _COPIES.get(path.suffix.lower())
    if options is None:
        raise SettingsError(
            f"the name '{target}' does not tell the format to write",
            remedy=f"End it in {', '.join(_COPIES)}",
        )
    if not path.absolute().parent.is_dir():
        raise DataError(
            "cannot write: its folder does not exist",
            source=target,
            remedy=f"Make it with: mkdir -p {path.parent}",
        )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    # Text tables hold lists as JSON.
    nested = path.suffix.lower() in {".tsv", ".csv"}
    picked = "* REPLACE (to_json(relations) AS relations, to_json(documents) AS documents)"
    query = f"SELECT {picked if nested else '*'} FROM ({PAIRS})"  # noqa: S608 (as above)
    query = f"COPY ({query}) TO {sql_text(str(temporary))} ({options})"
    try:
        with open_results(place) as connection:
            written: int = connection.execute(
                query, _values(min_score, min_support, conflicts=conflicts)
            ).fetchone()[0]
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror}", source=target) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    return written


def top_pairs(
    place: str,
    *,
    limit: int,
    min_score: float | None = None,
    min_support: int = 1,
    conflicts: bool = False,
) -> Answer:
    """The pairs with most support, for reading.

    Args:
        place: what a run wrote.
        limit: most rows.
        min_score: as for :func:`aggregate`.
        min_support: as for :func:`aggregate`.
        conflicts: as for :func:`aggregate`.
    """
    from novelink.scale.question import Answer

    with open_results(place) as connection:
        cursor = connection.execute(
            f"SELECT *, count(*) OVER () AS total FROM ({PAIRS}) LIMIT $limit",  # noqa: S608 (constant)
            {**_values(min_score, min_support, conflicts=conflicts), "limit": limit},
        )
        columns = tuple(entry[0] for entry in cursor.description)[:-1]
        rows = cursor.fetchall()
    return Answer(columns, [row[:-1] for row in rows], rows[0][-1] if rows else 0)


def _values(min_score: float | None, min_support: int, *, conflicts: bool) -> dict[str, Any]:
    return {"least": min_score, "support": min_support, "conflicts": conflicts}
