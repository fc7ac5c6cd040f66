"""The tagger's network: encoder, shapes of words, one BIO head for each entity type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from novelink.annotate.tagger.encoding import SHAPES

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_LABELS = 3  # outside, beginning, inside
IGNORED = -100
"""Label of tokens, and of types that a corpus does not annotate: no loss."""


class TaggerModel(nn.Module):
    """Token labels for each entity type by itself.

    Args:
        encoder: BERT-like, with ``embeddings.word_embeddings``.
        types: number of entity types.
        dropout: before the heads.
    """

    def __init__(self, encoder: PreTrainedModel, types: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.types = types
        size = int(encoder.config.hidden_size)
        self.shapes = nn.Embedding(SHAPES, size)
        # At first the encoder reads as it was pretrained.
        nn.init.zeros_(self.shapes.weight)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(size, types * _LABELS)

    def forward(
        self,
        input_ids: torch.Tensor,
        shape_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Logits.

        Args:
            input_ids: int64 [batch, tokens].
            shape_ids: int64 [batch, tokens], see
                :func:`~novelink.annotate.tagger.encoding.token_shapes`.
            attention_mask: int64 [batch, tokens], 0 at padding; None where
                there is none.

        Returns:
            [batch, tokens, types × 3]: outside, beginning, inside of each type.
        """
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        words = self.encoder.get_input_embeddings()(input_ids)
        states = self.encoder(
            inputs_embeds=words + self.shapes(shape_ids), attention_mask=attention_mask
        ).last_hidden_state
        logits: torch.Tensor = self.heads(self.dropout(states))
        return logits

    def loss(
        self, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Mean cross-entropy over labelled tokens and types.

        Args:
            logits: as :meth:`forward` gives them.
            labels: int64 [batch, types, tokens], :data:`IGNORED` where nothing
                is known.
            weights: float32 [batch], of each sample.
        """
        batch, length, _ = logits.shape
        scores = logits.float().view(batch, length, self.types, _LABELS).permute(0, 3, 2, 1)
        losses = functional.cross_entropy(scores, labels, ignore_index=IGNORED, reduction="none")
        scale = weights[:, None, None] * (labels != IGNORED)
        return (losses * scale).sum() / scale.sum().clamp(min=1.0)
