"""Documents with too many pairs: they stop a command, or with ``--lenient`` are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.errors import DataError
from novelink.pairs import check_pair_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from novelink.document import Document
    from novelink.formats import ReadReport
    from novelink.schema import Schema


def within_pair_limit(
    documents: Iterable[Document], schema: Schema, report: ReadReport
) -> Iterator[Document]:
    """Documents but for those with more pairs than can be asked about, which are counted.

    Args:
        documents: read as a stream.
        schema: says which pair types are legal.
        report: of the reading; takes the reasons.
    """
    for document in documents:
        try:
            check_pair_count(document, schema)
        except DataError as error:
            report.skip(error)
            report.documents -= 1
        else:
            yield document
