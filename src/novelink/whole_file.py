"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_file(path: Path, *, several: bool = False) -> Iterator[Path]:
    """A place beside a file to write it at; it takes the file's own when the block ends well.

    Otherwise what was there before stays. Only a killed process leaves its
    half-written file behind; the next one writes over it.

    Args:
        path: the file; the place has the same ending, by which some libraries go.
        several: whether processes may write the file side by side; each has a
            place of its own then.
    """
    own = f"{os.getpid()}." if several else ""
    fresh = path.with_name(f".part.{own}{path.name}")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
