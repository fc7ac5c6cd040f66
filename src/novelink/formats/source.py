"""Where bytes come from: paths, standard input, streams, compressed or not."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from novelink import limits
from novelink.errors import DataError
from novelink.formats.unpacking import GZIP, CutOffError, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

SNIFFED = 65_536
"""How many bytes the format and the kind of a file are told from."""

LOOK_AHEAD = 1024
"""How many bytes a slow pipe must have sent before the format is told."""

CHUNK = 65_536

_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"BZh": "compressed by bzip2",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
}


class Source:
    """A stream of bytes with a name for messages and a line count.

    Reading goes through :meth:`lines` or :meth:`chunks`, which turn faults of
    the medium (cut-off gzip, unreadable file) into errors with a place.

    Args:
        stream: buffered, binary, already decompressed.
        name: file name or ``<stdin>``.

    Attributes:
        prefix: the first bytes, for telling what the source holds.
    """

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        self.name = name
        self.line = 0
        with self._faults():
            self.prefix, self.stream = _look_ahead(stream)

    def lines(self) -> Iterator[bytes]:
        """Lines with their ends; :attr:`line` is the number of the current one.

        Raises:
            CutOffError: a line is longer than a document may be.
        """
        longest = limits.DOCUMENT_BYTES
        next_line = self.stream.readline
        with self._faults():
            while raw := next_line(longest + 1):
                self.line += 1
                if len(raw) > longest:
                    raise CutOffError(
                        f"a line of more than {longest:,} bytes",
                        source=self.name,
                        line=self.line,
                        remedy="Line ends may be missing; docs/input-limits.md lists the limits",
                    )
                yield raw

    def chunks(self) -> Iterator[bytes]:
        """Pieces of at most :data:`CHUNK` bytes; the reader counts lines itself."""
        with self._faults():
            while piece := self.stream.read1(CHUNK):
                yield piece

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except EOFError as error:
            raise CutOffError(
                "the gzip file is cut off",
                source=self.name,
                line=self.line or None,
                remedy="Fetch or pack it again",
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise CutOffError(
                f"the gzip file is damaged ({error})",
                source=self.name,
                line=self.line or None,
                remedy="Fetch or pack it again",
            ) from error
        except OSError as error:
            raise DataError(f"cannot read: {error.strerror or error}", source=self.name) from error


@contextmanager
def open_source(source: str | PathLike[str] | IO[Any]) -> Iterator[Source]:
    """Open a path, ``-`` or a stream; gzip is told from the content.

    Raises:
        DataError: it cannot be opened, or is packed in a way not read here.
    """
    if hasattr(source, "read"):
        stream, name, own = cast("IO[Any]", source), _stream_name(source), False
    elif str(source) == "-":
        stream, name, own = sys.stdin.buffer, "<stdin>", False
    else:
        stream, name, own = _open_path(Path(source)), str(source), True
    try:
        buffered = _buffered(stream)
        yield Source(_decompressed(buffered, name), name)
    finally:
        if own:
            stream.close()


def _open_path(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise DataError("no such file", source=str(path), remedy="Check the path") from error
    except IsADirectoryError as error:
        raise DataError("is a folder", source=str(path), remedy="Name the files in it") from error
    except OSError as error:
        raise DataError(f"cannot open: {error.strerror}", source=str(path)) from error


def _stream_name(stream: object) -> str:
    name = getattr(stream, "name", None)
    return name if isinstance(name, str) else "<stream>"


def _buffered(stream: IO[Any]) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    if isinstance(stream, io.TextIOBase):
        # A text stream's own decoding is undone so that one path serves all input.
        return io.BufferedReader(_TextBytes(stream), SNIFFED)
    return io.BufferedReader(_AnyBytes(stream), SNIFFED)


class _AnyBytes(io.RawIOBase):
    """Any object with ``read(n) -> bytes`` as a raw stream, what was read already first."""

    def __init__(
        self, stream: IO[bytes], first: bytes = b"", fault: Exception | None = None
    ) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._first = first
        self._fault = fault

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._first:
            data, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
        elif self._fault is not None:
            raise self._fault
        else:
            data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _TextBytes(io.RawIOBase):
    """A text stream, encoded again."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            # surrogatepass: a reader's own check names the fault, with its line.
            self._rest = self._stream.read(CHUNK).encode("utf-8", "surrogatepass")
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _look_ahead(stream: io.BufferedReader) -> tuple[bytes, io.BufferedReader]:
    """The first bytes and a stream that begins with them again.

    A pipe may deliver a few bytes only; reading on until there are some hundred
    tells the format without waiting for a slow writer's next document.
    """
    first = b""
    fault = None
    try:
        while len(first) < LOOK_AHEAD and (piece := stream.read1(SNIFFED)):
            first += piece
    except (EOFError, OSError, zlib.error) as error:
        # Raised when the reader comes to it: what stands before can be read.
        if not first:
            raise
        fault = error
    return first, io.BufferedReader(_AnyBytes(stream, first, fault), SNIFFED)


def _decompressed(stream: io.BufferedReader, name: str) -> io.BufferedReader:
    try:
        start, stream = _look_ahead(stream)
    except (EOFError, zlib.error) as error:
        # The stream itself was packed, by whoever handed it over.
        raise CutOffError(
            f"the gzip file is damaged ({error})", source=name, remedy="Fetch or pack it again"
        ) from error
    except OSError as error:
        raise DataError(
            f"cannot read: {getattr(error, 'strerror', None) or error}", source=name
        ) from error
    if start.startswith(GZIP):
        return unpacked(stream, name)
    for magic, kind in _PACKED.items():
        if start.startswith(magic):
            raise DataError(f"this is {kind}", source=name, remedy="Unpack it first, or use gzip")
    return stream
