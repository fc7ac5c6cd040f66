"""Which sentences a relation rests on: what its pair attended to, summed over sentences.

A sentence's attention counts in proportion to how many of the two entities it
names. Attention alone finds sentences whose loss costs the relation more than
the loss of others; together with the names it does so far more clearly
(``benchmarks/evidence.py`` takes sentences out and measures it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from novelink.document import Evidence
from novelink.sentences import document_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.reading.document import DocumentInput

DECIMALS = 4
LEAST_SHARE = 0.1
"""Sentences below this share are no evidence, unless none reaches it."""
UNNAMED = 0.2
"""What a sentence counts that names neither entity, where one of them counts 1 and both 2."""


class EvidenceReader:
    """Turns attention into sentences, for the pairs of one document.

    Args:
        document: the text.
        encoding: what the model read of it.

    Attributes:
        sentences: spans in the document.
        borders: where they begin.
    """

    def __init__(self, document: Document, encoding: DocumentInput) -> None:
        self.sentences: Sequence[tuple[int, int]] = document_sentences(document)
        # Blanks between sentences make no tokens, so the last one begun is the one it is in.
        self.borders = [start for start, _ in self.sentences]
        segments = encoding.segments(self.borders)
        self._pairs = encoding.pairs
        begins = np.cumsum([0, *map(len, encoding.windows)])
        self._names = np.zeros((encoding.entities, len(self.sentences)))
        for window, place, entity in encoding.mentions:
            sentence = segments[begins[window] + place]
            if sentence >= 0:
                self._names[entity, sentence] = 1.0

    def read(self, pair: int, attention: NDArray[np.float32]) -> tuple[Evidence, ...]:
        """Evidence of one pair, heaviest sentence first.

        Args:
            pair: its number among the pairs of the encoding.
            attention: of the pair, summed over sentences; the last ones may
                be left out where no token is theirs.

        Returns:
            The heaviest sentence and all others with at least
            :data:`LEAST_SHARE` of the whole weight; weights are shares of it,
            rounded down so that together they are never above 1. Empty where
            nothing in a sentence was attended to.
        """
        first, second = self._pairs[pair]
        named = (self._names[first] + self._names[second])[: len(attention)]
        sums = attention.astype(np.float64) * np.maximum(named, UNNAMED)
        total = sums.sum()
        if not total > 0:
            return ()
        # A hundredth of the last digit makes up for the float32 of the sums; ten sentences at most
        # can be given, so the sum cannot pass 1 by it.
        shares = np.floor(sums / total * 10**DECIMALS + 0.01) / 10**DECIMALS
        return tuple(self._chosen(shares))

    def _chosen(self, shares: NDArray[np.float64]) -> Iterator[Evidence]:
        order = sorted(range(len(shares)), key=lambda index: (-shares[index], index))
        for rank, index in enumerate(order):
            if rank and shares[index] < LEAST_SHARE:
                return
            start, end = self.sentences[index]
            yield Evidence(start, end, float(shares[index]))
