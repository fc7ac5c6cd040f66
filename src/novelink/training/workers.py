"""Folds side by side: each a process of its own, with its share of cores or a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from novelink.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """
    if parallel < 1:
        raise SettingsError("--parallel must be 1 or more")
    slots: deque[int] = deque(range(parallel))

    def run(item: tuple[str, Sequence[str]]) -> str | None:
        name, arguments = item
        slot = slots.popleft()
        try:
            return _run(name, arguments, slot, parallel, log)
        finally:
            slots.append(slot)

    with ThreadPoolExecutor(parallel) as pool:
        failures = [failure for failure in pool.map(run, commands) if failure]
    if failures:
        raise ModelError(
            "; ".join(failures), remedy="Give the same command again; what is finished is kept"
        )


def _run(
    name: str, arguments: Sequence[str], slot: int, parallel: int, log: Callable[[str], None]
) -> str | None:
    """What went wrong, if anything did."""
    environment = dict(os.environ)
    cores = os.cpu_count() or 1
    environment.setdefault("OMP_NUM_THREADS", str(max(1, cores // parallel)))
    if torch.cuda.device_count() > 1:
        visible = environment.get("CUDA_VISIBLE_DEVICES")
        devices = (
            visible.split(",") if visible else list(map(str, range(torch.cuda.device_count())))
        )
        environment["CUDA_VISIBLE_DEVICES"] = devices[slot % len(devices)]
    last: deque[str] = deque(maxlen=_SHOWN)
    with subprocess.Popen(  # noqa: S603 (this program with its own arguments; no shell)
        [sys.executable, "-m", "novelink", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    ) as process:
        for line in process.stderr or ():
            last.append(line.rstrip())
            log(line.rstrip())
    if process.returncode == 0:
        return None
    reason = next((line for line in reversed(last) if line.startswith("novelink: ")), "")
    return f"{name} ended with code {process.returncode}" + (f" ({reason[10:]})" if reason else "")
