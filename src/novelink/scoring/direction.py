"""Which entity of a related pair acts on the other: judged apart from the four levels.

Only where the gold names subjects (BioREDirect, Lai et al. 2025, gives them for
BioRED). Two figures: of the pairs that both sides relate and whose subject the
gold names, how many have the right one (accuracy: what the naming is worth);
and F1 over pairs with their subject (what is found in the end). Relation types
and novelty play no part. A pair has one subject: the first that its relations
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.scoring.counts import Counts, compare

if TYPE_CHECKING:
    from novelink.scoring.keys import DocumentKeys


@dataclass(frozen=True, slots=True)
class DirectionScores:
    """How well subjects are named.

    Attributes:
        counts: keys are a pair and its subject.
        judged: pairs that both sides relate and whose subject the gold names.
        named: of these, how many the prediction names a subject of.
        right: of these, how many have the gold's subject.
    """

    counts: Counts
    judged: int
    named: int
    right: int

    @property
    def accuracy(self) -> float:
        """Share of the judged pairs that have the right subject, 0–1."""
        return self.right / self.judged if self.judged else 0.0

    def to_dict(self) -> dict[str, Any]:
        """All figures."""
        return {
            **self.counts.to_dict(),
            "accuracy": self.accuracy,
            "judged": self.judged,
            "named": self.named,
            "right": self.right,
        }


class DirectionTally:
    """Counts documents one by one."""

    def __init__(self) -> None:
        self._counts = Counts()
        self._judged = self._named = self._right = 0
        self._is_gold = False

    def add(self, gold: DocumentKeys, predicted: DocumentKeys) -> None:
        """Count one document."""
        ours, theirs = gold.subjects, predicted.subjects
        self._is_gold |= bool(ours)
        self._counts += compare(set(ours.items()), set(theirs.items()))
        related = {statement.pair for statement in predicted.statements}
        for pair in ours.keys() & related:
            self._judged += 1
            self._named += pair in theirs
            self._right += theirs.get(pair) == ours[pair]

    def scores(self) -> DirectionScores | None:
        """All that was counted; None where the gold names no subject."""
        if not self._is_gold:
            return None
        return DirectionScores(self._counts, self._judged, self._named, self._right)
