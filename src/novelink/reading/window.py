"""Which stretch of a text too long for the encoder is kept."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def closest(first: Sequence[int], second: Sequence[int]) -> tuple[int, int]:
    """The closest two positions, one of each ascending list; the earlier pair on a tie.

    >>> closest([3, 90], [40, 100])
    (90, 100)
    """
    best = (first[0], second[0])
    for position in first:
        at = bisect_left(second, position)
        for other in second[max(0, at - 1) : at + 1]:
            if abs(position - other) < abs(best[0] - best[1]):
                best = (position, other)
    return best


def keep(length: int, room: int, first: Sequence[int], second: Sequence[int]) -> list[range]:
    """Token positions to keep so that both entities stay in sight.

    Args:
        length: tokens of the whole text.
        room: tokens that fit.
        first: positions of one entity's start markers, ascending.
        second: positions of the other's.

    Returns:
        One range around the closest two mentions; two ranges of half the room,
        one around each, where those lie too far apart for one; everything where
        it fits.
    """
    if length <= room:
        return [range(length)]
    if not first or not second:
        return [range(room)]
    low, high = sorted(closest(first, second))
    # A mention needs room behind its start marker too; an eighth of the window is plenty.
    if high - low + room // 8 <= room:
        return [_around((low + high) // 2, room, length)]
    half = room // 2
    left = _around(low, half, length)
    right = _around(high, half, length)
    if right.start < left.stop:
        right = range(left.stop, min(length, left.stop + half))
    return [left, right]


def _around(centre: int, room: int, length: int) -> range:
    begin = max(0, min(centre - room // 2, length - room))
    return range(begin, min(length, begin + room))
