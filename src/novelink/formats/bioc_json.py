"""BioC JSON: a collection, PubTator 3's form of it, or a list of either."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError
from novelink.formats import jsonl
from novelink.formats.bioc import build_document, document_data
from novelink.formats.json_stream import stream_objects
from novelink.formats.unpacking import CutOffError
from novelink.formats.writer import TextWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document
    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_ARRAYS = frozenset({"documents", "PubTator3"})


def sniff(prefix: bytes) -> bool:
    """Whether content begins like BioC JSON."""
    if jsonl.sniff(prefix):
        return False
    text = prefix.lstrip(b"\xef\xbb\xbf \t\r\n")
    return (
        text[:1] in {b"{", b"["}
        and re.search(rb'"(?:documents|PubTator3|annotations|locations|infons|passages)"\s*:', text)
        is not None
    )


def read_bioc_json(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a BioC JSON text, one at a time.

    Raises:
        DataError: a document is wrong; under ``lenient`` it is counted and
            left out. After a fault of the JSON itself nothing can be read.
    """
    intake.escapes = True
    try:
        for data, line in stream_objects(source, _ARRAYS):
            try:
                document = build_document(data, line, intake)
            except DataError as error:
                intake.skip(error)
            else:
                yield document
    except CutOffError as error:
        intake.skip(error)


class BioCJsonWriter(TextWriter):
    """Writes one BioC collection, a document per line."""

    head = '{"source": "NoveLink", "date": "", "key": "BioC.key", "infons": {}, "documents": [\n'
    separator = ",\n"
    tail = "\n]}\n"

    def encode(self, document: Document) -> str:
        """The document as JSON."""
        data = document_data(document, self)
        data["infons"] = self._object(data["infons"])
        for passage in data["passages"]:
            passage["infons"] = self._object(passage["infons"])
            passage["relations"] = []
            for annotation in passage["annotations"]:
                annotation["infons"] = dict(annotation["infons"])
        for relation in data["relations"]:
            relation["infons"] = dict(relation["infons"])
            relation["nodes"] = []
        return json.dumps(data, ensure_ascii=False)

    def _object(self, infons: Any) -> dict[str, str]:
        found = dict(infons)
        if len(found) < len(infons):
            self.lose("repeated infon keys", len(infons) - len(found))
        return found
