"""SIGTERM as an orderly end: temporary files go, and the exit code is 143."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TERMINATED = 143  # 128 + SIGTERM, as shells have it


@contextmanager
def orderly_termination() -> Iterator[None]:
    """Let SIGTERM end the program as an exception does, rather than at once.

    Commands that end in another way, such as a server, set handlers of their own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can set handlers
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> None:
    sys.exit(TERMINATED)
