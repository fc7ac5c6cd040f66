"""Documents with entities by PMID and PMCID, and for raw text."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Self

from novelink.annotate.pubtator3.cache import ResponseCache
from novelink.annotate.pubtator3.eutils import PubMed
from novelink.annotate.pubtator3.export import Export, Kind
from novelink.annotate.pubtator3.rawtext import TextJobs
from novelink.annotate.pubtator3.settings import PubTatorSettings
from novelink.annotate.pubtator3.transport import (
    BlockedError,
    RefusedError,
    ServiceError,
    Transport,
    UnreachableError,
)
from novelink.errors import NovelinkError
from novelink.formats.article_ids import article_id
from novelink.formats.report import ReadReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from novelink.document import Document

_LOG = logging.getLogger(__name__)

_DOWN_AFTER = 2
"""So many batches in a row without an answer, and the service counts as down."""

_CACHE_FILE = "pubtator3.sqlite"


@dataclass
class Fetched:
    """What came of a list of ids.

    Attributes:
        documents: id as asked → document.
        without_entities: ids whose document is only title and abstract, from
            PubMed, because PubTator lacks the paper.
        failures: id as asked → why there is no document.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    without_entities: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)


class PubTator3:
    """A client for one run; threads may share it.

    Args:
        settings: addresses, limits, cache; from the environment by default.
        report: takes the counts of what was left out of answers.

    Attributes:
        read_report: those counts: entity types that BioRED lacks, and more.
    """

    def __init__(
        self, settings: PubTatorSettings | None = None, *, report: ReadReport | None = None
    ) -> None:
        self.settings = settings or PubTatorSettings.from_environment()
        self.read_report = ReadReport() if report is None else report
        self._transport = Transport(self.settings)
        self._cache = (
            ResponseCache(self.settings.cache / _CACHE_FILE, self.settings.cache_megabytes)
            if self.settings.cache
            else None
        )
        self._pubmed = PubMed(self._transport, self._cache)
        self._texts = TextJobs(self._transport, self._cache, self.read_report)
        self._silent_batches = 0
        self._stopped: ServiceError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the cache."""
        self._transport.close()
        if self._cache:
            self._cache.close()

    def documents(self, ids: Iterable[str]) -> Iterator[Document]:
        """Documents in the order of their ids, each id once; streaming.

        What fails is logged as a warning, one line per id; :meth:`fetch` gives
        it as data.
        """
        queue = iter(dict.fromkeys(ids))
        while part := list(islice(queue, self.settings.ids_per_call)):
            fetched = self.fetch(part)
            for name in part:
                if name in fetched.documents:
                    yield fetched.documents[name]
                else:
                    _LOG.warning("%s: %s", name, fetched.failures[name])

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """Documents of PMIDs and PMCIDs.

        Args:
            ids: in any number and mixture; ``PMID:`` before digits may stand.

        Returns:
            Each id is a key of ``documents`` or of ``failures``.
        """
        fetched = Fetched()
        names: dict[str, str] = {}
        for asked in dict.fromkeys(ids):
            name = article_id(asked)
            if name is None:
                fetched.failures[asked] = "is neither a PMID (digits) nor a PMCID (PMC and digits)"
            else:
                names[asked] = name
        found = Fetched()
        for kind in Kind:
            wanted = [name for name in dict.fromkeys(names.values()) if Kind.of(name) is kind]
            self._fetch_kind(Export(kind, self.settings), wanted, found)
        self._fetch_texts(found)
        for asked, name in names.items():
            if name in found.documents:
                fetched.documents[asked] = found.documents[name]
                if name in found.without_entities:
                    fetched.without_entities.add(asked)
            else:
                fetched.failures[asked] = found.failures[name]
        return fetched

    def texts(self, ids: Sequence[str]) -> Fetched:
        """Title and abstract of PMIDs from PubMed, without entities."""
        found = Fetched()
        wanted = {asked: article_id(asked) for asked in ids}
        pmids = [name for name in wanted.values() if name and Kind.of(name) is Kind.PMID]
        found.failures = dict.fromkeys(pmids, "PubMed does not know this id")
        self._fetch_texts(found, always=True)
        fetched = Fetched()
        for asked, name in wanted.items():
            if name in found.documents:
                fetched.documents[asked] = found.documents[name]
                fetched.without_entities.add(asked)
            else:
                fetched.failures[asked] = found.failures.get(
                    name or "", "is no PMID, and PubMed gives texts by PMID only"
                )
        return fetched

    def annotate(self, documents: Sequence[Document]) -> list[Document | NovelinkError]:
        """Entities for documents whose text PubTator may not know, by the raw-text service.

        Returns:
            For each document itself with mentions, or why it has none. A job
            that is not ready in time is asked for again by the next run with
            the same text, as long as the cache is kept.
        """
        return self._texts.annotate(documents)

    def _fetch_kind(self, export: Export, wanted: list[str], found: Fetched) -> None:
        cached = self._cached(export, wanted)
        missing = []
        for name in wanted:
            if name in cached:
                self._accept(export, name, cached[name], found)
            else:
                missing.append(name)
        for begin in range(0, len(missing), self.settings.ids_per_call):
            self._ask(export, missing[begin : begin + self.settings.ids_per_call], found)

    def _cached(self, export: Export, names: list[str]) -> dict[str, bytes]:
        if self._cache is None or self.settings.refresh:
            return {}
        keys = {export.cache_key(name): name for name in names}
        return {keys[key]: body for key, body in self._cache.get(keys).items()}

    def _ask(
        self, export: Export, batch: list[str], found: Fetched, tries: int | None = None
    ) -> None:
        """One call; a batch that is refused is halved until the id at fault stands alone."""
        if self._stopped is not None:
            found.failures.update(dict.fromkeys(batch, f"not asked for: {self._stopped.message}"))
            return
        try:
            answers = self._transport.call(
                "GET",
                export.url,
                lambda body: export.split(body, batch),
                query=export.query(batch),
                attempts=tries,
            )
        except BlockedError as error:
            self._stopped = error
            _LOG.error("%s", error)
            found.failures.update(dict.fromkeys(batch, str(error)))
        except (RefusedError, UnreachableError) as error:
            self._ask_parts(export, batch, found, error)
        else:
            self._silent_batches = 0
            if self._cache is not None:
                self._cache.put({export.cache_key(name): raw for name, raw in answers.items()})
            for name in batch:
                if name in answers:
                    self._accept(export, name, answers[name], found)
                else:
                    found.failures[name] = export.unknown

    def _ask_parts(
        self, export: Export, batch: list[str], found: Fetched, error: ServiceError
    ) -> None:
        # One paper can make the service stumble (500); without a connection halving is no use.
        divisible = isinstance(error, RefusedError) or error.status == 500
        if divisible and len(batch) > 1:
            middle = len(batch) // 2
            self._ask(export, batch[:middle], found, tries=2)
            self._ask(export, batch[middle:], found, tries=2)
            return
        if isinstance(error, RefusedError):
            self._silent_batches = 0
            known = error.status in {400, 404}
            message = f"{export.unknown} ({error.message})" if known else str(error)
            found.failures.update(dict.fromkeys(batch, message))
            return
        found.failures.update(dict.fromkeys(batch, str(error)))
        if not divisible:
            self._silent_batches += 1
            if self._silent_batches >= _DOWN_AFTER:
                self._stopped = error
                _LOG.error("PubTator 3 counts as down for this run: %s", error)

    def _accept(self, export: Export, name: str, raw: bytes, found: Fetched) -> None:
        try:
            document = export.document(name, raw, self.read_report)
        except NovelinkError as error:
            found.failures[name] = f"what PubTator 3 sent cannot be read: {error}"
        else:
            found.documents[name] = replace(document, id=name)

    def _fetch_texts(self, found: Fetched, *, always: bool = False) -> None:
        """Title and abstract for PMIDs that PubTator does not know."""
        unknown = Export(Kind.PMID, self.settings).unknown
        lacking = [
            name
            for name, reason in found.failures.items()
            if Kind.of(name) is Kind.PMID and (always or reason.startswith(unknown))
        ]
        if not lacking:
            return
        texts = self._pubmed.fetch(lacking)
        for name in lacking:
            if name in texts.documents:
                found.documents[name] = texts.documents[name]
                found.without_entities.add(name)
                del found.failures[name]
            else:
                found.failures[name] = f"{found.failures[name]}; {texts.failures[name]}"
