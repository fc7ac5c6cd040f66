"""Documents → the body of an answer, in every format that can be written."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from novelink.formats import open_writer
from novelink.formats.registry import names
from novelink.serve.bodies import JSON
from novelink.serve.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from novelink.document import Document

MEDIA_TYPES = {
    JSON: ("application/json", "json"),
    "pubtator": ("text/x-pubtator; charset=utf-8", "pubtator"),
    "bioc-xml": ("application/xml", "xml"),
    "bioc-json": ("application/bioc+json", "json"),
    "jsonl": ("application/x-ndjson", "jsonl"),
    "tsv": ("text/tab-separated-values; charset=utf-8", "tsv"),
    "csv": ("text/csv; charset=utf-8", "csv"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "kgx": ("application/x-tar", "tar"),
    "indra": ("application/json", "json"),
}
"""Format → content type and ending of a file's name."""

_BY_ACCEPT = {
    "application/json": JSON,
    "application/bioc+json": "bioc-json",
    "application/xml": "bioc-xml",
    "text/xml": "bioc-xml",
    "text/x-pubtator": "pubtator",
    "application/x-ndjson": "jsonl",
    "text/tab-separated-values": "tsv",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}

# Bodies of these formats are answered in their own; text and ids have none.
_SAME = {JSON, "pubtator", "bioc-xml", "bioc-json", "jsonl"}


def answer_format(wanted: str | None, accept: str, sent: str) -> str:
    """The format of an answer: as asked, else as accepted, else as sent, else JSON.

    Raises:
        Problem: 422 for an unknown format.
    """
    if wanted:
        if wanted not in MEDIA_TYPES:
            raise Problem(
                422,
                "unknown_format",
                f"'{wanted[:40]}' is no format of answers",
                f"Formats are: {', '.join(MEDIA_TYPES)}",
            )
        return wanted
    for part in accept.split(","):
        kind = part.partition(";")[0].strip().lower()
        if kind in _BY_ACCEPT:
            # BioC JSON is JSON too: who sends it wants it back.
            return sent if kind == "application/json" and sent == "bioc-json" else _BY_ACCEPT[kind]
    return sent if sent in _SAME else JSON


def written(documents: Iterable[Document], format_name: str) -> bytes:
    """Documents as bytes of a document format."""
    target = io.BytesIO()
    with open_writer(target, format_name) as writer:
        for document in documents:
            writer.write(document)
    return target.getvalue()


def json_documents(documents: Iterable[Document]) -> str:
    """Documents as a JSON list, in the form of our JSON lines."""
    # Not splitlines: texts may hold what Unicode also takes for the end of a line.
    lines = written(documents, "jsonl").decode("utf-8").removesuffix("\n").split("\n")
    return f"[{','.join(lines)}]"


def answer(
    documents: list[Document], format_name: str, *, model: str, facts: Mapping[str, Any]
) -> Response:
    """An answer with its content type; facts are in the body (JSON) or a header."""
    media_type, _ = MEDIA_TYPES[format_name]
    if format_name == JSON:
        head = json.dumps({"model": model, **facts}, ensure_ascii=False)
        body = f'{head[:-1]},"documents":{json_documents(documents)}}}'.encode()
        return Response(body, media_type=media_type)
    headers = {"X-NoveLink-Model": model, "X-NoveLink-Report": json.dumps(facts)}
    return Response(written(documents, format_name), media_type=media_type, headers=headers)


def writable_formats() -> list[str]:
    """Formats that answers and downloads can have."""
    return [name for name in (JSON, *names(writable=True)) if name in MEDIA_TYPES]
