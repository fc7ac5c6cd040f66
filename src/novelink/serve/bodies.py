"""The body of a request → documents."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from novelink import limits
from novelink.document import Document
from novelink.errors import DataError
from novelink.formats import ReadReport, read
from novelink.formats.article_ids import article_id, article_request
from novelink.formats.json_stream import is_deep
from novelink.formats.registry import names
from novelink.formats.text_lines import split_title
from novelink.serve.problems import Problem, too_large

if TYPE_CHECKING:
    from novelink.schema import Schema

JSON = "json"
"""Our JSON form: ``{"documents": […]}``, ``{"pmids": […]}`` or ``{"text": "…"}``."""

_BY_TYPE = {
    "application/json": JSON,
    "application/bioc+json": "bioc-json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/xml": "bioc-xml",
    "text/xml": "bioc-xml",
    "application/bioc+xml": "bioc-xml",
    "text/x-pubtator": "pubtator",
    "application/x-pubtator": "pubtator",
    "text/x-pmids": "ids",
    "text/plain": "",
    "application/octet-stream": "",
    "": "",
}
"""Content type → format; nothing where the content tells."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Documents of a body.

    Attributes:
        documents: as sent.
        format: what the body was.
        report: what reading left out.
        bare: documents that need entities found: text, or only an id.
    """

    documents: list[Document]
    format: str
    report: ReadReport
    bare: bool


def content_format(content_type: str) -> str:
    """The format a content type names; empty where the content tells.

    Raises:
        Problem: 415 for a type this service does not read.
    """
    kind = content_type.partition(";")[0].strip().lower()
    # What curl sends by default says nothing about the content.
    if kind == "application/x-www-form-urlencoded":
        return ""
    if kind not in _BY_TYPE:
        known = ", ".join(sorted(name for name in _BY_TYPE if name))
        raise Problem(
            415,
            "unknown_content_type",
            f"this service does not read '{kind}'",
            f"Send one of: {known}",
        )
    return _BY_TYPE[kind]


def parse(body: bytes, format_name: str, schema: Schema, most: int) -> Parsed:
    """Documents of a body.

    Args:
        body: as sent.
        format_name: of :func:`content_format` or a format's name.
        schema: vocabulary.
        most: documents allowed.

    Raises:
        Problem: 413 for too many documents, 415 for packed bodies, 422 for bad
            ones.
    """
    if not body.strip():
        raise Problem(422, "empty", "the body is empty", "Send documents, text or PMIDs")
    # A packed body could unfold to any size.
    if body.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise Problem(415, "packed", "the body is compressed", "Send it unpacked")
    report = ReadReport()
    if format_name == JSON:
        documents, format_name = _json(body, schema, report, most)
    else:
        documents, format_name = _formatted(body, format_name, schema, report, most)
    if not documents:
        raise Problem(422, "empty", "there is no document in the body", "Send at least one")
    bare = format_name in {"ids", "text", "text-whole", "text-tsv", "medline", "pubmed-xml"}
    if bare:
        documents = _named_by_content(documents)
    return Parsed(documents, format_name, report, bare or _are_requests(documents))


def _are_requests(documents: list[Document]) -> bool:
    return any(not document.passages for document in documents)


def _named_by_content(documents: list[Document]) -> list[Document]:
    """Pasted text has no id: equal text gets equal ids, so that decisions on it meet."""
    named: list[Document] = []
    counts: Counter[str] = Counter()
    for document in documents:
        if not document.passages or not document.id.startswith(_STREAM):
            named.append(document)
            continue
        name = text_id(document.text)
        counts[name] += 1
        again = f"-{counts[name]}" if counts[name] > 1 else ""
        named.append(replace(document, id=name + again))
    return named


def text_id(text: str) -> str:
    """An id for text that has none."""
    return f"text-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:10]}"


_STREAM = "pasted"


class _Named(io.BytesIO):
    """A body with a name for messages and for documents without an id."""

    name = _STREAM


def _formatted(
    body: bytes, format_name: str, schema: Schema, report: ReadReport, most: int
) -> tuple[list[Document], str]:
    if not format_name:
        format_name = told_format(body)
    documents = []
    for document in read(_Named(body), format_name, schema=schema, report=report):
        documents.append(document)
        _check_count(len(documents), most)
    return documents, format_name


def told_format(body: bytes) -> str:
    """The format that content tells; prose where it tells none.

    Raises:
        Problem: 422 for binary content.
    """
    from novelink.formats.registry import FORMATS, load

    prefix = body[:65_536]
    for entry in FORMATS.values():
        if entry.readable and entry.sniff and load(entry.sniff)(prefix):
            return entry.name
    if b"\x00" in prefix:
        raise Problem(
            422,
            "unknown_format",
            "this is no text",
            f"Send one of: {', '.join(names(readable=True))}",
        )
    return "text-whole"


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise too_large(
            "too_many_documents",
            f"the body holds more than {most:,} documents",
            most,
            "Send them in several requests",
        )


def _json(body: bytes, schema: Schema, report: ReadReport, most: int) -> tuple[list[Document], str]:
    data = parsed_json(body)
    if isinstance(data, dict) and ("pmids" in data or "ids" in data):
        return _requests(data.get("pmids", data.get("ids")), most), "ids"
    if isinstance(data, dict) and "documents" not in data and "text" in data and "id" not in data:
        return [_text(data)], "text"
    if _is_bioc(data):
        found, _ = _formatted(body, "bioc-json", schema, report, most)
        return found, "bioc-json"
    listed = data.get("documents", [data]) if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise Problem(422, "bad_json", "'documents' is no list", 'Send {"documents": […]}')
    _check_count(len(listed), most)
    lines = b"\n".join(json.dumps(item).encode() for item in listed)
    try:
        found = list(read(_Named(lines), "jsonl", schema=schema, report=report))
    except DataError as error:
        # Lines are ours, not the client's: the number of the document is what helps.
        raise Problem(
            422,
            "bad_document",
            f"document {error.line}: {error.message}" if error.line else error.message,
            "See /openapi.json for the form of a document",
        ) from error
    return found, JSON


def parsed_json(body: bytes) -> Any:
    """The value of a JSON body.

    Raises:
        Problem: 422 where it is no JSON, or nested too deeply.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(422, "bad_json", f"no JSON: {error}", "Correct the body") from error
    if is_deep(data, limits.DEPTH):
        raise Problem(
            422,
            "bad_json",
            f"the JSON is nested more than {limits.DEPTH} deep",
            "Documents need fewer than ten levels",
        )
    return data


