"""A per-entity model: documents with pairs in, the mean of what both sides of each pair say out.

The graph is that of :mod:`novelink.runtime.document_model`; it gets one copy of
the document an entity, and answers the entity's pairs.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from novelink.runtime.document_model import DocumentLogits, DocumentModel
from novelink.runtime.started import Started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.reading.entity import EntityInput, EntityReading
    from novelink.runtime.bundle import Bundle

    Source = tuple[Document, Sequence[Pair]]
    Floats = NDArray[np.float32]

_COPIES_AT_ONCE = 32
"""Copies of one document that are in memory at a time."""


class EntityModel:
    """Runs a per-entity model over any number of documents.

    Args:
        bundle: a checked model of reading ``"entity"``.
        reading: makes the copies.
        threads: copies that run side by side; all available cores by default.

    Raises:
        ModelError: the graph cannot be opened or has other inputs or outputs.
        SettingsError: fewer than one thread.
    """

    def __init__(
        self, bundle: Bundle, reading: EntityReading, *, threads: int | None = None
    ) -> None:
        self._reading = reading
        self._model = DocumentModel(bundle, threads=threads)
        self.threads = self._model.threads

    def start(
        self, sources: Sequence[Source], borders: Sequence[Sequence[int]]
    ) -> Started[DocumentLogits]:
        """Score documents; the bits of a result depend on its document alone.

        Args:
            sources: documents, each with its pairs, at least one.
            borders: of each, where the stretches of its text begin that attention is summed
                over; empty where it is not wanted.

        Returns:
            For each document the logits of its pairs in order.
        """
        results: list[Callable[[], DocumentLogits]] = []
        futures: list[Future[DocumentLogits]] = []
        for (document, pairs), own in zip(sources, borders, strict=True):
            copies = self._reading.encode(document, pairs)
            first = list(islice(copies, _COPIES_AT_ONCE))
            started = self._begin(first, own)
            futures += started.futures
            results.append(partial(self._mean, len(pairs), first, started, copies, own))
        return Started(results, futures)

    def _begin(
        self, copies: Sequence[EntityInput], borders: Sequence[int]
    ) -> Started[DocumentLogits]:
        inputs = [one.copy for one in copies]
        segments = [one.segments(borders) for one in inputs] if borders else None
        return self._model.start(inputs, segments)

    def _mean(
        self,
        count: int,
        copies: list[EntityInput],
        started: Started[DocumentLogits],
        later: Iterator[EntityInput],
        borders: Sequence[int],
    ) -> DocumentLogits:
        """Logits of a document's pairs, of which some copies are under way and others to come."""
        sums: dict[str, Floats] = {}
        while copies:
            for one, found in zip(copies, started.results(), strict=True):
                parts = {
                    "relation": found.relation,
                    "novelty": found.novelty,
                    "attention": found.attention,
                    "direction": found.direction,
                }
                for name, values in parts.items():
                    if values is not None:
                        # A copy's last stretches may have no token of it.
                        width = len(borders) if name == "attention" else values.shape[1]
                        total = sums.setdefault(name, np.zeros((count, width), np.float32))
                        total[list(one.rows), : values.shape[1]] += values
            copies = list(islice(later, _COPIES_AT_ONCE))
            started = self._begin(copies, borders)
        # Each pair is in the copies of its two entities.
        half = np.float32(0.5)
        return DocumentLogits(**{name: total * half for name, total in sums.items()})
