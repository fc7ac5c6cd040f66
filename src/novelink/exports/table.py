r"""Relations as a table: TSV, CSV or Parquet, one row per relation.

TSV follows the text/tab-separated-values registration: fields hold no tab or
line end, so these become blanks. CSV is RFC 4180 with ``\n`` line ends.
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any

from novelink.errors import MissingExtraError
from novelink.exports.identifiers import identify
from novelink.exports.rows import evidence_text, relation_ends
from novelink.formats.writer import TextWriter, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document

COLUMNS = (
    "document",
    "id1",
    "name1",
    "type1",
    "id2",
    "name2",
    "type2",
    "relation",
    "novelty",
    "score",
    "novelty_score",
    "subject",
    "evidence_start",
    "evidence_end",
    "evidence",
    "curie1",
    "curie2",
)
"""``evidence_start`` and ``evidence_end`` are the offsets of the heaviest
sentence, ``evidence`` its text."""

_NUMBERS = {"score", "novelty_score"}
_POSITIONS = {"evidence_start", "evidence_end"}


def table_rows(document: Document) -> Iterator[dict[str, Any]]:
    """Rows of one document; values that are unknown are None."""
    for relation, first, second in relation_ends(document):
        sentences = evidence_text(document, relation)
        yield {
            "document": document.id,
            "id1": first.id,
            "name1": first.name,
            "type1": first.type or None,
            "id2": second.id,
            "name2": second.name,
            "type2": second.type or None,
            "relation": relation.type,
            "novelty": relation.novelty,
            "score": relation.score,
            "novelty_score": relation.novelty_score,
            "subject": relation.subject,
            "evidence_start": relation.evidence[0].start if sentences else None,
            "evidence_end": relation.evidence[0].end if sentences else None,
            "evidence": sentences[0] if sentences else None,
            "curie1": identify(first.type, first.id).curie,
            "curie2": identify(second.type, second.id).curie,
        }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


class TsvWriter(TextWriter):
    """Writes relations as tab-separated lines under a header."""

    head = "\t".join(COLUMNS) + "\n"

    def encode(self, document: Document) -> str:
        """The document's lines."""
        return "".join(
            "\t".join(" ".join(_cell(row[name]).split()) for name in COLUMNS) + "\n"
            for row in table_rows(document)
        )


class CsvWriter(TextWriter):
    """Writes relations as comma-separated lines under a header."""

    head = ",".join(COLUMNS) + "\n"

    def encode(self, document: Document) -> str:
        """The document's lines."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in table_rows(document):
            writer.writerow([_cell(row[name]) for name in COLUMNS])
        return text.getvalue()


class ParquetWriter(Writer):
    """Writes relations as a Parquet file with row groups of 10,000.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    GROUP = 10_000

    def __init__(self, stream: IO[bytes], name: str) -> None:
        super().__init__(stream, name)
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "scale") from error
        kinds = dict.fromkeys(_NUMBERS, pa.float64()) | dict.fromkeys(_POSITIONS, pa.int64())
        self._schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
        self._table = pa.Table
        # Streams that are no files (a pipe, a web answer) lack what pyarrow asks of a file.
        self._buffer = io.BytesIO()
        self._writer = parquet.ParquetWriter(self._buffer, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, document: Document) -> None:
        """Add the relations of one document."""
        self._rows.extend(table_rows(document))
        self.report.documents += 1
        if len(self._rows) >= self.GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
        self._hand_on()

    def _hand_on(self) -> None:
        self.stream.write(self._buffer.getvalue())
        self._buffer.seek(0)
        self._buffer.truncate()

    def finish(self) -> None:
        """Write the last rows and the file's footer."""
        self._flush()
        self._writer.close()
        self._hand_on()
