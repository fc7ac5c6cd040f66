"""Documents → labels of their pairs: what is gold, what teachers say, what nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink.document import NOT_NOVEL, NOVEL
from novelink.errors import DataError
from novelink.model.joint_loss import IGNORED, TaskTensors
from novelink.schema import NO_RELATION
from novelink.training.soft_labels import PairSoftLabels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.schema import Schema
    from novelink.training.soft_labels import SoftLabels


@dataclass(frozen=True)
class Teaching:
    """Soft labels and the documents that have nothing else.

    Attributes:
        labels: what teachers say.
        unlabelled: ids of documents without gold relations: their pairs take
            part in no loss but the soft one.
    """

    labels: SoftLabels
    unlabelled: frozenset[str] = frozenset()

    def joined(self, documents: Iterable[tuple[Document, Sequence[Pair]]]) -> PairSoftLabels:
        """Soft labels of all pairs of several documents, in order."""
        schema = self.labels.schema
        nothing = PairSoftLabels(
            np.zeros((0, len(schema.relation_labels)), np.float32),
            np.zeros((0, len(schema.novelty_labels)), np.float32),
        )
        parts = [nothing, *(self.labels.of(document, pairs) for document, pairs in documents)]
        return PairSoftLabels(
            np.concatenate([part.relation for part in parts]),
            np.concatenate([part.novelty for part in parts]),
        )


def soft_tensors(soft: PairSoftLabels | None, rows: NDArray[np.int64]) -> TaskTensors | None:
    """Soft labels of some pairs as tensors."""
    if soft is None:
        return None
    return TaskTensors(
        relation=torch.from_numpy(soft.relation[rows]),
        novelty=torch.from_numpy(soft.novelty[rows]),
    )


def labels_of(
    document: Document,
    pairs: Sequence[Pair],
    schema: Schema,
    *,
    novelty_over: str = "all",
    teaching: Teaching | None = None,
) -> list[tuple[int, int, int]]:
    """:func:`pair_labels`, with relation and novelty left open where nobody annotated them."""
    labels = pair_labels(document, pairs, schema, novelty_over=novelty_over)
    if teaching is None or document.id not in teaching.unlabelled:
        return labels
    return [(IGNORED, IGNORED, kind) for _, _, kind in labels]


def direction_labels(
    document: Document, pairs: Sequence[Pair], teaching: Teaching | None = None
) -> list[int]:
    """0 where the first entity acts on the second, 1 the other way round, else ignored."""
    if teaching is not None and document.id in teaching.unlabelled:
        return [IGNORED] * len(pairs)
    return [IGNORED if pair.subject is None else pair.ids.index(pair.subject) for pair in pairs]


def pair_labels(
    document: Document, pairs: Sequence[Pair], schema: Schema, *, novelty_over: str = "all"
) -> list[tuple[int, int, int]]:
    """Labels of pairs: relation, novelty, and pair type, each a number in the schema's order.

    Raises:
        DataError: a relation's type or novelty is not in the schema.
    """
    relation_of = {name: index for index, name in enumerate(schema.relation_labels)}
    novelty_of = {name: schema.novelty_labels.index(name) for name in (NOT_NOVEL, NOVEL)}
    type_of = {types: index for index, types in enumerate(schema.pair_types)}
    unrelated = 0 if novelty_over == "all" and schema.has_novelty else IGNORED
    labels = []
    for pair in pairs:
        if pair.relation not in relation_of:
            raise DataError(
                f"document {document.id}: relation type '{pair.relation}' is not in the schema",
                remedy=f"Types are: {', '.join(schema.relation_types)}",
            )
        if pair.relation == NO_RELATION:
            novelty = unrelated
        elif pair.novelty is None or not schema.has_novelty:
            novelty = IGNORED
        elif pair.novelty in novelty_of:
            novelty = novelty_of[pair.novelty]
        else:
            raise DataError(
                f"document {document.id}: novelty '{pair.novelty}' is neither {NOVEL} "
                f"nor {NOT_NOVEL}"
            )
        labels.append((relation_of[pair.relation], novelty, type_of[pair.pair_type]))
    return labels
