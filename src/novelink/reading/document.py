"""Whole-document reading: every mention marked with its type, the text read once.

All pairs share one encoding, so a document costs about one pass instead of one
a pair. Texts longer than the encoder's window are read in overlapping windows;
no pair is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from novelink.errors import SettingsError
from novelink.reading.marking import END_MARKER, START_MARKER, insert_markers, neutralise
from novelink.reading.tokens import token_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.schema import Schema

OVERLAP = 128
"""Tokens that neighbouring windows share."""


def type_markers(entity_type: str) -> tuple[str, str]:
    """Start and end marker of an entity type: ``<CellLine>``, ``</CellLine>``."""
    return f"<{entity_type}>", f"</{entity_type}>"


def type_words(entity_type: str) -> str:
    """The words of a type's name: ``GeneOrGeneProduct`` → ``gene or gene product``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\W]+", " ", entity_type).lower()


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """What the encoder reads for one document.

    Attributes:
        windows: token ids, each ``[CLS] … [SEP]``.
        mentions: start markers in sight: window, position in it, entity. A
            mention in the overlap of two windows is there twice.
        entities: number of entities of the pairs.
        pairs: entity numbers of each pair, in the order of the pairs.
        offsets: per window, for each token the position in the document's text
            where it begins, for a marker that of the mention's begin or end; −1
            at ``[CLS]`` and ``[SEP]``.
        pairs_apart: pairs whose mentions never share a window.
    """

    windows: tuple[tuple[int, ...], ...]
    mentions: tuple[tuple[int, int, int], ...]
    entities: int
    pairs: tuple[tuple[int, int], ...]
    offsets: tuple[tuple[int, ...], ...]
    pairs_apart: int = 0

    @property
    def markers(self) -> dict[tuple[int, int], list[int]]:
        """Window and position of each start marker → its entities, in the text's order."""
        found: dict[tuple[int, int], list[int]] = {}
        for window, place, entity in self.mentions:
            found.setdefault((window, place), []).append(entity)
        return found

    @property
    def tokens(self) -> int:
        """Tokens of all windows together."""
        return sum(map(len, self.windows))

    def segments(self, borders: Sequence[int]) -> NDArray[np.int64]:
        """The stretch of the text that each token of all windows in a row is in.

        Args:
            borders: where stretches begin in the document's text, ascending.

        Returns:
            Numbers of stretches; below 0 before the first one, and for ``[CLS]`` and ``[SEP]``. A
            marker is where its mention is.
        """
        offsets = np.concatenate([np.array(row, np.int64) for row in self.offsets])
        return np.searchsorted(np.array(borders, np.int64), offsets, side="right") - 1


