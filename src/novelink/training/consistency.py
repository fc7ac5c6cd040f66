"""R-Drop: two passes with other dropout must agree (Liang et al., NeurIPS 2021).

``L = (L₁ + L₂) / 2 + α · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁)) / 2``, the paper's up to a
factor of two, so that rates keep their meaning where α is set. The divergence is
that of relation and novelty, each times its task's weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from novelink.model.joint_loss import IGNORED, MAIN_TASKS

if TYPE_CHECKING:
    from novelink.model.joint_loss import TaskTensors, TaskWeights


def disagreement(
    first: TaskTensors, second: TaskTensors, labels: TaskTensors, weights: TaskWeights
) -> torch.Tensor:
    """Weighted sum over relation and novelty of the mean symmetric divergence.

    Args:
        first: logits of one pass.
        second: of another over the same batch.
        labels: rows labelled :data:`~novelink.model.joint_loss.IGNORED` do not count.
        weights: η of each task.
    """
    parts = []
    for task in MAIN_TASKS:
        left, right, target = (getattr(part, task) for part in (first, second, labels))
        if left is None or target is None or not weights.of(task):
            continue
        log_left, log_right = (
            functional.log_softmax(logits.float(), dim=1) for logits in (left, right)
        )
        # KL(p‖q) + KL(q‖p) = Σ (p − q)(log p − log q)
        rows = ((log_left.exp() - log_right.exp()) * (log_left - log_right)).sum(1) / 2
        counted = target != IGNORED
        parts.append(weights.of(task) * (rows * counted).sum() / counted.sum().clamp(min=1))
    return torch.stack(parts).sum()
