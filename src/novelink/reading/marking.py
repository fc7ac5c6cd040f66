"""Markers around mentions, set in the text before it is tokenised.

Mentions do not always end at token borders ("TNF" in "anti-TNFalpha"), so
marking tokens would lose or widen them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from novelink.document import Mention

START_MARKER = "@/E"
END_MARKER = "E/@"

FIRST, SECOND, BOTH = 1, 2, 3
"""Owners of a marked mention, as a bit mask."""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with markers.

    Attributes:
        text: ``"@/E TNF E/@ lowers @/E insulin E/@ …"``.
        owners: per start marker, in the order of the text: 1 the first
            entity's mention, 2 the second's, 3 a mention of both; 0 for the
            later parts of a discontinuous mention, which count as no mention.
    """

    text: str
    owners: tuple[int, ...]


def neutralise(text: str, special_tokens: Iterable[str]) -> str:
    """Keep a text's own ``[SEP]`` or ``@/E`` from being read as special tokens.

    The first character of each becomes ``_``, so that offsets stay.

    >>> neutralise("a [SEP] b", ["[SEP]"])
    'a _SEP] b'
    """
    for token in special_tokens:
        if token and token in text:
            text = text.replace(token, "_" + token[1:])
    return text


def mark(text: str, first: Sequence[Mention], second: Sequence[Mention]) -> MarkedText:
    """Put markers around every mention of two entities.

    ``mark("TNF lowers insulin.", [TNF], [insulin])`` gives
    ``"@/E TNF E/@ lowers @/E insulin E/@."``.

    A span that both entities share is marked once. Nested and overlapping
    mentions each keep their markers, outer ones outside. Every part of a
    discontinuous mention is marked.

    Args:
        text: the document's text.
        first: mentions of one entity.
        second: mentions of the other.

    Returns:
        The marked text and the owner of each start marker.
    """
    owner: dict[tuple[int, int], int] = {}
    for bit, mentions in ((FIRST, first), (SECOND, second)):
        for mention in mentions:
            for position, part in enumerate(mention.parts):
                owner[part] = owner.get(part, 0) | (bit if position == 0 else 0)
    spans = [
        (start, end, f"{_space(text, start)}{START_MARKER} ", f" {END_MARKER}")
        for start, end in owner
    ]
    marked, order = insert_markers(text, spans)
    return MarkedText(marked, tuple(owner[spans[index][:2]] for index in order))


def _space(text: str, start: int) -> str:
    """A space where a start marker would otherwise run into the text before it.

    In "ACE/ARB" the text's ``E/`` and the marker's ``@`` would read as an end marker.
    """
    return " " if text[max(0, start - 2) : start].upper() == END_MARKER[:2] else ""


def insert_markers(
    text: str, spans: Sequence[tuple[int, int, str, str]]
) -> tuple[str, tuple[int, ...]]:
    """Put a text of its own before and after each span.

    Args:
        text: the document's text.
        spans: start, end, what to put before, what to put after.

    Returns:
        The marked text, and the spans' indices in the order of their start
        markers.
    """
    # Sorted by start, longest first, starts come out in the order of the text with outer spans
    # outside inner ones; ends are sorted so that the innermost, the last one begun, closes first.
    starts = sorted(range(len(spans)), key=lambda index: (spans[index][0], -spans[index][1]))
    rank = {index: place for place, index in enumerate(starts)}
    ends = sorted(range(len(spans)), key=lambda index: (spans[index][1], -rank[index]))
    pieces: list[str] = []
    position = begun = ended = 0
    while ended < len(ends):
        opening = spans[starts[begun]][0] if begun < len(starts) else len(text) + 1
        closing = spans[ends[ended]][1]
        place, marker = min((closing, 0), (opening, 1))
        pieces.append(text[position:place])
        position = place
        if marker:
            pieces.append(spans[starts[begun]][2])
            begun += 1
        else:
            pieces.append(spans[ends[ended]][3])
            ended += 1
    pieces.append(text[position:])
    return "".join(pieces), tuple(starts)
