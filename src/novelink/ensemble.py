"""A set of models that vote, used like a single one.

Every member decides each pair by its own rule; the set joins relation types
from one group of members and novelty from another (:mod:`novelink.voting`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import tee
from typing import TYPE_CHECKING

import numpy as np

from novelink.averaging import AveragingExtractor
from novelink.decode import (
    DECIMALS,
    DecisionSettings,
    decide,
    legal_classes,
    novelty_logits,
    relation_logits,
    relations_of,
    softmax,
)
from novelink.errors import ModelError
from novelink.extractor import Extractor
from novelink.runtime.batching import BATCH_TOKENS
from novelink.runtime.model_set import AVERAGE
from novelink.set_extractor import SetExtractor
from novelink.voting import vote_triplets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.decode import Decision
    from novelink.document import Document
    from novelink.extractor import ExtractionReport, ScoredDocument
    from novelink.pairs import Pair
    from novelink.runtime.model_set import ModelSet
    from novelink.schema import PairType, Schema


@dataclass(frozen=True)
class MemberAnswer:
    """What one member says of N pairs.

    Attributes:
        relation: logits ``[N, R + 1]``.
        novelty: logits ``[N, 3]``.
        settings: the member's thresholds and temperatures.
    """

    relation: NDArray[np.floating]
    novelty: NDArray[np.floating]
    settings: DecisionSettings


def joint_decisions(
    relation: Sequence[MemberAnswer],
    novelty: Sequence[MemberAnswer],
    pair_types: Sequence[PairType],
    schema: Schema,
    *,
    method: str = "majority",
    min_score: float | None = None,
) -> list[Decision]:
    """Join members' answers about the same pairs.

    Args:
        relation: members that vote on relation types, at least one. Each votes
            for the type its own rule gives, or for none.
        novelty: members that vote on novelty.
        pair_types: entity-type pair of each pair.
        schema: says which relation types each takes.
        method: one of :data:`novelink.voting.METHODS`.
        min_score: least mean probability of a relation, in place of the vote
            on whether there is one.
    """
    if not len(pair_types):
        return []
    labels = schema.relation_labels
    votes = []
    for member in relation:
        decided = decide(member.relation, None, pair_types, schema, member.settings)
        votes.append([labels.index(one.type) if one.related else 0 for one in decided])
    joined = vote_triplets(
        [softmax(relation_logits(one.relation, one.settings)) for one in relation],
        [softmax(novelty_logits(one.novelty, one.settings)) for one in novelty]
        if schema.has_novelty
        else (),
        method=method,
        legal=legal_classes(pair_types, schema),
        relation_labels=[np.array(row) for row in votes],
    )
    return [_rounded(decision, min_score) for decision in joined.decisions(schema)]


def _rounded(decision: Decision, min_score: float | None) -> Decision:
    score = round(decision.score, DECIMALS)
    sure = decision.novelty_score
    return replace(
        decision,
        score=score,
        novelty_score=None if sure is None else round(sure, DECIMALS),
        related=decision.related if min_score is None else score >= min_score,
    )


def set_extractor(
    models: ModelSet, *, threads: int | None = None, batch_tokens: int = BATCH_TOKENS
) -> Extractor:
    """The extractor of a set: one that lets its members vote, or that takes their mean."""
    kind = AveragingExtractor if models.voting == AVERAGE else EnsembleExtractor
    return kind(models, threads=threads, batch_tokens=batch_tokens)


class EnsembleExtractor(SetExtractor):
    """Finds relations with a set of models; made by :meth:`Extractor.load`.

    Args:
        models: an opened set.
        threads: of each member in turn.
        batch_tokens: see :meth:`Extractor.load`.
    """

    def __init__(
        self, models: ModelSet, *, threads: int | None = None, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        members = models.members
        super().__init__(models, members, threads=threads, batch_tokens=batch_tokens)
        self._members: list[Extractor] = [self, *self._others]
        places = {bundle.folder: place for place, bundle in enumerate(members)}
        self._relation = [places[bundle.folder] for bundle in models.relation]
        self._novelty = [places[bundle.folder] for bundle in models.novelty]

    @property
    def gives_evidence(self) -> bool:
        """A set gives none: its members need not agree on why."""
        return False

    def scored(
        self,
        documents: Iterable[Document],  # noqa: ARG002 (there are no scores before the vote)
        *,
        evidence: bool = False,  # noqa: ARG002 (as above)
        pairs: Callable[[Document], list[Pair]] | None = None,  # noqa: ARG002 (as above)
    ) -> Iterator[ScoredDocument]:
        """Not of a set that votes.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"'{self.name}' is a set of models that vote, and has no probabilities of its own",
            remedy="Name its members one by one, or join them with --voting average",
        )

    def _extract(
        self,
        documents: Iterable[Document],
        settings: DecisionSettings,
        report: ExtractionReport,
        *,
        evidence: bool,  # noqa: ARG002 (gives_evidence says that there is none)
    ) -> Iterator[Document]:
        min_score = None if settings is self._settings else settings.threshold
        # Members run ahead of each other by one window of documents at most.
        copies = tee(documents, len(self._members))
        # The set itself stands in for its first member, which its own `scored` does not.
        streams = [
            Extractor.scored(member, copy)
            for member, copy in zip(self._members, copies, strict=True)
        ]
        for entries in zip(*streams, strict=True):
            yield self._joined(entries, report, min_score)

    def _joined(
        self,
        entries: tuple[ScoredDocument, ...],
        report: ExtractionReport,
        min_score: float | None,
    ) -> Document:
        entry = entries[0]
        entry.count_into(report)
        if not entry.pairs:
            return entry.document.with_relations(())
        answers = [
            MemberAnswer(logits.relation, logits.novelty, member.settings)
            for member, logits in zip(self._members, (one.joined() for one in entries), strict=True)
        ]
        decisions = joint_decisions(
            [answers[place] for place in self._relation],
            [answers[place] for place in self._novelty],
            [pair.pair_type for pair in entry.pairs],
            self.schema,
            method=self._set.voting,
            min_score=min_score,
        )
        relations = relations_of(entry.pairs, decisions)
        report.relations += len(relations)
        return entry.document.with_relations(relations)
