"""Number formats and threads: what this machine trains fastest with."""

from __future__ import annotations

import contextlib
import ctypes
from typing import TYPE_CHECKING

import torch

from novelink.errors import SettingsError
from novelink.machine import instructions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

PRECISIONS = ("auto", "fp32", "bf16")


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware (AVX-512 BF16 or AMX)."""
    return bool((instructions() or frozenset()) & {"avx512_bf16", "amx_bf16"})


def use_bf16(precision: str, device: torch.device) -> bool:
    """Decide whether to run in bf16.

    Args:
        precision: one of :data:`PRECISIONS`; ``auto`` takes bf16 where the
            device has it in hardware.
        device: where the model runs.

    Raises:
        SettingsError: no such precision.
    """
    if precision not in PRECISIONS:
        raise SettingsError(
            f"unknown precision '{precision}'", remedy=f"Choose one of: {', '.join(PRECISIONS)}"
        )
    if precision != "auto":
        return precision == "bf16"
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else cpu_has_bf16()


def autocast(*, bf16: bool, device: torch.device) -> AbstractContextManager[object]:
    """The context of a forward pass."""
    if bf16:
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
_LARGE = 2**30


def prepare_cpu(threads: int | None) -> None:
    """Set the number of threads, None leaves torch's choice, and how memory is kept.

    Where the C library is glibc it is told to keep large blocks: otherwise it
    gives each back to the system and faults it in again, page by page, which
    took 30 % of a training step.
    """
    if threads:
        torch.set_num_threads(threads)
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE - 1)


@contextlib.contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal numbers for 0, which slow late training down many times over.

    It holds for the whole thread, so it ends with the training: other code may
    need them.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
