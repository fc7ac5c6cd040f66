"""Text cut at the borders of mentions, so that overlapping ones stay legible."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from novelink.document import Mention


class Segment(NamedTuple):
    """A stretch of text under the same mentions.

    Attributes:
        start: first character.
        end: position after the last.
        mentions: indices of the mentions over it, the longest first.
    """

    start: int
    end: int
    mentions: tuple[int, ...]


def segments(mentions: Sequence[Mention], start: int, end: int) -> Iterator[Segment]:
    """Cut ``start``–``end`` at every border of a mention.

    The segments follow each other without gaps. Of several mentions over one
    segment the shortest comes last: it is the one to show on top.

    Args:
        mentions: of the document.
        start: first character of the stretch, a passage as a rule.
        end: position after its last.
    """
    opening: dict[int, list[int]] = {}
    closing: dict[int, list[int]] = {}
    for index, mention in enumerate(mentions):
        for part_start, part_end in mention.parts:
            if part_start < end and part_end > start:
                opening.setdefault(max(part_start, start), []).append(index)
                closing.setdefault(min(part_end, end), []).append(index)
    active: list[int] = []
    borders = sorted({start, end, *opening, *closing})
    for border, following in pairwise(borders):
        for index in closing.get(border, ()):
            active.remove(index)
        active += opening.get(border, ())
        by_length = sorted(
            active, key=lambda index: (mentions[index].start - mentions[index].end, index)
        )
        yield Segment(border, following, tuple(by_length))
