"""Documents → tokenised copies of whole documents with labels, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink.model.document_model import DocumentBatch, marker_coreference_labels
from novelink.model.joint_loss import TaskTensors
from novelink.pairs import candidate_pairs
from novelink.reading.entity import EntityReading
from novelink.training.labels import direction_labels, labels_of, soft_tensors
from novelink.training.samples import padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.reading.document import DocumentInput, DocumentReading
    from novelink.schema import Schema
    from novelink.training.labels import Teaching
    from novelink.training.samples import Indices
    from novelink.training.soft_labels import PairSoftLabels


@dataclass
class DocumentSamples:
    """Tokenised documents of a corpus: once each with all pairs, or once an entity with its pairs.

    Attributes:
        inputs: of documents that have pairs.
        rows_of: of each input, which pairs it answers.
        relation: labels ``[N]`` of all pairs, documents in order.
        novelty: labels ``[N]``.
        pair_type: labels ``[N]``.
        direction: labels ``[N]``: 0 the first entity acts, 1 the second.
        cut_mentions: always 0: no mention is out of sight.
        pairs_apart: pairs whose mentions never share a window.
        soft: what teachers say of the pairs, if there are any.
    """

    inputs: list[DocumentInput] = field(default_factory=list)
    rows_of: list[Indices] = field(default_factory=list)
    relation: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    novelty: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    pair_type: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    direction: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    cut_mentions: int = 0
    pairs_apart: int = 0
    soft: PairSoftLabels | None = None

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.relation)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each input, its windows padded to one length."""
        return np.array(
            [len(item.windows) * max(map(len, item.windows)) for item in self.inputs],
            dtype=np.int64,
        )

    def epoch(self, *, negatives_per_positive: float | None, seed: int, epoch: int) -> Indices:  # noqa: ARG002 (as PairSamples: here unrelated pairs cost next to nothing, all are used)
        """All inputs."""
        return np.arange(len(self.inputs))

    def rows(self, indices: Indices) -> Indices:
        """Which pairs the logits' rows of a batch belong to."""
        return np.concatenate([np.zeros(0, np.int64), *(self.rows_of[index] for index in indices)])

    def batch(self, indices: Indices, pad_id: int) -> DocumentBatch:
        """Tensors of some inputs."""
        inputs = [self.inputs[index] for index in indices]
        batch = document_batch(inputs, pad_id)
        rows = self.rows(indices)
        batch.labels = TaskTensors(
            relation=torch.from_numpy(self.relation[rows]),
            novelty=torch.from_numpy(self.novelty[rows]),
            pair_type=torch.from_numpy(self.pair_type[rows]),
            coreference=marker_coreference_labels(batch.members),
            direction=torch.from_numpy(self.direction[rows]),
        )
        batch.soft = soft_tensors(self.soft, rows)
        return batch


def document_samples(
    documents: Iterable[Document],
    reading: DocumentReading | EntityReading,
    schema: Schema,
    *,
    novelty_over: str = "all",
    teaching: Teaching | None = None,
) -> DocumentSamples:
    """Every document with its candidate pairs, read and labelled.

    Args:
        documents: with gold relations.
        reading: makes the inputs.
        schema: gives pairs and labels.
        novelty_over: as in :func:`~novelink.training.samples.pair_samples`.
        teaching: soft labels to learn from beside the gold, or in its place.

    Raises:
        DataError: a relation's type or novelty is not in the schema.
    """
    samples = DocumentSamples()
    labels: list[tuple[int, int, int]] = []
    directions: list[int] = []
    taught: list[tuple[Document, list[Pair]]] = []
    for document in documents:
        pairs = candidate_pairs(document, schema)
        if not pairs:
            continue
        for copy, rows in _copies(reading, document, pairs):
            samples.inputs.append(copy)
            samples.rows_of.append(len(labels) + np.array(rows, np.int64))
            samples.pairs_apart += copy.pairs_apart
        labels += labels_of(document, pairs, schema, novelty_over=novelty_over, teaching=teaching)
        directions += direction_labels(document, pairs, teaching)
        taught.append((document, pairs))
    table = np.array(labels, dtype=np.int64).reshape(-1, 3)
    samples.relation, samples.novelty, samples.pair_type = table.T.copy()
    samples.direction = np.array(directions, dtype=np.int64)
    samples.soft = None if teaching is None else teaching.joined(taught)
    if isinstance(reading, EntityReading):
        samples.pairs_apart //= 2  # each pair is in two copies
    return samples


def _copies(
    reading: DocumentReading | EntityReading, document: Document, pairs: Sequence[Pair]
) -> Iterator[tuple[DocumentInput, Sequence[int]]]:
    """The copies of a document that are read, and which of its pairs each answers."""
    if isinstance(reading, EntityReading):
        for one in reading.encode(document, pairs):
            yield one.copy, one.rows
    else:
        yield reading.encode(document, pairs), range(len(pairs))


def document_batch(inputs: Sequence[DocumentInput], pad_id: int) -> DocumentBatch:
    """Pad documents to common numbers of windows, tokens, markers, entities and pairs."""
    count = len(inputs)
    windows = max(len(item.windows) for item in inputs)
    length = padded(max(len(window) for item in inputs for window in item.windows))
    markers = max(1, *(len(item.markers) for item in inputs))
    entities = max(1, *(item.entities for item in inputs))
    pairs = max(1, *(len(item.pairs) for item in inputs))
    ids = np.full((count, windows, length), pad_id, dtype=np.int64)
    mask = np.zeros((count, windows, length), dtype=np.int64)
    mentions = np.zeros((count, markers), dtype=np.int64)
    members = np.zeros((count, entities, markers), dtype=np.float32)
    pair_ids = np.zeros((count, pairs, 2), dtype=np.int64)
    pair_mask = np.zeros((count, pairs), dtype=bool)
    for row, item in enumerate(inputs):
        for place, window in enumerate(item.windows):
            ids[row, place, : len(window)] = window
            mask[row, place, : len(window)] = 1
        for column, ((number, position), owners) in enumerate(item.markers.items()):
            mentions[row, column] = number * length + position
            members[row, owners, column] = 1.0
        if item.pairs:
            pair_ids[row, : len(item.pairs)] = item.pairs
        pair_mask[row, : len(item.pairs)] = True
    return DocumentBatch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(mentions),
        torch.from_numpy(members),
        torch.from_numpy(pair_ids),
        torch.from_numpy(pair_mask),
    )
