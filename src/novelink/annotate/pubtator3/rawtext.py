"""Entities for text that PubTator does not know: submit, wait, retrieve."""

from __future__ import annotations

import hashlib
import heapq
import io
import json
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink import formats
from novelink.annotate.alignment import transfer_mentions
from novelink.annotate.pubtator3.export import SCHEMA
from novelink.annotate.pubtator3.transport import (
    BlockedError,
    RefusedError,
    ServiceError,
    UnreachableError,
)
from novelink.errors import DataError, NovelinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novelink.annotate.pubtator3.cache import ResponseCache
    from novelink.annotate.pubtator3.transport import Transport
    from novelink.document import Document, Mention
    from novelink.formats.report import ReadReport

_LOG = logging.getLogger(__name__)

_SESSION = re.compile(r"[0-9A-Za-z_-]{8,64}")
_PENDING = frozenset({400, 404})
_NOT_READY = re.compile(rb"not ready", re.IGNORECASE)
_GROWTH = 1.5


class _NotReadyError(Exception):
    """The service says that a job is still running."""


@dataclass(order=True)
class _Job:
    """A text that was submitted."""

    due: float
    index: int
    session: str
    pause: float
    submitted: float
    resumed: bool = False


class TextJobs:
    """The raw-text service: one job a document, many jobs at a time.

    Args:
        transport: sends the calls.
        cache: keeps results, and the sessions of jobs that were not ready in
            time, so that a later run asks for them rather than submits again.
        report: counts what was left out.
    """

    def __init__(
        self, transport: Transport, cache: ResponseCache | None, report: ReadReport
    ) -> None:
        self._transport = transport
        self._settings = transport.settings
        self._cache = cache
        self._report = report
        self._stopped: BlockedError | None = None

    def annotate(self, documents: Sequence[Document]) -> list[Document | NovelinkError]:
        """Each document with mentions, or why it has none."""
        results: dict[int, Document | NovelinkError] = {}
        jobs: list[_Job] = []
        for index, document in enumerate(documents):
            text = document.text
            if not text.strip():
                results[index] = document
                continue
            raw = self._kept(self._key("result", text))
            if raw is not None:
                results[index] = self._result(document, raw)
                continue
            try:
                jobs.append(self._submit(index, text))
            except ServiceError as error:
                results[index] = error
        if jobs:
            _LOG.warning(
                "PubTator 3's raw-text service has %d text%s to do, which can take 20 minutes",
                len(jobs),
                "" if len(jobs) == 1 else "s",
            )
        heapq.heapify(jobs)
        while jobs:
            job = heapq.heappop(jobs)
            again = self._retrieve(job, documents[job.index], results)
            if again is not None:
                heapq.heappush(jobs, again)
        return [results[index] for index in range(len(documents))]

    def _submit(self, index: int, text: str) -> _Job:
        if self._stopped is not None:
            raise self._stopped
        now = time.monotonic()
        first = self._settings.poll_seconds
        kept = self._kept(self._key("session", text))
        if kept is not None:
            return _Job(now, index, kept.decode(), first, now, resumed=True)
        try:
            session = self._transport.call(
                "POST",
                f"{self._settings.text_url}/request.cgi",
                _session,
                form={"text": text, "bioconcept": self._settings.bioconcept},
            )
        except BlockedError as error:
            self._stopped = error
            raise
        if self._cache is not None:
            self._cache.put({self._key("session", text): session.encode()})
        now = time.monotonic()
        return _Job(now + first, index, session, first, now)

    def _retrieve(
        self, job: _Job, document: Document, results: dict[int, Document | NovelinkError]
    ) -> _Job | None:
        """Ask once for a job when it is due; the job again if it is not ready."""
        time.sleep(max(0.0, job.due - time.monotonic()))
        text = document.text
        try:
            if self._stopped is not None:
                raise self._stopped
            raw = self._transport.call(
                "POST", f"{self._settings.text_url}/retrieve.cgi", _ready, form={"id": job.session}
            )
        except _NotReadyError:
            pass
        except RefusedError as error:
            if error.status not in _PENDING:
                results[job.index] = error
                return None
        except ServiceError as error:
            if isinstance(error, BlockedError):
                self._stopped = error
            results[job.index] = error
            return None
        else:
            if self._cache is not None:
                self._cache.put({self._key("result", text): raw})
                self._cache.drop(self._key("session", text))
            results[job.index] = self._result(document, raw)
            return None
        return self._wait_on(job, document, results)

    def _wait_on(
        self, job: _Job, document: Document, results: dict[int, Document | NovelinkError]
    ) -> _Job | None:
        now = time.monotonic()
        limit = self._settings.job_limit_seconds
        if now - job.submitted + job.pause > limit:
            remedy = "Run it again later: the job is asked for, not submitted anew"
            if job.resumed:
                # A session that two runs waited for in vain was forgotten over there.
                if self._cache is not None:
                    self._cache.drop(self._key("session", document.text))
                remedy = "Run it again: the text will be submitted anew"
            if self._cache is None:
                remedy = "Wait longer (job_limit_seconds), or use --annotator offline"
            results[job.index] = UnreachableError(
                f"the job {job.session} was not ready after {limit:g} s",
                source=f"{self._settings.text_url}/retrieve.cgi",
                remedy=remedy,
            )
            return None
        job.due = now + job.pause
        job.pause = min(job.pause * _GROWTH, self._settings.poll_limit_seconds)
        return job

    def _result(self, document: Document, raw: bytes) -> Document | NovelinkError:
        try:
            mentions, lost = _mentions(document, raw, self._report)
        except NovelinkError as error:
            return DataError(
                f"what the raw-text service sent cannot be read: {error.message}",
                source=document.id,
                remedy="Use --annotator offline",
            )
        if lost:
            self._report.notes["mentions of PubTator 3 left out, not found in the text"] += lost
        return document.with_mentions(mentions)

    def _key(self, what: str, text: str) -> str:
        settings = self._settings
        digest = hashlib.sha256(f"{settings.bioconcept}\0{text}".encode()).hexdigest()
        return f"{settings.text_url}/{what}#{digest}"

    def _kept(self, key: str) -> bytes | None:
        if self._cache is None or self._settings.refresh:
            return None
        return self._cache.get([key]).get(key)


