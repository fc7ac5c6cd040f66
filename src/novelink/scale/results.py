"""What a run wrote, as SQL tables: DuckDB over the parts, wherever they lie.

The view ``relations`` has one row per relation, the same columns for Parquet and
JSON Lines; see :data:`COLUMNS`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError, MissingExtraError, SettingsError
from novelink.exports.identifiers import identify
from novelink.scale.parts import SUFFIXES
from novelink.scale.storage import file_system, is_url, local_path, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = (
    "document",
    "source",
    "member",
    "title",
    "year",
    "id1",
    "type1",
    "name1",
    "curie1",
    "mentions1",
    "id2",
    "type2",
    "name2",
    "curie2",
    "mentions2",
    "relation",
    "novelty",
    "score",
    "novelty_score",
    "subject",
    "evidence",
)
"""Columns of the view ``relations``. ``mentions1`` and ``mentions2`` are lists of structs (start,
end, text), ``evidence`` of structs (start, end, weight, text)."""

_NESTED = """
    SELECT document, {source} AS source, member, title, year,
        entity1.id AS id1, entity1.type AS type1, entity1.name AS name1,
        entity1.curie AS curie1, entity1.mentions AS mentions1,
        entity2.id AS id2, entity2.type AS type2, entity2.name AS name2,
        entity2.curie AS curie2, entity2.mentions AS mentions2,
        relation, novelty, score, novelty_score, subject, evidence
    FROM read_parquet({place}, hive_partitioning = {hive}, hive_types_autocast = false)
"""

_LINES = """
    WITH documents AS (
        SELECT id AS document, {source} AS source, passages, mentions, relations,
            list_concat(
                coalesce(infons, []),
                flatten([coalesce(passage.infons, []) for passage in passages])
            ) AS infons
        FROM read_json(
            {place}, format = 'newline_delimited', hive_partitioning = {hive},
            hive_types_autocast = false, maximum_object_size = 134217728,
            columns = {{
                id: 'VARCHAR',
                passages: 'STRUCT("offset" BIGINT, "text" VARCHAR, infons VARCHAR[][])[]',
                mentions: 'STRUCT("start" INTEGER, "end" INTEGER, "text" VARCHAR,
                    "type" VARCHAR, ids VARCHAR[])[]',
                relations: 'STRUCT(id1 VARCHAR, id2 VARCHAR, "type" VARCHAR, novelty VARCHAR,
                    score DOUBLE, novelty_score DOUBLE, subject VARCHAR,
                    evidence DOUBLE[][])[]',
                infons: 'VARCHAR[][]'
            }}
        )
    ), rows AS (
        SELECT document, source, infons, passages, unnest(relations) AS found, mentions
        FROM documents
    ), ends AS (
        SELECT *,
            [one for one in mentions if list_contains(one.ids, found.id1)] AS all1,
            [one for one in mentions if list_contains(one.ids, found.id2)] AS all2
        FROM rows
    ), named AS (
        SELECT *,
            all1[-1].type AS type1, all2[-1].type AS type2,
            coalesce(list_aggregate([one.text for one in all1], 'mode'), found.id1) AS name1,
            coalesce(list_aggregate([one.text for one in all2], 'mode'), found.id2) AS name2
        FROM ends
    )
    SELECT document, source, NULL::VARCHAR AS member, passages[1].text AS title,
        coalesce(
            try_cast([pair[2][:4] for pair in infons if pair[1] = 'year'][1] AS SMALLINT),
            try_cast(nullif(regexp_extract(
                [pair[2] for pair in infons if pair[1] = 'journal'][1], ';\\s*(\\d{{4}})\\b', 1
            ), '') AS SMALLINT)
        ) AS year,
        found.id1 AS id1, type1, name1, novelink_curie(type1, found.id1) AS curie1,
        [{{'start': one.start, 'end': one.end, 'text': one.text}} for one in all1] AS mentions1,
        found.id2 AS id2, type2, name2, novelink_curie(type2, found.id2) AS curie2,
        [{{'start': one.start, 'end': one.end, 'text': one.text}} for one in all2] AS mentions2,
        found.type AS relation, found.novelty AS novelty, found.score AS score,
        found.novelty_score AS novelty_score, found.subject AS subject,
        [{{'start': part[1]::INTEGER, 'end': part[2]::INTEGER, 'weight': part[3],
           'text': NULL::VARCHAR}} for part in found.evidence] AS evidence
    FROM named
"""


@contextmanager
def open_results(place: str) -> Iterator[Any]:
    """A DuckDB connection with the view ``relations``.

    Args:
        place: folder or URL that a run wrote to, or one JSON Lines file.

    Raises:
        MissingExtraError: DuckDB is not installed.
        DataError: there are no results at that place.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("asking results", "scale") from error
    place = local_path(place)
    pattern, kind, hive = _found(place)
    connection = duckdb.connect()
    try:
        if is_url(place):
            connection.register_filesystem(file_system(place)[0])
        connection.create_function(
            "novelink_curie", _curie, [str, str], str, null_handling="special"
        )
        query = (_NESTED if kind == "parquet" else _LINES).format(
            place=sql_text(pattern),
            hive="true" if hive else "false",
            source="source" if hive else sql_text(Path(place).name),
        )
        connection.execute(f"CREATE VIEW relations AS {query}")
        yield connection
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise SettingsError(f"DuckDB: {first}", source=place) from error
    finally:
        connection.close()


def _curie(entity_type: str | None, concept_id: str | None) -> str | None:
    return None if concept_id is None else identify(entity_type or "", concept_id).curie


def _found(place: str) -> tuple[str, str, bool]:
    """Pattern of the parts, their kind, and whether they lie in partitions."""
    if not is_url(place) and Path(place).is_file():
        name = place.lower()
        if not name.endswith((".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")):
            raise DataError(
                "neither a folder that a run wrote nor a JSON Lines file",
                source=place,
                remedy="Write one with: novelink extract … -o results/ --to parquet",
            )
        return _literal(place), "jsonl", False
    names = open_store(place).names()
    for kind, suffix in SUFFIXES.items():
        if any(name.startswith("source=") and name.endswith(f".{suffix}") for name in names):
            return f"{_literal(place.rstrip('/'))}/source=*/part-*.{suffix}", kind, True
    raise DataError(
        "no results there",
        source=place,
        remedy="Name the folder that novelink extract -o wrote to",
    )


def _literal(path: str) -> str:
    """A path whose own signs are no pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)


def sql_text(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"