def _is_bioc(data: Any) -> bool:
    if isinstance(data, dict) and "PubTator3" in data:
        return True
    documents = data.get("documents", [data]) if isinstance(data, dict) else data
    first = documents[0] if isinstance(documents, list) and documents else None
    if isinstance(first, dict) and "documents" in first:
        return True
    if not isinstance(first, dict) or not isinstance(first.get("passages"), list):
        return False
    return "mentions" not in first and any(
        isinstance(passage, dict) and "annotations" in passage for passage in first["passages"]
    )


def _text(data: dict[str, Any]) -> Document:
    text = data["text"]
    if not isinstance(text, str) or not text.strip():
        raise Problem(422, "bad_json", "'text' must be a text", 'Send {"text": "…"}')
    title, abstract = split_title([text.strip()])
    return Document.from_text(text_id(text), title, abstract)


def _requests(ids: Any, most: int) -> list[Document]:
    if not isinstance(ids, list):
        raise Problem(422, "bad_json", "'pmids' is no list", 'Send {"pmids": ["24259561"]}')
    _check_count(len(ids), most)
    names_asked = []
    for asked in ids:
        name = article_id(str(asked)) if isinstance(asked, str | int) else None
        if name is None:
            raise Problem(
                422,
                "bad_id",
                f"'{str(asked)[:60]}' is neither a PMID nor a PMCID",
                "Send ids such as 24259561 or PMC7696669",
            )
        names_asked.append(name)
    return [article_request(name) for name in dict.fromkeys(names_asked)]
