"""Which annotator a document goes to: given entities, PubTator 3, the offline tagger.

A document without passages is a request: its id is a PMID or PMCID, and the
text is to be fetched as well (:mod:`novelink.formats.article_ids`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from novelink.annotate.alignment import same_paper, transfer_mentions
from novelink.annotate.offline import OfflineTagger
from novelink.annotate.report import GIVEN, OFFLINE, PUBTATOR, PUBTATOR_TEXT, AnnotationReport
from novelink.errors import NovelinkError, SettingsError
from novelink.formats.article_ids import is_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from novelink.annotate.pubtator3 import PubTator3, PubTatorSettings
    from novelink.document import Document

ANNOTATORS = ("auto", "pubtator3", "offline", "given")
"""Names that :func:`annotator` takes."""

BLOCK = 100
"""Documents gathered for one step: as many ids as PubTator takes in a call."""

_INSTEAD = "documents that PubTator 3 did not give, tagged offline instead"
_REPLACED = "documents whose own entities were replaced"
_LOST = "mentions of PubTator 3 left out, not found in the text"


def annotator(
    name: str = "auto",
    *,
    pubtator: PubTatorSettings | None = None,
    lexicon: str | os.PathLike[str] | None = None,
    known_only: bool = False,
    tagger: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> Annotator:
    """An annotator by name.

    Args:
        name: one of :data:`ANNOTATORS`. ``given`` takes documents as they are;
            ``offline`` uses the package's tagger and needs no network for
            text; ``pubtator3`` asks NCBI, by id for papers and by text for the
            rest; ``auto`` keeps given entities, asks PubTator for papers, and
            tags what is left offline.
        pubtator: settings of the client; from the environment by default.
        lexicon: folder of a built lexicon; ``NOVELINK_LEXICON`` by default.
        known_only: mentions that the lexicon does not surely know get no id, and
            so no relations.
        tagger: folder of another tagger model.
        threads: documents tagged side by side; all available cores by default.

    Raises:
        SettingsError: there is no annotator of that name, or ``known_only``
            without a lexicon.
    """
    if name not in ANNOTATORS:
        raise SettingsError(
            f"unknown annotator '{name}'", remedy=f"Annotators are: {', '.join(ANNOTATORS)}"
        )
    folder = lexicon or os.environ.get("NOVELINK_LEXICON") or None
    if known_only and not folder:
        raise SettingsError(
            "without a lexicon no entity is known",
            remedy="Give --lexicon too, or leave --known-only out",
        )
    offline = OfflineTagger(
        Path(folder) if folder else None,
        Path(tagger) if tagger is not None else None,
        known_only=known_only,
        threads=threads,
    )
    return Annotator(name, offline, pubtator)


class Annotator:
    """Documents in, documents with entities out; order kept, streaming.

    What one call is given counts as one source: where some of its documents have
    entities, ``auto`` takes the others as annotated and empty.

    A document that gets no entities because a service failed is left out and
    named in the report; the others go on.

    Args:
        name: one of :data:`ANNOTATORS`.
        offline: tagger and linker.
        settings: of the PubTator client.

    Attributes:
        report: counts of everything this annotator did.
    """

    def __init__(
        self, name: str, offline: OfflineTagger, settings: PubTatorSettings | None = None
    ) -> None:
        self.name = name
        self.report = AnnotationReport()
        self._offline = offline
        self._settings = settings
        self._opened: PubTator3 | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def lines(self) -> list[str]:
        """Where entities came from, which ids they got, what was left out; for stderr."""
        return [*self._offline.lines(), *self.report.lines()]

    def close(self) -> None:
        """Close the connections to services."""
        if self._opened is not None:
            self._opened.close()

    def __call__(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Annotate.

        Raises:
            ModelError: the offline tagger is needed and not there.
            SettingsError: ``given`` met an id without text.
        """
        if self.name == "offline":
            self._offline.load()
        queue = iter(documents)
        has_entities = False
        while block := list(islice(queue, BLOCK)):
            has_entities = has_entities or any(document.mentions for document in block)
            yield from _Block(self, block, has_entities=has_entities).run()

    @property
    def client(self) -> PubTator3:
        """The PubTator client, opened when first asked for."""
        if self._opened is None:
            from novelink.annotate.pubtator3 import PubTator3

            self._opened = PubTator3(self._settings, report=self.report.reading)
        return self._opened


