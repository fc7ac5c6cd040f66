"""A set of models whose probabilities are averaged, used like a single one.

Readings that go about a text in different ways err in different places, and what
they agree on is surer. The mean probabilities stand in for one model's, so that
the set has thresholds and a calibration of its own, fitted as those of a single
model are.

One member may be a screen: it reads every pair first, and where it finds a pair
clearly unrelated it answers alone. So a fast reading spares a slow one most of
its work.

Direction is the mean of the members that have learnt it. Evidence is not averaged:
the first member that can give it does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import tee
from typing import TYPE_CHECKING

import numpy as np

from novelink.decode import (
    DECIMALS,
    DecisionSettings,
    legal_classes,
    relation_probabilities,
    softmax,
)
from novelink.errors import ModelError, SettingsError
from novelink.runtime.batching import BATCH_TOKENS
from novelink.runtime.bundle import CONFIG
from novelink.runtime.readers import Block, BlockLogits
from novelink.scored_document import ScoredDocument
from novelink.set_extractor import SetExtractor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.extractor import Extractor
    from novelink.pairs import Pair
    from novelink.runtime.model_set import ModelSet

_LEAST = 1e-12  # of a probability: its logarithm stays a number


class AveragingExtractor(SetExtractor):
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
        screen = models.screen
        # The screen comes first, since the others read what it leaves.
        bundles = sorted(models.members, key=lambda one: screen is None or one is not screen.member)
        super().__init__(models, bundles, threads=threads, batch_tokens=batch_tokens)
        self._below = 0.0 if screen is None else screen.below
        self._own = self._settings  # of the first member alone
        try:
            self._settings = DecisionSettings.from_dict(models.decision)
        except SettingsError as error:
            source = str(models.folder / CONFIG)
            raise ModelError(error.message, source=source, remedy=error.remedy) from error
        witnesses = [super().gives_evidence]
        if screen is None:  # behind a screen they do not see every pair
            witnesses += [one.gives_evidence for one in self._others]
        self._witness = witnesses.index(True) if any(witnesses) else None
        self._guides = ["direction" in one.config.get("tasks", ()) for one in bundles]

    @property
    def tasks(self) -> frozenset[str]:
        """What the mean is of, and direction where a member has learnt it."""
        return super().tasks | ({"direction"} if any(self._guides) else frozenset())

    @property
    def gives_evidence(self) -> bool:
        """Whether a member that sees every pair reads whole documents: it gives the evidence."""
        return self._witness is not None

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
        first = super().scored(documents, evidence=evidence and self._witness == 0, pairs=pairs)
        # Members run ahead of each other by some windows of documents at most.
        leading, *copies = tee(map(self._screened, first), 1 + len(self._others))
        streams = [
            _rest(member, copy, evidence=evidence and place == self._witness)
            for place, (member, copy) in enumerate(zip(self._others, copies, strict=True), 1)
        ]
        for (entry, is_open), *others in zip(leading, *streams, strict=True):
            yield self._averaged(entry, is_open, others)

    def _screened(self, entry: ScoredDocument) -> tuple[ScoredDocument, NDArray[np.bool_]]:
        """A document as the first member read it, and which pairs the others are to read."""
        is_open = np.ones(len(entry.pairs), dtype=bool)
        if self._below and entry.pairs:
            legal = legal_classes([pair.pair_type for pair in entry.pairs], self.schema)
            shares = relation_probabilities(entry.joined().relation, legal, self._own)
            is_open = np.round(1.0 - shares[:, 0], DECIMALS) >= self._below
        return entry, is_open

    def _averaged(
        self, first: ScoredDocument, is_open: NDArray[np.bool_], others: list[ScoredDocument]
    ) -> ScoredDocument:
        found = ScoredDocument(first.document, first.pairs)
        found.missing = 0
        found.blocks = _least_seen([first, *others])
        if not found.pairs:
            return found
        own = first.joined()
        relation, novelty = (softmax(one.astype(np.float64)) for one in (own.relation, own.novelty))
        attention, found.evidence = own.attention, first.evidence
        answers = [entry.joined() for entry in others] if is_open.any() else []
        if answers:
            for mean, part in ((relation, "relation"), (novelty, "novelty")):
                rows = [softmax(getattr(one, part).astype(np.float64)) for one in answers]
                mean[is_open] = np.mean([mean[is_open], *rows], axis=0)
            if self._witness:
                found.evidence = others[self._witness - 1].evidence
                attention = answers[self._witness - 1].attention
        direction = self._directed(own, is_open, answers)
        found.scored = [BlockLogits(_logits(relation), _logits(novelty), attention, direction)]
        return found

    def _directed(
        self, own: BlockLogits, is_open: NDArray[np.bool_], answers: Sequence[BlockLogits]
    ) -> NDArray[np.float32] | None:
        """Who acts, by the mean of those who know; None where no member has learnt it.

        A pair that none of them was asked for has an even split: neither acts.
        """
        if not any(self._guides):
            return None
        total, asked = np.zeros((len(is_open), 2)), np.zeros((len(is_open), 1))
        everything = np.ones_like(is_open)
        rows = [everything, *(is_open for _ in answers)]
        # Behind a screen that leaves no pair of a document, the others have not answered.
        for knows, one, those in zip(self._guides, [own, *answers], rows, strict=False):
            if knows and one.direction is not None:
                total[those] += softmax(one.direction.astype(np.float64))
                asked[those] += 1
        return _logits(np.where(asked > 0, total / np.maximum(asked, 1), 0.5))


def _rest(
    member: Extractor,
    screened: Iterator[tuple[ScoredDocument, NDArray[np.bool_]]],
    *,
    evidence: bool,
) -> Iterator[ScoredDocument]:
    """What a member says of the pairs that were left to it, document by document."""
    left: deque[list[Pair]] = deque()

    def documents() -> Iterator[Document]:
        for entry, is_open in screened:
            left.append([entry.pairs[place] for place in np.flatnonzero(is_open)])
            yield entry.document

    # The extractor asks for a document's pairs once, before it takes the next document.
    return member.scored(documents(), evidence=evidence, pairs=lambda _: left.popleft())


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = np.log(np.maximum(probabilities, _LEAST)).astype(np.float32)
    return logits


def _least_seen(entries: Sequence[ScoredDocument]) -> list[Block]:
    """Blocks that count what some member could not see, each kind by the member it was most for."""
    cut = max(entries, key=lambda entry: sum(block.cut_pairs for block in entry.blocks)).blocks
    apart = max(sum(block.pairs_apart for block in entry.blocks) for entry in entries)
    return [replace(block, pairs_apart=0 if place else apart) for place, block in enumerate(cut)]
