"""Logits → relations: the rule that turns a model's output into an answer.

For a pair with logits z over the relation classes, a temperature T and a bias b,

    p = softmax(z / T), over "no relation" and the types legal for the pair, with
    b added to the log-odds of being related,

the pair is related where ``1 − p(None)`` reaches the threshold; its type is the
likeliest legal one; its score is ``1 − p(None)``. Novelty is read from the two
classes that a related pair can have: ``P(Novel) / (P(Novel) + P(No))``, with a
temperature and a bias likewise, against its own threshold. Temperatures follow
Guo et al. 2017 ("On calibration of modern neural networks"), a temperature with
a bias Platt 1999: training samples fewer unrelated pairs than texts hold, which
no temperature alone puts right.

Where a model says which entity acts, the likelier one of the two becomes the
subject if its probability reaches a threshold of its own.

Probabilities are rounded to four decimals before they are compared, so that
what a file shows is what was decided.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from novelink.document import NOT_NOVEL, NOVEL, Relation
from novelink.errors import SettingsError
from novelink.schema import NO_RELATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from novelink.pairs import Pair
    from novelink.schema import PairType, Schema

DECIMALS = 4


@dataclass(frozen=True, slots=True)
class DecisionSettings:
    """How sure a model must be.

    Attributes:
        threshold: least probability that a pair is related, 0–1.
        relation_temperature: divides the relation logits; above 1 softens.
        novelty_temperature: divides the novelty logits.
        novel_threshold: least probability of Novel among Novel and No, 0–1.
        relation_bias: added to the log-odds of being related; below 0 doubts.
        novelty_bias: added to the log-odds of Novel against No.
        direction_threshold: least probability of an entity to be named as the
            subject; at 0.5 and below one always is.
    """

    threshold: float = 0.5
    relation_temperature: float = 1.0
    novelty_temperature: float = 1.0
    novel_threshold: float = 0.5
    relation_bias: float = 0.0
    novelty_bias: float = 0.0
    direction_threshold: float = 0.5

    def __post_init__(self) -> None:
        for name in ("threshold", "novel_threshold", "direction_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"decision: {name} is {getattr(self, name)}, not within 0–1")
        for name in ("relation_temperature", "novelty_temperature"):
            value = getattr(self, name)
            if not (0 < value < float("inf")):
                raise SettingsError(f"decision: {name} is {value}, not a positive number")
        for name in ("relation_bias", "novelty_bias"):
            if not math.isfinite(getattr(self, name)):
                raise SettingsError(f"decision: {name} is {getattr(self, name)}, not a number")

    @classmethod
    def from_dict(cls, data: Mapping[str, float]) -> DecisionSettings:
        """Settings from ``config.json``.

        Raises:
            SettingsError: an unknown key or a value that cannot be.
        """
        known = [item.name for item in fields(cls)]
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise SettingsError(
                f"decision: unknown key '{unknown[0]}'", remedy=f"Keys are: {', '.join(known)}"
            )
        return cls(**data)

    def to_dict(self) -> dict[str, float]:
        """As ``config.json`` has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one pair.

    Attributes:
        related: whether the score reaches the threshold.
        type: likeliest legal relation type, also for unrelated pairs.
        score: probability that the pair is related, 0–1.
        novelty: ``"Novel"`` or ``"No"``; None where the schema has none.
        novelty_score: probability of ``novelty`` given a relation.
        subject: 0 where the first entity acts on the second, 1 the other way
            round, None where that is not said.
    """

    related: bool
    type: str
    score: float
    novelty: str | None
    novelty_score: float | None
    subject: int | None = None


def decide(
    relation: NDArray[np.floating],
    novelty: NDArray[np.floating] | None,
    pair_types: Sequence[PairType],
    schema: Schema,
    settings: DecisionSettings,
    *,
    direction: NDArray[np.floating] | None = None,
) -> list[Decision]:
    """Decide N pairs.

    Args:
        relation: logits [N, R + 1] over ``schema.relation_labels``.
        novelty: logits [N, 3] over ``schema.novelty_labels``; None where the
            model or the schema has no novelty.
        pair_types: legal entity-type pair of each.
        schema: says which relation types each takes.
        settings: thresholds and temperatures.
        direction: logits [N, 2], the first or the second entity acts; None where
            the model does not say.
    """
    if not len(pair_types):
        return []
    legal = legal_classes(pair_types, schema)
    shares = relation_probabilities(relation, legal, settings)
    related = np.round(1.0 - shares[:, 0], DECIMALS)
    best = 1 + np.argmax(np.where(legal, relation, -np.inf)[:, 1:], axis=1)
    possible = [bool(row.any()) for row in legal[:, 1:]]
    labels = schema.relation_labels
    says_novelty = novelty is not None and schema.has_novelty
    novel = _novel_share(novelty, settings) if novelty is not None else np.zeros(len(pair_types))
    subjects = _subjects(direction, len(pair_types), settings)
    decisions = []
    for row, score in enumerate(related.tolist()):
        share = float(novel[row])
        is_novel = share >= settings.novel_threshold
        decisions.append(
            Decision(
                related=possible[row] and score >= settings.threshold,
                type=labels[int(best[row])],
                score=score,
                novelty=(NOVEL if is_novel else NOT_NOVEL) if says_novelty else None,
                novelty_score=(
                    round(share if is_novel else 1.0 - share, DECIMALS) if says_novelty else None
                ),
                subject=subjects[row],
            )
        )
    return decisions


def relations_of(pairs: Sequence[Pair], decisions: Sequence[Decision]) -> list[Relation]:
    """The related pairs as relations, in the pairs' order."""
    return [
        Relation(
            *pair.ids,
            decision.type,
            novelty=decision.novelty,
            score=decision.score,
            novelty_score=decision.novelty_score,
            subject=None if decision.subject is None else pair.ids[decision.subject],
        )
        for pair, decision in zip(pairs, decisions, strict=True)
        if decision.related
    ]


