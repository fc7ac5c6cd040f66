"""One process's part of a run: a block in, one output part and its counts out."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError, ModelError, NovelinkError
from novelink.extractor import ExtractionReport, Extractor
from novelink.formats.intake import Intake
from novelink.formats.registry import by_name, load
from novelink.formats.source import open_source
from novelink.scale.parts import failures_name, new_part, part_name
from novelink.scale.record_log import json_line
from novelink.scale.splitting import FaultReport, ForgetfulSet
from novelink.scale.storage import open_store
from novelink.scale.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novelink.document import Document
    from novelink.scale.blocks import Block, Chunk
    from novelink.scale.splitting import Piece
    from novelink.schema import Schema

_KEPT_RAW = 1 << 20  # characters of a failed document that its dead letter holds
_ID = re.compile(rb'<id>\s*([^<]*?)\s*</id>|^([^|\t\n]+)\|t\||"id"\s*:\s*"?([^",}]*)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every worker does with every block.

    Attributes:
        output: folder or URL of the results.
        parts: format of the parts.
        schema: which types are read.
        model: name or folder; None for the embedded default.
        min_score: least score of a relation; None for the model's own.
        evidence: also give the sentences a relation rests on; None where the
            model can.
    """

    output: str
    parts: str
    schema: Schema
    model: str | None = None
    min_score: float | None = None
    evidence: bool | None = None


@dataclass(frozen=True, slots=True)
class BlockDone:
    """A block whose part has been written.

    Attributes:
        file: name of the file it belongs to.
        number: place among the file's blocks.
        digest: of what was read.
        provisional: as :attr:`Block.provisional`.
        weight: bytes of the stored file read for it.
        spans: member, first document, number of documents.
        tally: its counts.
    """

    file: str
    number: int
    digest: str
    provisional: bool
    weight: int
    spans: list[tuple[str, int, int]]
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Read:
    """A parsed document and where it stood."""

    document: Document
    chunk: Chunk
    number: int
    piece: Piece


@dataclass
class _Books:
    """Counts and failures of one block."""

    block: Block
    tally: Tally = field(default_factory=Tally)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def fail(self, chunk: Chunk, number: int, piece: Piece, error: Exception) -> None:
        """Book a document that could not be read, judged or written."""
        if isinstance(error, NovelinkError):
            message, reason = error.message, str(error)
        else:
            message = reason = f"{type(error).__name__}: {error}"
        line = getattr(error, "line", None)
        raw = piece.data.decode("utf-8", "replace")
        found = _ID.search(piece.data)
        letter = {
            "source": self.block.file,
            "member": chunk.member,
            "number": chunk.first + number,
            "document": next(
                (group.decode("utf-8", "replace") for group in found.groups() if group), None
            )
            if found
            else None,
            "line": line,
            "reason": reason,
            "format": chunk.frame.format,
            "raw": raw[:_KEPT_RAW],
        }
        if len(raw) > _KEPT_RAW:
            letter["raw_cut"] = len(raw) - _KEPT_RAW
        self.failures.append(letter)
        self.tally.fail(message)


