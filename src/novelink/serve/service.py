"""The work behind the routes: entities, limits, the model, counts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from novelink.pairs import count_pairs
from novelink.serve.annotation import Annotation
from novelink.serve.batching import Batcher, ReadOptions
from novelink.serve.metrics import Metrics
from novelink.serve.problems import Problem, too_large
from novelink.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from novelink.document import Document
    from novelink.extractor import Extractor
    from novelink.serve.bodies import Parsed
    from novelink.serve.settings import ServeSettings

JOB_BLOCK = 100
"""Documents of a job that enter the queue at a time, so that it never fills it alone."""


class Service:
    """One model with its queue, its annotator and its database.

    Args:
        extractor: the model.
        settings: limits.
        make_annotator: for tests.

    Attributes:
        stopping: set when the server goes down.
        gives_evidence: whether the model names evidence sentences.
    """

    def __init__(
        self,
        extractor: Extractor,
        settings: ServeSettings,
        make_annotator: Callable[[str], Any] | None = None,
    ) -> None:
        self.extractor = extractor
        self.settings = settings
        self.schema = extractor.schema
        self.metrics = Metrics()
        self.store = Store(settings.database, self.schema)
        self.annotation = Annotation(settings.annotator, make_annotator)
        self.batcher = Batcher(
            extractor,
            max_queue=settings.max_queue,
            batch_pairs=settings.batch_pairs,
            observe=self.metrics.observe_batch,
        )
        self.metrics.watch_queue(lambda: self.batcher.waiting)
        self.stopping = asyncio.Event()
        self.gives_evidence = extractor.gives_evidence

    def start(self) -> None:
        """Begin to work."""
        self.batcher.start()

    def refuse_new(self) -> None:
        """Take no new work; what has begun goes on."""
        self.batcher.refuse_new()
        self.stopping.set()

    async def stop(self) -> None:
        """Finish what waits, then close."""
        self.refuse_new()
        self.annotation.stop()
        await asyncio.to_thread(self.batcher.stop)
        self.store.close()

    def check_pairs(self, documents: list[Document]) -> list[int]:
        """Pairs of each document.

        Raises:
            Problem: 413 where a document or all together hold too many.
        """
        pairs = [count_pairs(document, self.schema) for document in documents]
        for document, count in zip(documents, pairs, strict=True):
            if count > self.settings.max_pairs:
                raise too_large(
                    "too_many_pairs",
                    f"document {document.id} has {count:,} pairs of entities that could be related",
                    self.settings.max_pairs,
                    "Split the document, mark fewer entities, or use the command line",
                )
        if sum(pairs) > self.settings.max_request_pairs:
            raise too_large(
                "too_many_pairs",
                f"the documents have {sum(pairs):,} pairs of entities that could be related",
                self.settings.max_request_pairs,
                "Send them in several requests",
            )
        return pairs

    async def extract(
        self, parsed: Parsed, options: ReadOptions, annotator: str | None
    ) -> tuple[list[Document], dict[str, Any]]:
        """Read the documents of one request.

        Args:
            parsed: its body.
            options: its settings.
            annotator: who finds entities; ``given`` for nobody, None for the
                server's own where the body is text or ids.

        Returns:
            Documents in order, and facts: counts, and what was left out.

        Raises:
            Problem: a limit, the queue or the time ended it.
        """
        try:
            async with asyncio.timeout(self.settings.max_seconds):
                return await self._extract(parsed, options, annotator)
        except TimeoutError as error:
            raise Problem(
                503,
                "time_limit",
                f"the request took longer than {self.settings.max_seconds:g} s",
                "Send fewer documents at a time, or try again when the server is less busy",
                retry_after=10,
            ) from error

    async def _extract(
        self, parsed: Parsed, options: ReadOptions, annotator: str | None
    ) -> tuple[list[Document], dict[str, Any]]:
        left_out: dict[str, str] = {}
        documents = parsed.documents
        if _wants_entities(parsed, annotator):
            documents = []
            blocks = self.annotation.annotate(parsed.documents, left_out, annotator)
            async with aclosing(blocks):
                async for block in blocks:
                    documents += block
        pairs = self.check_pairs(documents)
        results: list[Document | None] = [None] * len(documents)
        answers = self.batcher.read(documents, pairs, options)
        async with aclosing(answers):
            async for index, result in answers:
                if isinstance(result, Problem):
                    raise result
                results[index] = result
        found = [document for document in results if document is not None]
        return found, self.facts(parsed, found, sum(pairs), left_out)

    def facts(
        self, parsed: Parsed, found: list[Document], pairs: int, left_out: dict[str, str]
    ) -> dict[str, Any]:
        """What an answer says beside its documents."""
        return {
            "counts": {
                "documents": len(found),
                "pairs": pairs,
                "relations": sum(len(document.relations) for document in found),
                "without_entities": sum(not document.mentions for document in found),
            },
            "left_out": left_out,
            "notes": parsed.report.lines(),
        }

    async def run(
        self,
        parsed: Parsed,
        options: ReadOptions,
        left_out: dict[str, str],
        progress: Callable[[str, int], None],
    ) -> AsyncGenerator[list[Document], None]:
        """Read the documents of a job.

        Args:
            parsed: the body it came with.
            options: its settings.
            left_out: takes id → reason of what cannot be read; the rest goes on.
            progress: called with the stage (``entities`` or ``relations``) and
                how many documents have passed it.

        Yields:
            Finished documents, block by block.
        """
        for start in range(0, len(parsed.documents), JOB_BLOCK):
            asked = parsed.documents[start : start + JOB_BLOCK]
            block = asked
            if _wants_entities(parsed, None):
                block = []
                progress("entities", start)
                annotated = self.annotation.annotate(asked, left_out)
                async with aclosing(annotated):
                    async for part in annotated:
                        block += part
                        progress("entities", start + len(block))
            # Those left out before have passed, too.
            passed = start + len(asked) - len(block)
            progress("relations", passed)

            def read(count: int, passed: int = passed) -> None:
                progress("relations", passed + count)

            yield await self._read_block(block, options, left_out, read)

    async def _read_block(
        self,
        block: list[Document],
        options: ReadOptions,
        left_out: dict[str, str],
        progress: Callable[[int], None],
    ) -> list[Document]:
        kept, pairs = [], []
        for document in block:
            count = count_pairs(document, self.schema)
            if count > self.settings.max_pairs:
                left_out[document.id] = (
                    f"it has {count:,} pairs of entities that could be related; this server takes "
                    f"{self.settings.max_pairs:,}"
                )
            else:
                kept.append(document)
                pairs.append(count)
        while True:
            results: list[Document | None] = [None] * len(kept)
            done = len(block) - len(kept)
            answers = self.batcher.read(kept, pairs, options)
            try:
                async with aclosing(answers):
                    async for index, result in answers:
                        if isinstance(result, Problem):
                            left_out[kept[index].id] = result.message
                        else:
                            results[index] = result
                        done += 1
                        progress(done)
            except Problem as problem:
                if problem.status != 429:
                    raise
                # Jobs can wait: their users see the progress stand still, not an error.
                await asyncio.sleep(min(problem.retry_after or 1, 5))
                continue
            return [document for document in results if document is not None]


def _wants_entities(parsed: Parsed, annotator: str | None) -> bool:
    return annotator != "given" and (parsed.bare or annotator is not None)
