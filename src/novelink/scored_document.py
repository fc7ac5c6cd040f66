"""Documents on their way through a model: pairs first, logits once they are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from novelink.runtime.readers import Block, BlockLogits

if TYPE_CHECKING:
    from novelink.document import Document
    from novelink.evidence import EvidenceReader
    from novelink.extraction_report import ExtractionReport
    from novelink.pairs import Pair
    from novelink.runtime.readers import Reader, Scoring


class ScoredDocument:
    """A document, its candidate pairs in order, and their scores once they are there.

    Args:
        document: as read.
        pairs: its N candidate pairs.

    Attributes:
        blocks: what the model read, a part of the pairs each, in order.
        scored: logits of those that are done.
        missing: pairs whose logits are still to come.
        evidence: finds a relation's sentences, where they are asked for.
    """

    def __init__(self, document: Document, pairs: list[Pair]) -> None:
        self.document = document
        self.pairs = pairs
        self.blocks: list[Block] = []
        self.scored: list[BlockLogits] = []
        self.missing = len(pairs)
        self.evidence: EvidenceReader | None = None

    def joined(self) -> BlockLogits:
        """Logits of all N pairs, ``[N, R + 1]``, ``[N, 3]`` …; there must be one at least."""
        attention = [part.attention for part in self.scored if part.attention is not None]
        direction = [part.direction for part in self.scored if part.direction is not None]
        return BlockLogits(
            np.concatenate([part.relation for part in self.scored]),
            np.concatenate([part.novelty for part in self.scored]),
            np.concatenate(attention) if attention else None,
            np.concatenate(direction) if direction else None,
        )

    def count_into(self, report: ExtractionReport) -> None:
        """Add what was read and what was left out."""
        cut_pairs = sum(block.cut_pairs for block in self.blocks)
        report.documents += 1
        report.documents_without_pairs += not self.pairs
        report.pairs += len(self.pairs)
        report.cut_pairs += cut_pairs
        report.cut_documents += bool(cut_pairs)
        report.cut_mentions += sum(block.cut_mentions for block in self.blocks)
        report.cut_tokens += sum(block.cut_tokens for block in self.blocks)
        report.pairs_apart += sum(block.pairs_apart for block in self.blocks)


class ScoringWindow:
    """Blocks of several documents that are scored together."""

    def __init__(self) -> None:
        self.tokens = 0
        self.documents = 0
        self._parts: list[tuple[ScoredDocument, Block]] = []
        self._scoring: Scoring | None = None

    def add(self, entry: ScoredDocument, block: Block) -> None:
        """Take in a block and the document it belongs to."""
        self._parts.append((entry, block))
        self.tokens += block.tokens

    def start(self, reader: Reader) -> None:
        """Begin to score what is in it."""
        self._scoring = reader.start([block for _, block in self._parts])

    def settle(self) -> None:
        """Wait for the scores and give them to their documents."""
        assert self._scoring is not None
        for (entry, block), logits in zip(self._parts, self._scoring.results(), strict=True):
            # What was read is large and done with.
            entry.blocks.append(replace(block, copies=(), whole=None, source=None, borders=()))
            entry.scored.append(logits)
            entry.missing -= block.pairs

    def cancel(self) -> None:
        """Give up what was begun; nobody wants the scores any more."""
        if self._scoring is not None:
            self._scoring.cancel()
