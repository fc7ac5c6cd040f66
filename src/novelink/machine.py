"""What the machine has: cores, memory, instructions. Limits of a container count."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")  # version 2, as a container sees its own


def available_cores() -> int:
    """CPU cores that this process may use, at least one."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    try:
        quota, period = (_GROUP / "cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # another system, or no limit: "max"
        return cores


def memory() -> tuple[int | None, int | None]:
    """Bytes of memory that this process may use, and of these the free ones; None if unknown."""
    total = free = None
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii", errors="replace")
        found = re.search(r"^MemAvailable:\s*(\d+) kB", text, re.MULTILINE)
        free = int(found[1]) * 1024 if found else None
        limit = int((_GROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_GROUP / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):  # another system, or no limit: "max"
        return total, free
    left = max(0, limit - used)
    return (
        limit if total is None else min(total, limit),
        left if free is None else min(free, left),
    )


def instructions() -> frozenset[str] | None:
    """The processor's extensions by Linux's names, such as ``avx2``; None if unknown."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else None


def has_int8_instructions() -> bool | None:
    """Whether the processor multiplies int8 numbers in groups; None if unknown."""
    found = instructions()
    return None if found is None else bool(found & {"avx512_vnni", "avx_vnni", "asimddp"})
