"""Units of work: blocks of documents of one file, the same whenever the file is read.

A block is (file, number); it holds ranges of documents of one or several members.
Where its borders are depends on the file and on :class:`Cutting` alone, so that
a block can be told done, done again to the same bytes, and shared out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink.errors import DataError
from novelink.formats import format_of_source
from novelink.formats.registry import by_name, by_suffix
from novelink.formats.report import ReadReport
from novelink.formats.source import open_source
from novelink.scale.container import Container, ContainerError, Member, open_container
from novelink.scale.splitting import Frame, Piece, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.corpus import CorpusFile
    from novelink.schema import Schema

BLOCK_DOCUMENTS = 1_000
BLOCK_BYTES = 32 << 20
"""A block ends at whichever is reached first; both bound what a worker holds and what a crash
costs."""

# Nearly any file passes for these; in a folder or archive they are a README, not documents.
_GUESSES = frozenset({"text", "text-whole", "text-tsv", "ids"})


@dataclass(frozen=True, slots=True)
class Cutting:
    """How files become blocks.

    Attributes:
        schema: which types exist.
        format: name of the format; None where each file tells it.
        documents: most documents of a block.
    """

    schema: Schema
    format: str | None = None
    documents: int = BLOCK_DOCUMENTS


@dataclass(frozen=True, slots=True)
class Chunk:
    """Documents of one member that stand in a row.

    Attributes:
        member: path in the archive; empty for a plain file.
        title: what messages call the member.
        first: number of the first document in the member, from 0.
        frame: what makes the pieces a file again.
        pieces: one document each, with the line it begins on.
    """

    member: str
    title: str
    first: int
    frame: Frame
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A unit of work.

    Attributes:
        file: name of the file it belongs to.
        number: place among the file's blocks, from 0.
        chunks: the documents.
        digest: of everything above; tells a changed file.
        weight: bytes of the stored file read for it.
        provisional: whether a fault came before its end, so that it may become
            another one once the file is mended.
    """

    file: str
    number: int
    chunks: tuple[Chunk, ...]
    digest: str
    weight: int
    provisional: bool = False

    @property
    def documents(self) -> int:
        """Documents in it, bad ones included."""
        return sum(len(chunk.pieces) for chunk in self.chunks)

    @property
    def spans(self) -> list[tuple[str, int, int]]:
        """Member, first document, number of documents."""
        return [(chunk.member, chunk.first, len(chunk.pieces)) for chunk in self.chunks]


@dataclass(frozen=True, slots=True)
class FileFault:
    """Why a file or a member of it could not be read to its end."""

    file: str
    member: str
    line: int | None
    reason: str


@dataclass(slots=True)
class FileEnd:
    """What is known once a file has been read.

    Attributes:
        file: its name.
        size: bytes as stored when it was listed.
        stamp: as :attr:`CorpusFile.stamp`.
        blocks: how many it has.
        pending: how many of these were handed out to be done now.
        weight: bytes of the stored file since the last block.
        faults: what could not be read; the file counts as done without any.
        notes: what was left out → how often.
    """

    file: str
    size: int
    stamp: str
    blocks: int = 0
    pending: int = 0
    weight: int = 0
    faults: list[FileFault] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)


def blocks_of(file: CorpusFile, cutting: Cutting) -> Iterator[Block | FileEnd]:
    """All blocks of a file, then what is known at its end.

    Faults of the file are not raised: they stand in the end record, and the
    blocks that were read before them are handed out.
    """
    gathering = _Gathering(file.name, cutting.documents)
    end = FileEnd(file.name, file.size, file.stamp)
    report = ReadReport()
    position = 0
    try:
        with open_container(file) as container:
            for member in container.members():
                try:
                    for number, piece in enumerate(_pieces(member, file, cutting, report)):
                        gathering.add(member, number, piece)
                        if gathering.is_full:
                            yield gathering.close(container.position - position)
                            position = container.position
                except ContainerError:
                    raise
                except _NoDocumentsError:
                    end.notes["files of no format with documents, left out"] += 1
                except DataError as error:
                    gathering.provisional = True
                    end.faults.append(_fault(file, member.name, error))
            _finish(end, container, report)
    except ContainerError as error:
        gathering.provisional = True
        end.faults.append(_fault(file, "", error))
    if gathering.size:
        yield gathering.close(max(0, file.size - position))
        position = file.size
    end.blocks = gathering.number
    end.weight = max(0, file.size - position)
    yield end


def _finish(end: FileEnd, container: Container, report: ReadReport) -> None:
    end.notes.update(container.notes)
    end.notes.update(report.notes)
    for name, count in report.ignored_types.items():
        end.notes[f"mentions of type {name}, left out"] += count


class _NoDocumentsError(Exception):
    """A member is of no format that holds documents, and nobody said it would."""


def _pieces(
    member: Member, file: CorpusFile, cutting: Cutting, report: ReadReport
) -> Iterator[Piece]:
    with open_source(member.named()) as source:
        chosen = None if cutting.format is None else by_name(cutting.format)
        happened_on = chosen is None and (member.name or not file.chosen)
        try:
            entry = format_of_source(source, chosen)
        except DataError:
            if happened_on and not by_suffix(member.name or file.name):
                raise _NoDocumentsError from None
            raise
        if happened_on and entry.name in _GUESSES:
            raise _NoDocumentsError
        yield from split(source, entry, cutting.schema, report)


def _fault(file: CorpusFile, member: str, error: DataError) -> FileFault:
    return FileFault(file.name, member, error.line, str(error))


class _Gathering:
    """The block that is being filled."""

    def __init__(self, file: str, documents: int) -> None:
        self._file = file
        self._most = documents
        self.number = 0
        self.provisional = False
        self._start()

    def _start(self) -> None:
        self.size = 0
        self._bytes = 0
        self._chunks: list[Chunk] = []
        self._pieces: list[Piece] = []
        self._place: tuple[str, str, int] = ("", "", 0)

    def add(self, member: Member, number: int, piece: Piece) -> None:
        """Take one document, the ``number``-th of its member."""
        if self._pieces and (
            self._place[0] != member.name or self._pieces[0].frame is not piece.frame
        ):
            self._close_chunk()
        if not self._pieces:
            self._place = (member.name, member.title, number)
        self._pieces.append(piece)
        self.size += 1
        self._bytes += len(piece.data)

    @property
    def is_full(self) -> bool:
        """Whether the block ends here."""
        return self.size >= self._most or self._bytes >= BLOCK_BYTES

    def _close_chunk(self) -> None:
        name, title, first = self._place
        self._chunks.append(Chunk(name, title, first, self._pieces[0].frame, tuple(self._pieces)))
        self._pieces = []

    def close(self, weight: int) -> Block:
        """The block; the next one begins empty."""
        self._close_chunk()
        block = Block(
            self._file,
            self.number,
            tuple(self._chunks),
            _digest(self._chunks),
            weight,
            self.provisional,
        )
        self.number += 1
        self._start()
        return block


def _digest(chunks: list[Chunk]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for chunk in chunks:
        found.update(repr((chunk.member, chunk.first, chunk.frame, len(chunk.pieces))).encode())
        for piece in chunk.pieces:
            found.update(len(piece.data).to_bytes(8, "big"))
            found.update(piece.data)
            if piece.fault is not None:
                found.update(str(piece.fault).encode())
    return found.hexdigest()
