"""What BioC XML and BioC JSON share: their document structure to and from ours.

The structure is that of BioC JSON (Comeau et al. 2013): passages with text,
``infons``, annotations and relations; the XML reader makes the same dicts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from novelink import limits
from novelink.document import Document, Mention, Passage
from novelink.formats.bioc_relations import parse_relation, relation_infons
from novelink.formats.identifiers import read_ids, survives, written_id
from novelink.formats.json_stream import is_deep

if TYPE_CHECKING:
    from novelink.document import Relation
    from novelink.formats.intake import Intake
    from novelink.formats.writer import Writer

# Where annotations of known corpora keep the concept id, in order of trust.
_ID_KEYS = (
    "identifier",
    "normalized_id",
    "concept_id",
    "MESH",
    "OMIM",
    "NCBI Gene",
    "NCBI GENE",
    "NCBI Taxonomy",
    "Identifier",
)
SOURCE_ID = "source_id"
"""Infon of the id's own spelling where ``identifier`` holds another."""

_NO_DOCUMENT_KEYS = frozenset(
    {"id", "_id", "infons", "passages", "annotations", "relations", "relations_display", "authors"}
)


def build_document(data: Any, line: int | None, intake: Intake) -> Document:
    """One BioC document.

    Args:
        data: the parsed document.
        line: where it begins.
        intake: types, faults, counts.

    Raises:
        DataError: it is no BioC document, or its contents are wrong.
    """
    if not isinstance(data, dict) or not isinstance(data.get("passages"), list):
        raise intake.fault(
            "a document without passages",
            line=line,
            remedy="BioC documents have an id and a list of passages",
        )
    if "mentions" in data:
        raise intake.fault(
            "a document of JSON Lines and not of BioC",
            line=line,
            remedy="Name the format with --from jsonl",
        )
    doc_id = data.get("id")
    doc_id = "" if doc_id is None else str(doc_id).strip()
    if not doc_id:
        raise intake.fault("a document without an id", line=line, remedy="Give it an <id>")
    try:
        document = _Builder(doc_id, line, intake).build(data)
    except RecursionError as error:
        raise intake.fault(
            f"document {doc_id[:40]} is nested too deeply",
            line=line,
            remedy="docs/input-limits.md lists the limits",
        ) from error
    except (TypeError, AttributeError, KeyError, ValueError, IndexError) as error:
        what = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else error
        raise intake.fault(
            f"document {doc_id} does not have the structure of BioC ({what})",
            line=line,
            remedy="Compare it with the example in docs/formats.md",
        ) from error
    return intake.accept(document, line)


class _Builder:
    """One document while its parts are gathered."""

    def __init__(self, doc_id: str, line: int | None, intake: Intake) -> None:
        self.id = doc_id
        self.line = line
        self.intake = intake
        self.passages: list[Passage] = []
        self.typed = 0  # passages that say of which type they are, be it the empty one
        self.annotations: list[dict[str, Any]] = []
        self.relations: list[dict[str, Any]] = []

    def build(self, data: dict[str, Any]) -> Document:
        for passage in data["passages"]:
            self._passage(passage)
        self._collect(data)
        if len(self.annotations) > limits.MENTIONS:
            raise self.intake.fault(
                f"document {self.id[:40]} has {len(self.annotations):,} mentions, and "
                f"{limits.MENTIONS:,} is the most",
                line=self.line,
                remedy="Split it; docs/input-limits.md lists the limits",
            )
        passages = _with_types(self.passages, self.typed)
        text = Document(self.id, passages).text if self.annotations else ""
        mentions: list[Mention] = []
        ids_of: dict[str, str | None] = {}
        for annotation in self.annotations:
            mention = self._mention(annotation, text)
            name = annotation.get("id")
            if name is not None:
                ids_of[str(name)] = None if mention is None else ",".join(mention.concept_ids)
            if mention is not None:
                mentions.append(mention)
        relations: list[Relation] = []
        for raw in self.relations:
            relation = parse_relation(raw, ids_of, self.line, self.intake)
            if relation is not None:
                relations.append(relation)
        return Document(
            self.id, passages, tuple(mentions), tuple(relations), _document_infons(data)
        )

    def _collect(self, part: dict[str, Any]) -> None:
        self.annotations += part.get("annotations") or ()
        self.relations += part.get("relations") or ()

    def _passage(self, raw: dict[str, Any]) -> None:
        infons = _infons(raw.get("infons"))
        kind = next((value for key, value in infons if key == "type"), None)
        self.typed += kind is not None
        rest = tuple(pair for pair in infons if pair[0] != "type")
        text = raw.get("text")
        self._collect(raw)
        sentences = raw.get("sentences") or ()
        for sentence in sentences:
            self._collect(sentence)
        if text is None:
            text = _joined(sentences, _place(raw["offset"]))
        self.passages.append(Passage(_place(raw["offset"]), str(text), kind or "", rest))

    def _mention(self, raw: dict[str, Any], text: str) -> Mention | None:
        infons = raw["infons"]
        name = infons.get("type")
        if name is None:
            raise self.intake.fault(
                f"document {self.id}: annotation {raw.get('id')} without a type",
                line=self.line,
                remedy='Give it an infon "type"',
            )
        kind = self.intake.entity_type(str(name), self.line)
        if kind is None:
            return None
        spans = tuple(
            (_whole(place["offset"]), _whole(place["offset"]) + _whole(place["length"]))
            for place in raw["locations"][: limits.MENTION_PARTS + 1]
        )
        # Looked at before the text is copied: a short file could ask for long copies.
        if any(end - start > limits.MENTION_LENGTH for start, end in spans):
            raise ValueError(f"a mention of more than {limits.MENTION_LENGTH:,} characters")
        if len(spans) == 1:
            ((start, end),) = spans
            found = text[start:end]
            spans = ()
        else:
            start, end = min(span[0] for span in spans), max(span[1] for span in spans)
            found = " ".join(text[first:last] for first, last in spans)
        said = raw.get("text")
        if said is None or (spans and _same_letters(said, found)):
            said = found
        concept_ids, source_id = read_ids(_identifier(infons))
        return Mention(start, end, said, kind, concept_ids, spans, infons.get(SOURCE_ID, source_id))


