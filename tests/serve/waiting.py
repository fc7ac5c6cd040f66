"""Waiting for a condition instead of for a time."""

from __future__ import annotations

import time


def wait_until(condition):
    """Return once the condition holds; a test that hangs fails after twenty seconds."""
    for _ in range(4000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come")
