"""One block's documents as the bytes of one output part, and what parts are called."""

from __future__ import annotations

import gzip
import hashlib
import io
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from novelink.errors import DataError, MissingExtraError, SettingsError
from novelink.formats.jsonl import JsonlWriter

if TYPE_CHECKING:
    from novelink.document import Document

SUFFIXES = {"jsonl": "jsonl.gz", "parquet": "parquet"}
"""Formats that a run can write, and how their parts end."""

STATE = "_novelink"
"""Folder of a run's journal; a leading underscore keeps other tools from reading it as data."""

_LONGEST = 160  # characters of a folder's name; file systems allow 255 bytes


def part_folder(file: str) -> str:
    """The folder of a file's parts, as Hive, Spark and DuckDB name a partition.

    >>> part_folder("output/BioCXML.0.tar.gz")
    'source=output%2FBioCXML.0.tar.gz'
    """
    name = quote(file, safe="", errors="surrogateescape")
    if name.endswith("."):  # Windows drops it
        name = f"{name[:-1]}%2E"
    if len(name) > _LONGEST:
        mark = hashlib.sha256(file.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        name = f"{name[: _LONGEST - 17]}~{mark}"
    return f"source={name}"


def part_name(file: str, number: int, format_name: str) -> str:
    """The part of a block.

    >>> part_name("a.xml", 3, "parquet")
    'source=a.xml/part-000003.parquet'
    """
    return f"{part_folder(file)}/part-{number:06d}.{SUFFIXES[format_name]}"


def failures_name(file: str, number: int) -> str:
    """The dead letters of a block."""
    return f"{STATE}/failed/{part_folder(file)}/block-{number:06d}.jsonl"


class Part(Protocol):
    """Takes documents and becomes bytes."""

    def add(self, document: Document, member: str) -> None:
        """Take a document of a member.

        Raises:
            DataError: it cannot be written; the part is as before.
        """

    def finish(self) -> bytes:
        """The whole part; the same documents give the same bytes."""


def new_part(format_name: str, model: str) -> Part:
    """An empty part.

    Raises:
        SettingsError: no run writes this format.
        MissingExtraError: it needs packages that are not installed.
    """
    if format_name == "jsonl":
        return JsonlPart()
    if format_name == "parquet":
        return ParquetPart(model)
    raise SettingsError(
        f"a run writes no '{format_name}' parts", remedy=f"Choose from {', '.join(SUFFIXES)}"
    )


class JsonlPart:
    """JSON Lines in gzip: every document, nothing lost."""

    def __init__(self) -> None:
        self._stream = io.BytesIO()
        self._writer = JsonlWriter(self._stream, "the output")

    def add(self, document: Document, member: str) -> None:  # noqa: ARG002 (as other parts)
        """See :class:`Part`."""
        self._writer.write(document)

    def finish(self) -> bytes:
        """See :class:`Part`."""
        # No time in the header: the same documents give the same bytes.
        return gzip.compress(self._stream.getvalue(), 6, mtime=0)


class ParquetPart:
    """Parquet: one row per relation, see :mod:`novelink.scale.relation_rows`."""

    def __init__(self, model: str) -> None:
        try:
            from novelink.scale.relation_rows import schema
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "scale") from error
        self._schema = schema(model)
        self._rows: list[dict[str, Any]] = []

    def add(self, document: Document, member: str) -> None:
        """See :class:`Part`."""
        from novelink.scale.relation_rows import relation_rows

        rows = list(relation_rows(document, member))
        try:
            # Text was checked when it was read; names and ids were not.
            for row in rows:
                "\n".join((row["document"], row["entity1"]["id"], row["entity2"]["id"])).encode(
                    "utf-8"
                )
        except UnicodeEncodeError as error:
            raise DataError(
                f"document {document.id!a} or an id in it holds half a surrogate pair",
                remedy="Remove the character from the input",
            ) from error
        self._rows += rows

    def finish(self) -> bytes:
        """See :class:`Part`."""
        import pyarrow as pa
        from pyarrow import parquet

        stream = io.BytesIO()
        table = pa.Table.from_pylist(self._rows, schema=self._schema)
        parquet.write_table(table, stream, compression="zstd")
        return stream.getvalue()
