"""A per-pair model: marked copies in, logits out.

The graph's contract (B samples of L tokens, R relation types): inputs
``input_ids`` and ``attention_mask`` int64 [B, L], ``first_starts`` and
``second_starts`` float32 [B, L] with 1 at the start markers of the pair's first
and second entity; outputs ``relation`` float32 [B, R + 1] and ``novelty``
float32 [B, 3], logits; and, of a model that was trained for it, ``direction``
float32 [B, 2]: the first entity acts, the second does.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from novelink.errors import ModelError, SettingsError
from novelink.machine import available_cores
from novelink.runtime.batching import BATCH_TOKENS, equal_length_batches
from novelink.runtime.session import DIRECTION, Session
from novelink.runtime.started import Started

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from novelink.reading.pair import PairInput
    from novelink.runtime.bundle import Bundle
    from novelink.runtime.session import Arrays

INPUTS = ("input_ids", "attention_mask", "first_starts", "second_starts")
OUTPUTS = ("relation", "novelty")
_FIRST, _SECOND = 1, 2  # bits of PairInput.owners


@dataclass(frozen=True, slots=True)
class PairLogits:
    """Logits of N samples.

    Attributes:
        relation: float32 [N, R + 1], over ``schema.relation_labels``.
        novelty: float32 [N, 3], over ``schema.novelty_labels``.
        direction: float32 [N, 2]; None of a model without it.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]
    direction: NDArray[np.float32] | None = None


class StartedPairs:
    """Samples that are being scored.

    Args:
        batches: of each batch its samples' numbers.
        started: the logits of each batch.
        widths: output → its number of logits.
    """

    def __init__(
        self, batches: list[list[int]], started: Started[Arrays], widths: dict[str, int]
    ) -> None:
        self._batches = batches
        self._started = started
        self._widths = widths

    def results(self) -> PairLogits:
        """Wait; row i belongs to sample i.

        Raises:
            ModelError: the graph fails on an input or gives NaN or infinity.
        """
        count = sum(map(len, self._batches))
        logits = {
            name: np.empty((count, width), np.float32) for name, width in self._widths.items()
        }
        for batch, rows in zip(self._batches, self._started.results(), strict=True):
            for name, values in rows.items():
                logits[name][batch] = values
        if not all(np.isfinite(values).all() for values in logits.values()):
            raise ModelError(
                "the model gave something that is not a number",
                remedy="Check it with: novelink models verify; then export it again",
            )
        return PairLogits(**logits)

    def cancel(self) -> None:
        """Begin nothing more."""
        self._started.cancel()


class PairModel:
    """Runs a per-pair model over any number of samples.

    Args:
        bundle: a checked model of reading ``"pair"``.
        threads: samples that run side by side; all available cores by default.
        batch_tokens: most tokens of one batch.

    Raises:
        ModelError: the graph cannot be opened or has other inputs or outputs.
        SettingsError: a number below 1.
    """

    def __init__(
        self, bundle: Bundle, *, threads: int | None = None, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1 or batch_tokens < 1:
            raise SettingsError("threads and batch_tokens must be 1 or more")
        self._session = Session(bundle, INPUTS, OUTPUTS)
        self._alone = bundle.graph.mixes_samples
        self._batch_tokens = batch_tokens
        self._pool = (
            ThreadPoolExecutor(self.threads, thread_name_prefix="novelink")
            if self.threads > 1
            else None
        )
        widths = {
            "relation": len(bundle.schema.relation_labels),
            "novelty": len(bundle.schema.novelty_labels),
            DIRECTION: 2,
        }
        self._widths = {name: widths[name] for name in self._session.outputs}

    def logits(self, samples: Sequence[PairInput]) -> PairLogits:
        """Score samples; row i belongs to sample i.

        The bits of a row depend on its sample alone.

        Raises:
            ModelError: the graph fails on an input or gives NaN or infinity.
        """
        return self.start(samples).results()

    def start(self, samples: Sequence[PairInput]) -> StartedPairs:
        """As :meth:`logits`, without waiting where there are several threads."""
        batches = list(
            equal_length_batches(
                [len(sample.ids) for sample in samples],
                batch_tokens=self._batch_tokens,
                alone=self._alone,
            )
        )
        jobs = [partial(self._run, [samples[index] for index in batch]) for batch in batches]
        if self._pool is None:
            started = Started(jobs)
        else:
            futures = [self._pool.submit(job) for job in jobs]
            started = Started([future.result for future in futures], futures)
        return StartedPairs(batches, started, self._widths)

    def _run(self, batch: list[PairInput]) -> Arrays:
        return self._session.run(feed(batch))


def feed(batch: Sequence[PairInput]) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """The graph's inputs for B samples of one length L: four arrays ``[B, L]``."""
    ids = np.array([sample.ids for sample in batch], np.int64)
    starts = np.zeros((2, *ids.shape), np.float32)
    for row, sample in enumerate(batch):
        for position, owner in zip(sample.starts, sample.owners, strict=True):
            if owner & _FIRST:
                starts[0, row, position] = 1.0
            if owner & _SECOND:
                starts[1, row, position] = 1.0
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "first_starts": starts[0],
        "second_starts": starts[1],
    }
