"""Lists of PMIDs and PMCIDs, one a line: documents to be fetched.

.. code-block:: text

    24259561
    PMC7696669

Each becomes a document without text, which an annotator that knows papers by
their id fills in. What follows a ``#`` is a comment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.document import Document
from novelink.errors import DataError
from novelink.formats.text_lines import text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_PMID = re.compile(r"(?:pmid:?\s*)?0*([1-9]\d{0,8})", re.IGNORECASE)
_PMCID = re.compile(r"(?:pmcid:?\s*)?pmc(\d{1,9})(?:\.\d+)?", re.IGNORECASE)


def article_id(text: str) -> str | None:
    """A PMID or PMCID in its usual spelling, or None if the text is neither.

    >>> [article_id(text) for text in ("24259561", "PMID: 24259561", "pmc123", "insulin")]
    ['24259561', '24259561', 'PMC123', None]
    """
    text = text.strip()
    found = _PMID.fullmatch(text)
    if found:
        return found[1]
    found = _PMCID.fullmatch(text)
    return f"PMC{found[1]}" if found else None


def article_request(name: str) -> Document:
    """A document that stands for a paper still to be fetched."""
    return Document(name, ())


def is_request(document: Document) -> bool:
    """Whether a document is only an id: no passages."""
    return not document.passages


def sniff(prefix: bytes) -> bool:
    """Whether all lines of the beginning are ids or comments, at least one an id."""
    # The last line may be cut.
    lines = prefix.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    wanted = [line.partition("#")[0].strip() for line in (lines[:-1] if len(lines) > 1 else lines)]
    wanted = [line for line in wanted if line]
    return bool(wanted) and all(article_id(line) for line in wanted)


def read_article_ids(source: Source, intake: Intake) -> Iterator[Document]:
    """Requests for papers, one at a time; an id that is there twice is counted once.

    Raises:
        DataError: a line is neither a PMID nor a PMCID.
    """
    try:
        for number, line in text_lines(source, intake):
            wanted = line.partition("#")[0].strip()
            if not wanted:
                continue
            name = article_id(wanted)
            if name is None:
                intake.skip(
                    intake.fault(
                        f"'{wanted[:60]}' is neither a PMID nor a PMCID",
                        line=number,
                        remedy="Write one id a line: 24259561 or PMC7696669",
                    )
                )
            elif name in intake.seen:
                intake.report.notes["ids that were there before, left out"] += 1
            else:
                yield intake.accept(article_request(name), number)
    except DataError as error:
        intake.skip(error)
