"""Gradients of several processes, averaged once a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from accelerate import Accelerator


def average_gradients(model: torch.nn.Module, accelerator: Accelerator) -> None:
    """Give every process the mean of all processes' gradients.

    One exchange for all parameters; those without a gradient in a process count as 0 there, so
    that tasks without a row in one process's batches do not keep the others waiting.
    """
    if accelerator.num_processes == 1:
        return
    gradients = []
    for value in model.parameters():
        if value.requires_grad:
            if value.grad is None:
                value.grad = torch.zeros_like(value)
            gradients.append(value.grad)
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    joined = accelerator.reduce(joined, reduction="mean")
    parts = joined.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
