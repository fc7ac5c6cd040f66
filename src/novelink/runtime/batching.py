"""Which samples run together, and putting their results back in order.

The same sample must give the same bits whatever runs beside it. So

- samples are never padded: only samples of one length share a batch;
- a graph with dynamic quantisation gets every sample alone, because its
  rounding depends on the whole batch (see :class:`~novelink.runtime.graph_file.GraphFile`);
- threads share out whole batches, never the inside of one.

Batches cross documents: a window of samples is gathered first and sorted by
length.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH_TOKENS = 512
"""Tokens of one batch. On one CPU core a batch beyond this is no faster than its samples alone."""


def equal_length_batches(
    lengths: Sequence[int], *, batch_tokens: int = BATCH_TOKENS, alone: bool = False
) -> Iterator[list[int]]:
    """Group samples of equal length.

    ``[3, 5, 3, 3]`` with ``batch_tokens=6`` gives ``[1], [0, 2], [3]``.

    Args:
        lengths: length of each sample, in tokens.
        batch_tokens: most tokens of one batch; a longer sample makes a batch
            of its own.
        alone: every sample is a batch of its own.

    Yields:
        Indices into ``lengths``; longest samples first, so that threads that
        take batches in this order finish at about the same time.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    for length, members in groupby(order, key=lambda index: lengths[index]):
        indices = list(members)
        size = 1 if alone else max(1, batch_tokens // max(1, length))
        for start in range(0, len(indices), size):
            yield indices[start : start + size]
