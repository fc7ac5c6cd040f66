"""What relation scores are worth: precision–recall curves and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.scoring.calibration import Bin, calibration_bins

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Ranking:
    """The predictions of one level, ordered by score.

    Attributes:
        thresholds: distinct scores, highest first.
        precision: of the predictions with at least that score.
        recall: likewise, over all gold.
        average_precision: area under the steps of the curve, up to the recall
            that the predictions reach.
        calibration: filled bins only.
        calibration_error: expected calibration error, the bins' mean
            |accuracy − mean score| weighted by count (Guo et al., ICML 2017).
        scored: predictions with a score; only these are ranked.
        unscored: predictions without one.
    """

    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    average_precision: float
    calibration: tuple[Bin, ...]
    calibration_error: float
    scored: int
    unscored: int

    def to_dict(self) -> dict[str, Any]:
        """Figures without the curve's points."""
        return {
            "average_precision": self.average_precision,
            "calibration_error": self.calibration_error,
            "calibration": [
                {
                    "low": one.low,
                    "high": one.high,
                    "count": one.count,
                    "mean_score": one.mean_score,
                    "accuracy": one.accuracy,
                }
                for one in self.calibration
            ],
            "scored": self.scored,
            "unscored": self.unscored,
        }


def rank(scores: Sequence[float | None], right: Sequence[bool], gold: int) -> Ranking | None:
    """Order predictions by score.

    Args:
        scores: each prediction's score, 0–1, or None.
        right: whether it is in the gold.
        gold: keys of the gold, found or not.

    Returns:
        None where no prediction has a score.
    """
    kept = [(score, hit) for score, hit in zip(scores, right, strict=True) if score is not None]
    if not kept:
        return None
    values = np.array([score for score, _ in kept], dtype=np.float64)
    hits = np.array([hit for _, hit in kept], dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    values, hits = values[order], hits[order]
    # Equal scores are taken or left together: only the last of each run is a threshold.
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    found = np.cumsum(hits)[ends]
    precision = found / (ends + 1)
    recall = found / gold if gold else np.zeros_like(found)
    bins, error = calibration_bins(values, hits)
    return Ranking(
        thresholds=tuple(values[ends].tolist()),
        precision=tuple(precision.tolist()),
        recall=tuple(recall.tolist()),
        average_precision=float(np.sum(np.diff(recall, prepend=0.0) * precision)),
        calibration=bins,
        calibration_error=error,
        scored=len(kept),
        unscored=len(scores) - len(kept),
    )
