"""The readings at run time behind one interface: documents and pairs in, logits out.

A block is what is made ready, scored and joined again as a whole: up to
:data:`BLOCK_PAIRS` marked copies of one document, or one whole document with all
its pairs, read once or once an entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from novelink.errors import ModelError
from novelink.reading.document import DocumentReading
from novelink.reading.entity import EntityReading
from novelink.reading.pair import PairReading
from novelink.runtime.bundle import CONFIG
from novelink.runtime.document_model import DocumentModel
from novelink.runtime.entity_model import EntityModel
from novelink.runtime.pair_model import PairModel, StartedPairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.reading.document import DocumentInput
    from novelink.reading.pair import PairInput
    from novelink.runtime.bundle import Bundle
    from novelink.runtime.document_model import DocumentLogits
    from novelink.runtime.started import Started

BLOCK_PAIRS = 128
"""Pairs of one document that are marked and encoded at a time."""


@dataclass(frozen=True, slots=True)
class Block:
    """Pairs of one document, ready to be scored.

    Attributes:
        pairs: how many.
        tokens: tokens to be read for them.
        copies: one marked copy a pair, of per-pair reading.
        whole: the document, of the other readings.
        source: the document and its pairs, of per-entity reading.
        borders: where in the document's text the stretches begin that attention is summed
            over; empty where evidence is not wanted.
        cut_pairs: pairs for which some text is out of sight.
        cut_mentions: mentions out of sight, summed over pairs.
        cut_tokens: tokens out of sight, summed over pairs.
        pairs_apart: pairs whose mentions never share a window.
    """

    pairs: int
    tokens: int
    copies: tuple[PairInput, ...] = ()
    whole: DocumentInput | None = None
    source: tuple[Document, Sequence[Pair]] | None = None
    borders: tuple[int, ...] = ()
    cut_pairs: int = 0
    cut_mentions: int = 0
    cut_tokens: int = 0
    pairs_apart: int = 0


@dataclass(frozen=True, slots=True)
class BlockLogits:
    """Logits of a block's P pairs.

    Attributes:
        relation: float32 [P, R + 1].
        novelty: float32 [P, 3].
        attention: float32 [P, S], summed over stretches of the text, where asked for.
        direction: float32 [P, 2]: the first entity acts, the second does; None of
            a model that does not say.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]
    attention: NDArray[np.float32] | None = None
    direction: NDArray[np.float32] | None = None


class Scoring(Protocol):
    """Blocks that are being scored."""

    def results(self) -> list[BlockLogits]:
        """Wait for all."""

    def cancel(self) -> None:
        """Begin nothing more."""


class Reader(Protocol):
    """A model with its reading."""

    gives_evidence: bool
    overlaps: bool
    """Whether scoring goes on while the caller does other things."""
    threads: int

    def blocks(self, document: Document, pairs: Sequence[Pair]) -> Iterator[Block]:
        """A document's pairs in order, made ready."""

    def start(self, blocks: Sequence[Block]) -> Scoring:
        """Score blocks of any documents; a block's bits depend on itself alone.

        All or none of them have borders.
        """


@dataclass(frozen=True, slots=True)
class _Copies:
    """Blocks of so many pairs each, scored copy by copy; batches cross their borders."""

    pairs: tuple[int, ...]
    started: StartedPairs

    def results(self) -> list[BlockLogits]:
        """See :class:`Scoring`."""
        scored = self.started.results()
        results = []
        start = 0
        for count in self.pairs:
            rows = slice(start, start + count)
            direction = None if scored.direction is None else scored.direction[rows]
            results.append(
                BlockLogits(scored.relation[rows], scored.novelty[rows], direction=direction)
            )
            start = rows.stop
        return results

    def cancel(self) -> None:
        """See :class:`Scoring`."""
        self.started.cancel()


@dataclass(frozen=True, slots=True)
class _Wholes:
    """Documents, each scored as a whole."""

    started: Started[DocumentLogits]

    def results(self) -> list[BlockLogits]:
        """See :class:`Scoring`."""
        return [
            BlockLogits(scored.relation, scored.novelty, scored.attention, scored.direction)
            for scored in self.started.results()
        ]

    def cancel(self) -> None:
        """See :class:`Scoring`."""
        self.started.cancel()


