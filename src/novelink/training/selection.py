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

from novelink.decode import DECIMALS, DecisionSettings, decide, relations_of, subject_shares
from novelink.document import NOVEL
from novelink.errors import ModelError
from novelink.pairs import candidate_pairs
from novelink.schema import NO_RELATION
from novelink.scoring import score
from novelink.training.calibration import calibrated
from novelink.training.logits import Predictions
from novelink.training.thresholds import novelty_threshold, relation_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from novelink.decode import Decision
    from novelink.document import Document
    from novelink.extractor import Extractor
    from novelink.pairs import Pair
    from novelink.schema import Schema

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
        value: mean F1 over the levels judged, which ranks epochs.
        level: the strictest of them; "" where there was no choice.
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

    Where the model says which entity acts and the gold does too, ``direction`` is
    one more level, with its accuracy.

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
        decisions = _decide(predictions.part(rows), pairs, schema, decision)
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
    found = {
        level: {key: table[level][key] for key in ("precision", "recall", "f1")}
        for level, is_judged in levels.items()
        if is_judged
    }
    if predictions.direction is not None and table["direction"]:
        names = ("precision", "recall", "f1", "accuracy")
        found["direction"] = {key: table["direction"][key] for key in names}
    return found


def choose(
    documents: Sequence[Document],
    predictions: Predictions,
    schema: Schema,
    *,
    tasks: frozenset[str] = BOTH_HEADS,
    novelty_over: str = "all",
) -> Selection:
    """Calibrated settings with the thresholds that have the best F1.

    Temperatures and biases are fitted first (:mod:`novelink.training.calibration`),
    then thresholds are chosen on calibrated scores, so that both fit together.

    The relation threshold is chosen first, with novelty decided at one half:
    the one with the best mean over all levels that the model can be judged by.
    The strictest level alone is flat around its best, and where its top lies is
    chance: on documents that chose nothing, the mean found more pairs and lost
    nothing at the other levels. Novelty's threshold follows. Every cut between
    two observed probabilities is tried, which is every result that any
    threshold can have; a threshold lies halfway between the two. Of equally good
    cuts the lowest is taken.

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
    fitted = calibrated(predictions, pairs, schema, tasks=tasks)
    answers = _Answers.of(predictions, pairs, schema, fitted, by_type=level in ("type", "all"))
    rightly = answers.hits(tasks, schema, 0.5)
    best = replace(
        fitted,
        threshold=relation_threshold(
            answers.score[answers.possible],
            [
                (hits[answers.possible], _gold_count(documents, schema, name))
                for name, hits in rightly.items()
            ],
        ),
    )
    if "novelty" in tasks and schema.has_novelty:
        counted = answers.right & (answers.score >= best.threshold) & answers.has_novelty
        best = replace(
            best, novel_threshold=novelty_threshold(answers.share, answers.is_novel, counted)
        )
    if predictions.direction is not None:
        least = _direction_threshold(predictions.direction, pairs, answers, best)
        best = replace(best, direction_threshold=least)
    scores = level_scores(documents, predictions, schema, best, tasks=tasks)
    judged = [figures["f1"] for name, figures in scores.items() if name != "direction"]
    return Selection(best, scores, sum(judged) / len(judged), level)


def extracted_predictions(
    extractor: Extractor, documents: Sequence[Document]
) -> tuple[list[Pair], Predictions]:
    """Candidate pairs with gold labels, and what an exported model says of each.

    Args:
        extractor: of one model, not of a set.
        documents: with gold relations, which the model does not see.
    """
    pairs = [pair for document in documents for pair in candidate_pairs(document, extractor.schema)]
    blocks = [entry.joined() for entry in extractor.scored(documents) if entry.pairs]
    schema = extractor.schema
    relation = [np.zeros((0, len(schema.relation_labels)), np.float32)]
    novelty = [np.zeros((0, len(schema.novelty_labels)), np.float32)]
    direction = [block.direction for block in blocks if block.direction is not None]
    return pairs, Predictions(
        np.concatenate([*relation, *(block.relation for block in blocks)]),
        np.concatenate([*novelty, *(block.novelty for block in blocks)]),
        np.concatenate(direction) if direction else None,
    )


@dataclass(frozen=True)
class _Answers:
    """What a model says of N pairs before any threshold, and whether that is right.

    Attributes:
        possible: [N] whether the pair's entity types can be related at all.
        score: [N] probability that the pair is related.
        share: [N] probability of Novel among Novel and No.
        related: [N] whether the pair is related in the gold.
        right: [N] whether the pair is related, and of the type said.
        is_novel: [N] whether the gold says Novel.
        has_novelty: [N] whether the gold says Novel or No.
    """

    possible: NDArray[np.bool_]
    score: NDArray[np.float64]
    share: NDArray[np.float64]
    related: NDArray[np.bool_]
    right: NDArray[np.bool_]
    is_novel: NDArray[np.bool_]
    has_novelty: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        predictions: Predictions,
        pairs: Sequence[Pair],
        schema: Schema,
        settings: DecisionSettings,
        *,
        by_type: bool,
    ) -> _Answers:
        # With both thresholds at 0 everything possible is related and Novel, with its own share.
        everything = replace(settings, threshold=0.0, novel_threshold=0.0)
        decisions = _decide(predictions, pairs, schema, everything)
        right = [
            decision.related
            and pair.relation != NO_RELATION
            and (not by_type or decision.type == pair.relation)
            for pair, decision in zip(pairs, decisions, strict=True)
        ]
        return cls(
            np.array([decision.related for decision in decisions], dtype=bool),
            np.array([decision.score for decision in decisions]),
            np.array([decision.novelty_score or 0.0 for decision in decisions]),
            np.array([pair.relation != NO_RELATION for pair in pairs], dtype=bool),
            np.array(right, dtype=bool),
            np.array([pair.novelty == NOVEL for pair in pairs], dtype=bool),
            np.array([pair.novelty is not None for pair in pairs], dtype=bool),
        )

    def hits(
        self, tasks: frozenset[str], schema: Schema, novel_threshold: float
    ) -> dict[str, NDArray[np.bool_]]:
        """Judged level → [N] whether a pair counts as right at it once it is called related."""
        levels = {"pair": self.possible & self.related}
        if "relation" in tasks:
            levels["type"] = self.right
        if "novelty" in tasks and schema.has_novelty:
            novelty = self.novelty_hits(novel_threshold)
            levels |= {
                {"pair": "novelty", "type": "all"}[name]: hits & novelty
                for name, hits in levels.items()
            }
        return levels

    def novelty_hits(self, threshold: float) -> NDArray[np.bool_]:
        """[N] whether the gold's novelty is what this threshold says."""
        hits: NDArray[np.bool_] = self.has_novelty & ((self.share >= threshold) == self.is_novel)
        return hits


def _decide(
    predictions: Predictions, pairs: Sequence[Pair], schema: Schema, settings: DecisionSettings
) -> list[Decision]:
    types = [pair.pair_type for pair in pairs]
    return decide(
        predictions.relation,
        predictions.novelty,
        types,
        schema,
        settings,
        direction=predictions.direction,
    )


def _direction_threshold(
    direction: NDArray[np.float32],
    pairs: Sequence[Pair],
    answers: _Answers,
    settings: DecisionSettings,
) -> float:
    """The least probability of a subject with the best F1 over pairs found with their subject."""
    gold = [-1 if pair.subject is None else pair.ids.index(pair.subject) for pair in pairs]
    if max(gold, default=-1) < 0:
        return settings.direction_threshold
    first = subject_shares(direction)
    found = answers.possible & (answers.score >= settings.threshold)
    right = np.array(gold) == (first < 0.5)
    sure = np.round(0.5 + np.abs(first - 0.5), DECIMALS)
    return relation_threshold(sure[found], [(right[found], sum(side >= 0 for side in gold))])


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
