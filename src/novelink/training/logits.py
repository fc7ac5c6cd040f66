"""What a model says of many pairs before anything is decided; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """Logits of N samples.

    Attributes:
        relation: ``[N, R + 1]``.
        novelty: ``[N, 3]``.
        direction: ``[N, 2]``; None of a model without that head.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]
    direction: NDArray[np.float32] | None = None

    def part(self, rows: slice) -> Predictions:
        """Some rows."""
        direction = None if self.direction is None else self.direction[rows]
        return Predictions(self.relation[rows], self.novelty[rows], direction)
