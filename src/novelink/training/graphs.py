"""What of a model is exported: the modules to trace, their inputs, outputs and free sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from novelink.model.document_model import DocumentModel
from novelink.model.marked_rows import can_read_rows, marked_rows
from novelink.runtime import document_model as document_runtime
from novelink.runtime import pair_model as pair_runtime
from novelink.runtime.session import DIRECTION
from novelink.training.masked_attention import attend

if TYPE_CHECKING:
    from collections.abc import Callable

    from novelink.model.pair_model import PairModel
    from novelink.training.task_model import TaskModel

    Feed = dict[str, np.ndarray[Any, Any]]


_HEADS_AT_ONCE = 2
"""More need more memory for long texts, fewer more nodes, which take time in short ones."""


@dataclass(frozen=True)
class TracedGraph:
    """A module ready for the exporter.

    Attributes:
        module: takes the inputs in order and returns the outputs in order.
        inputs: names.
        outputs: names.
        axes: name → axis → name of its free size.
        example: generator, batch size, length → random inputs.
    """

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    axes: dict[str, dict[int, str]]
    example: Callable[[np.random.Generator, int, int], Feed]


class PairGraph(nn.Module):
    """Marked copies → the logits of the two heads that answer.

    The heads read the vectors of ``[CLS]`` and of the start markers, so the
    encoder's last layer is computed for these few tokens alone, where the
    encoder is of a kind that is known to allow it.
    """

    def __init__(self, model: PairModel) -> None:
        super().__init__()
        self.model = model
        self.is_short = can_read_rows(model.encoder)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        first_starts: torch.Tensor,
        second_starts: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """``[B, L]`` each → ``[B, R + 1]``, ``[B, 3]``, and ``[B, 2]`` of direction if there."""
        if self.is_short:
            hidden, starts = self._read_rows(
                input_ids, attention_mask, (first_starts, second_starts)
            )
        else:
            hidden = self.model.hidden(input_ids, attention_mask)
            starts = first_starts, second_starts
        vectors = self.model.pair_vectors(hidden, *starts)
        # Adding nothing keeps all four inputs in the graph where v_cls alone is used.
        vectors = vectors + 0.0 * (first_starts.sum() + second_starts.sum())
        logits = self.model.relation(vectors), self.model.novelty(vectors)
        if self.model.direction is None:
            return logits
        return *logits, self.model.directions(hidden, *starts)

    def _read_rows(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        starts: tuple[torch.Tensor, torch.Tensor],
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Vectors ``[B, N, h]`` of the tokens that count, and their ``starts`` ``[B, N]``."""
        wanted = torch.maximum(*starts)
        wanted = torch.cat([torch.full_like(wanted[:, :1], 2.0), wanted[:, 1:]], 1)
        # Samples with fewer start markers get other tokens too, which belong to neither entity.
        # Two rows at least: a product of one row is another kernel, with other bits.
        count = (wanted > 0).sum(1).max().clamp(min=2)
        places = wanted.topk(count, 1).indices  # type: ignore[arg-type]  # a number while tracing
        rows = marked_rows(self.model.encoder, input_ids, attention_mask, places, attend)
        first, second = (one.gather(1, places) for one in starts)
        return rows, (first, second)


