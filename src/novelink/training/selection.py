"""Choosing decision thresholds on Dev, and scoring with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.pairs import candidate_pairs
from novelink.scoring import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.schema import Schema
    from novelink.training.prediction import Predictions

_GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class Selection:
    """Thresholds and what they score.

    Attributes:
        decision: the chosen settings.
        scores: level → precision, recall and F1 on the documents they were
            chosen on.
        value: the F1 that was maximised.
    """

    decision: DecisionSettings
    scores: dict[str, dict[str, float]]
    value: float


def level_scores(
    documents: Sequence[Document],
    predictions: Predictions,
    schema: Schema,
    decision: DecisionSettings,
) -> dict[str, dict[str, float]]:
    """Level → precision, recall, F1 of decided predictions.

    Args:
        documents: with gold relations; their candidate pairs, in order, are
            the rows of ``predictions``.
        predictions: logits.
        schema: vocabulary.
        decision: thresholds.
    """
    predicted = []
    begin = 0
    for document in documents:
        pairs = candidate_pairs(document, schema)
        end = begin + len(pairs)
        decisions = decide(
            predictions.relation[begin:end],
            predictions.novelty[begin:end],
            [pair.pair_type for pair in pairs],
            schema,
            decision,
        )
        predicted.append(document.with_relations(relations_of(pairs, decisions)))
        begin = end
    table: dict[str, Any] = score(documents, predicted, schema=schema, resamples=0).to_dict()
    levels = ("pair", "type", "novelty", "all") if schema.has_novelty else ("pair", "type")
    return {
        level: {key: table[level][key] for key in ("precision", "recall", "f1")} for level in levels
    }


def choose(documents: Sequence[Document], predictions: Predictions, schema: Schema) -> Selection:
    """The thresholds with the best F1 at the strictest level, by grid search.

    The relation threshold is chosen first, then novelty's.
    """
    level = "all" if schema.has_novelty else "type"

    def best_of(candidates: list[DecisionSettings]) -> Selection:
        scored = [
            (decision, level_scores(documents, predictions, schema, decision))
            for decision in candidates
        ]
        decision, scores = max(scored, key=lambda item: item[1][level]["f1"])
        return Selection(decision, scores, scores[level]["f1"])

    best = best_of([DecisionSettings(threshold=threshold) for threshold in _GRID])
    if not schema.has_novelty:
        return best
    return best_of([replace(best.decision, novel_threshold=threshold) for threshold in _GRID])


def relation_loss(predictions: Predictions, labels: NDArray[np.int64]) -> float:
    """Mean cross-entropy of the relation logits, for early warnings of over-fitting."""
    logits = predictions.relation.astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - chosen))
