"""Corpora → windows with labels, batched by length."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink import formats
from novelink.annotate.lexicon.names import squash
from novelink.annotate.tagger.labels import token_labels
from novelink.errors import DataError
from novelink.schema import BIORED
from novelink.training.tagger_model import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.annotate.tagger.encoding import TaggerReading, Window
    from novelink.document import Document
    from novelink.training.tagger_settings import CorpusSettings

_PAD_TO = 64
"""Lengths are padded to multiples of this: few shapes let the allocator reuse memory."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A window with its labels.

    Attributes:
        window: token ids, shapes and places.
        labels: int8 [types, tokens]; -1 where nothing is known.
        weight: in the loss.
    """

    window: Window
    labels: NDArray[np.int8]
    weight: float


@dataclass
class SampleReport:
    """What a corpus gave.

    Attributes:
        documents: read and used.
        held_out: left out because they are in the held-out files.
        skipped: left out because they could not be read.
        mentions: of the corpus's types.
        inexact: mentions that token labels cannot say exactly.
    """

    documents: int = 0
    held_out: int = 0
    skipped: int = 0
    mentions: int = 0
    inexact: int = 0
    types: Counter[str] = field(default_factory=Counter)


class HeldOut:
    """Documents that must not be trained on, told by id and by title."""

    def __init__(self, documents: Iterable[Document] = ()) -> None:
        self._keys: set[str] = set()
        for document in documents:
            self._keys.update(self._of(document))

    def __contains__(self, document: Document) -> bool:
        return any(key in self._keys for key in self._of(document))

    @staticmethod
    def _of(document: Document) -> tuple[str, ...]:
        title = squash(document.passages[0].text) if document.passages else ""
        # Short titles ("Reply") are shared by different articles.
        return (document.id, title) if len(title) > 20 else (document.id,)


def read_corpus(corpus: CorpusSettings, held_out: HeldOut) -> tuple[list[Document], SampleReport]:
    """The documents of a corpus that may be trained on.

    Raises:
        DataError: the file cannot be read, or nothing is left.
    """
    schema = replace(
        BIORED,
        aliases={**BIORED.aliases, **corpus.aliases},
        relation_types=(*BIORED.relation_types, *corpus.relations),
    )
    report = SampleReport()
    reading = formats.ReadReport()
    documents = []
    for document in formats.read(corpus.path, schema=schema, lenient=True, report=reading):
        if document in held_out:
            report.held_out += 1
            continue
        report.documents += 1
        documents.append(document)
    report.skipped = reading.skipped
    if not documents:
        reason = f": {reading.reasons[0]}" if reading.reasons else ""
        raise DataError(f"no document of this corpus can be used{reason}", source=corpus.path)
    return documents, report


def make_samples(
    documents: Iterable[Document],
    corpus: CorpusSettings,
    reading: TaggerReading,
    report: SampleReport,
) -> list[Sample]:
    """Windows of documents with their labels."""
    types = BIORED.entity_types
    known = [name in corpus.types for name in types]
    samples = []
    for document in documents:
        mentions = [mention for mention in document.mentions if mention.type in corpus.types]
        report.mentions += len(mentions)
        report.types.update(mention.type for mention in mentions)
        report.inexact += token_labels(mentions, reading.spans(document), types)[1]
        for window in reading.encode(document):
            labels, _ = token_labels(mentions, window.spans, types)
            labels[~np.array(known)] = -1
            labels[:, [0, -1]] = -1
            samples.append(Sample(window, labels, corpus.weight))
    return samples


def batches(
    samples: Sequence[Sample], batch_tokens: int, generator: np.random.Generator
) -> Iterator[list[Sample]]:
    """Samples of like length together, batches in random order."""
    noise = generator.random(len(samples)) * _PAD_TO
    order = sorted(
        range(len(samples)), key=lambda index: len(samples[index].window.ids) + noise[index]
    )
    groups: list[list[Sample]] = [[]]
    for index in order:
        length = _padded(len(samples[index].window.ids))
        if groups[-1] and length * (len(groups[-1]) + 1) > batch_tokens:
            groups.append([])
        groups[-1].append(samples[index])
    for index in generator.permutation(len(groups)):
        yield groups[index]


def _padded(length: int) -> int:
    return -(-length // _PAD_TO) * _PAD_TO


def collate(batch: Sequence[Sample], pad: int) -> tuple[torch.Tensor, ...]:
    """input_ids, attention_mask, shape_ids, labels, weights of a batch."""
    length = _padded(max(len(sample.window.ids) for sample in batch))
    ids = torch.full((len(batch), length), pad, dtype=torch.int64)
    mask = torch.zeros((len(batch), length), dtype=torch.int64)
    shapes = torch.zeros((len(batch), length), dtype=torch.int64)
    labels = torch.full((len(batch), batch[0].labels.shape[0], length), IGNORED)
    for row, sample in enumerate(batch):
        size = len(sample.window.ids)
        ids[row, :size] = torch.tensor(sample.window.ids)
        mask[row, :size] = 1
        shapes[row, :size] = torch.tensor(sample.window.shapes)
        wanted = torch.from_numpy(sample.labels.astype(np.int64))
        labels[row, :, :size] = torch.where(wanted < 0, IGNORED, wanted)
    weights = torch.tensor([sample.weight for sample in batch])
    return ids, mask, shapes, labels, weights