def _identifier(infons: dict[str, Any]) -> str:
    for key in _ID_KEYS:
        value = infons.get(key)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return ",".join(map(str, value))
        if isinstance(value, int):
            return str(value)
    return "-"


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    raise ValueError(f"'{value}' is no whole number")


def _place(value: Any) -> int:
    """Where a stretch of text begins: gaps before it are filled, so it cannot be anywhere."""
    found = _whole(value)
    if found > limits.TEXT:
        raise ValueError(f"an offset of {found:,}; a text has {limits.TEXT:,} characters at most")
    return found


def _same_letters(first: str, second: str) -> bool:
    return "".join(first.split()) == "".join(second.split())


def _joined(sentences: Any, offset: int) -> str:
    parts: list[str] = []
    position = offset
    for sentence in sentences:
        text = str(sentence.get("text") or "")
        parts += (" " * (_place(sentence["offset"]) - position), text)
        position = _place(sentence["offset"]) + len(text)
    return "".join(parts)


def _with_types(passages: list[Passage], typed: int) -> tuple[Passage, ...]:
    """Two passages without types, as BioRED's JSON has them, are title and abstract."""
    if len(passages) == 2 and not typed:
        first, second = passages
        return (
            Passage(first.offset, first.text, "title", first.infons),
            Passage(second.offset, second.text, "abstract", second.infons),
        )
    return tuple(passages)


def _infons(raw: Any) -> tuple[tuple[str, str], ...]:
    if not raw:
        return ()
    pairs = raw.items() if isinstance(raw, dict) else raw
    return tuple((str(key), _text(value)) for key, value in pairs if value is not None)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if is_deep(value, limits.DEPTH):
        raise ValueError(f"a value nested more than {limits.DEPTH} deep")
    return json.dumps(value, ensure_ascii=False)


def _document_infons(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Infons, then what PubTator 3 writes beside them (journal, year, authors, …)."""
    infons = list(_infons(data.get("infons")))
    known = {key for key, _ in infons}
    for key, value in data.items():
        if (
            key not in _NO_DOCUMENT_KEYS
            and key not in known
            and isinstance(value, str | int | float)
        ):
            infons.append((key, _text(value)))
    authors = data.get("authors")
    if isinstance(authors, list) and authors and "authors" not in known:
        infons.append(("authors", "; ".join(map(str, authors))))
    return tuple(infons)


def document_data(document: Document, writer: Writer) -> dict[str, Any]:
    """A document as BioC JSON has it, ready for either writer.

    Infons are lists of pairs here, since XML may repeat a key. Mentions stand in
    the passage where they begin; relations at the document.
    """
    # Two passages without any type would be read back as title and abstract.
    typed = len(document.passages) == 2 or any(passage.type for passage in document.passages)
    passages: list[dict[str, Any]] = [
        {
            "infons": [("type", passage.type), *passage.infons] if typed else passage.infons,
            "offset": passage.offset,
            "text": passage.text,
            "annotations": [],
        }
        for passage in document.passages
    ]
    ends = [passage.end for passage in document.passages]
    position = 0
    for number, mention in enumerate(document.mentions):
        data = _annotation(number, mention, writer)
        # Mentions mostly come in order, so the search begins at the last one's passage.
        if position and mention.start < ends[position - 1]:
            writer.lose("order of mentions that do not follow the text")
            position = 0
        while position < len(ends) - 1 and mention.start >= ends[position]:
            position += 1
        passages[position]["annotations"].append(data)
    return {
        "id": document.id,
        "infons": document.infons,
        "passages": passages,
        "relations": [
            {"id": f"R{number}", "infons": relation_infons(relation)}
            for number, relation in enumerate(document.relations)
        ],
    }


def _annotation(number: int, mention: Mention, writer: Writer) -> dict[str, Any]:
    if not survives(mention.concept_ids):
        writer.lose("concept ids that are read back in another form")
    identifier = written_id(mention.concept_ids, mention.source_id)
    infons = [("identifier", identifier), ("type", mention.type)]
    if mention.source_id is not None and identifier != mention.source_id:
        infons.append((SOURCE_ID, mention.source_id))
    return {
        "id": str(number),
        "infons": infons,
        "text": mention.text,
        "locations": [{"offset": start, "length": end - start} for start, end in mention.parts],
    }
