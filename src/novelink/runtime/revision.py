"""A change to files of a model folder: all of it or none, the manifest included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from novelink.errors import ModelError
from novelink.runtime.bundle import MANIFEST, load_bundle, write_manifest
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping


def revise(folder: str | os.PathLike[str], contents: Mapping[str, bytes]) -> None:
    """Give files of a model new contents and write its manifest anew.

    Each file is written beside its place and renamed into it; whatever goes
    wrong before the end, the old files come back.

    Args:
        folder: a whole model; it is checked first.
        contents: file name → its new content.

    Raises:
        ModelError: the folder was no whole model before, is none with the new
            contents, or cannot be written.
    """
    folder = Path(folder)
    load_bundle(folder)
    revise_files(
        folder,
        contents,
        write=lambda: write_manifest(folder),
        check=lambda: load_bundle(folder),
    )


def revise_files(
    folder: Path,
    contents: Mapping[str, bytes],
    *,
    write: Callable[[], object],
    check: Callable[[], object],
) -> None:
    """The same for any folder with a manifest.

    Args:
        folder: where the files are.
        contents: file name → its new content.
        write: writes the manifest anew.
        check: raises where the folder is no longer whole.

    Raises:
        ModelError: as ``check`` does, or the folder cannot be written.
    """
    names = [*contents, MANIFEST]
    before = {name: _content(folder / name) for name in names}
    try:
        for name, data in contents.items():
            _put(folder / name, data)
        write()
        check()
    except BaseException as error:
        for name, old in before.items():
            if old is None:
                (folder / name).unlink(missing_ok=True)
            else:
                _put(folder / name, old)
        if isinstance(error, OSError):
            raise ModelError(f"cannot be written: {error.strerror}", source=str(folder)) from error
        raise


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _put(path: Path, data: bytes) -> None:
    with whole_file(path) as fresh:
        fresh.write_bytes(data)
