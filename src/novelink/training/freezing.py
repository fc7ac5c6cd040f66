"""Which parameters a run trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from novelink.model.joint_loss import TASKS

if TYPE_CHECKING:
    from novelink.model.document_model import DocumentModel
    from novelink.model.pair_model import PairModel


def freeze_unused(model: PairModel | DocumentModel, tasks: frozenset[str]) -> None:
    """Take heads of other tasks, and the encoder's unused pooler, out of training.

    Weight decay would shrink them otherwise, and processes would exchange their
    gradients.
    """
    for task in TASKS:
        head = getattr(model, task)
        if head is not None:
            head.requires_grad_(task in tasks)
    pooler = getattr(model.encoder, "pooler", None)
    if isinstance(pooler, nn.Module):
        pooler.requires_grad_(requires_grad=False)
