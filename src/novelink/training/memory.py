"""What to change when memory runs out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from novelink.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.training.settings import OptimSettings

# torch has a class of its own for GPUs only; the CPU allocator raises a plain RuntimeError.
_CPU_WORDS = ("not enough memory", "can't allocate memory", "bad_alloc", "cannot allocate memory")


@contextmanager
def memory_advice(optim: OptimSettings) -> Iterator[None]:
    """Turn running out of memory into one line that says which settings help.

    Raises:
        ModelError: in place of the library's error.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # OutOfMemoryError is a RuntimeError
        text = str(error).lower()
        is_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_memory and not any(words in text for words in _CPU_WORDS):
            raise
        raise ModelError(
            f"memory ran out with micro-batches of {optim.batch_tokens} tokens",
            remedy=f"Use --set optim.batch_tokens={max(1, optim.batch_tokens // 2)} "
            f"--set optim.accumulation={optim.accumulation * 2}",
        ) from error
