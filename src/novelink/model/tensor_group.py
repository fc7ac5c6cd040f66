"""Tensors that move together."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import torch


class TensorGroup:
    """Base of dataclasses whose fields are tensors, groups of tensors, or None."""

    __slots__ = ()

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return type(self)(**{name: _moved(value, device) for name, value in values.items()})


def _moved(value: Any, device: torch.device) -> Any:
    return None if value is None else value.to(device)
