"""Of a text too long for the encoder, the part around the pair's closest mentions is kept."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from novelink.reading.window import closest, keep

positions = st.lists(st.integers(0, 400), min_size=1, max_size=8, unique=True).map(sorted)


@given(positions, positions)
def test_closest_two_are_the_closest_of_all(first, second):
    left, right = closest(first, second)
    assert left in first
    assert right in second
    assert abs(left - right) == min(abs(a - b) for a in first for b in second)


@given(positions, positions, st.integers(16, 510), st.integers(0, 200))
@example([0], [400], 16, 0)
@example([10], [23], 16, 100)
def test_both_entities_are_in_sight_and_no_more_than_fits(first, second, room, tail):
    length = max(*first, *second) + 1 + tail
    kept = keep(length, room, first, second)
    assert sum(map(len, kept)) <= room
    assert all(stretch.start >= 0 and stretch.stop <= length for stretch in kept)
    assert all(left.stop <= right.start for left, right in pairwise(kept))
    left, right = closest(first, second)
    assert any(left in stretch for stretch in kept)
    assert any(right in stretch for stretch in kept)


@given(positions, positions, st.integers(16, 510), st.integers(0, 200))
def test_no_room_is_wasted(first, second, room, tail):
    """As much of the text is kept as fits; halves of an odd room may leave one token over."""
    length = max(*first, *second) + 1 + tail
    kept = keep(length, room, first, second)
    assert sum(map(len, kept)) >= min(length, room) - 1


def test_a_short_text_is_kept_whole():
    assert keep(100, 100, [3], [90]) == [range(100)]


def test_mentions_far_apart_get_a_window_each():
    kept = keep(1000, 100, [100], [900])
    assert [len(stretch) for stretch in kept] == [50, 50]
    assert 100 in kept[0]
    assert 900 in kept[1]
