"""What a scoring run found: figures, tables, and what had to be left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from novelink.scoring.bootstrap import CONFIDENCE
from novelink.scoring.counts import Counts

if TYPE_CHECKING:
    from novelink.scoring.confusion import Confusion
    from novelink.scoring.curves import Ranking
    from novelink.scoring.direction import DirectionScores
    from novelink.scoring.entities import EntityScores

Table = dict[str, dict[str, Counts]]
"""Row name → level → counts."""

OUTSIDE_REASONS = {
    "self": "an id related to itself",
    "pair_type": "entity types that take no relation",
    "no_mention": "an id without a mention",
}


@dataclass(frozen=True, slots=True)
class DocumentTally:
    """Which documents the two sides hold.

    Attributes:
        gold: documents of the gold.
        predicted: documents of the prediction.
        missing: ids of gold documents that the prediction lacks.
        extra: ids of predicted documents that the gold lacks.
        text_differs: ids of documents whose words differ between the sides.
    """

    gold: int
    predicted: int
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    text_differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BothSides:
    """A count on each side."""

    gold: int = 0
    predicted: int = 0

    def __add__(self, other: BothSides) -> BothSides:
        return BothSides(self.gold + other.gold, self.predicted + other.predicted)

    def to_dict(self) -> dict[str, int]:
        """``{"gold": n, "predicted": n}``."""
        return {"gold": self.gold, "predicted": self.predicted}


@dataclass(frozen=True, slots=True)
class PairError:
    """A pair on which the sides differ.

    Attributes:
        id1: a concept id.
        id2: the other.
        name1: text of the first mention of ``id1``, or the id.
        name2: likewise.
        gold: labels the gold gives, e.g. ``Association, Novel``; "" for none.
        predicted: labels the prediction gives; "" for none.
        score: highest relation score, where given.
    """

    id1: str
    id2: str
    name1: str
    name2: str
    gold: str
    predicted: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """One document's counts at each level, and what went wrong in it."""

    id: str
    levels: dict[str, Counts]
    errors: tuple[PairError, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """The result of :func:`novelink.scoring.score`.

    Attributes:
        schema: the schema's name.
        levels: level → micro counts; ``scores["all"]`` is short for it.
        intervals: level → 95 % bootstrap interval of F1 over documents; empty
            without resamples.
        documents: which documents were there.
        gold_outside_candidates: gold id pairs that no candidate pair covers,
            by reason (keys of :data:`OUTSIDE_REASONS`).
        dropped_pairs: id pairs left out because of their entity types.
        without_mention: relations that name an id without a mention.
        without_novelty: relations without Novel / No.
        unreachable: gold id pairs, not self-relations, of which the predicted
            document lacks an id or gives it another entity type.
        by_type: relation type → counts at the levels whose key has it.
        by_novelty: Novel / No → likewise.
        by_pair_type: ``"ChemicalEntity|DiseaseOrPhenotypicFeature"`` → counts
            at every level.
        confusion: relation types, and None.
        novelty_confusion: Novel / No, and None; None without novelty.
        rankings: level → curve over relation scores; empty without scores.
        per_document: in the order of the gold, extra documents last.
        entities: recognition and normalisation, when asked for.
        direction: which entity acts, where the gold says so.
        options: the settings that the figures depend on.
    """

    schema: str
    levels: dict[str, Counts]
    intervals: dict[str, tuple[float, float]]
    documents: DocumentTally
    gold_outside_candidates: dict[str, int]
    dropped_pairs: BothSides
    without_mention: BothSides
    without_novelty: BothSides
    unreachable: int
    by_type: Table
    by_novelty: Table
    by_pair_type: Table
    confusion: Confusion
    novelty_confusion: Confusion | None
    rankings: dict[str, Ranking]
    per_document: tuple[DocumentScore, ...] = ()
    entities: EntityScores | None = None
    direction: DirectionScores | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, level: str) -> Counts:
        return self.levels[level]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: everything but the documents' own rows and the curves' points."""
        tally = self.documents
        return {
            "schema": self.schema,
            **{level: counts.to_dict() for level, counts in self.levels.items()},
            "intervals": {
                "confidence": CONFIDENCE,
                "f1": {level: list(bounds) for level, bounds in self.intervals.items()},
            },
            "documents": {
                "gold": tally.gold,
                "predicted": tally.predicted,
                "missing": len(tally.missing),
                "extra": len(tally.extra),
                "text_differs": len(tally.text_differs),
                "missing_ids": list(tally.missing),
                "extra_ids": list(tally.extra),
                "text_differs_ids": list(tally.text_differs),
            },
            "gold_outside_candidates": sum(self.gold_outside_candidates.values()),
            "gold_outside_candidates_by_reason": {
                reason: self.gold_outside_candidates.get(reason, 0) for reason in OUTSIDE_REASONS
            },
            "gold_unreachable": self.unreachable,
            "dropped_pairs": self.dropped_pairs.to_dict(),
            "relations_without_mention": self.without_mention.to_dict(),
            "relations_without_novelty": self.without_novelty.to_dict(),
            "by_type": _table_dict(self.by_type),
            "by_novelty": _table_dict(self.by_novelty),
            "by_pair_type": _table_dict(self.by_pair_type),
            "confusion": self.confusion.to_dict(),
            "novelty_confusion": self.novelty_confusion and self.novelty_confusion.to_dict(),
            "scores": {level: ranking.to_dict() for level, ranking in self.rankings.items()},
            "entities": self.entities and self.entities.to_dict(),
            "direction": self.direction and self.direction.to_dict(),
            "options": dict(self.options),
        }

    def warnings(self) -> list[str]:
        """What a reader must know before trusting the figures, one line each."""
        tally = self.documents
        lines = []
        if tally.gold and len(tally.missing) == tally.gold:
            lines.append(
                "no document of the gold is in the prediction: are these two files of one set?"
            )
        elif tally.missing:
            costs = "cost nothing" if self.options.get("compat") else "count as missed"
            lines.append(
                f"{len(tally.missing)} of {tally.gold} gold documents are not in the prediction; "
                f"their relations {costs} ({_first(tally.missing)})"
            )
        if tally.extra:
            lines.append(
                f"{len(tally.extra)} predicted documents are not in the gold; their relations "
                f"count as false positives ({_first(tally.extra)})"
            )
        if tally.text_differs:
            lines.append(
                f"{len(tally.text_differs)} documents have other words in the prediction than in "
                f"the gold ({_first(tally.text_differs)})"
            )
        lines += _side_lines(
            self.without_mention,
            "relations name an id that no mention carries: its entity type is unknown, so they "
            "match only relations of the other side with the same fault",
        )
        lines += _side_lines(
            self.dropped_pairs,
            "id pairs are left out on both sides: their entity types are not scored",
        )
        if "novelty" in self.levels:
            lines += _side_lines(
                self.without_novelty,
                "relations carry neither Novel nor No; they are wrong at the levels "
                "novelty and all unless the other side has none either",
            )
        return lines


def _side_lines(counts: BothSides, what: str) -> list[str]:
    sides = (("gold", counts.gold), ("predicted", counts.predicted))
    return [f"{count} {side} {what}" for side, count in sides if count]


def _first(ids: tuple[str, ...], shown: int = 3) -> str:
    more = f" and {len(ids) - shown} more" if len(ids) > shown else ""
    return ", ".join(ids[:shown]) + more


def _table_dict(table: Table) -> dict[str, Any]:
    return {
        name: {level: counts.to_dict() for level, counts in row.items()}
        for name, row in table.items()
    }
