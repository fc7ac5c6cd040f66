"""Hits, false alarms and misses, and the three figures that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True)
class Counts:
    """How many keys of one kind were right, wrong and missed.

    Attributes:
        tp: keys of both sides (true positives).
        fp: keys of the prediction alone (false positives).
        fn: keys of the gold alone (false negatives).
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    def __bool__(self) -> bool:
        return bool(self.tp or self.fp or self.fn)

    @property
    def gold(self) -> int:
        """Keys of the gold."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """Keys of the prediction."""
        return self.tp + self.fp

    @property
    def precision(self) -> float:
        """Share of the predicted that is right, 0–1; 0 where nothing was predicted."""
        return self.tp / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold that was found, 0–1; 0 where there is no gold."""
        return self.tp / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0–1; 0 where nothing was right."""
        # 2PR / (P + R) = 2tp / (2tp + fp + fn): no second rounding, no division by P + R = 0.
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0

    @property
    def errors(self) -> int:
        """Wrong and missed together."""
        return self.fp + self.fn

    def to_dict(self) -> dict[str, float | int]:
        """The six figures, fractions in 0–1."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
        }


def compare(gold: AbstractSet[Any], predicted: AbstractSet[Any]) -> Counts:
    """Counts of two sets of keys."""
    right = len(gold & predicted)
    return Counts(right, len(predicted) - right, len(gold) - right)
