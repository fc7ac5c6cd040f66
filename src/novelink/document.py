"""The data model: what every format is read into and written from.

All classes are frozen and use slots: documents cross processes and are held by
the thousand. Offsets count characters (Unicode code points) from the start of
the document, ends are exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from novelink import limits
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NOVEL = "Novel"
NOT_NOVEL = "No"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text: title, abstract, or a section of an article.

    Attributes:
        offset: position of the first character in the document.
        text: the passage's text.
        type: ``"title"``, ``"abstract"`` or what the source calls it.
        infons: further key–value pairs of BioC, kept as they came.
    """

    offset: int
    text: str
    type: str = ""
    infons: tuple[tuple[str, str], ...] = ()

    @property
    def end(self) -> int:
        """Position after the last character."""
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class Mention:
    """One occurrence of an entity in the text.

    Attributes:
        start: first character.
        end: position after the last character.
        text: ``document.text[start:end]``; for a discontinuous mention the
            parts joined by one space.
        type: entity type in the schema's vocabulary.
        concept_ids: normalised ids, possibly none (``-`` in PubTator files) or
            several (``3172,3651``).
        spans: the parts of a discontinuous mention, each ``(start, end)``;
            empty for an ordinary one.
        source_id: the identifier as the file wrote it, kept only when it
            differs from the ids joined by ``,`` so that files are written back
            byte by byte. It does not count in comparisons.
    """

    start: int
    end: int
    text: str
    type: str
    concept_ids: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    source_id: str | None = field(default=None, compare=False)

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """All spans, one for an ordinary mention."""
        return self.spans or ((self.start, self.end),)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that a relation rests on.

    Attributes:
        start: first character of the sentence in the document.
        end: position after its last character.
        weight: share of this sentence in the relation's evidence, 0–1.
    """

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation between two entities of one document.

    Attributes:
        id1: concept id of one entity.
        id2: concept id of the other. Order carries no meaning; ``subject``
            does.
        type: relation type in the schema's vocabulary.
        novelty: ``"Novel"``, ``"No"`` or None where the source has none.
        score: probability that the two are related in this way, 0–1.
        novelty_score: probability of ``novelty`` given the relation, 0–1.
        subject: the id that acts on the other, where known.
        evidence: sentences it rests on, heaviest first.
    """

    id1: str
    id2: str
    type: str
    novelty: str | None = None
    score: float | None = None
    novelty_score: float | None = None
    subject: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Text with mentions and relations.

    Attributes:
        id: PMID, PMCID or the user's own.
        passages: in ascending order of offset, not overlapping.
        mentions: in the order of the source.
        relations: in the order of the source.
        infons: document-level key–value pairs of BioC (journal, year, …).
    """

    id: str
    passages: tuple[Passage, ...]
    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    infons: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_text(
        cls,
        doc_id: str,
        title: str,
        abstract: str = "",
        *,
        mentions: Iterable[Mention] = (),
        relations: Iterable[Relation] = (),
    ) -> Document:
        """A title and an abstract, joined by one character as PubTator does.

        ``Document.from_text("1", "A b.", "C d.").text == "A b. C d."``
        """
        passages = (Passage(0, title, "title"), Passage(len(title) + 1, abstract, "abstract"))
        return cls(doc_id, passages, tuple(mentions), tuple(relations))

    @property
    def text(self) -> str:
        """The whole text; gaps between passages are filled with spaces."""
        parts: list[str] = []
        position = 0
        for passage in self.passages:
            parts.append(" " * (passage.offset - position))
            parts.append(passage.text)
            position = passage.end
        return "".join(parts)

    def entities(self) -> dict[str, Entity]:
        """Concept id → its entity, in order of first mention.

        An id's type is the type of its last mention, as the BioRED track's
        scorer has it. Mentions without an id belong to no entity.
        """
        collected: dict[str, list[Mention]] = {}
        for mention in self.mentions:
            for concept_id in dict.fromkeys(mention.concept_ids):
                collected.setdefault(concept_id, []).append(mention)
        return {
            concept_id: Entity(concept_id, mentions[-1].type, tuple(mentions))
            for concept_id, mentions in collected.items()
        }

    def with_relations(self, relations: Iterable[Relation]) -> Document:
        """This document with these relations in place of its own."""
        return replace(self, relations=tuple(relations))

    def with_mentions(self, mentions: Iterable[Mention]) -> Document:
        """This document with these mentions in place of its own."""
        return replace(self, mentions=tuple(mentions))

    def _repr_html_(self) -> str:
        """Coloured entities and a relation table, for notebooks."""
        from novelink.view.fragment import document_html

        return document_html(self)


@dataclass(frozen=True, slots=True)
class Entity:
    """All mentions of one concept id in one document.

    Attributes:
        id: concept id.
        type: entity type of its last mention.
        mentions: in the document's order, never empty.
    """

    id: str
    type: str
    mentions: tuple[Mention, ...]


def check_document(
    document: Document,
    *,
    source: str | None = None,
    line: int | None = None,
    mention_lines: Mapping[int, int] | None = None,
) -> Document:
    """Check offsets and texts; every reader passes its documents through here.

    Args:
        document: what was read.
        source: file name for the message.
        line: line of the document's beginning.
        mention_lines: index of a mention → its line, where known.

    Returns:
        The same document.

    Raises:
        DataError: passages overlap or go backwards, a mention's text is not the
            text at its offsets, or the document exceeds a limit of
            :mod:`novelink.limits`.
    """
    _check_size(document, source, line)
    position = 0
    for passage in document.passages:
        if passage.offset < position:
            raise DataError(
                f"document {document.id}: passage at offset {passage.offset} begins before "
                f"the one before it ends ({position})",
                source=source,
                line=line,
                remedy="Offsets count characters from the start of the document",
            )
        position = passage.end
    text = document.text
    for index, fault in _mention_faults(document.mentions, text):
        where = (mention_lines or {}).get(index, line)
        raise DataError(
            f"document {document.id}: {fault}",
            source=source,
            line=where,
            remedy="Correct the offsets (characters from 0, end exclusive), or use --lenient "
            "to leave this document out",
        )
    return document


def _check_size(document: Document, source: str | None, line: int | None) -> None:
    """Refuse what is too large, before anything is made of it."""
    end = max([passage.offset + len(passage.text) for passage in document.passages], default=0)
    pairs = 0
    for relation in document.relations:
        both = f"{relation.id1}\t{relation.id2}"
        pairs += _pairs_stated(relation) if "," in both or ";" in both else 1
    if (
        len(document.id) <= limits.ID_LENGTH
        and end <= limits.TEXT
        and len(document.mentions) <= limits.MENTIONS
        and len(document.relations) <= limits.RELATIONS
        and pairs <= limits.RELATION_PAIRS
    ):
        return
    for found, most, what in (
        (len(document.id), limits.ID_LENGTH, "characters in its id"),
        (end, limits.TEXT, "characters of text"),
        (len(document.mentions), limits.MENTIONS, "mentions"),
        (len(document.relations), limits.RELATIONS, "relations"),
        (pairs, limits.RELATION_PAIRS, "pairs of ids in its relations"),
    ):
        if found > most:
            raise DataError(
                f"document {document.id[:40]} has {found:,} {what}, and {most:,} is the most",
                source=source,
                line=line,
                remedy="Split it, or check its offsets and ids; see docs/input-limits.md",
            )


def _pairs_stated(relation: Relation) -> int:
    """An upper bound of what compound ids on both sides come to."""
    first, second = (1 + name.count(",") + name.count(";") for name in (relation.id1, relation.id2))
    return first * second


def _mention_faults(mentions: tuple[Mention, ...], text: str) -> Iterator[tuple[int, str]]:
    for index, mention in enumerate(mentions):
        start, end = mention.start, mention.end
        # Nearly all are ordinary and right, and nothing more is made of them.
        if (
            not mention.spans
            and 0 <= start < end <= start + limits.MENTION_LENGTH
            and end <= len(text)
            and text[start:end] == mention.text
        ):
            continue
        name = f"mention '{mention.text}' at {mention.start}–{mention.end}"
        if any(not 0 <= first < last <= len(text) for first, last in mention.parts):
            yield index, f"{name} lies outside the text of {len(text)} characters"
        elif mention.spans and (mention.start, mention.end) != (
            min(first for first, _ in mention.spans),
            max(last for _, last in mention.spans),
        ):
            yield index, f"{name} does not cover its parts {mention.spans[:3]}"
        elif len(mention.spans) > limits.MENTION_PARTS:
            yield index, f"{name} has {len(mention.spans):,} parts, {limits.MENTION_PARTS} at most"
        elif mention.end - mention.start > limits.MENTION_LENGTH:
            yield index, f"{name} is longer than {limits.MENTION_LENGTH:,} characters"
        else:
            found = " ".join(text[first:last] for first, last in mention.parts)
            if found != mention.text:
                yield index, f"{name}: the text there is '{found}'"
