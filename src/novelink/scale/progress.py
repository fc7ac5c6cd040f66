"""How far a run is: documents, rate, share of the input read, time left."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from novelink.scale.worker import BlockDone

_BAR = 24  # characters
_TERMINAL_SECONDS, _LOG_SECONDS = 0.2, 60.0  # between two updates


class Progress:
    """A bar on a terminal, a line a minute elsewhere, so that the log of a job stays short.

    The rate and the time left come from the work of this session alone; what an
    earlier one did only counts as read.

    Args:
        total: bytes of all files, as stored.
        stream: where to; stderr by default.
        clock: seconds that only grow.
    """

    def __init__(self, total: int, stream: TextIO | None = None, clock: object = None) -> None:
        self._total = max(1, total)
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock if callable(clock) else time.monotonic
        self._terminal = self._stream.isatty()
        self._began = self._clock()
        self._shown = self._began
        self._worked = 0  # bytes of blocks done in this session
        self._passed = 0  # bytes that needed no work here
        self._documents = 0
        self._inside: Counter[tuple[str, int]] = Counter()

    def skipped(self, weight: int) -> None:
        """Bytes that needed no work."""
        self._passed += weight
        self._show()

    def progressed(self, file: str, number: int, documents: int) -> None:
        """Documents of a block that goes on."""
        self._inside[file, number] += documents
        self._show()

    def done(self, block: BlockDone) -> None:
        """A finished block."""
        self._inside.pop((block.file, block.number), None)
        self._documents += block.tally.documents + block.tally.failed
        self._worked += block.weight
        self._show()

    def line(self) -> str:
        """What is shown.

        ``[######------------------]  25 %  1,200 documents, 40.0 a second, 1 h 30 min left``
        """
        seconds = max(1e-9, self._clock() - self._began)
        documents = self._documents + self._inside.total()
        share = min(1.0, (self._worked + self._passed) / self._total)
        filled = int(share * _BAR)
        parts = [f"{documents:,} documents", f"{documents / seconds:.1f} a second"]
        if self._worked and share < 1:
            left = (self._total - self._worked - self._passed) * seconds / self._worked
            parts.append(f"{spoken_time(left)} left")
        bar = "#" * filled + "-" * (_BAR - filled)
        return f"[{bar}] {100 * share:3.0f} %  {', '.join(parts)}"

    def _show(self) -> None:
        now = self._clock()
        if now - self._shown < (_TERMINAL_SECONDS if self._terminal else _LOG_SECONDS):
            return
        self._shown = now
        self._stream.write(
            f"\r\x1b[K{self.line()}" if self._terminal else f"novelink: {self.line()}\n"
        )
        self._stream.flush()

    def finish(self) -> None:
        """Remove the bar."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


class NoProgress(Progress):
    """Shows nothing."""

    def __init__(self) -> None:
        super().__init__(0)

    def _show(self) -> None:
        pass

    def finish(self) -> None:
        """Leave what stands there."""


def spoken_time(seconds: float) -> str:
    """Roughly how long.

    >>> spoken_time(42), spoken_time(5_000), spoken_time(400_000)
    ('42 s', '1 h 23 min', '4 d 15 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min {whole % 60} s" if minutes < 10 else f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"
