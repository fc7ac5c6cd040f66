"""Learning rates: one group of parameters per rate, and how rates move over a run."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from novelink.training.settings import OptimSettings


_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def parameter_groups(model: torch.nn.Module, optim: OptimSettings) -> list[dict[str, Any]]:
    """Encoder and heads at their rates, matrices with weight decay and vectors without.

    Where heads have a rate of their own, bilinear forms have a share of it, see
    :func:`bilinear_share`; where all have one rate, as in the paper, so have they. With
    ``optim.layer_decay`` ξ below 1 the encoder's layer k of n, from 0, has the rate
    ``rate · ξⁿ⁻¹⁻ᵏ`` and its embeddings ``rate · ξⁿ``. Parameters that take no gradient are left
    out.
    """
    depths = encoder_depths(model)
    one_rate = optim.head_rate is None
    head_rate = optim.rate if optim.head_rate is None else optim.head_rate
    groups: dict[tuple[bool, bool, int, float], list[torch.nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            depth = depths.get(name, 0) if optim.layer_decay < 1 else 0
            share = 1.0 if one_rate else bilinear_share(name, value)
            kind = (is_pretrained(name), value.ndim > 1, depth, share)
            groups.setdefault(kind, []).append(value)
    made = []
    for (pretrained, is_matrix, depth, share), values in groups.items():
        rate = optim.rate * optim.layer_decay**depth if pretrained else head_rate * share
        decay = optim.weight_decay if is_matrix else 0.0
        made.append({"params": values, "lr": rate, "highest": rate, "weight_decay": decay})
    return made


def encoder_depths(model: torch.nn.Module) -> dict[str, int]:
    """How far below the encoder's top layer each of its parameters lies, by name.

    0 for the top layer and what comes after the layers, the number of layers for embeddings.
    """
    names = [name for name, _ in model.named_parameters() if name.startswith("encoder.")]
    layers = {name: int(found[1]) for name in names if (found := _LAYER.search(name))}
    count = 1 + max(layers.values(), default=-1)
    depths = {name: count - 1 - layer for name, layer in layers.items()}
    return depths | {name: count for name in names if "embedding" in name and name not in layers}


def bilinear_share(name: str, value: torch.nn.Parameter) -> float:
    """Share of the heads' rate for a weight, by how many products one output of it adds up.

    Adam moves every weight by about the rate, so an output moves by up to the rate times the
    number of products in it. A linear head over h inputs sets the measure; ``m_i A m_j`` adds up
    h² of them, and at the same rate its answers leap from step to step, and their gradients drown
    those of other tasks. The share is one over the square root of how many times more products
    there are than in a linear head: their steps are neither all of one sign nor independent.

    >>> import torch
    >>> bilinear_share("coreference.weight", torch.nn.Parameter(torch.zeros(16, 2, 16)))
    0.25
    """
    if name.endswith("coreference.weight"):
        return 1 / math.sqrt(value.shape[0])
    if name.endswith("bilinear.weight"):
        return math.sqrt(value.shape[0] / value.shape[1])
    return 1.0


def is_pretrained(name: str) -> bool:
    """Whether a parameter starts from the pretrained encoder: its own, and the copied layers'.

    >>> is_pretrained("readers.0.query.weight"), is_pretrained("readers.0.flag_key")
    (True, False)
    """
    return name.startswith("encoder.") or (name.startswith("readers.") and ".flag_" not in name)


def rate_factor(done: float, warmup_share: float) -> float:
    """Share of the highest rate after a share of all steps: a line up, then a line down to 0.

    >>> [rate_factor(done, 0.5) for done in (0.25, 0.5, 0.75, 1.0)]
    [0.5, 1.0, 0.5, 0.0]
    """
    if done < warmup_share:
        return done / warmup_share
    return max(0.0, (1.0 - done) / max(1e-9, 1.0 - warmup_share))


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Give every group its highest rate times a factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["highest"] * factor
