"""Documents → tokenised pair samples with labels, and batches of them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from novelink.model.joint_loss import IGNORED, TaskTensors
from novelink.model.pair_model import PairBatch, coreference_labels
from novelink.pairs import candidate_pairs
from novelink.training.labels import direction_labels, labels_of, soft_tensors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Indices = NDArray[np.int64]

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.reading.pair import PairReading
    from novelink.schema import Schema
    from novelink.training.labels import Teaching
    from novelink.training.soft_labels import PairSoftLabels

_STEP = 32  # inputs are padded to a multiple of this: few shapes, little padding


class Samples(Protocol):
    """What the training loop needs of a corpus, whichever way it is read.

    Attributes:
        relation: labels ``[N]`` of all pairs.
        novelty: labels ``[N]``.
        cut_mentions: marked mentions out of sight, in all.
        soft: what teachers say of all pairs, if there are any.
    """

    relation: NDArray[np.int64]
    novelty: NDArray[np.int64]
    cut_mentions: int
    soft: PairSoftLabels | None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sample."""

    def __len__(self) -> int:
        """Number of pairs, N."""

    def epoch(self, *, negatives_per_positive: float | None, seed: int, epoch: int) -> Indices:
        """Samples of one epoch."""

    def batch(self, indices: Indices, pad_id: int) -> Any:
        """Tensors of some samples."""

    def rows(self, indices: Indices) -> Indices:
        """Which pairs the logits' rows of a batch belong to."""


def _empty() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass
class PairSamples:
    """Tokenised samples of a corpus, as flat arrays: a few bytes a token.

    Attributes:
        tokens: ids of all inputs, one after the other.
        lengths: tokens of each sample ``[N]``.
        starts: token positions of start markers, one sample after the other.
        owners: whose each is, as in :class:`~novelink.reading.pair.PairInput`.
        mentions: start markers of each sample ``[N]``.
        relation: labels ``[N]`` over the schema's relation labels.
        novelty: labels ``[N]`` over its novelty labels.
        pair_type: labels ``[N]`` over its pair types.
        direction: labels ``[N]``: 0 the first entity acts, 1 the second.
        document: number of each sample's document ``[N]``.
        max_length: longest possible input.
        cut_mentions: marked mentions out of sight, in all.
        soft: what teachers say of the samples, if there are any.
    """

    tokens: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    lengths: NDArray[np.int64] = field(default_factory=_empty)
    starts: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    owners: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    mentions: NDArray[np.int64] = field(default_factory=_empty)
    relation: NDArray[np.int64] = field(default_factory=_empty)
    novelty: NDArray[np.int64] = field(default_factory=_empty)
    pair_type: NDArray[np.int64] = field(default_factory=_empty)
    direction: NDArray[np.int64] = field(default_factory=_empty)
    document: NDArray[np.int64] = field(default_factory=_empty)
    max_length: int = 512
    cut_mentions: int = 0
    soft: PairSoftLabels | None = None

    def __post_init__(self) -> None:
        self._token_ends = np.cumsum(self.lengths)
        self._mention_ends = np.cumsum(self.mentions)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.lengths)

    def epoch(self, *, negatives_per_positive: float | None, seed: int, epoch: int) -> Indices:
        """Samples of one epoch, see :func:`epoch_indices`."""
        return epoch_indices(
            self, negatives_per_positive=negatives_per_positive, seed=seed, epoch=epoch
        )

    def batch(self, indices: Indices, pad_id: int) -> PairBatch:
        """Tensors of some samples, see :func:`collate`."""
        return collate(self, indices, pad_id)

    def rows(self, indices: Indices) -> Indices:
        """Which pairs the logits' rows of a batch belong to."""
        return indices

    def ids_of(self, index: int) -> NDArray[np.int32]:
        """Token ids of a sample."""
        end = self._token_ends[index]
        return self.tokens[end - self.lengths[index] : end]

    def marks_of(self, index: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """Positions and owners of a sample's start markers."""
        end = self._mention_ends[index]
        kept = slice(end - self.mentions[index], end)
        return self.starts[kept], self.owners[kept]


def pair_samples(
    documents: Iterable[Document],
    reading: PairReading,
    schema: Schema,
    *,
    novelty_over: str = "all",
    teaching: Teaching | None = None,
) -> PairSamples:
    """Every candidate pair of every document, read and labelled.

    Args:
        documents: with gold relations.
        reading: makes the inputs.
        schema: gives pairs and labels.
        novelty_over: ``all`` labels unrelated pairs "None", ``related`` leaves
            them out of the novelty loss.
        teaching: soft labels to learn from beside the gold, or in its place.

    Raises:
        DataError: a relation's type or novelty is not in the schema.
    """
    labels: list[tuple[int, int, int]] = []
    directions: list[int] = []
    owner: list[int] = []
    taught: list[tuple[Document, list[Pair]]] = []
    blocks: list[tuple[array[int], array[int], array[int]]] = []
    lengths: list[int] = []
    mentions: list[int] = []
    cut = 0
    for number, document in enumerate(documents):
        pairs = candidate_pairs(document, schema)
        labels += labels_of(document, pairs, schema, novelty_over=novelty_over, teaching=teaching)
        directions += direction_labels(document, pairs, teaching)
        taught.append((document, pairs))
        owner += [number] * len(pairs)
        inputs = reading.encode(document, pairs)
        lengths += [len(item.ids) for item in inputs]
        mentions += [len(item.starts) for item in inputs]
        cut += sum(item.cut_mentions for item in inputs)
        blocks.append(
            (
                array("i", chain.from_iterable(item.ids for item in inputs)),
                array("i", chain.from_iterable(item.starts for item in inputs)),
                array("b", chain.from_iterable(item.owners for item in inputs)),
            )
        )
    relation, novelty, types = np.array(labels, dtype=np.int64).reshape(-1, 3).T.copy()
    return PairSamples(
        tokens=_joined([block[0] for block in blocks], np.int32),
        lengths=np.array(lengths, dtype=np.int64),
        starts=_joined([block[1] for block in blocks], np.int32),
        owners=_joined([block[2] for block in blocks], np.int8),
        mentions=np.array(mentions, dtype=np.int64),
        relation=relation,
        novelty=novelty,
        pair_type=types,
        direction=np.array(directions, dtype=np.int64),
        document=np.array(owner, dtype=np.int64),
        max_length=reading.max_length,
        cut_mentions=cut,
        soft=None if teaching is None else teaching.joined(taught),
    )


def _joined(parts: list[array[int]], kind: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(np.frombuffer(part, kind) for part in parts)])