class _Block:
    """Some documents on their way through the steps of an annotator.

    Each step takes what it can from ``open`` (position → document) and puts
    results into ``done``.
    """

    def __init__(self, parent: Annotator, documents: list[Document], *, has_entities: bool) -> None:
        self.parent = parent
        self.has_entities = has_entities
        self.report = parent.report
        self.open: dict[int, Document] = dict(enumerate(documents))
        self.done: dict[int, Document] = {}
        self.reasons: dict[int, str] = {}

    def run(self) -> Iterator[Document]:
        """All steps; then results in the order of the documents."""
        getattr(self, f"_{self.parent.name}")()
        for index, document in self.open.items():
            reason = self.reasons.get(index, "no annotator could take it")
            self.report.failures[document.id] = reason
        for index in sorted(self.done):
            yield self.done[index]

    def _given(self) -> None:
        for document in self.open.values():
            if is_request(document):
                raise SettingsError(
                    f"{document.id} is only an id, and --annotator given fetches nothing",
                    remedy="Use --annotator auto or pubtator3",
                )
        self._keep_given()

    def _auto(self) -> None:
        if self.has_entities:
            self._keep_given()
        self._ask_by_id(lambda document: is_request(document) or _has_pmid(document))
        self._tag()

    def _pubtator3(self) -> None:
        self._drop_given()
        self._ask_by_id(lambda document: is_request(document) or document.id.isdigit())
        self._ask_by_text()

    def _offline(self) -> None:
        self._drop_given()
        self._fetch_texts()
        self._tag()

    def _keep_given(self) -> None:
        for index, document in list(self.open.items()):
            if not is_request(document):
                self._finish(index, document, GIVEN)

    def _drop_given(self) -> None:
        for index, document in self.open.items():
            if document.mentions:
                self.report.notes[_REPLACED] += 1
                self.open[index] = document.with_mentions(())

    def _ask_by_id(self, wanted: Any) -> None:
        asked = {index: document for index, document in self.open.items() if wanted(document)}
        if not asked:
            return
        fetched = self.parent.client.fetch([_article(document) for document in asked.values()])
        for index, document in asked.items():
            name = _article(document)
            if name not in fetched.documents:
                self.reasons[index] = fetched.failures[name]
                continue
            found = fetched.documents[name]
            if is_request(document):
                found = replace(found, id=document.id)
                if name in fetched.without_entities:
                    self.report.texts += 1
                    self.reasons[index] = "PubTator 3 does not have this paper"
                    self.open[index] = found
                else:
                    self._finish(index, found, PUBTATOR)
            elif name not in fetched.without_entities and same_paper(document, found):
                # The user's text counts: PubTator's may be another version of it.
                mentions, lost = transfer_mentions(found, document)
                self.report.notes[_LOST] += lost
                self._finish(index, document.with_mentions(mentions), PUBTATOR)

    def _ask_by_text(self) -> None:
        asked = {
            index: document for index, document in self.open.items() if not is_request(document)
        }
        if not asked:
            return
        results = self.parent.client.annotate(list(asked.values()))
        for index, result in zip(asked, results, strict=True):
            if isinstance(result, NovelinkError):
                self.reasons[index] = str(result)
            else:
                self._finish(index, result, PUBTATOR_TEXT)

    def _fetch_texts(self) -> None:
        """Texts for requests: PubMed by PMID, PubTator's own without its entities by PMCID."""
        requests = {
            index: document for index, document in self.open.items() if is_request(document)
        }
        if not requests:
            return
        client = self.parent.client
        names = [document.id for document in requests.values()]
        texts = client.texts([name for name in names if not name.startswith("PMC")])
        articles = client.fetch([name for name in names if name.startswith("PMC")])
        for index, document in requests.items():
            found = texts.documents.get(document.id) or articles.documents.get(document.id)
            if found is None:
                reasons = texts.failures | articles.failures
                self.reasons[index] = reasons[document.id]
            else:
                self.report.texts += document.id in texts.documents
                self.open[index] = replace(found, id=document.id, mentions=(), relations=())

    def _tag(self) -> None:
        asked = {
            index: document for index, document in self.open.items() if not is_request(document)
        }
        if not asked:
            return
        offline = self.parent._offline  # noqa: SLF001 (the block is a part of its annotator)
        if not offline.is_there():
            # Papers that PubTator failed to give are named; texts cannot go on without a tagger.
            asked = {index: one for index, one in asked.items() if index not in self.reasons}
        if not asked:
            return
        tagged = offline.annotate(list(asked.values()))
        for index, document in zip(asked, tagged, strict=True):
            self._finish(index, document, OFFLINE)
            self.report.notes[_INSTEAD] += index in self.reasons

    def _finish(self, index: int, document: Document, source: str) -> None:
        self.report.sources[source] += 1
        self.done[index] = document
        del self.open[index]


def _has_pmid(document: Document) -> bool:
    return any(key == "pmid" for key, _ in document.infons)


def _article(document: Document) -> str:
    """The id to ask by: of the infons where a reader put one there."""
    return next((value for key, value in document.infons if key == "pmid"), document.id)
