"""The whole-document model: one encoding, and one query a pair that reads it.

An entity is the log-sum-exp of its start markers' vectors (ATLOP, Zhou et al.,
AAAI 2021, equation 2). A pair's query is a symmetric function of its two
entities with a grouped bilinear term (there, equation 5). In place of ATLOP's
product of attention maps the query attends to the whole text through a few
transformer layers copied from the encoder, in which the pair's own markers
carry a flag; what it attended to is the evidence. Swapping the two entities
changes nothing.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from novelink.model.heads import Classifier, Coreference, Direction
from novelink.model.joint_loss import IGNORED, TASKS, TaskTensors
from novelink.model.pair_model import upper_pairs
from novelink.model.tensor_group import TensorGroup

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from novelink.schema import Schema

_GROUPS = 12
_FAR = -1e4  # added to the scores of what must not be attended to; fits bf16 and float16
_TINY = 1e-37  # e^-85


@dataclass
class DocumentBatch(TensorGroup):
    """D documents, padded to W windows of L tokens, M start markers, E entities, P pairs.

    Attributes:
        input_ids: ``[D, W, L]``.
        attention_mask: ``[D, W, L]``, 1 for tokens.
        mentions: ``[D, M]`` places of start markers in the W · L tokens, padded with 0.
        members: ``[D, E, M]`` floats, 1 where a marker is one of the entity's.
        pairs: ``[D, P, 2]`` entity numbers, padded with 0.
        pair_mask: ``[D, P]``, true for real pairs.
        labels: gold, one row a real pair in order; None when predicting.
        soft: teachers' probabilities, rows as in ``labels``; None without teachers.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    mentions: torch.Tensor
    members: torch.Tensor
    pairs: torch.Tensor
    pair_mask: torch.Tensor
    labels: TaskTensors | None = None
    soft: TaskTensors | None = None


