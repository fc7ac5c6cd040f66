"""Learning rates: one group of parameters per rate, and how rates move over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from novelink.training.settings import OptimSettings


def parameter_groups(model: torch.nn.Module, optim: OptimSettings) -> list[dict[str, Any]]:
    """Encoder and heads at their rates, matrices with weight decay and vectors without.

    Parameters that take no gradient are left out.
    """
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            groups.setdefault((is_pretrained(name), value.ndim > 1), []).append(value)
    head_rate = optim.rate if optim.head_rate is None else optim.head_rate
    return [
        {
            "params": values,
            "lr": optim.rate if pretrained else head_rate,
            "highest": optim.rate if pretrained else head_rate,
            "weight_decay": optim.weight_decay if is_matrix else 0.0,
        }
        for (pretrained, is_matrix), values in groups.items()
    ]


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
