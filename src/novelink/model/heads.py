"""The four task heads (DUTIR-901's system, BioCreative VIII), and one for direction.

A head is dropout and one layer; softmax is part of the loss and of decoding.
"""

from __future__ import annotations

import torch
from torch import nn


class Classifier(nn.Module):
    """``P = softmax(W v + b)``: entity-pair typing, relation, and novelty.

    Args:
        width: size of the pair vector v.
        classes: number of labels.
        dropout: on v, while training.
    """

    def __init__(self, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, classes)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Logits ``[N, classes]`` for vectors ``[N, width]``."""
        logits: torch.Tensor = self.linear(self.dropout(vectors))
        return logits


class Coreference(nn.Module):
    """``P = softmax(m_i A m_j + b)`` over mention pairs, with ``A ∈ R^{h×2×h}``.

    Args:
        width: h, the size of a mention vector.
        dropout: on mention vectors, while training.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.weight = nn.Parameter(torch.empty(width, 2, width))
        self.bias = nn.Parameter(torch.zeros(2))
        nn.init.normal_(self.weight, std=1 / width)

    def forward(self, mentions: torch.Tensor) -> torch.Tensor:
        """Logits for every two mentions.

        Args:
            mentions: ``[batch, mentions, width]``.

        Returns:
            ``[batch, mentions, mentions, 2]``; entry i, j is ``m_i A m_j + b``.
        """
        mentions = self.dropout(mentions)
        batch, count, width = mentions.shape
        # m_i A for all i first: A is applied once per mention, not once per pair of mentions.
        left = mentions @ self.weight.reshape(width, 2 * width)
        left = left.reshape(batch, count * 2, width)
        logits = left @ mentions.transpose(1, 2)
        return logits.reshape(batch, count, 2, count).transpose(2, 3) + self.bias


class Direction(nn.Module):
    """Which of two entities acts on the other: ``d = g(c, x, y) − g(c, y, x)``.

    With ``g(c, x, y) = w · GELU(A c + S x + O y)``. Swapping the two entities turns
    the sign of d, whatever the weights, so the answer does not depend on which is
    called the first; c must not depend on it either.

    Args:
        context: size of c, what is known of the pair as a whole.
        width: size of an entity's vector.
        dropout: on c and the entities, while training.
    """

    def __init__(self, context: int, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.context = nn.Linear(context, width)
        self.subject = nn.Linear(width, width, bias=False)
        self.object = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, 1, bias=False)

    def roles(self, entities: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """S x and O x of entities ``[…, width]``, so that each is computed once an entity."""
        entities = self.dropout(entities)
        return self.subject(entities), self.object(entities)

    def forward(
        self,
        context: torch.Tensor,
        first: tuple[torch.Tensor, torch.Tensor],
        second: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """Logits ``[…, 2]``: the first entity acts, the second does.

        Args:
            context: ``[…, context]``.
            first: both roles of the first entity, each ``[…, width]``.
            second: likewise.
        """
        known = self.context(self.dropout(context))
        ahead = self.out(nn.functional.gelu(known + first[0] + second[1]))
        back = self.out(nn.functional.gelu(known + second[0] + first[1]))
        difference = ahead - back
        return torch.cat([difference, -difference], dim=-1)
