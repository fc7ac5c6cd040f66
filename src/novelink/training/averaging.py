"""A running mean of the weights: what Dev is scored with and what is kept, where it is asked for.

``average ← d · average + (1 − d) · weights`` after each step (Polyak and Juditsky
1992, in exponential form). Early on, d rises with the number of steps t as
``(1 + t) / (10 + t)``, so that the mean soon forgets the untrained heads (ours).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class AveragedWeights:
    """The mean of a model's trained weights.

    Args:
        model: its parameters that take gradients are averaged.
        decay: d, below 1.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self._weights = {
            name: value for name, value in model.named_parameters() if value.requires_grad
        }
        self._means = {name: value.detach().clone() for name, value in self._weights.items()}

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take the weights after a step into the mean.

        Args:
            steps: optimiser steps so far, this one included.
        """
        decay = min(self.decay, (1 + steps) / (10 + steps))
        for name, value in self._weights.items():
            self._means[name].lerp_(value, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the means for a while; its own weights come back bit by bit."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, value in self._weights.items():
            value.data, self._means[name] = self._means[name], value.data

    def state(self) -> dict[str, torch.Tensor]:
        """The means by name, for a checkpoint."""
        return dict(self._means)

    @torch.no_grad()
    def load(self, means: Mapping[str, torch.Tensor]) -> None:
        """Go on from a checkpoint's means."""
        for name, value in means.items():
            self._means[name].copy_(value)
