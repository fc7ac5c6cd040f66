"""Where bytes go: paths (atomically), standard output, streams."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import logging
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

_LOG = logging.getLogger(__name__)


@contextmanager
def open_target(target: str | PathLike[str] | IO[Any]) -> Iterator[IO[bytes]]:
    """Open for writing bytes; gzip where the name ends in ``.gz``.

    A path is written beside its place and renamed when the block ends without
    an exception; otherwise nothing is left. ``-`` and streams are written
    directly and stay open. Devices and pipes are written directly.

    Raises:
        DataError: the place cannot be written.
    """
    if hasattr(target, "write"):
        yield from _to_stream(cast("IO[Any]", target))
    elif str(target) == "-":
        sys.stdout.flush()
        yield from _to_stream(sys.stdout.buffer)
    else:
        yield from _to_path(Path(cast("str", target)))


def _to_stream(stream: IO[Any]) -> Iterator[IO[bytes]]:
    if isinstance(stream, io.TextIOBase):
        yield cast("IO[bytes]", _TextTarget(stream))
    else:
        yield stream
    stream.flush()


class _TextTarget:
    """A text stream that takes UTF-8; every ``write`` here holds whole characters."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return self._stream.write(data.decode("utf-8"))

    def flush(self) -> None:
        self._stream.flush()


def _to_path(path: Path) -> Iterator[IO[bytes]]:
    # A link's target is replaced, not the link.
    place = path.resolve() if path.is_symlink() else path
    if place.exists() and not place.is_file() and not place.is_dir():
        with _write_faults(path), place.open("wb") as stream:
            yield stream
        return
    if place.is_dir():
        raise DataError("is a folder", source=str(path), remedy="Name a file in it")
    temporary = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        with _write_faults(path), temporary.open("xb") as raw:
            if path.name.lower().endswith(".gz"):
                # No name and no time in the header: the same documents give the same bytes.
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
        with _write_faults(path):
            if place.exists():
                temporary.chmod(place.stat().st_mode & 0o7777)
            temporary.replace(place)
        _LOG.info("written: %s", path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


_OF_THE_TARGET = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


@contextmanager
def _write_faults(path: Path) -> Iterator[None]:
    """Errors of this file in words; those of other files met on the way pass."""
    try:
        yield
    except OSError as error:
        own = error.filename is None or Path(str(error.filename)).parent == path.resolve().parent
        own = own or Path(str(error.filename)).parent == path.parent
        if not own or error.errno not in _OF_THE_TARGET:
            raise
        missing = error.errno in {errno.ENOENT, errno.ENOTDIR}
        raise DataError(
            "cannot write: its folder does not exist"
            if missing
            else f"cannot write: {error.strerror or error}",
            source=str(path),
            remedy=f"Make it with: mkdir -p {path.parent}" if missing else None,
        ) from error