class BlockWorker:
    """Does blocks one after another with one loaded model.

    Args:
        recipe: what to do.

    Raises:
        ModelError: the model cannot be loaded, or gives no evidence and that
            was asked for.
    """

    def __init__(self, recipe: Recipe) -> None:
        # One thread a process: the tokenizer would otherwise start one per core in each.
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        self._recipe = recipe
        self._store = open_store(recipe.output)
        self._extractor = Extractor.load(recipe.model, threads=1)
        if recipe.evidence and not self._extractor.gives_evidence:
            raise ModelError(
                f"the model '{self._extractor.name}' gives no evidence",
                remedy="Choose a model that reads whole documents (novelink models list)",
            )
        self._evidence = (
            self._extractor.gives_evidence if recipe.evidence is None else recipe.evidence
        )

    def work(self, block: Block, progress: Callable[[int], None] | None = None) -> BlockDone:
        """Read, judge and write one block.

        Args:
            block: the documents.
            progress: told how many documents are done since the last call.

        Raises:
            DataError: the part cannot be written. Faults of documents are not
                raised: they become dead letters.
        """
        books = _Books(block)
        part = new_part(self._recipe.parts, self._extractor.name)
        read = [found for chunk in block.chunks for found in self._read(chunk, books)]
        for one, document in self._judged(read, books):
            try:
                part.add(document, one.chunk.member)
            except NovelinkError as error:
                books.fail(one.chunk, one.number, one.piece, error)
            else:
                books.tally.count(document)
            if progress is not None:
                progress(1)
        return _written(self._store, block, books, part.finish(), self._recipe.parts)

    def _read(self, chunk: Chunk, books: _Books) -> Iterator[_Read]:
        """The chunk's documents: all at once, or one by one where that meets a fault."""
        if not any(piece.fault for piece in chunk.pieces):
            report = FaultReport()
            documents = self._parsed(chunk, chunk.pieces, report)
            if len(documents) == len(chunk.pieces) and not report.errors:
                _note(report, books.tally)
                for number, document in enumerate(documents):
                    _note_bare(document, books.tally)
                    yield _Read(document, chunk, number, chunk.pieces[number])
                return
        for number, piece in enumerate(chunk.pieces):
            report = FaultReport()
            documents = [] if piece.fault else self._parsed(chunk, (piece,), report)
            if piece.fault is not None:
                report.errors.append(piece.fault)
            elif not documents and not report.errors:
                report.errors.append(DataError("no document in what looks like one"))
            for error in report.errors:
                if error.line and piece.line and piece.fault is None:
                    error.line += piece.line - 1
                books.fail(chunk, number, piece, error)
            _note(report, books.tally)
            for document in documents:
                _note_bare(document, books.tally)
                yield _Read(document, chunk, number, piece)

    def _parsed(
        self, chunk: Chunk, pieces: tuple[Piece, ...], report: FaultReport
    ) -> list[Document]:
        data = b"".join((chunk.frame.head, *(piece.data for piece in pieces), chunk.frame.tail))
        intake = Intake(
            chunk.title, self._recipe.schema, lenient=True, report=report, seen=ForgetfulSet()
        )
        try:
            with open_source(_NamedBytes(data, chunk.title)) as source:
                return list(load(by_name(chunk.frame.format).reader)(source, intake))
        except DataError as error:
            report.errors.append(error)
            return []

    def _judged(self, read: list[_Read], books: _Books) -> Iterator[tuple[_Read, Document]]:
        """Documents with relations; where the model fails on one, the others still come."""
        report = ExtractionReport()
        done = 0
        try:
            for found in self._extract([one.document for one in read], report):
                yield read[done], found
                done += 1
        except Exception:  # noqa: BLE001 (whatever one document does must not end a corpus run)
            _count(report, books.tally)
            for one in read[done:]:
                report = ExtractionReport()
                try:
                    (found,) = self._extract([one.document], report)
                except Exception as error:  # noqa: BLE001 (as above; the reason is kept)
                    books.fail(one.chunk, one.number, one.piece, error)
                else:
                    _count(report, books.tally)
                    yield one, found
        else:
            _count(report, books.tally)

    def _extract(self, documents: list[Document], report: ExtractionReport) -> Iterator[Document]:
        return self._extractor.extract(
            documents, min_score=self._recipe.min_score, evidence=self._evidence, report=report
        )


class _NamedBytes(io.BytesIO):
    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def fail_block(block: Block, recipe: Recipe, reason: str) -> BlockDone:
    """Write a block as failed: an empty part, and every document a dead letter."""
    books = _Books(block)
    for chunk in block.chunks:
        for number, piece in enumerate(chunk.pieces):
            books.fail(chunk, number, piece, DataError(reason))
    part = new_part(recipe.parts, "")
    return _written(open_store(recipe.output), block, books, part.finish(), recipe.parts)


def _written(store: Any, block: Block, books: _Books, data: bytes, parts: str) -> BlockDone:
    """Dead letters first: a part that is there says that its block is done."""
    if books.failures:
        letters = b"".join(map(json_line, books.failures))
        store.write(failures_name(block.file, block.number), letters)
    store.write(part_name(block.file, block.number, parts), data)
    return BlockDone(
        block.file,
        block.number,
        block.digest,
        block.provisional,
        block.weight,
        block.spans,
        books.tally,
    )


def _note(report: FaultReport, tally: Tally) -> None:
    tally.notes.update(report.notes)
    for name, count in report.ignored_types.items():
        tally.notes[f"mentions of type {name}, left out"] += count


def _note_bare(document: Document, tally: Tally) -> None:
    if not document.mentions:
        tally.notes["documents that came without any entity"] += 1


def _count(report: ExtractionReport, tally: Tally) -> None:
    tally.pairs += report.pairs
    tally.documents_without_pairs += report.documents_without_pairs
    tally.cut_documents += report.cut_documents
    tally.cut_mentions += report.cut_mentions
