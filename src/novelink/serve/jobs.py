"""Jobs of the web application: started, watched, kept."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from novelink.errors import NovelinkError
from novelink.serve.batching import ReadOptions
from novelink.serve.fault_log import log_fault
from novelink.serve.problems import Problem, from_error, unknown_fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from novelink.document import Document
    from novelink.serve.bodies import Parsed
    from novelink.serve.service import Service

logger = logging.getLogger(__name__)

HEARTBEAT = 10.0
"""Seconds between signs of life, so that no proxy takes the stream for dead."""


@dataclass(slots=True)
class Job:
    """One job while it runs.

    Attributes:
        id: random, so that it cannot be guessed.
        name: to show.
        total: documents asked for.
        state: ``running``, ``done`` or ``failed``.
        stage: ``entities`` or ``relations``.
        done: documents that have passed this stage.
        relations: found so far.
        error: body of the error of a failed job.
    """

    id: str
    name: str
    total: int
    state: str = "running"
    stage: str = "relations"
    done: int = 0
    relations: int = 0
    error: dict[str, Any] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def status(self) -> dict[str, Any]:
        """For clients."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "relations": self.relations,
            "error": self.error,
        }

    def pass_stage(self, stage: str, done: int) -> None:
        """So many documents have passed a stage."""
        self.stage, self.done = stage, done
        self.tell()

    def tell(self) -> None:
        """Wake those who watch."""
        self.changed.set()
        self.changed = asyncio.Event()


class Jobs:
    """Running jobs; finished ones are in the service's store.

    Args:
        service: does the work.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, parsed: Parsed, name: str) -> Job:
        """Start a job.

        Raises:
            Problem: 429 if too many run, 503 if the server stops.
        """
        service = self._service
        running = [job for job in self._running.values() if job.state == "running"]
        if len(running) >= service.settings.max_jobs:
            raise Problem(
                429,
                "too_many_jobs",
                f"{len(running)} jobs run already",
                "Wait until one is done, then start this one again",
                retry_after=10,
            )
        job = Job(secrets.token_urlsafe(12), name, len(parsed.documents))
        self._running[job.id] = job
        task = asyncio.create_task(self._run(job, parsed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def find(self, job_id: str) -> Job | None:
        """A job that runs, or failed since the server started."""
        return self._running.get(job_id)

    async def _run(self, job: Job, parsed: Parsed) -> None:
        service = self._service
        left_out: dict[str, str] = {}
        documents: list[Document] = []
        try:
            options = ReadOptions(evidence=service.gives_evidence)
            blocks = service.run(parsed, options, left_out, job.pass_stage)
            try:
                async with aclosing(blocks):
                    async for block in blocks:
                        documents += block
                        job.relations += sum(len(document.relations) for document in block)
                        job.tell()
            except Problem as problem:
                # What was read before the server stopped is kept, and the rest named.
                if problem.code != "stopping" or not documents:
                    raise
                read = {document.id for document in documents} | set(left_out)
                reason = "the server stopped before it was read; start a job with it again"
                left_out |= {one.id: reason for one in parsed.documents if one.id not in read}
            await self._keep(job, documents, service.facts(parsed, documents, 0, left_out))
        except Problem as problem:
            self._fail(job, problem)
        except NovelinkError as error:
            self._fail(job, from_error(error))
        except Exception as error:  # noqa: BLE001 (told to the user, and its place to the log)
            log_fault(logger, "a job failed", error)
            self._fail(job, unknown_fault())
        finally:
            job.tell()

    async def _keep(self, job: Job, documents: list[Document], facts: dict[str, Any]) -> None:
        del facts["counts"]["pairs"]
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        await asyncio.to_thread(
            self._service.store.add_job,
            job.id,
            job.name,
            created,
            documents,
            facts,
            keep=self._service.settings.kept_jobs,
        )
        job.state = "done"
        del self._running[job.id]

    def _fail(self, job: Job, problem: Problem) -> None:
        job.state, job.error = "failed", problem.body["error"]
        # Failed jobs are remembered for a while, to tell why; not for ever.
        failed = [one.id for one in self._running.values() if one.state == "failed"]
        for job_id in failed[: -self._service.settings.kept_jobs]:
            del self._running[job_id]

    async def events(self, job: Job) -> AsyncIterator[str]:
        """Server-sent events of a job: ``progress``, then ``done`` or ``failed``.

        ``stopping`` ends the stream of a server that goes down.
        """
        while True:
            # Read once: the job goes on while the event is sent.
            changed, state = job.changed, job.state
            status = json.dumps(job.status())
            # At the end too: a job may be done before anyone watches, and what it did counts.
            yield f"event: progress\ndata: {status}\n\n"
            if state != "running":
                yield f"event: {state}\ndata: {status}\n\n"
                return
            waits = [
                asyncio.ensure_future(changed.wait()),
                asyncio.ensure_future(self._service.stopping.wait()),
            ]
            try:
                finished, _ = await asyncio.wait(
                    waits, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                for wait in waits:
                    wait.cancel()
            if waits[1] in finished:
                yield "event: stopping\ndata: {}\n\n"
                return
            if not finished:
                yield ": still working\n\n"

    async def stop(self) -> None:
        """Let running jobs keep what they have, within the time of grace."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._service.settings.grace)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
