"""Subtask 2's first two steps: are the entities found, and are their ids right?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.scoring.counts import Counts

if TYPE_CHECKING:
    from novelink.document import Document
    from novelink.schema import Schema

STEPS = ("recognition", "normalisation")


@dataclass(frozen=True, slots=True)
class EntityKeys:
    """One document's entities.

    Attributes:
        recognition: (spans, entity type) of every mention.
        normalisation: (concept id, entity type) of every id; the type is that
            of the id's last mention, as in the relations' keys.
    """

    recognition: frozenset[tuple[tuple[tuple[int, int], ...], str]]
    normalisation: frozenset[tuple[str, str]]


def entity_keys(document: Document, types: dict[str, str], schema: Schema) -> EntityKeys:
    """Keys of a document's entities.

    Args:
        document: its mentions count, its relations do not.
        types: concept id → entity type, from
            :func:`novelink.scoring.keys.entity_types`.
        schema: for the aliases of entity types.
    """
    return EntityKeys(
        frozenset(
            (mention.parts, schema.entity_type(mention.type) or mention.type)
            for mention in document.mentions
        ),
        frozenset(types.items()),
    )


class EntityTally:
    """Counts of both steps, overall and by entity type."""

    def __init__(self) -> None:
        self._cells: Counter[tuple[str, str, str]] = Counter()

    def add(self, gold: EntityKeys | None, predicted: EntityKeys | None) -> None:
        """Count one document; None where a side lacks it."""
        for step in STEPS:
            left: frozenset[tuple[Any, str]] = getattr(gold, step, frozenset())
            right: frozenset[tuple[Any, str]] = getattr(predicted, step, frozenset())
            for place, keys in (("tp", left & right), ("fp", right - left), ("fn", left - right)):
                self._cells.update((step, entity_type, place) for _, entity_type in keys)

    def scores(self, order: tuple[str, ...]) -> EntityScores:
        """What was counted.

        Args:
            order: entity types that always have a row; others found follow.
        """
        found = sorted({entity_type for _, entity_type, _ in self._cells} - set(order))
        by_type = {
            entity_type: {
                step: Counts(
                    *(self._cells[step, entity_type, place] for place in ("tp", "fp", "fn"))
                )
                for step in STEPS
            }
            for entity_type in (*order, *found)
        }
        overall = {
            step: sum((row[step] for row in by_type.values()), start=Counts()) for step in STEPS
        }
        return EntityScores(overall, by_type)


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Recognition and normalisation.

    Attributes:
        overall: step → counts over all entity types.
        by_type: entity type → step → counts.
    """

    overall: dict[str, Counts]
    by_type: dict[str, dict[str, Counts]]

    def to_dict(self) -> dict[str, Any]:
        """``{"recognition": {…}, "normalisation": {…}, "by_entity_type": {…}}``."""
        return {
            **{step: counts.to_dict() for step, counts in self.overall.items()},
            "by_entity_type": {
                name: {step: counts.to_dict() for step, counts in row.items()}
                for name, row in self.by_type.items()
            },
        }
