"""What each epoch of a run trains on: its samples, in batches, told otherwise where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.training.augmentation import Augmentation
from novelink.training.masking import WordHider
from novelink.training.samples import token_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.model.document_model import DocumentBatch
    from novelink.model.pair_model import PairBatch
    from novelink.training.labels import Teaching
    from novelink.training.samples import Samples
    from novelink.training.task_model import TaskModel

    Batches = list[NDArray[np.int64]]


class Epochs:
    """The training corpus, epoch by epoch; every answer is a function of seed and epoch.

    Args:
        task_model: reads documents; its settings say how.
        documents: to learn from.
        samples: of the documents as they are.
        teaching: soft labels, if any; they hold for a document however it is told.
    """

    def __init__(
        self,
        task_model: TaskModel,
        documents: Sequence[Document],
        samples: Samples,
        teaching: Teaching | None = None,
    ) -> None:
        self._task_model = task_model
        self._samples = samples
        self._teaching = teaching
        settings = task_model.settings
        self._tasks, self._optim, augment = settings.tasks, settings.optim, settings.augment
        self._augmentation: Augmentation | None = None
        if augment.changes_documents:
            schema, seed = task_model.schema, self._optim.seed
            self._augmentation = Augmentation(augment, documents, schema, seed=seed)
        self._hider: WordHider | None = None
        if augment.hide_words:
            self._hider = WordHider(task_model.tokenizer, augment.hide_words)
        self._drawn: tuple[int, Samples] | None = None

    def samples(self, epoch: int) -> Samples:
        """All samples that the epoch's batches choose from."""
        if self._augmentation is None:
            return self._samples
        if self._drawn is None or self._drawn[0] != epoch:
            told = self._augmentation.of_epoch(epoch)
            self._drawn = epoch, self._task_model.samples(told, self._teaching)
        return self._drawn[1]

    def batches(self, epoch: int) -> Batches:
        """Places of samples, of all processes together."""
        return self._batches(self.samples(epoch), epoch)

    def planned(self, epoch: int) -> int:
        """About how many batches an epoch has, known without drawing its documents."""
        return len(self._batches(self._samples, epoch))

    def batch(self, epoch: int, indices: NDArray[np.int64], seed: int) -> PairBatch | DocumentBatch:
        """Tensors of some of the epoch's samples.

        Args:
            epoch: from 0.
            indices: places of samples, as :meth:`batches` gives them.
            seed: of what is hidden in this batch.
        """
        batch: PairBatch | DocumentBatch
        batch = self.samples(epoch).batch(indices, self._task_model.pad_id)
        if self._hider is not None:
            batch.input_ids = self._hider(batch.input_ids, (seed, 4))
        return batch

    def _batches(self, samples: Samples, epoch: int) -> Batches:
        chosen = samples.epoch(
            negatives_per_positive=self._tasks.negatives_per_positive,
            seed=self._optim.seed,
            epoch=epoch,
        )
        return token_batches(
            chosen,
            samples.lengths,
            batch_tokens=self._optim.batch_tokens,
            seed=self._optim.seed,
            epoch=epoch,
        )