def legal_classes(pair_types: Sequence[PairType], schema: Schema) -> NDArray[np.bool_]:
    """Bool [N, R + 1]: no relation and the types that each pair takes."""
    labels = schema.relation_labels
    rows = {
        types: np.array([label == NO_RELATION or label in schema.pairs[types] for label in labels])
        for types in set(pair_types)
    }
    return np.stack([rows[types] for types in pair_types])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of logits [N, C] → rows of probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    total: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return total


def relation_logits(
    relation: NDArray[np.floating], settings: DecisionSettings
) -> NDArray[np.float64]:
    """Relation logits [N, R + 1] after temperature and bias."""
    logits = relation.astype(np.float64) / settings.relation_temperature
    logits[:, 0] -= settings.relation_bias
    return logits


def relation_probabilities(
    relation: NDArray[np.floating], legal: NDArray[np.bool_], settings: DecisionSettings
) -> NDArray[np.float64]:
    """Relation logits [N, R + 1] → calibrated probabilities; those of classes not legal are 0."""
    return softmax(np.where(legal, relation_logits(relation, settings), -np.inf))


def novelty_logits(
    novelty: NDArray[np.floating], settings: DecisionSettings
) -> NDArray[np.float64]:
    """Novelty logits [N, 3] after temperature and bias."""
    logits = novelty.astype(np.float64) / settings.novelty_temperature
    logits[:, 2] += settings.novelty_bias
    return logits


def subject_shares(direction: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probability [N] that the first entity is the subject, given that one is; rounded."""
    difference = direction[:, 0].astype(np.float64) - direction[:, 1]
    rounded: NDArray[np.float64] = np.round(0.5 * (1.0 + np.tanh(difference / 2.0)), DECIMALS)
    return rounded


def _subjects(
    direction: NDArray[np.floating] | None, count: int, settings: DecisionSettings
) -> list[int | None]:
    if direction is None:
        return [None] * count
    return [
        int(share < 0.5)
        # An even split names neither, however low the threshold.
        if share != 0.5 and max(share, round(1.0 - share, DECIMALS)) >= settings.direction_threshold
        else None
        for share in subject_shares(direction).tolist()
    ]


def _novel_share(novelty: NDArray[np.floating], settings: DecisionSettings) -> NDArray[np.float64]:
    """P(Novel) / (P(Novel) + P(No)), rounded; the class of unrelated pairs cancels out."""
    logits = novelty_logits(novelty, settings)
    share = 0.5 * (1.0 + np.tanh((logits[:, 2] - logits[:, 1]) / 2.0))
    rounded: NDArray[np.float64] = np.round(share, DECIMALS)
    return rounded
