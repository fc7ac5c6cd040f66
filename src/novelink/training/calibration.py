"""Temperatures and biases that make scores mean what they say, fitted on Dev.

The probability that a pair is related, and that a related one is Novel, is a
logistic function of log-odds ℓ(T) + b: T divides the logits (Guo et al. 2017),
b shifts them (Platt 1999), because training sees fewer unrelated pairs than
texts hold. Both minimise the log loss of what was the case, by a search without
chance: the same logits always give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.decode import DecisionSettings, decide, legal_classes
from novelink.document import NOVEL
from novelink.schema import NO_RELATION
from novelink.scoring.calibration import reliability

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from novelink.pairs import Pair
    from novelink.schema import Schema
    from novelink.scoring.calibration import Reliability
    from novelink.training.logits import Predictions

_SPREAD = 2.0  # standard deviation of the weak prior on log T and b: a clean split stays finite
_WIDEST = np.log(20.0)  # temperatures from 1/20 to 20
_COARSE, _FINE, _NEWTON = 49, 40, 60
_DECIMALS = 4
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Attributes: temperature and bias of some log-odds."""

    temperature: float = 1.0
    bias: float = 0.0


def fit_scale(log_odds: Callable[[float], NDArray[np.float64]], right: NDArray[np.bool_]) -> Scale:
    """Temperature and bias with the least log loss.

    Args:
        log_odds: temperature → log-odds ``[N]`` without bias.
        right: ``[N]`` whether it was the case.

    Returns:
        Temperature 1 and bias 0 where all or none of it was the case: nothing
        can be learnt from that.
    """
    if not len(right) or right.all() or not right.any():
        return Scale()
    signs = np.where(right, 1.0, -1.0)

    def loss(log_temperature: float) -> tuple[float, float]:
        odds = log_odds(float(np.exp(log_temperature)))
        bias = _best_bias(odds, right)
        total = np.logaddexp(0.0, -signs * (odds + bias)).sum()
        return float(total + (log_temperature**2 + bias**2) / (2 * _SPREAD**2)), bias

    # The loss over log T need not have one valley only, so a coarse look comes first.
    grid = np.linspace(-_WIDEST, _WIDEST, _COARSE)
    place = int(np.argmin([loss(float(value))[0] for value in grid]))
    low, high = float(grid[max(place - 1, 0)]), float(grid[min(place + 1, _COARSE - 1)])
    for _ in range(_FINE):
        left, right_end = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left)[0] <= loss(right_end)[0]:
            high = right_end
        else:
            low = left
    best = (low + high) / 2
    return Scale(
        round(float(np.exp(best)), _DECIMALS), round(loss(best)[1], _DECIMALS) + 0.0
    )  # + 0.0 turns −0.0 into 0.0


def _best_bias(odds: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The bias with the least loss at fixed odds: convex, by Newton's steps, each bounded."""
    bias = 0.0
    for _ in range(_NEWTON):
        chance = 0.5 * (1.0 + np.tanh((odds + bias) / 2.0))
        slope = float((chance - right).sum()) + bias / _SPREAD**2
        bend = float((chance * (1.0 - chance)).sum()) + 1.0 / _SPREAD**2
        step = float(np.clip(slope / bend, -1.0, 1.0))
        bias -= step
        if abs(step) < 1e-9:
            break
    return bias


def calibrated(
    predictions: Predictions,
    pairs: Sequence[Pair],
    schema: Schema,
    *,
    tasks: frozenset[str],
) -> DecisionSettings:
    """Settings with fitted temperatures and biases, and untouched thresholds.

    Args:
        predictions: logits of the pairs.
        pairs: with gold labels.
        schema: vocabulary.
        tasks: heads that were trained; the others' numbers stay 1 and 0.
    """
    settings = DecisionSettings()
    if "relation" in tasks:
        possible = _possible(pairs, schema)
        kept = [pair for pair, can_be in zip(pairs, possible, strict=True) if can_be]
        if kept:
            scale = fit_scale(
                _related_odds(predictions.relation[possible], kept, schema), _is_related(kept)
            )
            settings = replace(
                settings, relation_temperature=scale.temperature, relation_bias=scale.bias
            )
    if "novelty" in tasks and schema.has_novelty:
        rows = _has_novelty(pairs)
        logits = predictions.novelty[rows].astype(np.float64)
        difference = logits[:, 2] - logits[:, 1]
        scale = fit_scale(lambda temperature: difference / temperature, _is_novel(pairs)[rows])
        settings = replace(settings, novelty_temperature=scale.temperature, novelty_bias=scale.bias)
    return settings


def judged(
    predictions: Predictions,
    pairs: Sequence[Pair],
    schema: Schema,
    settings: DecisionSettings,
) -> dict[str, Reliability | None]:
    """How reliable the scores are: that a pair is related, that a related one is Novel.

    Args:
        predictions: logits of the pairs.
        pairs: with gold labels; novelty is judged on those that have it.
        schema: vocabulary.
        settings: temperatures and biases; thresholds play no part.
    """
    everything = replace(settings, threshold=0.0, novel_threshold=0.0)
    types = [pair.pair_type for pair in pairs]
    decisions = decide(predictions.relation, predictions.novelty, types, schema, everything)
    rows = np.flatnonzero(_has_novelty(pairs))
    novel = [decisions[row].novelty_score or 0.0 for row in rows]
    return {
        "related": reliability([one.score for one in decisions], _is_related(pairs)),
        "novelty": reliability(novel, _is_novel(pairs)[rows]) if schema.has_novelty else None,
    }


def before_and_after(
    predictions: Predictions,
    pairs: Sequence[Pair],
    schema: Schema,
    settings: DecisionSettings,
) -> dict[str, Any]:
    """What is written down of a calibration: figures of raw and of calibrated scores."""
    raw = judged(predictions, pairs, schema, DecisionSettings())
    fitted = judged(predictions, pairs, schema, settings)
    return {
        name: {"raw": one.summary(), "calibrated": other.summary()}
        for name in raw
        if (one := raw[name]) is not None and (other := fitted[name]) is not None
    }


def _related_odds(
    relation: NDArray[np.float32], pairs: Sequence[Pair], schema: Schema
) -> Callable[[float], NDArray[np.float64]]:
    """Temperature → log-odds ``[N]`` of any legal type against no relation."""
    legal = legal_classes([pair.pair_type for pair in pairs], schema)
    logits = np.where(legal, relation.astype(np.float64), -np.inf)

    def odds(temperature: float) -> NDArray[np.float64]:
        scaled = logits / temperature
        peak = scaled[:, 1:].max(axis=1)
        total = peak + np.log(np.exp(scaled[:, 1:] - peak[:, None]).sum(axis=1))
        difference: NDArray[np.float64] = total - scaled[:, 0]
        return difference

    return odds


def _possible(pairs: Sequence[Pair], schema: Schema) -> NDArray[np.bool_]:
    return np.array([bool(schema.pairs[pair.pair_type]) for pair in pairs], dtype=bool)


def _is_related(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    return np.array([pair.relation != NO_RELATION for pair in pairs], dtype=bool)


def _has_novelty(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    return np.array([pair.novelty is not None for pair in pairs], dtype=bool)


def _is_novel(pairs: Sequence[Pair]) -> NDArray[np.bool_]:
    return np.array([pair.novelty == NOVEL for pair in pairs], dtype=bool)
