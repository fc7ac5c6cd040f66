"""Places that hold inputs and results: local folders, object stores through fsspec.

A write appears whole or not at all: locally by a temporary file that is synced
and renamed, in an object store because a put is atomic there.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from novelink.errors import DataError, MissingExtraError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFTOVER_SECONDS = 3600.0
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[A-Za-z0-9+.-]+)*://")


def is_url(place: str) -> bool:
    """Whether a place is named by protocol, as ``s3://bucket/results``."""
    return _URL.match(place) is not None


def local_path(place: str) -> str:
    """A ``file://`` URL as a path; anything else as it is."""
    return place.removeprefix("file://") if place.startswith("file://") else place


class Store(Protocol):
    """A folder of results, wherever it lies. Names use ``/``.

    Attributes:
        place: path or URL, for messages.
    """

    place: str

    def make(self) -> None:
        """Create the folder.

        Raises:
            DataError: that cannot be done.
        """

    def write(self, name: str, data: bytes) -> None:
        """Write one file, whole or not at all.

        Raises:
            DataError: that cannot be done; nothing is left.
        """

    def read(self, name: str) -> bytes:
        """All bytes of a file.

        Raises:
            DataError: there is none.
        """

    def names(self, folder: str = "") -> list[str]:
        """Names of all files below a folder, sorted; none where it is not there."""

    def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is no fault."""


def open_store(place: str) -> Store:
    """The folder of that path or URL; it need not exist.

    Raises:
        MissingExtraError: fsspec is not installed.
        SettingsError: no driver knows the protocol.
    """
    place = local_path(place)
    place = place.rstrip("/") or place
    return ObjectStore(place) if is_url(place) else LocalStore(place)


class LocalStore:
    """A folder of this machine or of a shared file system."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.root = Path(place)

    def make(self) -> None:
        """See :class:`Store`."""
        with _faults(self.place, "make the folder"):
            self.root.mkdir(parents=True, exist_ok=True)
            # Told here rather than after the first block has been computed.
            probe = self.root / f".probe-{secrets.token_hex(4)}.tmp"
            probe.touch()
            probe.unlink()

    def write(self, name: str, data: bytes) -> None:
        """See :class:`Store`."""
        path = self.root / name
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with _faults(str(path), "write"):
                path.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("xb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                temporary.replace(path)
                sync_folder(path.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def read(self, name: str) -> bytes:
        """See :class:`Store`."""
        path = self.root / name
        with _faults(str(path), "read"):
            return path.read_bytes()

    def clear_leftovers(self) -> None:
        """Delete what killed runs were writing; a young one may be another shard's."""
        oldest = time.time() - _LEFTOVER_SECONDS
        for path in self.root.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def names(self, folder: str = "") -> list[str]:
        """See :class:`Store`."""
        top = self.root / folder
        return sorted(
            path.relative_to(self.root).as_posix() for path in top.rglob("*") if path.is_file()
        )

    def remove(self, name: str) -> None:
        """See :class:`Store`."""
        with _faults(name, "remove"), contextlib.suppress(FileNotFoundError):
            (self.root / name).unlink()


class ObjectStore:
    """A prefix of an object store, through fsspec."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.system, self._root = file_system(place)
        self._root = self._root.rstrip("/")

    def make(self) -> None:
        """See :class:`Store`: a prefix needs no making, but it must be writable."""
        probe = f".probe-{secrets.token_hex(4)}.tmp"
        self.write(probe, b"")
        self.remove(probe)

    def write(self, name: str, data: bytes) -> None:
        """See :class:`Store`."""
        with _faults(f"{self.place}/{name}", "write"):
            path = f"{self._root}/{name}"
            # Stores know no folders, but some file systems behind fsspec do.
            self.system.makedirs(path.rpartition("/")[0], exist_ok=True)
            self.system.pipe_file(path, data)

    def read(self, name: str) -> bytes:
        """See :class:`Store`."""
        with _faults(f"{self.place}/{name}", "read"):
            data: bytes = self.system.cat_file(f"{self._root}/{name}")
            return data

    def names(self, folder: str = "") -> list[str]:
        """See :class:`Store`."""
        top = f"{self._root}/{folder}".rstrip("/")
        with _faults(self.place, "list"):
            # Listings are cached; another node may have written since.
            self.system.invalidate_cache()
            found = self.system.find(top)
        root = self._root.lstrip("/")
        return sorted(path.lstrip("/").removeprefix(root).lstrip("/") for path in found)

    def remove(self, name: str) -> None:
        """See :class:`Store`."""
        with _faults(f"{self.place}/{name}", "remove"), contextlib.suppress(FileNotFoundError):
            self.system.rm_file(f"{self._root}/{name}")


def file_system(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it.

    Raises:
        MissingExtraError: fsspec is not installed.
        SettingsError: no driver knows the protocol.
    """
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtraError(f"reading and writing {url}", "scale") from error
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        # Its message names the package that the protocol needs, as "Install s3fs to access S3".
        raise SettingsError(
            f"the protocol of {url} needs a driver: {error}",
            remedy="For s3:// install s3fs, for gs:// gcsfs, for az:// adlfs",
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"{url}: {error}", remedy="Give a path, or a URL that fsspec knows, such as s3://…"
        ) from error
    return system, str(path)


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder outlast a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _faults(place: str, doing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"cannot {doing}: there is no such place", source=place) from error
    except OSError as error:
        raise DataError(
            f"cannot {doing}: {error.strerror or error}",
            source=place,
            remedy="Once that is mended, the same command with --resume goes on"
            if doing == "write"
            else None,
        ) from error
    except Exception as error:  # drivers of object stores raise classes of their own
        if not is_url(place):
            raise
        raise DataError(f"cannot {doing}: {error}", source=place) from error
