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

        adversary.isolate()                # before the clean backward pass
        backward()
        adversary.step(backward)           # in any case, also where it does nothing

    Args:
        embeddings: the word-embedding weight.
        epsilon: ε, the length of the perturbation; 0 switches it off.
    """

    def __init__(self, embeddings: torch.nn.Parameter, epsilon: float) -> None:
        self.embeddings = embeddings
        self.epsilon = epsilon
        self._earlier: torch.Tensor | None = None

    def isolate(self) -> None:
        """Put the gradient of earlier micro-batches aside, so that it cannot leak into g."""
        if self.epsilon > 0:
            self._earlier, self.embeddings.grad = self.embeddings.grad, None

    def step(self, backward: Callable[[], None]) -> bool:
        """Perturb, run the backward pass again, and restore the embeddings bit by bit.

        Args:
            backward: forward and backward pass over the same micro-batch.

        Returns:
            Whether there was a step: not where ε or the gradient is 0, or the
            gradient is not finite.
        """
        if self.epsilon <= 0:
            return False
        try:
            return self._perturbed(backward)
        finally:
            earlier, self._earlier = self._earlier, None
            if earlier is not None:
                own = self.embeddings.grad
                self.embeddings.grad = earlier if own is None else earlier + own

    def _perturbed(self, backward: Callable[[], None]) -> bool:
        gradient = self.embeddings.grad
        if gradient is None:
            return False
        norm = torch.linalg.vector_norm(gradient.float())
        if not bool(torch.isfinite(norm)) or float(norm) == 0.0:
            return False
        kept = self.embeddings.detach().clone()
        with torch.no_grad():
            self.embeddings.add_(gradient * (self.epsilon / norm).to(gradient.dtype))
        try:
            backward()
        finally:
            # Copied back, not subtracted: (w + r) − r is not w in floating point.
            with torch.no_grad():
                self.embeddings.copy_(kept)
        return True
