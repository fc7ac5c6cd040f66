"""At most so many requests a second, over all threads and processes.

The times of the last requests stand in a small file; whoever wants to send one
holds the file's lock, waits for its turn, and notes the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filelock import FileLock

from novelink.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_MARGIN = 1.05
"""Requests leave a little later than noted; without a margin four could arrive in a second."""

_LONGEST_HOLD_SECONDS = 3600.0
"""A pause that ends later than this is a clock that was set back, not a service's wish."""


@dataclass
class _State:
    starts: list[float] = field(default_factory=list)
    hold_until: float = 0.0


class RateLimiter:
    """Shared by everything of this user on this machine that names the same service.

    Args:
        service: host name, or host and port.
        requests_per_second: at most this many; below 1, one in several seconds.
        folder: where the file is; made when missing.
    """

    def __init__(self, service: str, requests_per_second: float, folder: Path) -> None:
        digest = hashlib.sha256(service.encode()).hexdigest()[:16]
        self.path = folder / f"rate-{digest}.json"
        self.burst = max(1, int(requests_per_second))
        self.period = self.burst / requests_per_second * _MARGIN

    def wait(self) -> None:
        """Return when a request may be sent, and count it.

        Raises:
            SettingsError: the folder cannot be written.
        """
        with self._lock():
            state = self._read()
            now = time.time()
            turn = self._turn(state, now)
            if turn > now:
                time.sleep(turn - now)
            state.starts = [*state.starts, time.time()][-self.burst :]
            self._write(state)

    def hold(self, seconds: float) -> None:
        """Let nobody send before this many seconds have passed (``Retry-After``)."""
        with self._lock():
            state = self._read()
            state.hold_until = max(state.hold_until, time.time() + seconds)
            self._write(state)

    def _turn(self, state: _State, now: float) -> float:
        turn = state.hold_until if state.hold_until < now + _LONGEST_HOLD_SECONDS else 0.0
        # A time in the future is of a clock that was set back.
        if len(state.starts) >= self.burst and state.starts[-self.burst] <= now:
            turn = max(turn, state.starts[-self.burst] + self.period)
        return turn

    def _lock(self) -> FileLock:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.with_suffix(".lock").touch()
        except OSError as error:
            raise SettingsError(
                f"cannot write '{self.path.parent}', where processes agree on the request rate: "
                f"{error.strerror}",
                remedy="Set TMPDIR to a folder that you can write to",
            ) from error
        return FileLock(self.path.with_suffix(".lock"), poll_interval=0.01)

    def _read(self) -> _State:
        # A file that was cut by a full disk only costs its memory of the last second.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(self.path.read_text(encoding="utf-8"))
            return _State([float(start) for start in data["starts"]], float(data["hold_until"]))
        return _State()

    def _write(self, state: _State) -> None:
        self.path.write_text(
            json.dumps({"starts": state.starts, "hold_until": state.hold_until}), encoding="utf-8"
        )
