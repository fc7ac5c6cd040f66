"""Adversarial training on the word embeddings: FGM (Miyato, Dai and Goodfellow 2016).

``r = ε · g / ‖g‖₂`` with g the gradient of the clean loss at the embeddings;
the loss at ``embeddings + r`` adds its gradients to the clean ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


class FastGradient:
    """One adversarial step around a model's word embeddings.

    Use it around each micro-batch::

        adversary.note_gradient()          # before the clean backward pass
        backward(loss(batch))
        adversary.step(lambda: backward(loss(batch)))

    Args:
        embeddings: the word-embedding weight.
        epsilon: ε, the length of the perturbation; 0 switches it off.
    """

    def __init__(self, embeddings: torch.nn.Parameter, epsilon: float) -> None:
        self.embeddings = embeddings
        self.epsilon = epsilon
        self._before: torch.Tensor | None = None

    def note_gradient(self) -> None:
        """Remember the gradient of earlier micro-batches, so that it does not leak into r."""
        gradient = self.embeddings.grad
        active = self.epsilon > 0 and gradient is not None
        self._before = gradient.detach().clone() if active and gradient is not None else None

    def step(self, backward: Callable[[], None]) -> bool:
        """Perturb, run the backward pass again, and restore the embeddings bit by bit.

        Args:
            backward: forward and backward pass over the same micro-batch.

        Returns:
            Whether there was a step: not where the gradient is 0 or not finite.
        """
        gradient = self.embeddings.grad
        if self.epsilon <= 0 or gradient is None:
            return False
        own = gradient.detach() if self._before is None else gradient.detach() - self._before
        norm = torch.linalg.vector_norm(own.float())
        if not bool(torch.isfinite(norm)) or float(norm) == 0.0:
            return False
        kept = self.embeddings.detach().clone()
        with torch.no_grad():
            self.embeddings.add_(own * (self.epsilon / norm).to(own.dtype))
        try:
            backward()
        finally:
            # Copied back, not subtracted: (w + r) − r is not w in floating point.
            with torch.no_grad():
                self.embeddings.copy_(kept)
        return True
