"""Files as streams of members: plain, gzip, tar, tar in gzip; nothing is unpacked to disk.

A plain file is a container with one member. Archives are read from front to
back, so that an archive of any size needs the memory of one member's piece.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Self, cast

from novelink.errors import DataError
from novelink.formats.unpacking import GZIP, CutOffError, Passed, unpacked
from novelink.scale.storage import file_system, is_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.corpus import CorpusFile

    Buffered = io.BufferedReader[Any]

_BUFFER = 1 << 18
_SMALL = 1 << 14  # of a member: what is lost with it where an archive breaks off
_LONGEST_HEADER = 1 << 20  # of the headers that hold long names and further facts
_EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_TAR_NAMES = (".tar", ".tgz", ".tar.gz")
_AGAIN = "Fetch or pack it again; what was read before this place is kept"


@dataclass(slots=True)
class Member:
    """One file inside a container.

    Attributes:
        name: path in the archive; empty for a plain file.
        title: what messages call it.
        stream: its bytes, unpacked.
    """

    name: str
    title: str
    stream: IO[bytes]

    def named(self) -> IO[bytes]:
        """The stream under the name that messages use."""
        return cast("IO[bytes]", _NamedStream(self))


class _NamedStream:
    def __init__(self, member: Member) -> None:
        self.name = member.title
        self.read = member.stream.read
        self.read1 = getattr(member.stream, "read1", member.stream.read)


class ContainerError(CutOffError):
    """The stored file breaks here: none of its further members can be read."""


class Container:
    """An opened file.

    Attributes:
        notes: members that were left out, and why.
    """

    def __init__(self, file: CorpusFile, raw: IO[bytes]) -> None:
        self.file = file
        self.notes: list[str] = []
        self._counted = _Counted(raw)

    @property
    def position(self) -> int:
        """Bytes of the stored file that were read."""
        return self._counted.count

    def members(self) -> Iterator[Member]:
        """The members, front to back; each must be read before the next is asked for.

        Raises:
            ContainerError: the stored file is damaged.
        """
        stored = io.BufferedReader(self._counted, _BUFFER)
        stream = io.BufferedReader(
            _Guarded(self._plain(stored, self.file.place), self.file.place), _BUFFER
        )
        start = stream.peek(512)[:512]
        if start[257:262] == b"ustar" or self.file.name.lower().endswith(_TAR_NAMES):
            yield from self._archived(stream)
        else:
            yield Member("", self.file.place, cast("IO[bytes]", stream))

    def _archived(self, stream: Buffered) -> Iterator[Member]:
        with self.watch():
            archive = tarfile.open(  # noqa: SIM115 (closed below; members outlive a block here)
                fileobj=cast("IO[bytes]", _Short(stream)), mode="r|", tarinfo=_CheckedHeader
            )
        try:
            while True:
                with self.watch():
                    entry = archive.next()
                    # Otherwise the archive keeps the header of every member it has had.
                    archive.members = []  # type: ignore[attr-defined]  # not in its type stub
                if entry is None:
                    break
                if self._is_wanted(entry):
                    title = f"{self.file.place}:{entry.name}"
                    inner = _InArchive(cast("IO[bytes]", archive.extractfile(entry)), self)
                    plain = self._plain(io.BufferedReader(inner, _SMALL), title)
                    yield Member(entry.name, title, cast("IO[bytes]", plain))
            # gzip tells only at its very end whether all that was unpacked is right.
            while stream.read1(_BUFFER):
                pass
        finally:
            archive.close()

    def _plain(self, stream: Buffered, title: str) -> Buffered:
        """A stream without its gzip layer, if it has one.

        Layers inside layers are measured by the bytes of the stored file alone:
        each in proportion to the one around it, they would still multiply.
        """
        if stream.peek(2)[:2] != GZIP:
            return stream
        return unpacked(stream, title, lambda: self._counted.count)

    def _is_wanted(self, entry: tarfile.TarInfo) -> bool:
        path = PurePosixPath(entry.name)
        if entry.isdir():
            return False
        if not entry.isfile():
            self.notes.append("archive members that are links or devices, left out")
            return False
        if entry.issparse():
            # A few bytes could stand for any number of zeros.
            self.notes.append("archive members that are sparse files, left out")
            return False
        if any(part.startswith(("._", ".DS_Store", "__MACOSX")) for part in path.parts):
            return False
        if path.is_absolute() or ".." in path.parts:
            self.notes.append("archive members whose path leaves the archive, refused")
            return False
        return True

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Turn what tarfile finds wrong into an error with a place.

        Raises:
            ContainerError: the archive is damaged.
        """
        try:
            yield
        except RecursionError as error:
            # Each extended header is read inside the one before it.
            raise ContainerError(
                "the archive has too many headers in a row", source=self.file.place, remedy=_AGAIN
            ) from error
        except tarfile.TarError as error:
            raise ContainerError(
                f"the archive is damaged ({error})", source=self.file.place, remedy=_AGAIN
            ) from error


@contextmanager
def open_container(file: CorpusFile) -> Iterator[Container]:
    """Open a file of a corpus, local or remote.

    Raises:
        DataError: it cannot be opened.
    """
    try:
        if is_url(file.place):
            system, path = file_system(file.place)
            raw = system.open(path, "rb")
        else:
            raw = open(file.place, "rb")  # noqa: SIM115, PTH123 (closed below; one call for both)
    except OSError as error:
        raise ContainerError(
            "no such file" if isinstance(error, FileNotFoundError) else f"cannot open: {error}",
            source=file.place,
        ) from error
    with raw:
        yield Container(file, raw)


class _CheckedHeader(tarfile.TarInfo):
    """A member's header; a bad one is an error.

    tarfile takes a bad or cut-off header after the first member for the end of
    the archive, which would lose the rest without a word.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """The header in a block of 512 bytes."""
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":
                raise  # the block of zeros that ends an archive
            raise tarfile.ReadError(
                "it ends without an end mark" if len(buf) < 512 else f"{error}"
            ) from error
        if header.size < 0:
            raise tarfile.ReadError("a member of negative size")
        if header.type in _EXTENDED and header.size > _LONGEST_HEADER:
            # tarfile would read it whole.
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


class _Short:
    """Gives what there is, rather than fail to give all that was asked for."""

    def __init__(self, stream: Buffered) -> None:
        self.read = stream.read1


class _Counted(io.RawIOBase):
    """Counts what is read of a stored file."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _InArchive(Passed):
    """A member's bytes; that the archive breaks inside it is a fault of the archive."""

    def __init__(self, stream: IO[bytes], container: Container) -> None:
        super().__init__(stream)
        self._container = container

    def readinto(self, buffer: Any) -> int:
        with self._container.watch():
            return super().readinto(buffer)


class _Guarded(Passed):
    """The stored file's bytes; its faults are told from those of a member."""

    def __init__(self, stream: Buffered, title: str) -> None:
        super().__init__(cast("IO[bytes]", stream))
        self._title = title

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except EOFError as error:
            message, cause = "the gzip file is cut off", cast("Exception", error)
        except (gzip.BadGzipFile, zlib.error) as error:
            message, cause = f"the gzip file is damaged ({error})", error
        except OSError as error:
            message, cause = f"cannot read: {error.strerror or error}", error
        except DataError as error:
            raise ContainerError(error.message, source=self._title, remedy=error.remedy) from error
        raise ContainerError(message, source=self._title, remedy=_AGAIN) from cause