def _session(body: bytes) -> str:
    """The job's id: ``{"id": …}`` as seen, or plain text as documented.

    Raises:
        ValueError: neither.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except ValueError:
        data = text
    if isinstance(data, dict):
        data = data.get("id", "")
    session = str(data).strip()
    if not _SESSION.fullmatch(session):
        raise ValueError("no session number in it")
    return session


def _ready(body: bytes) -> bytes:
    if _NOT_READY.search(body[:200]):
        raise _NotReadyError
    if not body.strip():
        raise ValueError("nothing in it")
    if body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise ValueError("a page")
    return body


def _mentions(document: Document, raw: bytes, report: ReadReport) -> tuple[list[Mention], int]:
    """Mentions of a result in whatever format it came, moved onto our text."""
    body = raw.lstrip()
    if body[:1] not in b"{[<" and not re.search(rb"^[^|\t\n]*\|t\|", body, re.MULTILINE):
        # Only annotation lines: put our own text before them.
        title, _, rows = document.text.replace("\n", " "), None, body.decode("utf-8", "replace")
        name = rows.partition("\t")[0].strip() or "1"
        body = f"{name}|t|{title}\n{name}|a|\n{rows}".encode()
    mentions: list[Mention] = []
    lost = 0
    for found in formats.read(io.BytesIO(body), schema=SCHEMA, report=report):
        moved, missing = transfer_mentions(found, document)
        mentions += moved
        lost += missing
    return mentions, lost
