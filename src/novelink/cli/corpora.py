"""Corpora that training commands read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.cli import options

if TYPE_CHECKING:
    from novelink.document import Document
    from novelink.schema import Schema


def read_documents(path: str, schema: Schema) -> list[Document]:
    """All documents of a file; what was left out is said on stderr."""
    from novelink.formats import ReadReport, read

    report = ReadReport()
    documents = list(read(path, schema=schema, report=report))
    options.say_reading(report)
    return documents


def warn_of_shared(train: list[Document], dev: list[Document]) -> None:
    """Say so where documents are on both sides: their Dev scores would mean little."""
    shared = {document.id for document in train} & {document.id for document in dev}
    if shared:
        line = (
            f"{len(shared)} of {len(dev)} Dev documents are also among the training "
            f"documents ({min(shared)}, …): scores on them say nothing"
        )
        options.say([line])