class PairReader:
    """Per-pair reading: one marked copy for every pair.

    Args:
        bundle: a checked model of reading ``"pair"``.
        threads: batches scored side by side; all available cores by default.
        batch_tokens: most tokens of one batch.
    """

    gives_evidence = False

    def __init__(self, bundle: Bundle, *, threads: int | None, batch_tokens: int) -> None:
        self.reading = PairReading(bundle.tokenizer(), bundle.max_length)
        self.model = PairModel(bundle, threads=threads, batch_tokens=batch_tokens)
        self.threads = self.model.threads
        self.overlaps = self.threads > 1

    def blocks(self, document: Document, pairs: Sequence[Pair]) -> Iterator[Block]:
        """See :class:`Reader`."""
        for start in range(0, len(pairs), BLOCK_PAIRS):
            copies = self.reading.encode(document, pairs[start : start + BLOCK_PAIRS])
            yield Block(
                pairs=len(copies),
                tokens=sum(len(copy.ids) for copy in copies),
                copies=tuple(copies),
                cut_pairs=sum(bool(copy.cut_mentions or copy.cut_tokens) for copy in copies),
                cut_mentions=sum(copy.cut_mentions for copy in copies),
                cut_tokens=sum(copy.cut_tokens for copy in copies),
            )

    def start(self, blocks: Sequence[Block]) -> Scoring:
        """See :class:`Reader`."""
        copies = [copy for block in blocks for copy in block.copies]
        return _Copies(tuple(block.pairs for block in blocks), self.model.start(copies))


class DocumentReader:
    """Whole-document reading: all pairs from one encoding.

    Args:
        bundle: a checked model of reading ``"document"``.
        threads: documents scored side by side; all available cores by default.
    """

    gives_evidence = True

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        self.reading = DocumentReading(bundle.tokenizer(), bundle.schema, bundle.max_length)
        self.model = DocumentModel(bundle, threads=threads)
        self.threads = self.model.threads
        self.overlaps = self.threads > 1

    def blocks(self, document: Document, pairs: Sequence[Pair]) -> Iterator[Block]:
        """See :class:`Reader`."""
        if pairs:
            whole = self.reading.encode(document, pairs)
            yield Block(
                pairs=len(pairs),
                tokens=whole.tokens,
                whole=whole,
                pairs_apart=whole.pairs_apart,
            )

    def start(self, blocks: Sequence[Block]) -> Scoring:
        """See :class:`Reader`."""
        documents = [block.whole for block in blocks if block.whole is not None]
        segments = [
            block.whole.segments(block.borders)
            for block in blocks
            if block.whole is not None and block.borders
        ]
        return _Wholes(self.model.start(documents, segments or None))


class EntityReader:
    """Per-entity reading: all pairs of an entity from one copy, each pair from both sides.

    Args:
        bundle: a checked model of reading ``"entity"``.
        threads: copies scored side by side; all available cores by default.
    """

    gives_evidence = True

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        tokenizer, schema, length = bundle.tokenizer(), bundle.schema, bundle.max_length
        # Says what is where in the text, in windows like those of the copies.
        self._whole = DocumentReading(tokenizer, schema, length, even_windows=True)
        reading = EntityReading(tokenizer, schema, length)
        self.model = EntityModel(bundle, reading, threads=threads)
        self.threads = self.model.threads
        self.overlaps = self.threads > 1

    def blocks(self, document: Document, pairs: Sequence[Pair]) -> Iterator[Block]:
        """See :class:`Reader`."""
        if pairs:
            whole = self._whole.encode(document, pairs)
            yield Block(
                pairs=len(pairs),
                tokens=whole.tokens * whole.entities,
                whole=whole,
                source=(document, pairs),
                pairs_apart=whole.pairs_apart,
            )

    def start(self, blocks: Sequence[Block]) -> Scoring:
        """See :class:`Reader`."""
        return _Wholes(
            self.model.start(
                [block.source for block in blocks if block.source is not None],
                [block.borders for block in blocks],
            )
        )


def open_reader(bundle: Bundle, *, threads: int | None, batch_tokens: int) -> Reader:
    """The reader of a model.

    Raises:
        ModelError: the model finds entities, or reads in a way that this version
            does not know.
    """
    if bundle.reading == PairReading.kind:
        return PairReader(bundle, threads=threads, batch_tokens=batch_tokens)
    if bundle.reading == DocumentReading.kind:
        return DocumentReader(bundle, threads=threads)
    if bundle.reading == EntityReading.kind:
        return EntityReader(bundle, threads=threads)
    if bundle.reading == "tagger":
        raise ModelError(
            f"the model '{bundle.name}' finds entities and no relations",
            remedy="Choose a model of relations (novelink models list)",
        )
    raise ModelError(
        f"the model reads by '{bundle.reading}', which this version does not know",
        source=str(bundle.folder / CONFIG),
        remedy="Update novelink",
    )
