"""Entities for text and papers, beside the model's own thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from novelink.errors import NovelinkError
from novelink.serve.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from novelink.document import Document

BLOCK = 20
"""Documents between two reports of progress."""


class Annotation:
    """Finds entities; one thread, since a tagger and PubTator's rate limit are shared.

    Args:
        name: of :func:`novelink.annotate.annotator`.
        make: makes the annotator; for tests.
    """

    def __init__(self, name: str, make: Callable[[str], Any] | None = None) -> None:
        self._name = name
        self._make = make or _annotator
        self._annotators: dict[str, Any] = {}
        self._thread = ThreadPoolExecutor(1, "novelink-annotation")

    def stop(self) -> None:
        """End the thread once its present block is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def annotate(
        self, documents: Sequence[Document], left_out: dict[str, str], name: str | None = None
    ) -> AsyncGenerator[list[Document], None]:
        """Documents with entities, block by block.

        Args:
            documents: texts, or only ids.
            left_out: takes id → reason for documents that got no text or
                entities.
            name: another annotator than the server's own.

        Raises:
            Problem: 503 if the annotator is not available.
        """
        loop = asyncio.get_running_loop()
        for start in range(0, len(documents), BLOCK):
            block = documents[start : start + BLOCK]
            yield await loop.run_in_executor(
                self._thread, self._block, block, left_out, name or self._name
            )

    def _block(
        self, documents: Sequence[Document], left_out: dict[str, str], name: str
    ) -> list[Document]:
        try:
            if name not in self._annotators:
                self._annotators[name] = self._make(name)
            annotator = self._annotators[name]
            found = list(annotator(documents))
        except NovelinkError as error:
            raise Problem(
                503,
                "no_entities",
                f"entities cannot be found in text here: {error.message}",
                f"{error.remedy or 'Ask whoever runs this server'}; or send documents with marked "
                "entities (PubTator or BioC)",
            ) from error
        done = {document.id for document in found}
        failures = annotator.report.failures
        for document in documents:
            if document.id not in done:
                left_out[document.id] = failures.get(document.id, "no entities were found for it")
        return found


def _annotator(name: str) -> Any:
    from novelink.annotate import annotator

    return annotator(name)
