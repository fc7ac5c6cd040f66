"""The four task heads (DUTIR-901's system, BioCreative VIII).

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