def epoch_indices(
    samples: PairSamples, *, negatives_per_positive: float | None, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Samples of one epoch: all related pairs, and unrelated ones drawn anew.

    Where there is no gold, teachers say which pairs are related; pairs of which
    nobody says anything are left out. A pure function of seed and epoch, so
    that a resumed run sees the same.
    """
    related = samples.relation > 0
    unrelated = samples.relation == 0
    if samples.soft is not None:
        none = samples.soft.relation[:, 0]  # comparisons with NaN are false
        related |= (samples.relation == IGNORED) & (none < 0.5)
        unrelated |= (samples.relation == IGNORED) & (none >= 0.5)
    positive, negative = np.flatnonzero(related), np.flatnonzero(unrelated)
    if negatives_per_positive is not None:
        wanted = min(len(negative), round(negatives_per_positive * len(positive)))
        generator = np.random.default_rng((seed, epoch, 1))
        negative = generator.choice(negative, size=wanted, replace=False)
    return np.sort(np.concatenate([positive, negative]))


def token_batches(
    indices: NDArray[np.int64],
    lengths: NDArray[np.int64],
    *,
    batch_tokens: int,
    seed: int | None,
    epoch: int = 0,
) -> list[NDArray[np.int64]]:
    """Batches of samples of like length, each within a number of padded tokens.

    Args:
        indices: samples to batch.
        lengths: tokens of every sample of the corpus.
        batch_tokens: padded tokens of a batch; one sample is always allowed.
        seed: shuffles; None keeps ascending lengths (evaluation).
        epoch: changes the shuffle.
    """
    generator = None if seed is None else np.random.default_rng((seed, epoch, 2))
    if generator is None:
        order = indices[np.argsort(lengths[indices], kind="stable")]
    else:
        # A little noise on the lengths mixes neighbours anew each epoch.
        noisy = lengths[indices] + generator.uniform(0, _STEP, len(indices))
        order = indices[np.argsort(noisy, kind="stable")]
    batches: list[NDArray[np.int64]] = []
    begin = 0
    longest = 0
    for position, index in enumerate(order):
        longest = max(longest, padded(int(lengths[index])))
        if position > begin and longest * (position - begin + 1) > batch_tokens:
            batches.append(order[begin:position])
            begin, longest = position, padded(int(lengths[index]))
    if begin < len(order):
        batches.append(order[begin:])
    if generator is not None:
        batches = [batches[place] for place in generator.permutation(len(batches))]
    return batches


def padded(length: int) -> int:
    """The padded length of an input."""
    return -(-length // _STEP) * _STEP


def collate(samples: PairSamples, indices: NDArray[np.int64], pad_id: int) -> PairBatch:
    """Tensors of some samples, with labels."""
    lengths, marks = samples.lengths[indices], samples.mentions[indices]
    # Padding never goes beyond what the encoder has positions for.
    longest = int(lengths.max())
    length = max(longest, min(padded(longest), samples.max_length))
    mentions = max(1, int(marks.max()))
    ids = np.full((len(lengths), length), pad_id, dtype=np.int64)
    mask = np.zeros((len(lengths), length), dtype=np.int64)
    starts = np.zeros((len(lengths), mentions), dtype=np.int64)
    owners = np.zeros((len(lengths), mentions), dtype=np.int64)
    for row, index in enumerate(indices):
        ids[row, : lengths[row]] = samples.ids_of(index)
        mask[row, : lengths[row]] = 1
        starts[row, : marks[row]], owners[row, : marks[row]] = samples.marks_of(index)
    owner_tensor = torch.from_numpy(owners)
    labels = TaskTensors(
        relation=torch.from_numpy(samples.relation[indices]),
        novelty=torch.from_numpy(samples.novelty[indices]),
        pair_type=torch.from_numpy(samples.pair_type[indices]),
        coreference=coreference_labels(owner_tensor),
        direction=torch.from_numpy(samples.direction[indices]),
    )
    return PairBatch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(starts),
        owner_tensor,
        labels,
        soft_tensors(samples.soft, indices),
    )
