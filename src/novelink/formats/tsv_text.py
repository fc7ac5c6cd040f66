"""Texts in a table with tab-separated columns: id, title, abstract.

.. code-block:: text

    id	title	abstract
    a1	Insulin lowers glucose.	We gave insulin to 24 mice.

Without the header line the columns are id, title, abstract, or id and text. With
it they may stand in any order and be named ``id`` / ``pmid``, ``title`` /
``article title``, ``abstract`` / ``text``; further ones are passed over. A
column ``pmid`` tells annotators that the ids are PubMed's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from novelink.document import Document
from novelink.errors import DataError
from novelink.formats.text_lines import one_line, split_title, text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_NAMES = {
    "id": "id",
    "document": "id",
    "document id": "id",
    "doc id": "id",
    "pmid": "pmid",
    "pubmed id": "pmid",
    "title": "title",
    "article title": "title",
    "abstract": "abstract",
    "text": "abstract",
    "abstract text": "abstract",
}


@dataclass(frozen=True, slots=True)
class _Columns:
    """Positions of the columns; None where there is none."""

    id: int
    title: int | None
    abstract: int | None
    is_pmid: bool
    count: int


def sniff(prefix: bytes) -> bool:
    """Whether the first line is such a header, or all lines are an id and one or two texts."""
    lines = prefix.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines()
    lines = [line for line in lines if line.strip()]
    if lines and _header(lines[0].split("\t")) is not None:
        return True
    # The last line may be cut.
    rows = [line.split("\t") for line in (lines[:-1] if len(lines) > 1 else lines)]
    return bool(rows) and all(
        len(row) == len(rows[0]) in {2, 3} and row[0] and not re.search(r"\s", row[0])
        for row in rows
    )


def read_tsv_text(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a table, one at a time, without mentions.

    Raises:
        DataError: a line has another number of columns than the first, or no
            id or text; under ``lenient`` it is counted and left out.
    """
    try:
        columns: _Columns | None = None
        for number, line in text_lines(source, intake):
            if not line.strip():
                continue
            cells = [_unquoted(cell) for cell in line.split("\t")]
            if columns is None:
                columns = _header(cells)
                if columns is not None:
                    continue
                columns = _plain(cells)
            try:
                if columns is None:
                    raise intake.fault(
                        f"a line of {len(cells)} columns",
                        line=number,
                        remedy="Write id, title, abstract with tabs between, or a header line "
                        "with these names",
                    )
                yield _document(cells, columns, number, intake)
            except DataError as error:
                intake.skip(error)
    except DataError as error:
        intake.skip(error)


def _document(cells: list[str], columns: _Columns, number: int, intake: Intake) -> Document:
    if len(cells) != columns.count:
        raise intake.fault(
            f"{len(cells)} columns where {columns.count} are expected",
            line=number,
            remedy="A text may hold no tabs and no line ends: replace them by blanks",
        )
    name = cells[columns.id].strip()
    if not name:
        raise intake.fault("no id", line=number, remedy="Give every line an id of its own")
    title, abstract = (
        "" if column is None else one_line(cells[column])
        for column in (columns.title, columns.abstract)
    )
    if not title and not abstract:
        raise intake.fault(
            f"document {name} has no text", line=number, remedy="Fill in its title or abstract"
        )
    if not title:
        title, abstract = split_title([abstract])
    document = Document.from_text(name, title, abstract)
    if columns.is_pmid:
        document = replace(document, infons=(("pmid", name),))
    return intake.accept(document, number)


def _header(cells: list[str]) -> _Columns | None:
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        name = _NAMES.get(" ".join(cell.strip().strip('"').lower().replace("_", " ").split()))
        if name is not None:
            found.setdefault(name, index)
    identifier = found.get("pmid", found.get("id"))
    if identifier is None or not ({"title", "abstract"} & set(found)):
        return None
    return _Columns(
        identifier, found.get("title"), found.get("abstract"), "pmid" in found, len(cells)
    )


def _plain(cells: list[str]) -> _Columns | None:
    if len(cells) == 3:
        return _Columns(0, 1, 2, is_pmid=False, count=3)
    return _Columns(0, None, 1, is_pmid=False, count=2) if len(cells) == 2 else None


def _unquoted(cell: str) -> str:
    """A cell as spreadsheets write it: in quotes, with inner quotes doubled.

    A text that only begins and ends with quoted words keeps its quotes.
    """
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
        return cell
    inner = cell[1:-1].replace('""', "\0")
    return cell if '"' in inner else inner.replace("\0", '"')
