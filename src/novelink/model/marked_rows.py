"""The last layer of a BERT for a few tokens alone.

Heads that classify a pair read the vectors of ``[CLS]`` and of the start
markers. What the last layer makes of the other tokens, nobody reads: five
sixths of its arithmetic are left out, and the answer is the same.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from novelink.model import attention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedModel

KINDS = ("bert", "electra", "roberta", "xlm-roberta")
"""Encoders that are known to be stacks of BERT's layers, with plain attention."""


def can_read_rows(encoder: PreTrainedModel) -> bool:
    """Whether an encoder is of a kind whose last layer can be computed apart."""
    config = encoder.config
    chosen = config._attn_implementation  # noqa: SLF001 (the library's only place for it)
    return config.model_type in KINDS and chosen.startswith(attention.NAME)


def marked_rows(
    encoder: PreTrainedModel,
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor,
    places: torch.Tensor,
    attend: Callable[..., torch.Tensor] | None = None,
) -> torch.Tensor:
    """Token vectors at some places.

    Args:
        encoder: one that :func:`can_read_rows`.
        input_ids: ``[B, L]``.
        attention_mask: ``[B, L]``, 1 for tokens.
        places: ``[B, N]``, which tokens.
        attend: in place of plain attention; takes queries ``[B, N, h]``, keys and values
            ``[B, L, h]``, the mask, and ``heads`` and ``scale`` by name.

    Returns:
        ``[B, N, h]``, as the whole encoder gives there.
    """
    stack: Any = encoder.encoder
    last = stack.layer[-1]
    with _without_last(stack):
        hidden: torch.Tensor = encoder(input_ids, attention_mask=attention_mask)[0]
    rows = hidden.gather(1, places.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))
    own = last.attention.self
    read = (attend or partial(_plain, own))(
        own.query(rows),
        own.key(hidden),
        own.value(hidden),
        attention_mask,
        heads=own.num_attention_heads,
        scale=own.attention_head_size**-0.5,
    )
    found: torch.Tensor = last.feed_forward_chunk(last.attention.output(read, rows))
    return found


@contextmanager
def _without_last(stack: Any) -> Iterator[None]:
    layers = stack.layer
    stack.layer = layers[:-1]
    try:
        yield
    finally:
        stack.layer = layers


def _plain(own: Any, *tensors: torch.Tensor, heads: int, scale: float) -> torch.Tensor:
    """The attention that the encoder's own layers have, its dropout included."""
    *projected, mask = tensors
    asked, keys, values = (
        one.reshape(*one.shape[:2], heads, -1).transpose(1, 2) for one in projected
    )
    least = torch.finfo(asked.dtype).min
    bias = torch.zeros(mask.shape, dtype=asked.dtype, device=asked.device)
    bias = bias.masked_fill(mask == 0, least)[:, None, None]
    read, _ = attention.attend(own, asked, keys, values, bias, scaling=scale, dropout=own.dropout.p)
    return read.flatten(2)
