"""PubMed's text format (``.nbib``, "Send to: Citation manager", and MEDLINE display).

.. code-block:: text

    PMID- 24259561
    TI  - Insulin lowers glucose in mice and in
          men.
    AB  - BACKGROUND: We gave insulin to 24 mice.

A tag of up to four letters, ``- ``, a value; lines that begin with blanks go on
with it. Records are separated by blank lines or by the next ``PMID``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from novelink import limits
from novelink.document import Document
from novelink.errors import DataError
from novelink.formats.text_lines import one_line, split_title, text_lines
from novelink.formats.unpacking import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) *- ?(.*)$")
_CONTINUED = re.compile(r"\s+\S")
_SNIFFED = re.compile(rb"^(?:\xef\xbb\xbf)?\s*PMID- ?\d", re.MULTILINE)

# Journal and year go into the document's infons; other tags are of no use here.
_INFONS = {"JT": "journal", "TA": "journal", "DP": "year", "PMC": "pmcid"}
_TITLES = ("TI", "BTI", "TT")  # of an article, of a book, in its own language


@dataclass
class _Record:
    line: int
    parts: dict[str, list[str]] = field(default_factory=dict)
    size: int = 0

    def add(self, tag: str, text: str) -> None:
        self.parts.setdefault(tag, []).append(text)
        self.size += len(text)

    @property
    def name(self) -> str:
        return self.text("PMID").strip()

    def text(self, tag: str) -> str:
        return " ".join(self.parts.get(tag, ()))


def sniff(prefix: bytes) -> bool:
    """Whether content begins with a PMID tag."""
    return _SNIFFED.match(prefix) is not None


def read_medline(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a MEDLINE file, one at a time, without mentions.

    Raises:
        DataError: a line has no tag, or a record no PMID or no title and
            abstract; under ``lenient`` it is counted and left out.
    """
    try:
        for record in _records(source, intake):
            try:
                document = _document(record, intake)
            except DataError as error:
                intake.skip(error)
            else:
                yield document
    except DataError as error:
        intake.skip(error)


def _records(source: Source, intake: Intake) -> Iterator[_Record]:
    record: _Record | None = None
    tag = ""
    for number, line in text_lines(source, intake):
        found = _TAG.match(line)
        if not line.strip():
            # A blank line inside a record would be followed by another tag than PMID.
            tag = ""
        elif found:
            tag = found[1]
            if tag == "PMID" and record is not None and "PMID" in record.parts:
                yield record
                record = None
            record = record or _Record(number)
            # The first of a repeated tag counts: further abstracts are translations.
            if tag in record.parts:
                tag = ""
            else:
                record.add(tag, found[2])
        elif not _CONTINUED.match(line) or record is None:
            raise intake.fault(
                f"'{line[:40]}' begins with no tag",
                line=number,
                remedy="A MEDLINE line begins with a tag such as 'TI  - ', or with blanks",
            )
        elif tag:
            record.add(tag, line.strip())
        if record is not None and record.size > limits.TEXT:
            raise CutOffError(
                f"a record of more than {limits.TEXT:,} characters",
                source=source.name,
                line=record.line,
                remedy="A line 'PMID- ' may be missing; docs/input-limits.md lists the limits",
            )
    if record is not None:
        yield record


def _document(record: _Record, intake: Intake) -> Document:
    if not record.name.isdigit():
        raise intake.fault(
            "a record without a PMID" if not record.name else f"'{record.name}' is no PMID",
            line=record.line,
            remedy="Each record begins with a line 'PMID- ' and digits",
        )
    title = next((one_line(text) for tag in _TITLES if (text := record.text(tag))), "")
    abstract = one_line(record.text("AB"))
    if not title and not abstract:
        raise intake.fault(
            f"document {record.name} has neither title nor abstract",
            line=record.line,
            remedy="Download it in a format that holds them (PubMed or nbib), or use --lenient",
        )
    if not title:
        title, abstract = split_title([abstract])
    infons = {"pmid": record.name}
    for tag, key in _INFONS.items():
        value = record.text(tag).strip()
        if value:
            infons.setdefault(key, value[:4] if key == "year" else value)
    document = Document.from_text(record.name, title, abstract)
    return intake.accept(replace(document, infons=tuple(infons.items())), record.line)
