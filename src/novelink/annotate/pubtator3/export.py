"""The export calls: addresses, answers, and documents made of them."""

from __future__ import annotations

import enum
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from novelink import formats
from novelink.errors import DataError
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from novelink.annotate.pubtator3.settings import PubTatorSettings
    from novelink.document import Document
    from novelink.formats.report import ReadReport


class _Everything(frozenset[str]):
    """Holds every name."""

    def __contains__(self, _: object) -> bool:
        return True


SCHEMA = replace(BIORED, ignored_types=_Everything())
"""BioRED's types; of an answer, all others are left out and counted.

In a user's file an unknown type is a mistake worth stopping for. PubTator adds
types now and then, and no paper should be lost for that.
"""


class Kind(enum.Enum):
    """What an id is of."""

    PMID = "pmids"
    PMCID = "pmcids"

    @classmethod
    def of(cls, name: str) -> Kind:
        """The kind of an id in its usual spelling."""
        return cls.PMCID if name.startswith("PMC") else cls.PMID


class Export:
    """One kind of export: BioC JSON by PMID, BioC XML by PMCID.

    Args:
        kind: which ids.
        settings: base address, and whether full texts are wanted.
    """

    def __init__(self, kind: Kind, settings: PubTatorSettings) -> None:
        self.kind = kind
        self.full_text = settings.full_text and kind is Kind.PMID
        path = "export/biocjson" if kind is Kind.PMID else "pmc_export/biocxml"
        self.url = f"{settings.url}/publications/{path}"

    @property
    def unknown(self) -> str:
        """Why an id that is not in the answer has no document."""
        if self.kind is Kind.PMID:
            return "PubTator 3 does not have this paper"
        return "PubTator 3 does not have this article (it holds PMC's open-access part)"

    def query(self, names: list[str]) -> dict[str, str]:
        """Query parameters for these ids."""
        query = {self.kind.value: ",".join(names)}
        if self.full_text:
            query["full"] = "true"
        return query

    def cache_key(self, name: str) -> str:
        """Where the answer for one id is kept."""
        return f"{self.url}{'?full=true' if self.full_text else ''}#{name}"

    def split(self, body: bytes, names: Iterable[str]) -> dict[str, bytes]:
        """An answer's documents, each as a file of its own.

        Raises:
            ValueError: the answer is not whole.
        """
        wanted = set(names)
        if self.kind is Kind.PMID:
            return _split_json(body, wanted)
        return _split_xml(body, wanted)

    def document(self, name: str, raw: bytes, report: ReadReport) -> Document:
        """The document in a file that :meth:`split` made.

        An annotation whose text is not the text at its place is left out and
        counted, not a reason to lose the paper.

        Raises:
            DataError: the document cannot be read.
        """
        if self.kind is Kind.PMID:
            raw = _without_misplaced(raw, report)
        format_name = "bioc-json" if self.kind is Kind.PMID else "bioc-xml"
        stream = io.BytesIO(raw)
        stream.name = f"PubTator 3, {name}"
        for document in formats.read(stream, format_name, schema=SCHEMA, report=report):
            return document
        raise DataError("the answer holds no document", source=stream.name)


def _split_json(body: bytes, wanted: set[str]) -> dict[str, bytes]:
    data = json.loads(body)
    if isinstance(data, dict):
        documents = data.get("PubTator3", data.get("documents"))
        if documents is None and "passages" in data:
            documents = [data]
    else:
        documents = data
    if not isinstance(documents, list):
        raise ValueError("no list of documents in it")  # noqa: TRY004 (ValueError: try again)
    found: dict[str, bytes] = {}
    for document in documents:
        if isinstance(document, dict):
            for name in (document.get("pmid"), document.get("id"), document.get("_id")):
                key = str(name).partition("|")[0]
                if key in wanted:
                    found[key] = json.dumps({"PubTator3": [document]}).encode()
                    break
    return found


def _split_xml(body: bytes, wanted: set[str]) -> dict[str, bytes]:
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(str(error)) from error
    found: dict[str, bytes] = {}
    for document in root.iter("document"):
        for name in _xml_names(document):
            if name in wanted:
                found[name] = b"<collection>" + tostring(document, "utf-8") + b"</collection>"
                break
    return found


def _xml_names(document: Element) -> list[str]:
    """Ids that a document may be asked by; PMC's own number comes without its letters."""
    names = [(document.findtext("id") or "").strip()]
    names += [
        (infon.text or "").strip()
        for infon in document.iter("infon")
        if infon.get("key") in {"article-id_pmc", "pmcid"}
    ]
    return [name if name.startswith("PMC") else f"PMC{name}" for name in names if name]


def _without_misplaced(raw: bytes, report: ReadReport) -> bytes:
    data = json.loads(raw)
    document = data["PubTator3"][0]
    passages = document.get("passages")
    changed = False
    for passage in passages if isinstance(passages, list) else []:
        annotations = passage.get("annotations") or []
        kept = [annotation for annotation in annotations if _is_in_place(annotation, passage)]
        if len(kept) < len(annotations):
            report.notes["mentions of PubTator 3 left out, not at their place in the text"] += len(
                annotations
            ) - len(kept)
            passage["annotations"] = kept
            changed = True
    return json.dumps(data).encode() if changed else raw


def _is_in_place(annotation: dict[str, Any], passage: dict[str, Any]) -> bool:
    try:
        text, offset = str(passage.get("text") or ""), int(passage["offset"])
        parts = []
        for location in annotation["locations"]:
            start = int(location["offset"]) - offset
            end = start + int(location["length"])
            if not 0 <= start < end <= len(text):
                return False
            parts.append(text[start:end])
        return " ".join(parts) == str(annotation["text"])
    except (KeyError, TypeError, ValueError):
        # Another fault than a wrong place: the reader says which.
        return True
