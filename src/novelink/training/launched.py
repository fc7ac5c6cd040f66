"""Processes that `accelerate launch` or torchrun started: who speaks for all, and how many."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Whether this process writes results and prints; true where there is only one."""
    return int(os.environ.get("RANK", "0")) == 0


def launched_processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))
