"""Faults of the program for its log, without what users sent.

Messages of exceptions quote the values that caused them, and those may be
somebody's text. What kind of fault it was and where it happened is enough to
find it.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

MOST_PLACES = 12


def log_fault(logger: logging.Logger, what: str, error: BaseException) -> None:
    """Log an exception's kind and places, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-MOST_PLACES:]
    places = " > ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames
    )
    logger.error("%s: %s at %s", what, type(error).__name__, places)
