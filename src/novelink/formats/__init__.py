"""Reading and writing documents: PubTator, BioC XML, BioC JSON, JSON Lines.

>>> from novelink.formats import read, write
>>> write(read("abstracts.pubtator"), "abstracts.json")  # doctest: +SKIP

Everything streams: one document is in memory at a time.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, cast

from novelink.errors import DataError, SettingsError
from novelink.formats.intake import Intake
from novelink.formats.registry import FORMATS, Format, by_name, by_suffix, load, names, register
from novelink.formats.report import ReadReport, WriteReport
from novelink.formats.source import Source, open_source
from novelink.formats.target import open_target
from novelink.formats.writer import Writer
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from novelink.document import Document
    from novelink.schema import Schema

    Place = str | PathLike[str] | IO[Any]

__all__ = [
    "FORMATS",
    "Format",
    "ReadReport",
    "WriteReport",
    "Writer",
    "format_of_source",
    "format_of_target",
    "names",
    "open_writer",
    "read",
    "read_all",
    "register",
    "write",
]

_LOG = logging.getLogger(__name__)


def read(
    source: Place,
    format: str | None = None,  # noqa: A002 (the word users look for)
    *,
    schema: Schema = BIORED,
    lenient: bool = False,
    report: ReadReport | None = None,
) -> Iterator[Document]:
    """Documents of one source, one at a time.

    Args:
        source: path, ``-`` for standard input, or a binary or text stream;
            gzip is told from the content.
        format: a name of :data:`FORMATS`; by default told from the file's name
            and content.
        schema: which entity and relation types there are.
        lenient: leave bad documents out and count them, instead of raising.
        report: takes the counts.

    Yields:
        Checked documents, in the order of the source.

    Raises:
        DataError: the source or, unless ``lenient``, a document is bad.
        SettingsError: the format is unknown.
    """
    return read_all((source,), format, schema=schema, lenient=lenient, report=report)


def read_all(
    sources: Iterable[Place],
    format: str | None = None,  # noqa: A002 (as above)
    *,
    schema: Schema = BIORED,
    lenient: bool = False,
    report: ReadReport | None = None,
) -> Iterator[Document]:
    """Documents of several sources in a row, as :func:`read` gives them.

    An id that occurs in two sources is a fault like one that occurs twice in
    the same source.

    Args:
        sources: opened one after another, each when the one before is read.
        format: of all of them; by default told from each.
        schema: as for :func:`read`.
        lenient: as for :func:`read`.
        report: takes the counts of all.

    Raises:
        DataError: as :func:`read`.
        SettingsError: the format is unknown.
        TypeError: one source in place of several.
    """
    # A path is an iterable too, of characters, and a stream one of lines.
    if isinstance(sources, str | bytes | PurePath) or hasattr(sources, "read"):
        raise TypeError("read_all() takes several sources, in a list; read() takes one")
    report = ReadReport() if report is None else report
    chosen = None if format is None else by_name(format)
    return _read_all(sources, chosen, schema, report, lenient=lenient)


def _read_all(
    sources: Iterable[Place],
    chosen: Format | None,
    schema: Schema,
    report: ReadReport,
    *,
    lenient: bool,
) -> Iterator[Document]:
    seen: set[str] = set()
    for place in sources:
        with open_source(place) as source:
            entry = format_of_source(source, chosen)
            _LOG.info("reading %s as %s", source.name, entry.name)
            intake = Intake(source.name, schema, lenient=lenient, report=report, seen=seen)
            yield from load(entry.reader)(source, intake)


def write(
    documents: Iterable[Document],
    target: Place,
    format: str | None = None,  # noqa: A002 (as above)
    **options: Any,
) -> WriteReport:
    """Write documents, all or nothing.

    Args:
        documents: consumed one at a time.
        target: path (gzip where it ends in ``.gz``), ``-`` for standard output,
            or a binary or text stream.
        format: a name of :data:`FORMATS`; by default told from the path.
        options: settings of the format's writer, such as ``subjects=True``.

    Returns:
        How many documents were written and what the format could not hold.

    Raises:
        DataError: the target cannot be written or the format cannot hold a
            document.
        SettingsError: the format is unknown or not told.
    """
    with open_writer(target, format, **options) as writer:
        for document in documents:
            writer.write(document)
    return writer.report


@contextmanager
def open_writer(
    target: Place,
    format: str | None = None,  # noqa: A002 (as above)
    **options: Any,
) -> Iterator[Writer]:
    """A writer whose file appears when the block ends without an exception.

    Raises:
        DataError: the target cannot be written.
        SettingsError: the format is unknown or not told.
    """
    entry = by_name(format, writing=True) if format is not None else format_of_target(target)
    if entry.opener:
        with load(entry.opener)(target, **options) as writer:
            yield writer
        return
    make = load(entry.writer)
    with open_target(target) as stream:
        path = getattr(target, "name", "<stream>") if hasattr(target, "write") else target
        name = "<stdout>" if str(target) == "-" else str(path)
        writer = cast("Writer", make(stream, name, **options))
        yield writer
        writer.finish()


def format_of_target(target: Place) -> Format:
    """The format that a target's name asks for.

    Raises:
        SettingsError: the name does not tell.
    """
    found = []
    if not hasattr(target, "write") and str(target) != "-":
        found = by_suffix(PurePath(cast("str", target)).name, writing=True)
    if not found:
        raise SettingsError(
            f"{_spoken(target)} does not tell the format to write",
            remedy=f"Name it (--to): {', '.join(names(writable=True))}",
        )
    return found[0]


def _spoken(target: Place) -> str:
    if hasattr(target, "write"):
        return "a stream"
    return "standard output" if str(target) == "-" else f"the name '{target}'"


def format_of_source(source: Source, chosen: Format | None = None) -> Format:
    """The format to read an opened source by.

    Args:
        source: opened, nothing of it read.
        chosen: what the user asked for; by default the name tells where content
            does not contradict it, else the content.

    Raises:
        DataError: the source is an HTML page, or nothing tells its format.
    """
    _refuse_pages(source)
    if chosen is not None:
        return chosen
    named = by_suffix(source.name)
    for entry in named:
        if not entry.sniff or load(entry.sniff)(source.prefix):
            return entry
    for entry in FORMATS.values():
        if entry.reader and entry.sniff and load(entry.sniff)(source.prefix):
            return entry
    if named:
        # Its reader says best what is wrong, or finds no documents in an empty file.
        return named[0]
    known = ", ".join(names(readable=True))
    if not source.prefix.strip():
        raise DataError(
            "the input is empty, so its format cannot be told",
            source=source.name,
            remedy=f"Name it (--from): {known}",
        )
    raise DataError(
        "neither name nor content tells the format",
        source=source.name,
        remedy=f"Name it (--from): {known}",
    )


def _refuse_pages(source: Source) -> None:
    """An HTML page is what servers send in place of data.

    Raises:
        DataError: the source holds one.
    """
    start = source.prefix.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not re.match(
        rb"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|title|body)\b",
        start,
        re.IGNORECASE,
    ):
        return
    if b"WWW Error Blocked Diagnostic" in source.prefix:
        raise DataError(
            "this is NCBI's page 'WWW Error Blocked Diagnostic' and no data: NCBI blocks the "
            "address that asked for it",
            source=source.name,
            line=1,
            remedy="Wait, ask at most 3 times a second, then fetch the file again",
        )
    title = re.search(rb"<title[^>]*>\s*([^<]{1,100})", source.prefix, re.IGNORECASE)
    named = f" titled '{title[1].decode('utf-8', 'replace').strip()}'" if title else ""
    raise DataError(
        f"this is an HTML page{named} and no data",
        source=source.name,
        line=1,
        remedy="Open it in a browser to see what the server said, then fetch the file again",
    )
