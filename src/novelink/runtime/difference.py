"""A file of a model that ships, kept as its difference from the same file of another one.

Models that began from one encoder differ by small numbers: byte by byte, modulo
256, the difference packs far better than the file. The wheel has one graph so
(``hatch_build.py``); a clone has them all as they are. What comes out is compared
with the manifest like any other file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.errors import ModelError
from novelink.runtime.manifest import AGAIN, check_digest

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".difference"


def difference_file(folder: Path, name: str) -> Path | None:
    """``NAME.OTHER.difference``, where a file of a model that ships is kept so.

    Args:
        folder: of the model; the other model's lies beside it.
        name: of the file, which itself is not there.
    """
    if (folder / name).exists():
        return None
    return next(iter(sorted(folder.glob(f"{name}.*{SUFFIX}"))), None)


def rebuilt_file(folder: Path, name: str, entry: tuple[str, int], difference: Path) -> bytes:
    """The bytes of a file that is kept as a difference.

    Args:
        folder: of the model.
        name: as the manifest lists it.
        entry: sha256 and size of the manifest.
        difference: as :func:`difference_file` found it.

    Raises:
        ModelError: the other model's file is missing or of another size, or the
            result differs from the manifest.
    """
    import numpy as np  # commands that open no model start without it

    digest, size = entry
    other = folder.parent / difference.name[len(name) + 1 : -len(SUFFIX)] / name
    try:
        if not difference.stat().st_size == other.stat().st_size == size:
            raise ModelError(
                f"is no difference from {other}: sizes differ",
                source=str(difference),
                remedy=AGAIN,
            )
        parts = [np.frombuffer(path.read_bytes(), np.uint8) for path in (difference, other)]
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", source=str(difference)) from error
    data = (parts[0] + parts[1]).tobytes()  # uint8 wraps around
    check_digest(data, digest, str(difference))
    return data
