"""Logits of a torch model over samples: what Dev is scored with while training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink.training.logits import Predictions
from novelink.training.precision import autocast
from novelink.training.samples import token_batches

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from novelink.model.document_model import DocumentModel
    from novelink.model.pair_model import PairModel
    from novelink.training.samples import Samples

_TASKS = frozenset(("relation", "novelty", "direction"))


@torch.no_grad()
def predict(
    model: PairModel | DocumentModel,
    samples: Samples,
    pad_id: int,
    *,
    batch_tokens: int,
    bf16: bool,
    device: torch.device,
    accelerator: Accelerator | None = None,
) -> Predictions:
    """Run a model over all samples; a pair that several inputs answer gets the mean of its logits.

    Args:
        model: is left in evaluation mode.
        samples: labels are not used.
        pad_id: id of ``[PAD]``.
        batch_tokens: padded tokens of a batch.
        bf16: run in bf16.
        device: where the model is.
        accelerator: shares the batches out over its processes; each gets all
            the results.
    """
    model.eval()
    widths = model.relation.linear.out_features, model.novelty.linear.out_features
    ends = 2 if model.direction is not None else 0
    # The last column counts answers.
    joined = torch.zeros((len(samples), sum(widths) + ends + 1), device=device)
    batches = token_batches(
        np.arange(len(samples.lengths)), samples.lengths, batch_tokens=batch_tokens, seed=None
    )
    world = accelerator.num_processes if accelerator else 1
    rank = accelerator.process_index if accelerator else 0
    for indices in batches[rank::world]:
        batch = samples.batch(indices, pad_id).to(device)
        with autocast(bf16=bf16, device=device):
            logits = model(batch, _TASKS)
        if logits.relation is None or logits.novelty is None:
            raise AssertionError("both heads were asked for")
        answers = [logits.relation, logits.novelty]
        if logits.direction is not None:
            answers.append(logits.direction)
        rows = torch.from_numpy(samples.rows(indices)).to(device)
        answers.append(torch.ones_like(answers[0][:, :1]))
        joined.index_add_(0, rows, torch.cat([one.float() for one in answers], dim=1))
    if accelerator is not None and world > 1:
        joined = accelerator.reduce(joined, reduction="sum")
    array: NDArray[np.float32] = (joined[:, :-1] / joined[:, -1:]).cpu().numpy()
    relation, novelty, direction = np.split(array, [widths[0], sum(widths)], axis=1)
    return Predictions(relation, novelty, direction if ends else None)
