"""Decision thresholds by exact search: every result that any threshold can have is tried."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from novelink.decode import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def relation_threshold(
    score: NDArray[np.float64], levels: Sequence[tuple[NDArray[np.bool_], int]]
) -> float:
    """The threshold with the highest mean F1 of some levels over N pairs, which are unique.

    Args:
        score: [N] probability that a pair is related, rounded as decided.
        levels: of each, [N] whether a pair counts as right once it is called
            related, and how many there are to find, other ones than these too.

    Returns:
        Halfway between the lowest score that is taken and the next one below,
        rounded up; 0.5 where there are no pairs.
    """
    if not len(score):
        return 0.5
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    found = np.arange(1, len(score) + 1)
    # Levels with as much to find share a denominator: added up before, equally good is equal.
    hits: dict[int, NDArray[np.int64]] = {}
    for right, gold in levels:
        hits[gold] = hits.get(gold, np.int64(0)) + np.cumsum(right[order])
    f1 = np.zeros(len(score))
    for gold, right_so_far in hits.items():
        f1 += 2.0 * right_so_far / (found + gold)
    # Pairs of one score are taken together.
    f1[:-1][falling[:-1] == falling[1:]] = -1.0
    last = len(f1) - 1 - int(np.argmax(f1[::-1]))
    below = falling[last + 1] if last + 1 < len(falling) else 0.0
    return _between(float(below), float(falling[last]))


def novelty_threshold(
    share: NDArray[np.float64], is_novel: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> float:
    """The threshold with most right answers of Novel and No.

    How many relations are found does not depend on it, so that most right
    answers are the highest F1.

    Args:
        share: [N] probability of Novel among Novel and No, rounded as decided.
        is_novel: [N] whether the gold says Novel.
        counted: [N] pairs whose answer can be right at all.

    Returns:
        Halfway between two observed shares, rounded up; 0.5 where nothing is
        counted.
    """
    if not counted.any():
        return 0.5
    values, place = np.unique(share[counted], return_inverse=True)
    novel = np.bincount(place, is_novel[counted], len(values))
    known = np.bincount(place, ~is_novel[counted], len(values))
    # Entry k: everything below values[k] is called No; the last one calls all of it No.
    right = np.concatenate([[0.0], np.cumsum(known)]) + novel.sum()
    right -= np.concatenate([[0.0], np.cumsum(novel)])
    edges = np.concatenate([[0.0], values, [1.0]])
    possible = len(right) if values[-1] < 1.0 else len(right) - 1
    best = int(np.argmax(right[:possible]))
    return _between(float(edges[best]), float(edges[best + 1]))


def _between(below: float, above: float) -> float:
    """The middle of two probabilities, rounded up: not above the upper, above the lower."""
    units: int = 10**DECIMALS
    return math.ceil((round(below * units) + round(above * units)) / 2) / units
