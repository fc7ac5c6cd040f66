"""Whether probabilities mean what they say: reliability bins, expected calibration error.

A calibrated score of 0.7 is right seven times of ten. Predictions are put into
ten bins of equal width; the expected calibration error is the bins' mean
|share that is right − mean score|, weighted by their counts (Guo et al., ICML
2017). Log loss and Brier score also reward telling right from wrong.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BINS = 10
_LEAST = 1e-6  # a probability of 0 that proves wrong costs much, not everything


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions whose score lies in one tenth of 0–1.

    Attributes:
        low: lower bound of the scores, inclusive.
        high: upper bound, exclusive except for the last bin.
        count: predictions in it.
        mean_score: what they promised on average.
        accuracy: share of them that was right.
    """

    low: float
    high: float
    count: int
    mean_score: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far N probabilities can be believed.

    Attributes:
        count: N.
        share: of them that is right.
        error: expected calibration error, 0–1.
        log_loss: mean −log of the probability given to what was the case.
        brier: mean squared distance to what was the case.
        bins: filled ones only, lowest first.
    """

    count: int
    share: float
    error: float
    log_loss: float
    brier: float
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """All figures, the bins included."""
        return asdict(self)

    def summary(self) -> dict[str, float]:
        """The figures without the bins, rounded to five decimals."""
        kept = ("share", "error", "log_loss", "brier")
        return {"count": self.count, **{name: round(getattr(self, name), 5) for name in kept}}


def reliability(
    scores: Sequence[float] | NDArray[np.float64], right: Sequence[bool] | NDArray[np.bool_]
) -> Reliability | None:
    """Compare probabilities with what was the case.

    Args:
        scores: ``[N]``, 0–1.
        right: ``[N]`` whether what the score is about is so.

    Returns:
        None where there is nothing to compare.
    """
    values = np.asarray(scores, dtype=np.float64)
    hits = np.asarray(right, dtype=np.float64)
    if not len(values):
        return None
    bins, error = calibration_bins(values, hits)
    given = np.clip(np.where(hits > 0, values, 1.0 - values), _LEAST, None)
    return Reliability(
        count=len(values),
        share=float(hits.mean()),
        error=error,
        log_loss=float(-np.log(given).mean()),
        brier=float(((values - hits) ** 2).mean()),
        bins=bins,
    )


def calibration_bins(
    values: NDArray[np.float64], hits: NDArray[np.float64]
) -> tuple[tuple[Bin, ...], float]:
    """Filled bins, and the expected calibration error.

    Args:
        values: scores ``[N]``, 0–1; N ≥ 1.
        hits: ``[N]``, 1 where right, else 0.
    """
    places = np.clip((values * BINS).astype(np.int64), 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, weights=values, minlength=BINS)
    rights = np.bincount(places, weights=hits, minlength=BINS)
    bins = tuple(
        Bin(
            place / BINS,
            (place + 1) / BINS,
            int(counts[place]),
            float(sums[place] / counts[place]),
            float(rights[place] / counts[place]),
        )
        for place in range(BINS)
        if counts[place]
    )
    error = sum(one.count * abs(one.accuracy - one.mean_score) for one in bins) / len(values)
    return bins, error
