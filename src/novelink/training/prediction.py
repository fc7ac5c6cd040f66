"""Logits of a torch model over samples: what Dev is scored with while training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink.training.precision import autocast
from novelink.training.samples import token_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from novelink.model.document_model import DocumentModel
    from novelink.model.pair_model import PairModel
    from novelink.training.document_samples import DocumentSamples
    from novelink.training.samples import PairSamples

_TASKS = frozenset(("relation", "novelty"))


@dataclass(frozen=True)
class Predictions:
    """Logits of N samples.

    Attributes:
        relation: ``[N, R + 1]``.
        novelty: ``[N, 3]``.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]


@torch.no_grad()
def predict(
    model: PairModel | DocumentModel,
    samples: PairSamples | DocumentSamples,
    pad_id: int,
    *,
    batch_tokens: int,
    bf16: bool,
    device: torch.device,
) -> Predictions:
    """Run a model over all samples, in their order."""
    model.eval()
    order = np.arange(len(samples.inputs))
    relation: NDArray[np.float32] = np.zeros((0, 0), np.float32)
    novelty: NDArray[np.float32] = np.zeros((0, 0), np.float32)
    for indices in token_batches(order, samples.lengths, batch_tokens=batch_tokens, seed=None):
        batch = samples.batch(indices, pad_id).to(device)
        with autocast(bf16=bf16, device=device):
            logits = model(batch, _TASKS)
        if not relation.size:
            relation = np.zeros((len(samples), logits.relation.shape[1]), np.float32)
            novelty = np.zeros((len(samples), logits.novelty.shape[1]), np.float32)
        rows = samples.rows(indices)
        relation[rows] = logits.relation.float().cpu().numpy()
        novelty[rows] = logits.novelty.float().cpu().numpy()
    return Predictions(relation, novelty)