class DocumentGraph(nn.Module):
    """Documents → the logits of all their pairs, and what each attended to.

    Vectors of windows that were encoded before can be given as ``known``: so a
    long text is encoded some windows at a time, and once however many pairs
    there are.
    """

    def __init__(self, model: DocumentModel) -> None:
        super().__init__()
        self.model = model
        heads = model.encoder.config.num_attention_heads
        self.parts = heads // math.gcd(heads, _HEADS_AT_ONCE)

    def forward(  # noqa: PLR0917 (the exporter gives tensors by position)
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        known: torch.Tensor,
        mentions: torch.Tensor,
        members: torch.Tensor,
        pairs: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Score the P pairs of each of D documents.

        Args:
            input_ids: ``[D, W, L]``, the windows.
            attention_mask: ``[D, W, L]``.
            known: ``[D, K, h]``, vectors of tokens that were encoded before.
            mentions: ``[D, M]``, places of start markers among all tokens.
            members: ``[D, E, M]``, weights of an entity's mentions.
            pairs: ``[D, P, 2]``, both entities of each pair.

        Returns:
            Relation logits ``[D, P, R + 1]``, novelty logits ``[D, P, 3]``, the
            pairs' attention to tokens, and the windows' token vectors, as
            :mod:`novelink.runtime.document_model` says.
        """
        tokens = self.model.tokens(input_ids, attention_mask)
        mask = torch.cat([torch.ones_like(known[..., 0]), attention_mask.flatten(1).float()], 1)
        vectors, attention, marked = self.model.pair_vectors(
            torch.cat([known, tokens], 1), mask, mentions, members, pairs, parts=self.parts
        )
        found = self.model.relation(vectors), self.model.novelty(vectors), attention, tokens
        if self.model.direction is None:
            return found
        return *found, self.model.directions(vectors, marked, members, pairs)


def traced_graph(model: TaskModel) -> TracedGraph:
    """The graph of a model of any reading."""
    size = model.tokenizer.get_vocab_size()
    more = () if model.model.direction is None else (DIRECTION,)
    if isinstance(model.model, DocumentModel):
        return TracedGraph(
            DocumentGraph(model.model),
            document_runtime.INPUTS,
            document_runtime.OUTPUTS + more,
            {name: axes for name, axes in _DOCUMENT_AXES.items() if name != DIRECTION or more},
            lambda generator, batch, length: _document_example(
                generator, batch, length, size, model.model.encoder.config.hidden_size
            ),
        )
    axes = {name: {0: "batch", 1: "length"} for name in pair_runtime.INPUTS}
    outputs = pair_runtime.OUTPUTS + more
    axes |= {name: {0: "batch"} for name in outputs}
    return TracedGraph(
        PairGraph(model.model),
        pair_runtime.INPUTS,
        outputs,
        axes,
        lambda generator, batch, length: _pair_example(generator, batch, length, size),
    )


_DOCUMENT_AXES = {
    "input_ids": {0: "documents", 1: "windows", 2: "length"},
    "attention_mask": {0: "documents", 1: "windows", 2: "length"},
    "known": {0: "documents", 1: "known"},
    "mentions": {0: "documents", 1: "markers"},
    "members": {0: "documents", 1: "entities", 2: "markers"},
    "pairs": {0: "documents", 1: "pairs"},
    "relation": {0: "documents", 1: "pairs"},
    "novelty": {0: "documents", 1: "pairs"},
    "direction": {0: "documents", 1: "pairs"},
    "attention": {0: "documents", 1: "pairs", 2: "all_tokens"},
    "tokens": {0: "documents", 1: "tokens"},
}


def _pair_example(generator: np.random.Generator, batch: int, length: int, size: int) -> Feed:
    ids = generator.integers(0, size, (batch, length))
    mask = np.ones((batch, length), dtype=np.int64)
    mask[-1, length // 2 + 1 :] = 0  # one sample is shorter: padding must not matter
    starts = generator.random((2, batch, length)) < 0.2
    starts[:, :, 1] = True
    starts &= mask.astype(bool)
    first, second = starts.astype(np.float32)
    return dict(zip(pair_runtime.INPUTS, (ids, mask, first, second), strict=True))


def _document_example(
    generator: np.random.Generator, batch: int, length: int, size: int, hidden: int
) -> Feed:
    windows, markers = 1 + batch % 2, 3 + length // 8
    entities, pairs = 3 + length // 16, 4 + length // 4
    known = (batch - 1) * length // 2  # none for the batch of one, as for most documents
    ids = generator.integers(0, size, (batch, windows, length))
    mask = np.ones((batch, windows, length), dtype=np.int64)
    mask[-1, -1, length // 2 + 1 :] = 0
    vectors = generator.normal(size=(batch, known, hidden)).astype(np.float32)
    mentions = generator.integers(0, known + windows * length // 2, (batch, markers))
    members = np.zeros((batch, entities, markers), dtype=np.float32)
    for row in range(batch):
        # The first markers give every entity one; the rest fall where they may.
        owners = np.concatenate(
            [np.arange(entities), generator.integers(0, entities, max(0, markers - entities))]
        )[:markers]
        members[row, owners, np.arange(markers)] = 1.0
    ids_of_pairs = generator.integers(0, min(entities, markers), (batch, pairs, 2))
    values = (ids, mask, vectors, mentions, members, ids_of_pairs)
    return dict(zip(document_runtime.INPUTS, values, strict=True))
