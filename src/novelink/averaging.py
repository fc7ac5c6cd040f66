"""A set of models whose probabilities are averaged, used like a single one.

Readings that go about a text in different ways err in different places, and what
they agree on is surer. The mean probabilities stand in for one model's, so that
the set has thresholds and a calibration of its own, fitted as those of a single
model are.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import tee
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.decode import DecisionSettings, softmax
from novelink.errors import ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.runtime.batching import BATCH_TOKENS
from novelink.runtime.bundle import CONFIG
from novelink.runtime.readers import Block, BlockLogits
from novelink.scored_document import ScoredDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.runtime.model_set import ModelSet

_LEAST = 1e-12  # of a probability: its logarithm stays a number


class AveragingExtractor(Extractor):
    """Finds relations with the mean of a set's probabilities; made by :meth:`Extractor.load`.

    Args:
        models: an opened set that averages.
        threads: of each member in turn.
        batch_tokens: see :meth:`Extractor.load`.

    Raises:
        ModelError: the set's thresholds cannot be.
    """

    def __init__(
        self, models: ModelSet, *, threads: int | None = None, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        first, *others = models.members
        super().__init__(first, threads=threads, batch_tokens=batch_tokens)
        self._others = [
            Extractor(bundle, threads=threads, batch_tokens=batch_tokens) for bundle in others
        ]
        try:
            self._settings = DecisionSettings.from_dict(models.decision)
        except SettingsError as error:
            source = str(models.folder / CONFIG)
            raise ModelError(error.message, source=source, remedy=error.remedy) from error
        self._max_length = min(bundle.max_length for bundle in models.members)
        self._configs = [bundle.config for bundle in models.members]
        self._tasks = frozenset(("relation", "novelty") if models.novelty else ("relation",))
        self._set = replace(models, relation=(), novelty=())
        witnesses = [super().gives_evidence, *(one.gives_evidence for one in self._others)]
        self._witness = witnesses.index(True) if any(witnesses) else None

    @property
    def name(self) -> str:
        """The set's name."""
        return self._set.name

    @property
    def max_length(self) -> int:
        """Longest input in tokens that every member reads whole."""
        return self._max_length

    @property
    def tasks(self) -> frozenset[str]:
        """Relations, and novelty where the members judge it."""
        return self._tasks

    @property
    def gives_evidence(self) -> bool:
        """Whether a member reads whole documents: the evidence is that member's."""
        return self._witness is not None

    @property
    def info(self) -> dict[str, Any]:
        """The set's configuration, and each member's."""
        return {**self._set.config, "configs": self._configs}

    def scored(
        self,
        documents: Iterable[Document],
        *,
        evidence: bool = False,
        pairs: Callable[[Document], list[Pair]] | None = None,
    ) -> Iterator[ScoredDocument]:
        """Documents with their pairs and the logarithms of each one's mean probabilities.

        Args:
            documents: read as a stream.
            evidence: also keep what each pair attended to.
            pairs: gives the pairs of a document to score; all candidates by default.
        """
        # Members run ahead of each other by one window of documents at most.
        copies = tee(documents, 1 + len(self._others))
        streams = [super().scored(copies[0], evidence=evidence and self._witness == 0, pairs=pairs)]
        for place, (member, copy) in enumerate(zip(self._others, copies[1:], strict=True), 1):
            asked = evidence and place == self._witness
            streams.append(member.scored(copy, evidence=asked, pairs=pairs))
        for entries in zip(*streams, strict=True):
            yield self._averaged(entries)

    def _averaged(self, entries: Sequence[ScoredDocument]) -> ScoredDocument:
        found = ScoredDocument(entries[0].document, entries[0].pairs)
        found.missing = 0
        # A document is read once a member, and counted once.
        found.blocks = _least_seen(entries)
        if not found.pairs:
            return found
        answers = [entry.joined() for entry in entries]
        attention = None
        if self._witness is not None:
            attention = answers[self._witness].attention
            found.evidence = entries[self._witness].evidence
        relation = _mean_logits([one.relation for one in answers])
        novelty = _mean_logits([one.novelty for one in answers])
        found.scored = [BlockLogits(relation, novelty, attention, None)]
        return found


def _mean_logits(members: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    mean = np.mean([softmax(one.astype(np.float64)) for one in members], axis=0)
    logits: NDArray[np.float32] = np.log(np.maximum(mean, _LEAST)).astype(np.float32)
    return logits


def _least_seen(entries: Sequence[ScoredDocument]) -> list[Block]:
    """Blocks that count what some member could not see, each kind by the member it was most for."""
    cut = max(entries, key=lambda entry: sum(block.cut_pairs for block in entry.blocks)).blocks
    apart = max(sum(block.pairs_apart for block in entry.blocks) for entry in entries)
    return [replace(block, pairs_apart=0 if place else apart) for place, block in enumerate(cut)]
