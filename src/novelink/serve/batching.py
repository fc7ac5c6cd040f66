"""Documents of all clients, read together by one model.

A model is fastest on many pairs at a time. One thread takes documents from all
waiting requests in turn, one of each, so that a small request never waits
behind the whole of a large one.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.errors import NovelinkError
from novelink.serve.fault_log import log_fault
from novelink.serve.problems import Problem, from_error, stopping

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from novelink.document import Document
    from novelink.extractor import Extractor

logger = logging.getLogger(__name__)

MOST_DOCUMENTS = 256
"""Documents of one batch, for those that hold few pairs."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Settings of one request; only documents of equal settings share a batch."""

    min_score: float | None = None
    evidence: bool = False

    def keywords(self) -> dict[str, Any]:
        """For :meth:`~novelink.extractor.Extractor.extract`."""
        return {"min_score": self.min_score, "evidence": self.evidence}


class _Ticket:
    """The documents of one request that wait or are being read."""

    def __init__(
        self,
        documents: Sequence[Document],
        pairs: Sequence[int],
        options: ReadOptions,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.waiting = deque(zip(range(len(documents)), documents, pairs, strict=True))
        self.options = options
        self.results: asyncio.Queue[tuple[int, Document | Problem]] = asyncio.Queue()
        self._loop = loop

    def deliver(self, results: list[tuple[int, Document | Problem]]) -> None:
        """Hand results to the request's own event loop."""

        def put() -> None:
            for result in results:
                self.results.put_nowait(result)

        try:
            self._loop.call_soon_threadsafe(put)
        except RuntimeError:
            logger.debug("a client's event loop was gone before its result")


class Batcher:
    """Reads documents of many requests together.

    Args:
        reader: the model.
        max_queue: documents that may wait.
        batch_pairs: pairs gathered for one go.
        observe: called after each batch with its documents, pairs and seconds.
    """

    def __init__(
        self,
        reader: Extractor,
        *,
        max_queue: int,
        batch_pairs: int,
        observe: Callable[[int, int, float], None] = lambda *_: None,
    ) -> None:
        self._reader = reader
        self._max_queue = max_queue
        self._batch_pairs = batch_pairs
        self._observe = observe
        self._tickets: deque[_Ticket] = deque()
        self._condition = threading.Condition()
        self._waiting = 0
        self._stopping = False
        self._rate = 0.0
        self._thread = threading.Thread(target=self._run, name="novelink-batches", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Documents that wait for their turn."""
        return self._waiting

    def refuse_new(self) -> None:
        """Take no new requests; those that wait are still read."""
        self._stopping = True

    def stop(self) -> None:
        """Read what waits, then end the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    async def read(
        self, documents: Sequence[Document], pairs: Sequence[int], options: ReadOptions
    ) -> AsyncGenerator[tuple[int, Document | Problem], None]:
        """Read documents; yields (index, result) as they come, in any order.

        Leaving the generator early takes what still waits out of the queue.

        Args:
            documents: with mentions.
            pairs: of each document, see :func:`novelink.pairs.count_pairs`.
            options: of the request.

        Raises:
            Problem: 429 if too much waits already, 503 if the server stops.
        """
        if not documents:
            return  # a request without documents has nothing to wait for
        ticket = self._enter(documents, pairs, options)
        try:
            for _ in range(len(documents)):
                yield await ticket.results.get()
        finally:
            self._leave(ticket)

    def _enter(
        self, documents: Sequence[Document], pairs: Sequence[int], options: ReadOptions
    ) -> _Ticket:
        ticket = _Ticket(documents, pairs, options, asyncio.get_running_loop())
        with self._condition:
            if self._stopping:
                raise stopping()
            if self._waiting + len(documents) > self._max_queue:
                seconds = max(1, min(600, round(self._waiting / self._rate))) if self._rate else 5
                raise Problem(
                    429,
                    "queue_full",
                    f"{self._waiting:,} documents wait already, and this server lets "
                    f"{self._max_queue:,} wait",
                    f"Send this request again in {seconds} s, or send fewer documents at a time",
                    retry_after=seconds,
                )
            self._waiting += len(documents)
            self._tickets.append(ticket)
            self._condition.notify()
        return ticket

    def _leave(self, ticket: _Ticket) -> None:
        with self._condition:
            self._waiting -= len(ticket.waiting)
            ticket.waiting.clear()
            if ticket in self._tickets:
                self._tickets.remove(ticket)

    def _run(self) -> None:
        while batch := self._next_batch():
            started = time.perf_counter()
            answers = self._answers([(ticket, index, one) for ticket, index, one, _ in batch])
            seconds = time.perf_counter() - started
            self._rate = 0.7 * self._rate + 0.3 * len(batch) / max(seconds, 1e-6)
            # Counted before they go out: whoever has an answer finds it in the metrics.
            self._observe(len(batch), sum(pairs for *_, pairs in batch), seconds)
            by_ticket: dict[int, tuple[_Ticket, list[tuple[int, Document | Problem]]]] = {}
            for ticket, index, answer in answers:
                by_ticket.setdefault(id(ticket), (ticket, []))[1].append((index, answer))
            for ticket, results in by_ticket.values():
                ticket.deliver(results)

    def _next_batch(self) -> list[tuple[_Ticket, int, Document, int]]:
        """One document of each request in turn, up to the size of a batch; empty at the end."""
        with self._condition:
            self._condition.wait_for(lambda: self._tickets or self._stopping)
            batch: list[tuple[_Ticket, int, Document, int]] = []
            total = 0
            # Requests with other settings keep their place for the next batch.
            options = self._tickets[0].options if self._tickets else None
            while total < self._batch_pairs and len(batch) < MOST_DOCUMENTS:
                ticket = next((one for one in self._tickets if one.options == options), None)
                if ticket is None:
                    break
                self._tickets.remove(ticket)
                index, document, pairs = ticket.waiting.popleft()
                batch.append((ticket, index, document, pairs))
                total += pairs
                if ticket.waiting:
                    self._tickets.append(ticket)
            self._waiting -= len(batch)
            return batch

    def _answers(
        self, batch: list[tuple[_Ticket, int, Document]]
    ) -> list[tuple[_Ticket, int, Document | Problem]]:
        """Each document with its relations, or the problem that it has."""
        from novelink.extractor import ExtractionReport

        options = batch[0][0].options.keywords()
        # Each call counts for itself: the extractor's own report is shared by threads.
        options["report"] = ExtractionReport()
        found: list[Document] = []
        try:
            found += self._reader.extract((document for *_, document in batch), **options)
        except Exception as error:  # noqa: BLE001 (told to the client, its place to the log)
            if len(batch) > 1:
                # One document must not spoil the answers of other clients.
                return [answer for entry in batch for answer in self._answers([entry])]
            if isinstance(error, NovelinkError):
                problem = from_error(error)
            else:
                log_fault(logger, "a document cannot be read", error)
                problem = Problem(
                    500,
                    "fault",
                    f"document {batch[0][2].id}: a fault of the program",
                    "Leave this document out; see the server's log, and report it",
                )
            return [(*batch[0][:2], problem)]
        return [
            (ticket, index, document)
            for (ticket, index, _), document in zip(batch, found, strict=True)
        ]
