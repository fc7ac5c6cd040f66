"""Probabilities of labels → mentions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from novelink.annotate.tagger.labels import BEGIN, INSIDE, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_CLOSERS = {")": "(", "]": "[", "}": "{"}
_OPENERS = {opener: closer for closer, opener in _CLOSERS.items()}
# Tokens of a word surer than this keep their own answers.
_SURE = 0.9
_TINY = 1e-6
_CELL = 32  # characters
_EDGES = re.compile(r"^[\s,;:.]+|[\s,;:]+$")


@dataclass(frozen=True, slots=True)
class Span:
    """A mention found.

    Attributes:
        start: first character.
        end: position after the last.
        type: entity type.
        score: mean probability of its tokens to be part of such a mention.
    """

    start: int
    end: int
    type: str
    score: float


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)


def find_spans(
    probabilities: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    types: Sequence[str],
    text: str,
    thresholds: Sequence[float],
) -> list[Span]:
    """Mentions of one document.

    Args:
        probabilities: [tokens, types, 3] of outside, beginning, inside.
        spans: place of each token in the text.
        types: names of the types.
        text: the document's text.
        thresholds: per type, least probability of a token not to be outside.

    Returns:
        In text order. Within a type they do not overlap; of two types at the
        same place the likelier stays.
    """
    probabilities = by_word(probabilities, spans, text, min(thresholds))
    inside = 1.0 - probabilities[:, :, OUTSIDE]
    begins = probabilities[:, :, BEGIN] > probabilities[:, :, INSIDE]
    found = []
    for row, name in enumerate(types):
        active = inside[:, row] >= thresholds[row]
        if not active.any():
            continue
        # A mention begins where its first token says so, or where none comes before it.
        previous = np.concatenate(([False], active[:-1]))
        starts = np.flatnonzero(active & (begins[:, row] | ~previous))
        stops = np.flatnonzero(active & ~np.concatenate((active[1:], [False])))
        for index, first in enumerate(starts.tolist()):
            limit = starts[index + 1] if index + 1 < len(starts) else len(spans)
            last = min(int(stops[np.searchsorted(stops, first)]), int(limit) - 1)
            start, end = trim(text, spans[first][0], spans[last][1])
            if start < end:
                score = float(inside[first : last + 1, row].mean())
                found.append(Span(start, end, name, score))
    return without_conflicts(found)


def by_word(
    probabilities: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    text: str,
    least: float = 0.0,
) -> NDArray[np.float32]:
    """One answer for the tokens of a word, unless they are sure of different ones.

    Names do end within words (``TNF`` in ``TNFalpha-induced``), so a word whose
    tokens disagree with confidence keeps their answers.

    Args:
        probabilities: as for :func:`find_spans`.
        spans: place of each token.
        text: the document's text.
        least: words without a token that is so likely to be inside of
            something are left as they are: their mean is no likelier.
    """
    starts = [
        index
        for index, (start, _) in enumerate(spans)
        if index == 0
        or start != spans[index - 1][1]
        or not text[start].isalnum()
        or not text[start - 1].isalnum()
    ]
    peaks = np.maximum.reduceat((1.0 - probabilities[:, :, OUTSIDE]).max(axis=1), starts)
    result = probabilities
    for first, last, peak in zip(starts, [*starts[1:], len(spans)], peaks.tolist(), strict=True):
        if last - first == 1 or peak < least:
            continue
        part = probabilities[first:last]
        inside = 1.0 - part[:, :, OUTSIDE]
        unsure = (inside.max(axis=0) < _SURE) | (inside.min(axis=0) > 1 - _SURE)
        if unsure.any():
            if result is probabilities:
                result = probabilities.copy()
            result[first:last] = np.where(unsure[None, :, None], _joint(part), part)
    return result


def _joint(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """One answer for the tokens [tokens, types, 3] of a word."""
    outside = part[:, :, OUTSIDE].mean(axis=0)
    word = np.zeros_like(part)
    word[:, :, OUTSIDE] = outside
    # Only the first token of a word can begin a mention.
    begins = part[0, :, BEGIN] / np.maximum(1.0 - part[0, :, OUTSIDE], _TINY)
    word[1:, :, INSIDE] = 1.0 - outside
    word[0, :, BEGIN] = (1.0 - outside) * begins
    word[0, :, INSIDE] = (1.0 - outside) * (1.0 - begins)
    return word


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without blanks and punctuation at its ends, and with its brackets in pairs.

    ``"(TNF"`` gives ``"TNF"`` and ``"interleukin (IL-6"`` gives ``"interleukin"``.
    """
    part = text[start:end]
    leading = _EDGES.match(part)
    start += leading.end() if leading else 0
    trailing = re.search(r"[\s,;:]+$", text[start:end])
    end -= len(trailing[0]) if trailing else 0
    open_at: list[int] = []
    for position in range(start, end):
        char = text[position]
        if char in _OPENERS:
            open_at.append(position)
        elif char in _CLOSERS:
            opener = open_at.pop() if open_at else -1
            if position == end - 1 and opener in {-1, start}:
                # It closes nothing here, or the whole span stands in brackets.
                return trim(text, start + (opener == start), position)
    if open_at and open_at[0] == start:
        return trim(text, start + 1, end)
    if open_at:
        closer = text[end : end + 1]
        if closer and closer == _OPENERS[text[open_at[-1]]]:
            return start, end + 1
        return trim(text, start, open_at[0])
    return start, end


def without_conflicts(found: Sequence[Span]) -> list[Span]:
    """Spans in text order; of two that cross or coincide, the surer one.

    A span within a longer one of another type stays: that is nesting.
    """
    kept: list[Span] = []
    places = SpanPlaces()
    for span in sorted(found, key=lambda item: (-item.score, item.start, item.type)):
        if not any(_conflict(span, other) for other in places.near(span.start, span.end)):
            kept.append(span)
            places.add(span)
    return sorted(kept, key=lambda item: (item.start, item.end, item.type))


class SpanPlaces:
    """Spans by where they are, so that a document's are not all compared with all."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._cells: dict[int, list[Span]] = {}
        for span in spans:
            self.add(span)

    def add(self, span: Span) -> None:
        """Put one in."""
        for cell in range(span.start // _CELL, (span.end - 1) // _CELL + 1):
            self._cells.setdefault(cell, []).append(span)

    def near(self, start: int, end: int) -> Iterator[Span]:
        """All that may overlap a place; some come twice."""
        for cell in range(start // _CELL, (end - 1) // _CELL + 1):
            yield from self._cells.get(cell, ())

    def is_free(self, start: int, end: int) -> bool:
        """Whether none overlaps a place."""
        return not any(span.start < end and start < span.end for span in self.near(start, end))


def _conflict(one: Span, other: Span) -> bool:
    if one.end <= other.start or other.end <= one.start:
        return False
    nested = (one.start <= other.start and other.end <= one.end) or (
        other.start <= one.start and one.end <= other.end
    )
    same = (one.start, one.end) == (other.start, other.end)
    return one.type == other.type or same or not nested
