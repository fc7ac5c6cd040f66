"""Folds side by side: each a process of its own, with its share of cores or a GPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from novelink.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SHOWN = 12
"""Last lines of a failed worker that its error quotes from."""


def run_workers(
    commands: Sequence[tuple[str, Sequence[str]]], parallel: int, log: Callable[[str], None]
) -> None:
    """Run commands of this program, some at a time.

    Args:
        commands: a name and the arguments after ``novelink`` of each.
        parallel: how many at a time.
        log: takes their lines of progress.

    Raises:
        ModelError: some failed; the others have run to their end.
        SettingsError: fewer than one at a time.
        KeyboardInterrupt: and those that ran are ended.
    """
    if parallel < 1:
        raise SettingsError("--parallel must be 1 or more")
    workers = _Workers(parallel, log)
    with _stopped_by_interrupt(workers), ThreadPoolExecutor(parallel) as pool:
        pending = [pool.submit(workers.run, name, arguments) for name, arguments in commands]
        try:
            failures = [failure for one in pending if (failure := one.result())]
        except BaseException:  # Ctrl-C: those still running would be waited for
            workers.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if failures:
        raise ModelError(
            "; ".join(failures), remedy="Give the same command again; what is finished is kept"
        )


class _Workers:
    """Processes that run now, and the cores or GPUs that are free."""

    def __init__(self, parallel: int, log: Callable[[str], None]) -> None:
        self._parallel = parallel
        self._log = log
        self._slots: deque[int] = deque(range(parallel))
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, name: str, arguments: Sequence[str]) -> str | None:
        """Run a command to its end; what went wrong, if anything did."""
        slot = self._slots.popleft()
        try:
            process = self._start(arguments, slot)
            return None if process is None else self._follow(name, process)
        finally:
            self._slots.append(slot)

    def stop(self) -> None:
        """End all that run, and begin no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def _start(self, arguments: Sequence[str], slot: int) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 (this program with its own arguments; no shell)
                [sys.executable, "-m", "novelink", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_environment(slot, self._parallel),
            )
            self._running.add(process)
            return process

    def _follow(self, name: str, process: subprocess.Popen[str]) -> str | None:
        last: deque[str] = deque(maxlen=_SHOWN)
        with process:
            for line in process.stderr or ():
                last.append(line.rstrip())
                self._log(line.rstrip())
        with self._lock:
            self._running.discard(process)
        if process.returncode == 0:
            return None
        found = (line for line in reversed(last) if line.startswith("novelink: "))
        reason = next(found, "")
        ended = f"{name} ended with code {process.returncode}"
        return ended + (f" ({reason[10:]})" if reason else "")


@contextmanager
def _stopped_by_interrupt(workers: _Workers) -> Iterator[None]:
    """Let Ctrl-C end the processes before anything else, also where it comes twice."""

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        workers.stop()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _environment(slot: int, parallel: int) -> dict[str, str]:
    """A worker's share of the cores, and a GPU of its own where there are several."""
    environment = dict(os.environ)
    cores = os.cpu_count() or 1
    environment.setdefault("OMP_NUM_THREADS", str(max(1, cores // parallel)))
    if torch.cuda.device_count() > 1:
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        devices = (
            visible.split(",") if visible else list(map(str, range(torch.cuda.device_count())))
        )
        environment["CUDA_VISIBLE_DEVICES"] = devices[slot % len(devices)]
    return environment
