"""The per-pair model: an encoder over marked copies, and the heads on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from novelink.errors import SettingsError
from novelink.model.heads import Classifier, Coreference, Direction
from novelink.model.joint_loss import IGNORED, TASKS, TaskTensors
from novelink.model.marked_rows import can_read_rows, marked_rows
from novelink.model.tensor_group import TensorGroup

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from novelink.schema import Schema

PAIR_VECTORS = ("cls", "cls+entities")


@dataclass
class PairBatch(TensorGroup):
    """Marked copies of one padded length.

    Attributes:
        input_ids: ``[B, L]``.
        attention_mask: ``[B, L]``, 1 for tokens, 0 for padding.
        starts: ``[B, M]`` token positions of start markers, padded with 0.
        owners: ``[B, M]`` 1 first entity, 2 second, 3 both, 0 padding.
        labels: gold labels; None when predicting.
        soft: teachers' probabilities, one row a sample; None without teachers.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    starts: torch.Tensor
    owners: torch.Tensor
    labels: TaskTensors | None = None
    soft: TaskTensors | None = None

    def rows(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Places of ``[CLS]`` and of the start markers, and which are each entity's.

        Three times ``[B, 1 + M]``, the latter two as floats. ``[CLS]`` stands in for padding.
        """
        places, owners = (
            torch.cat([torch.zeros_like(one[:, :1]), one], 1) for one in (self.starts, self.owners)
        )
        first, second = (((owners & bit) > 0).float() for bit in (1, 2))
        return places, first, second

    def start_masks(self) -> list[torch.Tensor]:
        """Where the first and the second entity's start markers are: two ``[B, L]`` floats."""
        shape = self.input_ids.shape
        masks = []
        for bit in (1, 2):
            mask = torch.zeros(shape, device=self.input_ids.device)
            has = ((self.owners & bit) > 0).float()
            masks.append(mask.scatter_add_(1, self.starts, has).clamp_(max=1.0))
        return masks


class PairModel(nn.Module):
    """Four tasks on one encoder, or five.

    Args:
        encoder: of the transformers library; its width is h.
        schema: gives the classes.
        pair_vector: what classifies the pair. ``cls`` is the paper's v_cls;
            ``cls+entities`` adds the entities' mean start-marker vectors as
            sum and product, which do not depend on the order of the two.
        dropout: on the heads' inputs.
        direction: with a head that says which entity acts.
    """

    def __init__(
        self,
        encoder: PreTrainedModel,
        schema: Schema,
        *,
        pair_vector: str = "cls",
        dropout: float = 0.1,
        direction: bool = False,
    ) -> None:
        super().__init__()
        if pair_vector not in PAIR_VECTORS:
            raise SettingsError(
                f"unknown pair vector '{pair_vector}'",
                remedy=f"Choose one of: {', '.join(PAIR_VECTORS)}",
            )
        self.encoder = encoder
        self.pair_vector = pair_vector
        hidden = encoder.config.hidden_size
        width = hidden if pair_vector == "cls" else 3 * hidden
        self.relation = Classifier(width, len(schema.relation_labels), dropout)
        self.novelty = Classifier(width, len(schema.novelty_labels), dropout)
        self.pair_type = Classifier(width, len(schema.pair_types), dropout)
        self.coreference = Coreference(hidden, dropout)
        self.direction = Direction(hidden, hidden, dropout) if direction else None

    def hidden(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Token vectors ``[B, L, h]``: ``V = PLM(x_1 … x_m)``."""
        output: torch.Tensor = self.encoder(input_ids, attention_mask=attention_mask)[0]
        return output

    def pair_vectors(
        self, hidden: torch.Tensor, first_starts: torch.Tensor, second_starts: torch.Tensor
    ) -> torch.Tensor:
        """One vector a sample, ``[B, width]``; the two entities may be swapped."""
        cls = hidden[:, 0]
        if self.pair_vector == "cls":
            return cls
        first, second = mean_starts(hidden, first_starts), mean_starts(hidden, second_starts)
        return torch.cat([cls, first + second, first * second], dim=-1)

    def directions(
        self, hidden: torch.Tensor, first_starts: torch.Tensor, second_starts: torch.Tensor
    ) -> torch.Tensor:
        """Logits ``[B, 2]`` of direction; swapping the two entities swaps them."""
        assert self.direction is not None
        first, second = (
            self.direction.roles(mean_starts(hidden, starts))
            for starts in (first_starts, second_starts)
        )
        logits: torch.Tensor = self.direction(hidden[:, 0], first, second)
        return logits

    def forward(self, batch: PairBatch, tasks: frozenset[str] | None = None) -> TaskTensors:
        """Logits of the tasks.

        Args:
            batch: marked copies.
            tasks: which heads to compute; all by default.

        Returns:
            One row a sample; coreference one row for every two mentions of a
            sample, in the order of :func:`coreference_labels`.
        """
        if can_read_rows(self.encoder):
            places, *starts = batch.rows()
            hidden = marked_rows(self.encoder, batch.input_ids, batch.attention_mask, places)
            markers = hidden[:, 1:]
        else:
            starts = batch.start_masks()
            hidden = self.hidden(batch.input_ids, batch.attention_mask)
            index = batch.starts.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
            markers = hidden.gather(1, index)
        vectors = self.pair_vectors(hidden, *starts)
        wanted = frozenset(TASKS) if tasks is None else tasks
        logits = TaskTensors()
        for task in ("relation", "novelty", "pair_type"):
            if task in wanted:
                setattr(logits, task, getattr(self, task)(vectors))
        if "coreference" in wanted:
            logits.coreference = upper_pairs(self.coreference(markers))
        if "direction" in wanted and self.direction is not None:
            logits.direction = self.directions(hidden, *starts)
        return logits


def mean_starts(hidden: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Mean ``[B, h]`` of token vectors ``[B, L, h]`` at start markers ``[B, L]``; 0 without any."""
    mask = starts.to(hidden.dtype)
    return (mask.unsqueeze(1) @ hidden).squeeze(1) / mask.sum(1, keepdim=True).clamp(min=1.0)


def upper_pairs(square: torch.Tensor) -> torch.Tensor:
    """Rows i < j of ``[B, M, M, …]``, flattened to ``[B · M(M−1)/2, …]``."""
    count = square.shape[1]
    rows, columns = torch.triu_indices(count, count, offset=1, device=square.device)
    return square[:, rows, columns].flatten(0, 1)


def coreference_labels(owners: torch.Tensor) -> torch.Tensor:
    """1 where two mentions share a concept id, 0 where not, ignored at padding.

    Args:
        owners: ``[B, M]`` as in :class:`PairBatch`.

    Returns:
        ``[B · M(M−1)/2]``.
    """
    left, right = owners.unsqueeze(2), owners.unsqueeze(1)
    labels = ((left & right) > 0).long()
    labels = labels.masked_fill((left == 0) | (right == 0), IGNORED)
    return upper_pairs(labels)
