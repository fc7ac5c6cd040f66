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
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]
