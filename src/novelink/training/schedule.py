"""Learning rates: one group of parameters per rate, and how rates move over a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from novelink.training.settings import OptimSettings


_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def parameter_groups(model: torch.nn.Module, optim: OptimSettings) -> list[dict[str, Any]]:
    """Encoder and heads at their rates, matrices with weight decay and vectors without.

    With ``optim.layer_decay`` ξ below 1 the encoder's layer k of n, from 0, has the rate
    ``rate · ξⁿ⁻¹⁻ᵏ`` and its embeddings ``rate · ξⁿ``. Parameters that take no gradient are left
    out.
    """
    depths = encoder_depths(model)
    groups: dict[tuple[bool, bool, int], list[torch.nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            depth = depths.get(name, 0) if optim.layer_decay < 1 else 0
            groups.setdefault((is_pretrained(name), value.ndim > 1, depth), []).append(value)
    head_rate = optim.rate if optim.head_rate is None else optim.head_rate
    made = []
    for (pretrained, is_matrix, depth), values in groups.items():
        rate = optim.rate * optim.layer_decay**depth if pretrained else head_rate
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
