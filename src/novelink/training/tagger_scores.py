"""Mention scores: exact span and type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.document import Document

ALL = "all"


@dataclass(frozen=True, slots=True)
class MentionScore:
    """Counts of one entity type, or of all.

    Attributes:
        correct: found with exact span and type.
        found: mentions predicted.
        gold: mentions annotated.
    """

    correct: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the found ones that are right."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold ones that were found."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.found + self.gold
        return 2 * self.correct / total if total else 0.0


def mention_scores(gold: Iterable[Document], found: Iterable[Document]) -> dict[str, MentionScore]:
    """Scores by entity type, and micro-averaged under ``"all"``.

    Args:
        gold: annotated documents.
        found: the same documents, in the same order.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("correct", "found", "gold")}
    for wanted, answer in zip(gold, found, strict=True):
        sets = [
            {(mention.start, mention.end, mention.type) for mention in document.mentions}
            for document in (wanted, answer)
        ]
        for name, members in zip(
            ("gold", "found", "correct"), (*sets, sets[0] & sets[1]), strict=True
        ):
            for _, _, entity_type in members:
                counts[name][entity_type] += 1
                counts[name][ALL] += 1
    names = sorted(counts["gold"].keys() | counts["found"].keys())
    return {
        name: MentionScore(counts["correct"][name], counts["found"][name], counts["gold"][name])
        for name in names
    }
