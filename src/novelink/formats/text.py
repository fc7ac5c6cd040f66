"""Plain text: documents separated by blank lines.

.. code-block:: text

    Insulin lowers glucose in mice.
    We gave insulin to 24 mice. Their glucose fell by half.

    Metformin and insulin in type 2 diabetes. Both were compared in 80 patients.

The first line of a document is its title and the rest its abstract; where all
stands on one line, or the lines are one wrapped paragraph, the first sentence
is the title. Documents are named after the file: ``notes`` if it holds one,
``notes-1``, ``notes-2``, … if it holds several.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from novelink import limits
from novelink.document import Document
from novelink.errors import DataError
from novelink.formats.text_lines import split_title, text_lines
from novelink.formats.unpacking import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

# What is no prose: other formats' beginnings, and lines of PubTator files and tables.
_OTHER_BEGINNING = re.compile(rb"\s*[{\[<]|\s*PMID- ?\d")
_OTHER_LINE = re.compile(rb"^[^|\s]{1,40}\|[ta]\||^(?:[^\t\n]*\t){2,}", re.MULTILINE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(prefix: bytes) -> bool:
    """Whether content begins like prose."""
    prefix = prefix.removeprefix(b"\xef\xbb\xbf")
    if not prefix.strip() or _CONTROL.search(prefix) or _OTHER_BEGINNING.match(prefix):
        return False
    return _OTHER_LINE.search(prefix) is None and re.search(rb"[^\W\d_]", prefix) is not None


def read_text(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a text file, one at a time, without mentions.

    Raises:
        DataError: the file is no UTF-8 text.
    """
    try:
        stem = _stem(source.name)
        # One block is held back: only a second one shows that the names need numbers.
        waiting: tuple[int, list[str]] | None = None
        number = 0
        for block in _blocks(source, intake):
            if waiting is not None:
                number += 1
                yield _document(f"{stem}-{number}", waiting, intake)
            waiting = block
        if waiting is not None:
            yield _document(f"{stem}-{number + 1}" if number else stem, waiting, intake)
    except DataError as error:
        intake.skip(error)


def read_whole_text(source: Source, intake: Intake) -> Iterator[Document]:
    """A text file as one document; paragraphs after the first stay in its abstract.

    Raises:
        DataError: the file is no UTF-8 text.
    """
    try:
        begin, lines, size = 0, list[str](), 0
        for number, block in _blocks(source, intake):
            begin = begin or number
            lines += block
            size += sum(map(len, block))
            _check_size(size, source, begin)
        if lines:
            yield _document(_stem(source.name), (begin, lines), intake)
    except DataError as error:
        intake.skip(error)


def _blocks(source: Source, intake: Intake) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are not blank, with the number of their first line."""
    begin, lines, size = 0, list[str](), 0
    for number, line in text_lines(source, intake):
        if line.strip():
            begin = begin if lines else number
            lines.append(line)
            size += len(line)
            _check_size(size, source, begin)
        elif lines:
            yield begin, lines
            lines, size = [], 0
    if lines:
        yield begin, lines


def _check_size(size: int, source: Source, line: int) -> None:
    if size > limits.TEXT:
        raise CutOffError(
            f"a text of more than {limits.TEXT:,} characters",
            source=source.name,
            line=line,
            remedy="Put blank lines between documents; docs/input-limits.md lists the limits",
        )


def _document(name: str, block: tuple[int, list[str]], intake: Intake) -> Document:
    line, lines = block
    return intake.accept(Document.from_text(name, *split_title(lines)), line)


def _stem(name: str) -> str:
    if name.startswith("<"):
        return "text"
    stem = Path(name).name.removesuffix(".gz")
    return re.sub(r"[\s|]+", "_", Path(stem).stem) or "text"