class PairReader(nn.Module):
    """One layer in which pair queries read the text, started from a layer of the encoder.

    Args:
        layer: a BERT layer to copy.
        dropout: on what the layer adds.
    """

    def __init__(self, layer: Any, dropout: float) -> None:
        super().__init__()
        attention = layer.attention.self
        self.heads: int = attention.num_attention_heads
        self.query = copy.deepcopy(attention.query)
        self.key = copy.deepcopy(attention.key)
        self.value = copy.deepcopy(attention.value)
        self.mixed = copy.deepcopy(layer.attention.output.dense)
        self.mixed_norm = copy.deepcopy(layer.attention.output.LayerNorm)
        self.inner = copy.deepcopy(layer.intermediate.dense)
        self.outer = copy.deepcopy(layer.output.dense)
        self.outer_norm = copy.deepcopy(layer.output.LayerNorm)
        self.dropout = nn.Dropout(dropout)
        width = self.query.out_features
        self.flag_key = nn.Parameter(torch.randn(width) * 0.02)
        self.flag_value = nn.Parameter(torch.randn(width) * 0.02)
        # The copied layer knows nothing of flags. A start of 2 lets every head look at the
        # pair's own markers about seven times as much as at other tokens from the first step.
        self.flag_bias = nn.Parameter(torch.full((self.heads, 1, 1), 2.0))

    def forward(
        self,
        queries: torch.Tensor,
        tokens: torch.Tensor,
        flags: torch.Tensor,
        bias: torch.Tensor,
        *,
        parts: int = 1,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Read.

        Args:
            queries: ``[D, P, h]``.
            tokens: ``[D, T, h]``.
            flags: ``[D, P, T]``, 1 at the pair's own start markers.
            bias: ``[D, 1, T]``, 0 at tokens and far below 0 at padding.
            parts: work on so many equal parts of the attention heads, one after
                the other; the result is the same, and only the maps of one part
                are in memory.

        Returns:
            New queries ``[D, P, h]`` and attention, mean over heads ``[D, P, T]``.
        """
        size = queries.shape[-1] // self.heads
        query, key = self.query(queries) / math.sqrt(size), self.key(tokens)
        read, attention = self._read(query, key, self.value(tokens), flags, bias, parts=parts)
        queries = self.mixed_norm(queries + self.dropout(self.mixed(read)))
        inner = nn.functional.gelu(self.inner(queries))
        queries = self.outer_norm(queries + self.dropout(self.outer(inner)))
        return queries, attention

    def _read(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        flags: torch.Tensor,
        bias: torch.Tensor,
        *,
        parts: int,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What all heads read ``[D, P, h]`` and their mean map ``[D, P, T]``."""
        documents, pairs, length = flags.shape
        size = query.shape[-1] // self.heads
        heads = self.heads // parts
        own, bias = (one.to(query.dtype).unsqueeze(1) for one in (flags, bias))
        flag_key, flag_value = (
            flag.view(self.heads, 1, size) for flag in (self.flag_key, self.flag_value)
        )
        asked, keys, values = (
            whole.reshape(documents, rows, self.heads, size).transpose(1, 2)
            for whole, rows in ((query, pairs), (key, length), (value, length))
        )
        # A flagged key is key + flag_key: the flag's part of the product is added where the flag
        # is set. What flags add to the values comes with their share of the attention.
        flagged = (asked * flag_key).sum(-1, keepdim=True) + self.flag_bias
        reads: list[torch.Tensor] = []
        shares: list[torch.Tensor] = []
        total = torch.zeros_like(flags)
        for part in range(parts):
            these = slice(part * heads, (part + 1) * heads)
            queries = asked[:, these]
            if reads:
                # Nothing is added; but whoever runs the exported graph must now be done with one
                # part before the next, and never holds the maps of several.
                queries = queries + 0.0 * (reads[-1].sum() + total.sum())
            scores = queries @ keys[:, these].transpose(-1, -2) + flagged[:, these] * own + bias
            # Autocast would send the softmax to float32; bf16 sums in float32 inside it all the
            # same. In float32 nothing changes.
            with torch.autocast(scores.device.type, enabled=False):
                maps = scores.softmax(-1)
            shares.append((maps * own).sum(-1, keepdim=True))
            reads.append(maps @ values[:, these])
            total = total + maps.sum(1)
        read = torch.cat(reads, 1) + torch.cat(shares, 1) * flag_value
        return read.transpose(1, 2).reshape(documents, pairs, -1), total / self.heads


class DocumentModel(nn.Module):
    """Four tasks on one encoding of a document, or five.

    Args:
        encoder: a BERT-style encoder of the transformers library.
        schema: gives the classes.
        layers: how many layers the pair queries read through.
        dropout: on the heads' inputs and in the reading layers.
        direction: with a head that says which entity acts.
    """

    def __init__(
        self,
        encoder: PreTrainedModel,
        schema: Schema,
        *,
        layers: int = 2,
        dropout: float = 0.1,
        direction: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        hidden = encoder.config.hidden_size
        self.groups = math.gcd(_GROUPS, hidden)
        block = hidden // self.groups
        self.left = nn.Linear(hidden, hidden)
        self.sum = nn.Linear(hidden, hidden)
        self.bilinear = nn.Linear(self.groups * block * block, hidden, bias=False)
        self.start_norm = nn.LayerNorm(hidden)
        stack = encoder.encoder.layer
        self.readers = nn.ModuleList(
            PairReader(layer, dropout) for layer in list(stack)[max(0, len(stack) - layers) :]
        )
        width = 2 * hidden
        self.relation = Classifier(width, len(schema.relation_labels), dropout)
        self.novelty = Classifier(width, len(schema.novelty_labels), dropout)
        self.pair_type = Classifier(width, len(schema.pair_types), dropout)
        self.coreference = Coreference(hidden, dropout)
        nn.init.normal_(self.bilinear.weight, std=0.02 / math.sqrt(block))
        # Last, so that the other heads start the same with and without it.
        self.direction = Direction(width, hidden, dropout) if direction else None

    def tokens(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Token vectors of all windows in a row: ``[D, W · L, h]``."""
        documents, windows, length = input_ids.shape
        # A window of padding alone has nothing to attend to; its first token is lent to it.
        mask = torch.cat([torch.ones_like(attention_mask[..., :1]), attention_mask[..., 1:]], -1)
        output: torch.Tensor = self.encoder(
            input_ids.reshape(documents * windows, length),
            attention_mask=mask.reshape(documents * windows, length),
        )[0]
        return output.reshape(documents, windows * length, -1)

    def pair_vectors(
        self,
        tokens: torch.Tensor,
        token_mask: torch.Tensor,
        mentions: torch.Tensor,
        members: torch.Tensor,
        pairs: torch.Tensor,
        *,
        parts: int = 1,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Vectors of all pairs.

        Args:
            tokens: ``[D, T, h]``.
            token_mask: ``[D, T]``, 1 for tokens, 0 for padding.
            mentions: ``[D, M]``.
            members: ``[D, E, M]``.
            pairs: ``[D, P, 2]``.
            parts: attention heads are worked on in so many parts, see
                :class:`PairReader`; it divides their number.

        Returns:
            Pair vectors ``[D, P, 2h]``, attention ``[D, P, T]`` of the last
            reading layer, mention vectors ``[D, M, h]``.
        """
        width = tokens.shape[-1]
        vectors = tokens.gather(1, mentions.unsqueeze(-1).expand(-1, -1, width))
        entities = entity_vectors(vectors, members).to(tokens.dtype)
        # What concerns one entity is computed once an entity, not once a pair.
        folded = torch.tanh(self.left(entities))
        summed = nn.functional.linear(entities, self.sum.weight)

        def of_pairs(values: torch.Tensor, side: int) -> torch.Tensor:
            index = pairs[..., side].unsqueeze(-1).expand(-1, -1, values.shape[-1])
            return values.gather(1, index)

        blocks = (*pairs.shape[:2], self.groups, width // self.groups)
        left, right = (of_pairs(folded, side).reshape(blocks) for side in (0, 1))
        outer = (left.unsqueeze(-1) * right.unsqueeze(-2)).flatten(2)
        start = of_pairs(summed, 0) + of_pairs(summed, 1) + self.sum.bias
        start = self.start_norm(start + self._symmetric(outer))
        own = (of_pairs(members, 0) + of_pairs(members, 1)).clamp(max=1.0).to(tokens.dtype)
        # documents, pairs: len() would become a constant of the exported graph
        flags = torch.zeros(
            pairs.shape[0], pairs.shape[1], tokens.shape[1], dtype=own.dtype, device=own.device
        )
        flags = flags.scatter_add(2, mentions.unsqueeze(1).expand(-1, pairs.shape[1], -1), own)
        bias = (1.0 - token_mask.to(tokens.dtype)).unsqueeze(1) * _FAR
        queries = start
        attention = flags
        for reader in self.readers:
            queries, attention = reader(queries, tokens, flags, bias, parts=parts)
        return torch.cat([queries, start], dim=-1), attention, vectors

    def directions(
        self,
        vectors: torch.Tensor,
        mentions: torch.Tensor,
        members: torch.Tensor,
        pairs: torch.Tensor,
    ) -> torch.Tensor:
        """Logits of direction; swapping the entities of a pair swaps its two.

        Args:
            vectors: of pairs ``[D, P, 2h]``.
            mentions: vectors of start markers ``[D, M, h]``.
            members: ``[D, E, M]``.
            pairs: ``[D, P, 2]``.

        Returns:
            ``[D, P, 2]``.
        """
        assert self.direction is not None
        subjects, objects = self.direction.roles(
            entity_vectors(mentions, members).to(vectors.dtype)
        )

        def roles(side: int) -> tuple[torch.Tensor, torch.Tensor]:
            index = pairs[..., side].unsqueeze(-1).expand(-1, -1, subjects.shape[-1])
            return subjects.gather(1, index), objects.gather(1, index)

        logits: torch.Tensor = self.direction(vectors, roles(0), roles(1))
        return logits

    def _symmetric(self, outer: torch.Tensor) -> torch.Tensor:
        """The bilinear term over both orders: ``W vec(x yᵀ + y xᵀ) = (W + W') vec(x yᵀ)``.

        With W' the weights of the transposed products: the answer must not
        depend on which entity comes first.
        """
        weight = self.bilinear.weight
        block = math.isqrt(weight.shape[1] // self.groups)
        square = weight.reshape(-1, self.groups, block, block)
        return nn.functional.linear(outer, (square + square.transpose(-1, -2)).flatten(1))

    def forward(self, batch: DocumentBatch, tasks: frozenset[str] | None = None) -> TaskTensors:
        """Logits of the tasks.

        Returns:
            One row a real pair, documents in order; coreference one row for
            every two start markers of a document.
        """
        tokens = self.tokens(batch.input_ids, batch.attention_mask)
        vectors, _, mentions = self.pair_vectors(
            tokens, batch.attention_mask.flatten(1), batch.mentions, batch.members, batch.pairs
        )
        real = vectors[batch.pair_mask]
        wanted = frozenset(TASKS) if tasks is None else tasks
        logits = TaskTensors()
        for task in ("relation", "novelty", "pair_type"):
            if task in wanted:
                setattr(logits, task, getattr(self, task)(real))
        if "coreference" in wanted:
            logits.coreference = upper_pairs(self.coreference(mentions))
        if "direction" in wanted and self.direction is not None:
            directions = self.directions(vectors, mentions, batch.members, batch.pairs)
            logits.direction = directions[batch.pair_mask]
        return logits


def entity_vectors(vectors: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
    """``e_j = log Σ exp(v_i)`` over each entity's markers, elementwise.

    As a product ``members · exp(v − c)``, so that memory grows with E + M and
    not with E · M. The shift c is the middle of each dimension's range over the
    markers: exact in float32 while that range is below 160, which token vectors
    behind a layer normalisation keep far from.

    Args:
        vectors: of the markers ``[D, M, h]``.
        members: ``[D, E, M]``.

    Returns:
        ``[D, E, h]`` in float32; an entity without markers is far below 0.
    """
    with torch.autocast(vectors.device.type, enabled=False):
        values = vectors.float()
        shift = (values.amax(1, keepdim=True) + values.amin(1, keepdim=True)) / 2
        total = members.float() @ (values - shift).exp()
        return total.clamp(min=_TINY).log() + shift


def marker_coreference_labels(members: torch.Tensor) -> torch.Tensor:
    """1 where two start markers are of one entity, 0 where not, ignored where of none.

    Args:
        members: ``[D, E, M]``.

    Returns:
        ``[D · M(M−1)/2]``.
    """
    shared = (members.transpose(1, 2) @ members > 0).long()
    none = members.sum(1) == 0
    labels = shared.masked_fill(none.unsqueeze(2) | none.unsqueeze(1), IGNORED)
    return upper_pairs(labels)
