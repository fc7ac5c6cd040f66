"""A stream of documents cut into pieces, one document each, without parsing them.

Cutting is many times faster than parsing, so that one process can feed many;
whoever gets a piece parses it. Formats that cannot be cut at the byte level are
parsed here and handed on as JSON Lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink import limits
from novelink.errors import DataError
from novelink.formats.intake import Intake
from novelink.formats.jsonl import JsonlWriter
from novelink.formats.registry import load
from novelink.formats.report import ReadReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.registry import Format
    from novelink.formats.source import Source
    from novelink.schema import Schema

MAX_DOCUMENT_BYTES = limits.DOCUMENT_BYTES
"""A longer document is refused: it would not fit the memory of a worker."""

_MAX_HEAD = 1 << 20
_XML_START = re.compile(rb"<document[\s>]")
_XML_END = b"</document>"
# Nothing is given back (*+ and ?>): what follows the documents is read once, however odd it is.
_XML_CLOSE = re.compile(
    rb"\s*+(?:(?><!--.*?-->)\s*+)*+</collection\s*+>\s*+(?:(?><!--.*?-->)\s*+)*+", re.DOTALL
)
_PUBTATOR_START = re.compile(rb"^[^|\t\n]+\|t\|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Frame:
    """What makes pieces a file again: ``head + pieces + tail``.

    Attributes:
        format: name of a readable format.
        head: bytes before the pieces, without line ends.
        tail: bytes after them.
    """

    format: str
    head: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """One document.

    Attributes:
        frame: the file it belongs to.
        data: its bytes, with what stands between it and the one before.
        line: number of the line on which ``data`` begins; 0 where lines tell
            nothing.
        fault: why it could not be read; ``data`` is empty then.
    """

    frame: Frame
    data: bytes
    line: int
    fault: DataError | None = None


class ForgetfulSet(set[str]):
    """Takes ids and forgets them: in a corpus, memory must not grow with the documents read."""

    def add(self, element: str) -> None:
        """Keep nothing."""


@dataclass
class FaultReport(ReadReport):
    """A report that keeps the errors of what was skipped."""

    errors: list[DataError] = field(default_factory=list)

    def skip(self, error: DataError) -> None:
        """Keep the error itself."""
        self.errors.append(error)


def split(source: Source, entry: Format, schema: Schema, report: ReadReport) -> Iterator[Piece]:
    """The documents of a source.

    Args:
        source: an opened member.
        entry: its format.
        schema: for formats that are parsed here.
        report: takes the counts of what is parsed here.

    Raises:
        DataError: the source breaks off or holds something between documents
            that does not belong there. Pieces before that were handed out.
    """
    if entry.name == "bioc-xml" and source.prefix[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        return _split_xml(source)
    if entry.name == "pubtator":
        return _split_pubtator(source)
    if entry.name == "jsonl":
        return _split_lines(source)
    return _parse(source, entry, schema, report)


def _too_long(source: Source, line: int) -> DataError:
    return DataError(
        f"a document of more than {MAX_DOCUMENT_BYTES >> 20} MiB",
        source=source.name,
        line=line,
        remedy="Split it, or check that this is the file you mean",
    )


def _split_xml(source: Source) -> Iterator[Piece]:
    buffer = bytearray()
    frame: Frame | None = None
    line = 1
    searched = 0  # up to here the buffer holds no end of a document
    inside, known = b"", 0  # what closes the comment or CDATA section that is open at `known`
    for chunk in source.chunks():
        buffer += chunk
        if frame is None:
            found = _XML_START.search(buffer)
            if found is None:
                if len(buffer) > _MAX_HEAD:
                    break
                continue
            head = bytes(buffer[: found.start()])
            # Lines are counted apart, so the head may be one line.
            frame = Frame(
                "bioc-xml",
                head.replace(b"\r", b" ").replace(b"\n", b" "),
                b"</collection>",
            )
            line += head.count(b"\n")
            del buffer[: found.start()]
        begin = 0
        while (end := buffer.find(_XML_END, max(begin, searched))) >= 0:
            end += len(_XML_END)
            inside = _open_section(buffer, known, end, inside)
            searched = known = end
            if inside:
                continue
            data = bytes(buffer[begin:end])
            yield Piece(frame, data, line)
            line += data.count(b"\n")
            begin = end
        del buffer[:begin]
        known = max(0, known - begin)
        searched = max(0, len(buffer) - len(_XML_END))
        if len(buffer) > MAX_DOCUMENT_BYTES:
            raise _too_long(source, line)
    rest = bytes(buffer)
    if frame is None:
        if not rest.strip():
            raise DataError("the XML is empty", source=source.name, line=1)
        if re.search(rb"</collection\s*>\s*$|<collection[^>]*/>\s*$", rest) is None:
            raise DataError(
                "the XML holds no <document> and does not end with </collection>",
                source=source.name,
                line=line + rest.count(b"\n"),
                remedy="Fetch or write the file again",
            )
    elif _XML_CLOSE.fullmatch(rest) is None:
        cut = not rest.strip() or b"<document" in rest
        raise DataError(
            "the XML is cut off" if cut else "the XML does not end with </collection>",
            source=source.name,
            line=line + rest.count(b"\n"),
            remedy="Fetch or write the file again; what was read before this place is kept",
        )


def _open_section(buffer: bytearray, start: int, stop: int, inside: bytes) -> bytes:
    """What would close the comment or CDATA section that is open at ``stop``; nothing if none is.

    Args:
        buffer: XML.
        start: from where to look on.
        stop: up to where; behind an end tag, so that it cuts through no mark.
        inside: what is open at ``start``.
    """
    position = start
    while True:
        mark = inside or b"<!"
        position = buffer.find(mark, position, stop)
        if position < 0:
            return inside
        if inside:
            inside = b""
        elif buffer.startswith(b"<!--", position):
            inside, mark = b"-->", b"<!--"
        elif buffer.startswith(b"<![CDATA[", position):
            inside, mark = b"]]>", b"<![CDATA["
        position += len(mark)


def _split_pubtator(source: Source) -> Iterator[Piece]:
    frame = Frame("pubtator")
    lines: list[bytes] = []
    size, first = 0, 1
    titled = False
    for raw in source.lines():
        if _PUBTATOR_START.match(raw):
            if titled:
                yield Piece(frame, b"".join(lines), first)
                lines, size, first = [], 0, source.line
            titled = True
        lines.append(raw)
        size += len(raw)
        if size > MAX_DOCUMENT_BYTES:
            raise _too_long(source, first)
    data = b"".join(lines)
    if data.strip():
        yield Piece(frame, data, first)


def _split_lines(source: Source) -> Iterator[Piece]:
    frame = Frame("jsonl")
    for raw in source.lines():
        if len(raw) > MAX_DOCUMENT_BYTES:
            raise _too_long(source, source.line)
        if raw.isspace():
            continue
        data = raw.removeprefix(b"\xef\xbb\xbf") if source.line == 1 else raw
        yield Piece(frame, data if data.endswith(b"\n") else data + b"\n", source.line)


def _parse(source: Source, entry: Format, schema: Schema, report: ReadReport) -> Iterator[Piece]:
    faults = FaultReport()
    intake = Intake(source.name, schema, lenient=True, report=faults, seen=ForgetfulSet())
    encode = JsonlWriter(None, source.name).encode  # type: ignore[arg-type]  # nothing is written
    frame = Frame("jsonl")
    for document in load(entry.reader)(source, intake):
        while faults.errors:
            error = faults.errors.pop(0)
            yield Piece(frame, b"", error.line or 0, error)
        yield Piece(frame, encode(document).encode(), 0)
    for error in faults.errors:
        yield Piece(frame, b"", error.line or 0, error)
    faults.errors = []
    report.ignored_types.update(faults.ignored_types)
    report.dialects.update(faults.dialects)
    report.notes.update(faults.notes)
