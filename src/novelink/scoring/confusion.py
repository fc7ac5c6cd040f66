"""Which label was given for which: confusion matrices over related pairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.schema import NO_RELATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of (gold label, predicted label) over pairs.

    Attributes:
        labels: names of rows and columns, no relation first.
        counts: rows are gold, columns predicted.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """``{"labels": […], "gold_by_predicted": [[…], …]}``."""
        return {
            "labels": list(self.labels),
            "gold_by_predicted": [list(row) for row in self.counts],
        }


def label_pairs(gold: AbstractSet[str], predicted: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Gold and predicted labels of one pair, laid against each other.

    Equal ones meet first; the rest meet in alphabetical order; what is left
    over meets no relation. With one label a side, as usual, this is plain.

    >>> list(label_pairs({"Bind", "Association"}, {"Bind", "Conversion"}))
    [('Bind', 'Bind'), ('Association', 'Conversion')]
    >>> list(label_pairs({"Bind"}, set()))
    [('Bind', 'None')]
    """
    for label in sorted(gold & predicted):
        yield label, label
    missed, wrong = sorted(gold - predicted), sorted(predicted - gold)
    for position in range(max(len(missed), len(wrong))):
        yield (
            missed[position] if position < len(missed) else NO_RELATION,
            wrong[position] if position < len(wrong) else NO_RELATION,
        )


def confusion(
    cells: Mapping[tuple[str, str], int], order: Iterable[str], unrelated: int
) -> Confusion:
    """A matrix from counted cells.

    Args:
        cells: (gold label, predicted label) → count.
        order: labels that always have a row, in this order; others found
            follow alphabetically.
        unrelated: candidate pairs that neither side relates, the first cell.
    """
    known = (NO_RELATION, *order)
    found = sorted({label for pair in cells for label in pair} - set(known))
    labels = (*known, *found)
    counted = Counter(cells)
    counted[NO_RELATION, NO_RELATION] = unrelated
    rows = tuple(tuple(counted[gold, predicted] for predicted in labels) for gold in labels)
    return Confusion(labels, rows)
