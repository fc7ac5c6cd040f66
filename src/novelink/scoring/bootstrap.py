"""How far a figure would move on other documents: percentile bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE = 0.95
_CELLS_AT_ONCE = 1 << 22  # weights held in memory at a time: 32 MB of them


def f1_intervals(
    counts: NDArray[np.int64], *, resamples: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """95 % intervals of micro F1 over documents (Efron's percentile bootstrap).

    Documents are drawn with replacement, as many as there are; drawing them is
    drawing a multinomial count per document, so a resample is one row of a
    matrix product.

    Args:
        counts: [documents, levels, 3], each document's tp, fp, fn.
        resamples: how many times to draw.
        seed: of the random numbers; the same seed gives the same interval.

    Returns:
        [levels, 2], lower and upper bound, 0–1. Without documents, zeros.
    """
    documents, levels, _ = counts.shape
    if not documents or not resamples:
        return np.zeros((levels, 2))
    generator = np.random.default_rng(seed)
    flat = counts.reshape(documents, levels * 3).astype(np.float64)
    step = max(1, _CELLS_AT_ONCE // documents)
    shares = np.full(documents, 1 / documents)
    drawn = [
        generator.multinomial(documents, shares, size=min(step, resamples - start)) @ flat
        for start in range(0, resamples, step)
    ]
    totals = np.concatenate(drawn).reshape(resamples, levels, 3)
    doubled = 2 * totals[..., 0]
    below = doubled + totals[..., 1] + totals[..., 2]
    f1 = np.divide(doubled, below, out=np.zeros_like(doubled), where=below > 0)
    tail = (1 - CONFIDENCE) / 2
    bounds: NDArray[np.float64] = np.quantile(f1, [tail, 1 - tail], axis=0).T
    return bounds
