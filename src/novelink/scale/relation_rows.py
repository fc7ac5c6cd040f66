"""The Parquet schema of a corpus run: one row per relation, entities and evidence nested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from novelink import __version__
from novelink.exports.identifiers import identify
from novelink.exports.rows import relation_ends
from novelink.pairs import expand_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document, Mention
    from novelink.exports.rows import End

MENTION = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("text", pa.string())])
ENTITY = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("name", pa.string()),
        ("curie", pa.string()),
        ("mentions", pa.list_(MENTION)),
    ]
)
EVIDENCE = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("weight", pa.float64()),
        ("text", pa.string()),
    ]
)
COLUMNS = (
    ("document", pa.string()),
    ("member", pa.string()),
    ("title", pa.string()),
    ("year", pa.int16()),
    ("entity1", ENTITY),
    ("entity2", ENTITY),
    ("relation", pa.string()),
    ("novelty", pa.string()),
    ("score", pa.float64()),
    ("novelty_score", pa.float64()),
    ("subject", pa.string()),
    ("evidence", pa.list_(EVIDENCE)),
)

_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_JOURNAL_YEAR = re.compile(r";\s*((?:1[5-9]|20|21)\d\d)\b")


def schema(model: str) -> pa.Schema:
    """The schema of every part of a run.

    Args:
        model: name of the model, kept in the file's metadata.
    """
    return pa.schema(
        list(COLUMNS), metadata={"novelink.version": __version__, "novelink.model": model}
    )


def relation_rows(document: Document, member: str) -> Iterator[dict[str, Any]]:
    """The rows of one document, in the order of its relations.

    Args:
        document: with relations; one without gives no rows.
        member: where in an archive it stood; empty for a plain file.
    """
    if not document.relations:
        return
    text = document.text
    title = document.passages[0].text if document.passages else None
    year = publication_year(document)
    mentions: dict[str, list[Mention]] = {}
    for mention in document.mentions:
        for concept_id in dict.fromkeys(mention.concept_ids):
            mentions.setdefault(concept_id, []).append(mention)
    for relation, first, second in relation_ends(document):
        yield {
            "document": document.id,
            "member": member or None,
            "title": title,
            "year": year,
            "entity1": _entity(first, mentions),
            "entity2": _entity(second, mentions),
            "relation": relation.type,
            "novelty": relation.novelty,
            "score": relation.score,
            "novelty_score": relation.novelty_score,
            "subject": relation.subject,
            "evidence": [
                {
                    "start": part.start,
                    "end": part.end,
                    "weight": part.weight,
                    "text": text[part.start : part.end],
                }
                for part in relation.evidence
            ],
        }


def _entity(end: End, mentions: dict[str, list[Mention]]) -> dict[str, Any]:
    places = {
        (mention.start, mention.end, mention.text)
        for part in {end.id, *expand_ids(end.id)}
        for mention in mentions.get(part, ())
    }
    return {
        "id": end.id,
        "type": end.type or None,
        "name": end.name,
        "curie": identify(end.type, end.id).curie,
        "mentions": [
            {"start": start, "end": stop, "text": text} for start, stop, text in sorted(places)
        ],
    }


def publication_year(document: Document) -> int | None:
    """The year a document appeared, where its infons tell it.

    PubTator 3 puts ``year`` beside the passages, and a ``journal`` infon such as
    ``"J Examp Med; 2007 Mar 4; 12 (3) 45-67."``.
    """
    infons = [*document.infons, *(pair for part in document.passages for pair in part.infons)]
    for key, value in infons:
        if key == "year" and (found := _YEAR.match(value.strip())):
            return int(found[0])
    for key, value in infons:
        if key == "journal" and (found := _JOURNAL_YEAR.search(value)):
            return int(found[1])
    return None
