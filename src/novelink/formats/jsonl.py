"""JSON Lines: one document a line, every field of the data model, nothing lost.

.. code-block:: json

    {"id": "1", "passages": [{"offset": 0, "text": "A b.", "type": "title"}],
     "mentions": [{"start": 0, "end": 1, "text": "A", "type": "ChemicalEntity", "ids": ["D1"]}],
     "relations": [{"id1": "D1", "id2": "D2", "type": "Association", "novelty": "Novel"}]}

Fields at their default are left out. A line may have ``title`` and ``abstract``,
or ``text``, in place of ``passages``. Ids are taken exactly as they stand.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from novelink.document import Document, Evidence, Mention, Passage, Relation
from novelink.errors import DataError
from novelink.formats.unpacking import CutOffError
from novelink.formats.writer import TextWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_MANY = "a list of objects"


def sniff(prefix: bytes) -> bool:
    """Whether content begins like our JSON Lines and not like BioC JSON."""
    first = prefix.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    return (
        first.startswith(b"{")
        and re.search(
            rb'^\{\s*"(?:id|passages|mentions|relations|infons|title|abstract|text)"\s*:', first
        )
        is not None
        and re.search(rb'"(?:annotations|documents|PubTator3|sentences)"\s*:', first) is None
    )


def read_jsonl(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a JSON Lines file, one at a time; blank lines count for nothing.

    Raises:
        DataError: a line is wrong; under ``lenient`` it is counted and left out.
    """
    intake.escapes = True
    try:
        for raw in source.lines():
            if raw.isspace():
                continue
            try:
                document = intake.accept(
                    _document(_parse(raw, source, intake), source, intake), source.line
                )
            except DataError as error:
                intake.skip(error)
            else:
                yield document
    except CutOffError as error:
        intake.skip(error)


