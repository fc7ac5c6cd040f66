"""Choosing decision thresholds on Dev, and scoring with them.

A model is judged by what it was trained for: pair, type and novelty together
where it has both heads, pair and type where it has no novelty head, pair and
novelty where it has no relation head.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.errors import ModelError
from novelink.pairs import candidate_pairs
from novelink.schema import NO_RELATION
from novelink.scoring import score
from novelink.training.prediction import Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from novelink.decode import Decision
    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.schema import Schema

_GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))
_CERTAIN = 30.0  # a logit that leaves the other classes nothing

SELECTION = "selection.json"
"""File of a saved model that holds its thresholds."""

BOTH_HEADS = frozenset(("relation", "novelty"))


@dataclass(frozen=True)
class Selection:
    """Thresholds and what they score.

    Attributes:
        decision: the chosen settings.
        scores: level → precision, recall and F1 on the documents they were
            chosen on.
        value: the F1 that was maximised.
        level: the level that it belongs to; "" where there was no choice.
    """

    decision: DecisionSettings
    scores: dict[str, dict[str, float]]
    value: float
    level: str = "all"


def judged_level(tasks: frozenset[str], schema: Schema) -> str:
    """The strictest level that a model with these heads can be judged by."""
    if "relation" not in tasks:
        return "novelty"
    return "all" if "novelty" in tasks and schema.has_novelty else "type"


def level_scores(
    documents: Sequence[Document],
    predictions: Predictions,
    schema: Schema,
    decision: DecisionSettings,
    *,
    tasks: frozenset[str] = BOTH_HEADS,
) -> dict[str, dict[str, float]]:
    """Level → precision, recall, F1 of decided predictions, by the track's scorer.

    Args:
        documents: with gold relations; their candidate pairs, in order, are
            the rows of ``predictions``.
        predictions: logits.
        schema: vocabulary.
        decision: thresholds.
        tasks: heads that were trained; levels that need another are left out.
    """
    predicted = []
    begin = 0
    for document in documents:
        pairs = candidate_pairs(document, schema)
        rows = slice(begin, begin + len(pairs))
        part = Predictions(predictions.relation[rows], predictions.novelty[rows])
        decisions = _decide(part, pairs, schema, decision)
        predicted.append(document.with_relations(relations_of(pairs, decisions)))
        begin = rows.stop
    table: dict[str, Any] = score(documents, predicted, schema=schema, resamples=0).to_dict()
    with_novelty = schema.has_novelty and "novelty" in tasks
    levels = {
        "pair": True,
        "type": "relation" in tasks,
        "novelty": with_novelty,
        "all": with_novelty and "relation" in tasks,
    }
    return {
        level: {key: table[level][key] for key in ("precision", "recall", "f1")}
        for level, is_judged in levels.items()
        if is_judged
    }


def choose(
    documents: Sequence[Document],
    predictions: Predictions,
    schema: Schema,
    *,
    tasks: frozenset[str] = BOTH_HEADS,
    novelty_over: str = "all",
) -> Selection:
    """The thresholds with the best F1 at the strictest level, by grid search.

    The relation threshold is chosen first, then novelty's. Of equally good
    ones the lower is taken.

    Args:
        documents: as in :func:`level_scores`.
        predictions: logits.
        schema: vocabulary.
        tasks: heads that were trained.
        novelty_over: ``related`` where the novelty head has not seen unrelated
            pairs: without a relation head, it is then judged on the related
            pairs of the gold.
    """
    pairs = [pair for document in documents for pair in candidate_pairs(document, schema)]
    if "relation" not in tasks:
        relation = (
            _related_by_gold(pairs, schema)
            if novelty_over == "related"
            else _related_by_novelty(predictions.novelty, pairs, schema)
        )
        predictions = replace(predictions, relation=relation)
    level = judged_level(tasks, schema)
    search = _Search(predictions, pairs, schema, level, _gold_count(documents, schema, level))
    best = search.best([DecisionSettings(threshold=threshold) for threshold in _GRID])
    if "novelty" in tasks and schema.has_novelty:
        best = search.best([replace(best, novel_threshold=threshold) for threshold in _GRID])
    scores = level_scores(documents, predictions, schema, best, tasks=tasks)
    return Selection(best, scores, scores[level]["f1"], level)


class _Search:
    """F1 of settings over candidate pairs, which are unique, so counting arrays is enough."""

    def __init__(
        self, predictions: Predictions, pairs: list[Pair], schema: Schema, level: str, gold: int
    ) -> None:
        self.predictions = predictions
        self.pairs = pairs
        self.schema = schema
        self.gold = gold
        self.by_type = level in ("type", "all")
        self.by_novelty = level in ("novelty", "all")

    def best(self, candidates: list[DecisionSettings]) -> DecisionSettings:
        return max(candidates, key=self._f1)

    def _f1(self, settings: DecisionSettings) -> float:
        decisions = _decide(self.predictions, self.pairs, self.schema, settings)
        found = hits = 0
        for pair, decision in zip(self.pairs, decisions, strict=True):
            if decision.related:
                found += 1
                hits += self._is_hit(pair, decision)
        return 2 * hits / (found + self.gold) if found + self.gold else 0.0

    def _is_hit(self, pair: Pair, decision: Decision) -> bool:
        return (
            pair.relation != NO_RELATION
            and not (self.by_type and decision.type != pair.relation)
            and not (self.by_novelty and decision.novelty != pair.novelty)
        )


def _decide(
    predictions: Predictions, pairs: Sequence[Pair], schema: Schema, settings: DecisionSettings
) -> list[Decision]:
    types = [pair.pair_type for pair in pairs]
    return decide(predictions.relation, predictions.novelty, types, schema, settings)


def _gold_count(documents: Sequence[Document], schema: Schema, level: str) -> int:
    """Gold keys of a level as the scorer counts them, those outside the candidates too."""
    nothing = [document.with_relations(()) for document in documents]
    return score(documents, nothing, schema=schema, resamples=0)[level].gold


def _related_by_novelty(
    novelty: NDArray[np.float32], pairs: Sequence[Pair], schema: Schema
) -> NDArray[np.float32]:
    """Relation logits ``[N, R + 1]`` that say "related" as surely as the novelty head does."""
    logits = np.full((len(pairs), len(schema.relation_labels)), -_CERTAIN, np.float32)
    logits[:, 0] = novelty[:, 0]
    related = np.logaddexp(novelty[:, 1], novelty[:, 2])
    logits[np.arange(len(pairs)), _first_types(pairs, schema)] = related
    return logits


def _related_by_gold(pairs: Sequence[Pair], schema: Schema) -> NDArray[np.float32]:
    logits = np.full((len(pairs), len(schema.relation_labels)), -_CERTAIN, np.float32)
    chosen = [
        0 if pair.relation == NO_RELATION else first
        for pair, first in zip(pairs, _first_types(pairs, schema), strict=True)
    ]
    logits[np.arange(len(pairs)), chosen] = _CERTAIN
    return logits


def _first_types(pairs: Sequence[Pair], schema: Schema) -> list[int]:
    """Index of some relation type that each pair takes; 0 where it takes none."""
    first = {
        types: schema.relation_labels.index(relations[0]) if relations else 0
        for types, relations in schema.pairs.items()
    }
    return [first[pair.pair_type] for pair in pairs]


def read_notes(folder: Path) -> dict[str, Any]:
    """What is written beside a saved model: Dev scores, epoch, level.

    Raises:
        ModelError: the folder holds none.
    """
    try:
        notes: dict[str, Any] = json.loads((folder / SELECTION).read_text(encoding="utf-8"))
        return {key: notes[key] for key in ("dev", "epoch", "level", "value", "decision")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"no {SELECTION} with thresholds here",
            source=str(folder),
            remedy="Give the folder 'best' of a run of `novelink train`",
        ) from error


def read_selection(folder: Path) -> Selection:
    """Thresholds and Dev scores of a saved model.

    Raises:
        ModelError: the folder holds none.
    """
    notes = read_notes(folder)
    return Selection(
        DecisionSettings.from_dict(notes["decision"]),
        notes["dev"],
        float(notes["value"]),
        str(notes["level"]),
    )