class DocumentReading:
    """Makes whole-document inputs; the same for training and prediction.

    "TNF lowers insulin." becomes ``<GeneOrGeneProduct> TNF </GeneOrGeneProduct>
    lowers <GeneOrGeneProduct> insulin </GeneOrGeneProduct>.`` Nested and
    overlapping mentions each keep their markers, outer ones outside; a span
    named twice with one type is marked once. All parts of a discontinuous
    mention are marked, the first alone counts as the mention. Mentions of types
    outside the schema stay plain text.

    Args:
        tokenizer: must have the schema's type markers as special tokens.
        schema: its entity types are marked.
        max_length: tokens of a window, ``[CLS]`` and ``[SEP]`` included.
        even_windows: of several windows none is longer than it must be, in place of all but the
            last one being full: less to read, and less padding.

    Raises:
        ModelError: the tokenizer lacks a marker or ``[CLS]`` / ``[SEP]``.
        SettingsError: windows too short to overlap.
    """

    kind: ClassVar[str] = "document"

    def __init__(
        self,
        tokenizer: Tokenizer,
        schema: Schema,
        max_length: int = 512,
        *,
        even_windows: bool = False,
    ) -> None:
        if max_length < 8:
            raise SettingsError(f"max_length is {max_length}; 8 is the least")
        self.tokenizer = tokenizer
        self.schema = schema
        self.max_length = max_length
        self._even = even_windows
        # A mention of another type has no marker that the model knows; it stays plain text.
        self._types = frozenset(schema.entity_types)
        self._cls_id = token_id(tokenizer, "[CLS]")
        self._sep_id = token_id(tokenizer, "[SEP]")
        self._start_ids = frozenset(
            token_id(tokenizer, type_markers(name)[0]) for name in schema.entity_types
        )
        self._end_ids = frozenset(
            token_id(tokenizer, type_markers(name)[1]) for name in schema.entity_types
        )
        # Of these only copies made for one entity have any (see novelink.reading.entity).
        self._inserted_before = self._start_ids | {tokenizer.token_to_id(START_MARKER)}
        self._inserted_behind = self._end_ids | {tokenizer.token_to_id(END_MARKER)}
        added = tokenizer.get_added_tokens_decoder().values()
        self._special = tuple(token.content for token in added)

    def encode(
        self, document: Document, pairs: Sequence[Pair], *, marked: str | None = None
    ) -> DocumentInput:
        """The input of one document, with its pairs in their order.

        Args:
            document: is read as a whole.
            pairs: of its entities.
            marked: concept id of an entity whose mentions are set apart from all others, by the
                markers of per-pair reading within those of their type; the tokenizer must have
                them.
        """
        numbers: dict[str, int] = {}
        for pair in pairs:
            for concept_id in pair.ids:
                numbers.setdefault(concept_id, len(numbers))
        spans, owners = self._spans(document, numbers, marked)
        text = neutralise(document.text, self._special)
        whole, order = insert_markers(
            text,
            [(start, end, f"{opening} ", f" {closing}") for start, end, opening, closing in spans],
        )
        encoding = self.tokenizer.encode(whole, add_special_tokens=False)
        ids: list[int] = encoding.ids
        starts = [place for place, token in enumerate(ids) if token in self._start_ids]
        markers = [(place, owners[index]) for place, index in zip(starts, order, strict=True)]
        origins = self._origins(ids, encoding.offsets)
        windows = _windows(len(ids), self.max_length - 2, even=self._even)
        mentions = tuple(
            (number, 1 + place - window.start, entity)
            for number, window in enumerate(windows)
            for place, entities in markers
            if place in window
            for entity in entities
        )
        numbered = [(numbers[first], numbers[second]) for first, second in (p.ids for p in pairs)]
        return DocumentInput(
            windows=tuple(
                (self._cls_id, *ids[window.start : window.stop], self._sep_id) for window in windows
            ),
            mentions=mentions,
            entities=len(numbers),
            pairs=tuple(numbered),
            offsets=tuple((-1, *origins[window.start : window.stop], -1) for window in windows),
            pairs_apart=_apart(mentions, numbered),
        )

    def _spans(
        self, document: Document, numbers: dict[str, int], marked: str | None
    ) -> tuple[list[tuple[int, int, str, str]], list[tuple[int, ...]]]:
        """Spans to mark, and the entities that each is a mention of."""
        owner: dict[tuple[int, int, str], set[int]] = {}
        apart: set[tuple[int, int, str]] = set()
        for mention in document.mentions:
            if mention.type not in self._types:
                continue
            entities = {numbers[name] for name in mention.concept_ids if name in numbers}
            for position, (start, end) in enumerate(mention.parts):
                found = owner.setdefault((start, end, mention.type), set())
                if position == 0:
                    found |= entities
                if marked in mention.concept_ids:
                    apart.add((start, end, mention.type))
        spans = []
        for span in owner:
            opening, closing = type_markers(span[2])
            if span in apart:
                opening, closing = f"{opening} {START_MARKER}", f"{END_MARKER} {closing}"
            spans.append((*span[:2], opening, closing))
        return spans, [tuple(sorted(entities)) for entities in owner.values()]

    def _origins(self, ids: list[int], offsets: list[tuple[int, int]]) -> list[int]:
        """Where each token begins in the unmarked text."""
        origins = []
        inserted = 0
        for token, (begin, end) in zip(ids, offsets, strict=True):
            is_start, is_end = token in self._inserted_before, token in self._inserted_behind
            # The blank that sets an end marker off stands before it.
            origins.append(begin - inserted - is_end)
            if is_start or is_end:
                # The marker and its blank are no text of the document.
                inserted += end - begin + 1
        return origins


def _windows(length: int, room: int, *, even: bool) -> list[range]:
    if length <= room:
        return [range(length)]
    overlap = min(OVERLAP, room // 2)
    count = -(-(length - overlap) // (room - overlap))
    if even:
        room = -(-(length + (count - 1) * overlap) // count)
    step = room - overlap
    return [range(n * step, min(length, n * step + room)) for n in range(count)]


def _apart(mentions: Sequence[tuple[int, int, int]], pairs: Sequence[tuple[int, int]]) -> int:
    windows: dict[int, set[int]] = {}
    for window, _, entity in mentions:
        windows.setdefault(entity, set()).add(window)
    nowhere: set[int] = set()
    return sum(
        not windows.get(first, nowhere) & windows.get(second, nowhere) for first, second in pairs
    )