def _parse(raw: bytes, source: Source, intake: Intake) -> dict[str, Any]:
    try:
        found = json.loads(raw.decode("utf-8-sig" if source.line == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise intake.fault(
            f"not UTF-8 (byte 0x{raw[error.start]:02x} at column {error.start + 1})",
            line=source.line,
            remedy="Save the file as UTF-8",
        ) from error
    except (ValueError, RecursionError) as error:
        raise intake.fault(
            f"not a whole JSON object ({error})",
            line=source.line,
            remedy="JSON Lines has one document per line; a cut-off last line means that the "
            "file was not written to its end",
        ) from error
    if not isinstance(found, dict):
        raise intake.fault(
            "a line holds no JSON object", line=source.line, remedy='Write {"id": …, "passages": …}'
        )
    return found


class _Fields:
    """Takes keys out of a JSON object, checking their types; leftovers are errors."""

    def __init__(self, data: Any, what: str, source: Source, intake: Intake) -> None:
        self.what, self.line, self.intake = what, source.line, intake
        if not isinstance(data, dict):
            raise self.fault(f"{what} must be an object")
        self.data = data

    def fault(self, message: str) -> DataError:
        return self.intake.fault(message, line=self.line, remedy="See docs/formats.md, JSON Lines")

    def take(self, key: str, kinds: tuple[type, ...], default: Any = ...) -> Any:
        value = self.data.pop(key, default)
        if value is ...:
            raise self.fault(f"{self.what} without '{key}'")
        if value is not default and (
            not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        ):
            raise self.fault(f"{self.what}: '{key}' must be of type {kinds[0].__name__}")
        return value

    def probability(self, key: str) -> float | None:
        value = self.take(key, (float, int), None)
        return None if value is None else self.intake.probability(str(value), key, self.line)

    def strings(self, key: str) -> tuple[str, ...]:
        values = self.take(key, (list,), [])
        if not all(isinstance(value, str) for value in values):
            raise self.fault(f"{self.what}: '{key}' must be a list of strings")
        return tuple(values)

    def infons(self) -> tuple[tuple[str, str], ...]:
        values = self.take("infons", (list, dict), [])
        pairs = list(values.items()) if isinstance(values, dict) else values
        if not all(
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(part, str) for part in pair)
            for pair in pairs
        ):
            raise self.fault(f"{self.what}: 'infons' must be a list of [key, value] strings")
        return tuple((key, value) for key, value in pairs)

    def done(self) -> None:
        if self.data:
            raise self.fault(f"{self.what}: unknown key '{next(iter(self.data))}'")


def _document(data: dict[str, Any], source: Source, intake: Intake) -> Document:
    fields = _Fields(data, "document", source, intake)
    doc_id = str(fields.take("id", (str, int)))

    def each(key: str, noun: str, build: Callable[[_Fields], Any]) -> Iterator[Any]:
        for item in fields.take(key, (list,), []):
            part = _Fields(item, f"document {doc_id}: {noun}", source, intake)
            built = build(part)
            part.done()
            if built is not None:
                yield built

    if "passages" in data:
        passages = tuple(each("passages", "passage", _passage))
    elif "text" in data:
        passages = (Passage(0, fields.take("text", (str,)), ""),)
    else:
        title = fields.take("title", (str,))
        abstract = fields.take("abstract", (str,), "")
        passages = (Passage(0, title, "title"), Passage(len(title) + 1, abstract, "abstract"))
    mentions = tuple(each("mentions", "mention", _mention))
    relations = tuple(each("relations", "relation", _relation))
    infons = fields.infons()
    fields.done()
    return Document(doc_id, passages, mentions, relations, infons)


def _passage(fields: _Fields) -> Passage:
    return Passage(
        fields.take("offset", (int,)),
        fields.take("text", (str,)),
        fields.take("type", (str,), ""),
        fields.infons(),
    )


def _mention(fields: _Fields) -> Mention | None:
    kind = fields.intake.entity_type(fields.take("type", (str,)), fields.line)
    mention = Mention(
        fields.take("start", (int,)),
        fields.take("end", (int,)),
        fields.take("text", (str,)),
        kind or "",
        fields.strings("ids"),
        tuple(_span(fields, span) for span in fields.take("spans", (list,), [])),
        fields.take("source_id", (str,), None),
    )
    return mention if kind else None


def _span(fields: _Fields, span: Any) -> tuple[int, int]:
    if not (isinstance(span, list) and len(span) == 2 and all(type(part) is int for part in span)):
        raise fields.fault(f"{fields.what}: 'spans' must be a list of [start, end]")
    return span[0], span[1]


def _relation(fields: _Fields) -> Relation:
    novelty = fields.take("novelty", (str,), None)
    return Relation(
        fields.take("id1", (str,)),
        fields.take("id2", (str,)),
        fields.intake.relation_type(fields.take("type", (str,)), fields.line),
        None if novelty is None else fields.intake.novelty(novelty, fields.line),
        fields.probability("score"),
        fields.probability("novelty_score"),
        fields.take("subject", (str,), None),
        tuple(_evidence(fields, item) for item in fields.take("evidence", (list,), [])),
    )


def _evidence(fields: _Fields, item: Any) -> Evidence:
    if not (
        isinstance(item, list)
        and len(item) == 3
        and all(type(part) is int for part in item[:2])
        and type(item[2]) in {int, float}
    ):
        raise fields.fault(f"{fields.what}: 'evidence' must be a list of [start, end, weight]")
    weight = fields.intake.probability(str(item[2]), "evidence weight", fields.line)
    return Evidence(item[0], item[1], weight)


class JsonlWriter(TextWriter):
    """Writes one document per line."""

    def encode(self, document: Document) -> str:
        """The document's line with its end."""
        data: dict[str, Any] = {
            "id": document.id,
            "passages": [_passage_data(passage) for passage in document.passages],
        }
        if document.mentions:
            data["mentions"] = [_mention_data(mention) for mention in document.mentions]
        if document.relations:
            data["relations"] = [_relation_data(relation) for relation in document.relations]
        if document.infons:
            data["infons"] = document.infons
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def _passage_data(passage: Passage) -> dict[str, Any]:
    data: dict[str, Any] = {"offset": passage.offset, "text": passage.text}
    if passage.type:
        data["type"] = passage.type
    if passage.infons:
        data["infons"] = passage.infons
    return data


def _mention_data(mention: Mention) -> dict[str, Any]:
    data: dict[str, Any] = {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "type": mention.type,
    }
    if mention.concept_ids:
        data["ids"] = mention.concept_ids
    if mention.spans:
        data["spans"] = mention.spans
    if mention.source_id is not None:
        data["source_id"] = mention.source_id
    return data


def _relation_data(relation: Relation) -> dict[str, Any]:
    data: dict[str, Any] = {"id1": relation.id1, "id2": relation.id2, "type": relation.type}
    if relation.novelty is not None:
        data["novelty"] = relation.novelty
    # float: numbers may come from numpy, whose own are no JSON.
    if relation.score is not None:
        data["score"] = float(relation.score)
    if relation.novelty_score is not None:
        data["novelty_score"] = float(relation.novelty_score)
    if relation.subject is not None:
        data["subject"] = relation.subject
    if relation.evidence:
        data["evidence"] = [
            (int(part.start), int(part.end), float(part.weight)) for part in relation.evidence
        ]
    return data
