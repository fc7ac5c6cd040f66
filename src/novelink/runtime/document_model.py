"""A whole-document model: one document in, the logits of all its pairs out.

The graph's contract (D documents of W windows of L tokens, M start markers, E
entities, P pairs): inputs ``input_ids`` and ``attention_mask`` int64 [D, W, L],
``mentions`` int64 [D, M] (places in the W · L tokens), ``members`` float32
[D, E, M], ``pairs`` int64 [D, P, 2]; outputs ``relation`` [D, P, R + 1],
``novelty`` [D, P, 3] logits and ``attention`` [D, P, W · L], what each pair
attended to.

Every document runs alone, so that its bits depend on nothing else; several run
side by side.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from novelink.errors import ModelError, SettingsError
from novelink.runtime.pair_model import available_cores
from novelink.runtime.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from novelink.reading.document import DocumentInput
    from novelink.runtime.bundle import Bundle

INPUTS = ("input_ids", "attention_mask", "mentions", "members", "pairs")
OUTPUTS = ("relation", "novelty", "attention")
BLOCK_PAIRS = 256
"""Pairs scored in one run; a document with more is run several times, so memory is bounded."""


@dataclass(frozen=True, slots=True)
class DocumentLogits:
    """Logits of a document's P pairs.

    Attributes:
        relation: float32 [P, R + 1].
        novelty: float32 [P, 3].
        attention: float32 [P, tokens of all windows]; None where not asked for.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]
    attention: NDArray[np.float32] | None = None


class DocumentModel:
    """Runs a whole-document model over any number of documents.

    Args:
        bundle: a checked model of reading ``"document"``.
        threads: documents that run side by side; all available cores by default.

    Raises:
        ModelError: the graph cannot be opened or has other inputs or outputs.
        SettingsError: fewer than one thread.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1:
            raise SettingsError("threads must be 1 or more")
        self._session = Session(bundle, INPUTS, OUTPUTS)
        self._pool = (
            ThreadPoolExecutor(self.threads, thread_name_prefix="novelink")
            if self.threads > 1
            else None
        )

    def logits(
        self, documents: Sequence[DocumentInput], *, attention: bool = False
    ) -> list[DocumentLogits]:
        """Score documents; the bits of a result depend on its document alone.

        Args:
            documents: each with at least one pair.
            attention: also give what each pair attended to.

        Raises:
            ModelError: the graph fails on an input or gives NaN or infinity.
        """

        def run(document: DocumentInput) -> DocumentLogits:
            return self._run(document, attention=attention)

        results = map(run, documents) if self._pool is None else self._pool.map(run, documents)
        return list(results)

    def _run(self, document: DocumentInput, *, attention: bool) -> DocumentLogits:
        inputs = feed(document)
        blocks = []
        for begin in range(0, len(document.pairs), BLOCK_PAIRS):
            pairs = np.array(document.pairs[begin : begin + BLOCK_PAIRS], np.int64)
            names = OUTPUTS if attention else OUTPUTS[:2]
            outputs = self._session.run({**inputs, "pairs": pairs[None]}, names)
            blocks.append([outputs[name][0] for name in names])
        joined = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
        if not all(np.isfinite(part).all() for part in joined):
            raise ModelError(
                "the model gave something that is not a number",
                remedy="Check it with: novelink models verify; then export it again",
            )
        return DocumentLogits(*joined)


def feed(document: DocumentInput) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """The graph's inputs for one document, pairs apart; windows are padded to the longest."""
    length = max(map(len, document.windows))
    ids = np.zeros((1, len(document.windows), length), np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(document.windows):
        ids[0, row, : len(window)] = window
        mask[0, row, : len(window)] = 1
    mentions = np.array(
        [[window * length + place for window, place, _ in document.mentions]], np.int64
    )
    members = np.zeros((1, document.entities, len(document.mentions)), np.float32)
    for column, (_, _, entity) in enumerate(document.mentions):
        members[0, entity, column] = 1.0
    return {"input_ids": ids, "attention_mask": mask, "mentions": mentions, "members": members}
