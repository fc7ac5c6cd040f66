"""Title and abstract of PMIDs from NCBI's E-utilities."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink import formats
from novelink.annotate.pubtator3.transport import ServiceError
from novelink.document import Document, Passage
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novelink.annotate.pubtator3.cache import ResponseCache
    from novelink.annotate.pubtator3.transport import Transport

_IDS_PER_CALL = 200  # what NCBI names as the bound for one efetch call


@dataclass
class Texts:
    """Documents without mentions, and why others are missing; by PMID."""

    documents: dict[str, Document] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class PubMed:
    """``efetch`` for PubMed.

    Args:
        transport: paces the calls: 3 a second, 10 with an API key.
        cache: None keeps nothing.
    """

    def __init__(self, transport: Transport, cache: ResponseCache | None) -> None:
        self._transport = transport
        self._cache = cache

    def fetch(self, pmids: Sequence[str]) -> Texts:
        """Title and abstract of these PMIDs; each is a key of one of the result's parts."""
        texts = Texts()
        if self._cache is not None and not self._transport.settings.refresh:
            keys = {self._key(pmid): pmid for pmid in pmids}
            for key, raw in self._cache.get(keys).items():
                texts.documents[keys[key]] = _unpacked(raw)
        missing = [pmid for pmid in pmids if pmid not in texts.documents]
        for begin in range(0, len(missing), _IDS_PER_CALL):
            self._ask(missing[begin : begin + _IDS_PER_CALL], texts)
        return texts

    def _ask(self, pmids: list[str], texts: Texts) -> None:
        settings = self._transport.settings
        form = {"db": "pubmed", "id": ",".join(pmids), "retmode": "xml", "tool": "novelink"}
        if settings.api_key:
            # In the form, not in the address: addresses get logged.
            form["api_key"] = settings.api_key
        try:
            found = self._transport.call(
                "POST", f"{settings.eutils_url}/efetch.fcgi", _parsed, form=form
            )
        except ServiceError as error:
            texts.failures.update(
                dict.fromkeys(pmids, f"PubMed could not be asked: {error.message}")
            )
            return
        texts.documents.update({pmid: found[pmid] for pmid in pmids if pmid in found})
        texts.failures.update(
            {pmid: "PubMed does not have it either" for pmid in pmids if pmid not in found}
        )
        if self._cache is not None:
            self._cache.put(
                {self._key(pmid): _packed(found[pmid]) for pmid in pmids if pmid in found}
            )

    def _key(self, pmid: str) -> str:
        return f"{self._transport.settings.eutils_url}/efetch.fcgi?db=pubmed#{pmid}"


def _parsed(body: bytes) -> dict[str, Document]:
    """Documents of a PubMed XML answer.

    Raises:
        ValueError: the answer is not whole.
    """
    # efetch answers with an error text when it knows none of the ids.
    if b"PubmedArticleSet" not in body:
        if b"ERROR" in body or b"Error" in body:
            return {}
        raise ValueError("no PubMed XML")
    try:
        return {document.id: document for document in formats.read(io.BytesIO(body), "pubmed-xml")}
    except DataError as error:
        raise ValueError(str(error)) from error


def _packed(document: Document) -> bytes:
    passages = [[passage.offset, passage.text, passage.type] for passage in document.passages]
    return json.dumps([document.id, passages, document.infons]).encode()


def _unpacked(raw: bytes) -> Document:
    name, passages, infons = json.loads(raw)
    return Document(
        name,
        tuple(Passage(offset, text, kind) for offset, text, kind in passages),
        infons=tuple((key, value) for key, value in infons),
    )
