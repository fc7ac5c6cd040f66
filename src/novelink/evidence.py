"""Which sentences a relation rests on: what its pair attended to, summed over sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from novelink.annotate.sentences import document_sentences
from novelink.document import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.reading.document import DocumentInput

DECIMALS = 4
LEAST_SHARE = 0.1
"""Sentences below this share of the attention are no evidence, unless none reaches it."""


class EvidenceReader:
    """Turns attention over tokens into sentences, for the pairs of one document.

    Args:
        document: the text.
        encoding: what the model read of it.
    """

    def __init__(self, document: Document, encoding: DocumentInput) -> None:
        self.sentences: Sequence[tuple[int, int]] = document_sentences(document)
        starts = np.array([start for start, _ in self.sentences])
        places: list[NDArray[np.int64]] = []
        length = max(map(len, encoding.offsets))
        for offsets in encoding.offsets:
            row = np.full(length, -1, np.int64)
            row[: len(offsets)] = offsets
            found = np.searchsorted(starts, row, side="right") - 1
            places.append(np.where(row < 0, -1, found))
        self._sentence = np.concatenate(places)
        self._inside = np.flatnonzero(self._sentence >= 0)

    def read(self, attention: NDArray[np.float32]) -> tuple[Evidence, ...]:
        """Evidence of one pair, heaviest sentence first.

        Args:
            attention: over the tokens of all windows, padded as the model's
                input was. A marker belongs to the sentence of its mention;
                ``[CLS]``, ``[SEP]`` and padding to none.
        """
        sums = np.zeros(len(self.sentences))
        inside = self._inside
        np.add.at(sums, self._sentence[inside], attention[inside].astype(np.float64))
        total = sums.sum()
        if total <= 0:
            return ()
        shares = np.round(sums / total, DECIMALS)
        return tuple(self._chosen(shares))

    def _chosen(self, shares: NDArray[np.float64]) -> Iterator[Evidence]:
        order = sorted(range(len(shares)), key=lambda index: (-shares[index], index))
        for rank, index in enumerate(order):
            if rank and shares[index] < LEAST_SHARE:
                return
            start, end = self.sentences[index]
            yield Evidence(start, end, float(shares[index]))
