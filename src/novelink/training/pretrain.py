"""Masked-language training of an encoder on raw text (Devlin et al. 2019, whole words masked).

One pass needs only text files and a starting encoder; it resumes exactly, so it
can be given an hour at a time. The rate warms up, stays, and falls to zero over
the last tokens of the budget; raising the budget later goes on at the full rate.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from novelink.errors import ModelError, SettingsError
from novelink.training.masked_model import MaskedLanguageModel, parameter_groups, starting_point
from novelink.training.masking import WordMasker
from novelink.training.optimizer import adamw
from novelink.training.precision import autocast, denormals_flushed, prepare_cpu, use_bf16
from novelink.training.pretrain_folder import PretrainFolder
from novelink.training.token_stream import TokenStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

_HELD_OUT_CHUNKS = 512
_SAID_EVERY = 30  # seconds between two lines of the course


@dataclass(frozen=True)
class PretrainSettings:
    """What a pretraining run is made of.

    Attributes:
        texts: files with one document a line (plain, xz, gz or bz2).
        encoder: starting point, a hub name, a folder, or ``embedded``.
        output: folder for checkpoints, log and the finished encoder.
        vocabulary: a ``tokenizer.json`` to move the encoder to first.
        tokens: budget in tokens, over all resumed runs.
        length: tokens of a chunk.
        batch_size: chunks of a step.
        rate: highest learning rate.
        warmup_tokens: tokens over which the rate rises.
        decay_tokens: tokens at the end of the budget over which it falls to 0.
        mask_share: share of words whose tokens are to be guessed.
        weight_decay: of AdamW.
        seed: of masks and order.
        threads: of the CPU; None leaves torch's choice.
        precision: ``auto``, ``fp32`` or ``bf16``.
        compiled: let torch compile the encoder (a minute at the start, about a
            fifth faster after it; needs a C++ compiler).
        checkpoint_minutes: time between checkpoints.
    """

    texts: tuple[str, ...]
    encoder: str
    output: str
    vocabulary: str | None = None
    tokens: int = 1_000_000_000
    length: int = 128
    batch_size: int = 64
    rate: float = 5e-4
    warmup_tokens: int = 500_000
    decay_tokens: int = 2_000_000
    mask_share: float = 0.2
    weight_decay: float = 0.01
    seed: int = 1
    threads: int | None = None
    precision: str = "auto"
    compiled: bool = False
    checkpoint_minutes: float = 10.0

    def rate_at(self, tokens: int) -> float:
        """Learning rate after so many tokens."""
        rising = min(1.0, (tokens + 1) / max(1, self.warmup_tokens))
        falling = min(1.0, max(0.0, (self.tokens - tokens) / max(1, self.decay_tokens)))
        return self.rate * min(rising, falling)


@denormals_flushed()
def pretrain(settings: PretrainSettings, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Train until the budget is used; go on from the last checkpoint where there is one.

    SIGTERM and SIGINT write a checkpoint and the encoder before the run ends.

    Args:
        settings: see :class:`PretrainSettings`.
        log: takes one line of progress at a time.

    Returns:
        ``tokens``, ``loss`` (mean cross-entropy in nats), ``held_out_loss``,
        ``held_out_accuracy`` (0–1), ``tokens_per_second`` of this run, and
        ``stopped_by``: ``"SIGINT"``, ``"SIGTERM"`` or None. ``output/encoder``
        holds the encoder in float16 with its tokenizer, ``output/log.jsonl``
        the course.

    Raises:
        ModelError: the starting encoder cannot be loaded, or diverged.
    """
    prepare_cpu(settings.threads)
    torch.manual_seed(settings.seed)
    folder = PretrainFolder(settings)
    model, tokenizer = starting_point(settings.encoder, folder.vocabulary)
    folder.keep_vocabulary(tokenizer)
    return _Run(settings, folder, model, tokenizer, log).run()


class _Run:
    """The state of one run: model, optimiser, data and position."""

    def __init__(
        self,
        settings: PretrainSettings,
        folder: PretrainFolder,
        model: PreTrainedModel,
        tokenizer: Tokenizer,
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.tokenizer = tokenizer
        self.log = log
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bf16 = use_bf16(settings.precision, self.device)
        files = [Path(text) for text in settings.texts]
        self.stream = TokenStream.build(files, tokenizer, folder.tokens, settings.length)
        usable = len(self.stream)
        self.held_out = min(_HELD_OUT_CHUNKS, usable // 10)
        self.steps_per_epoch = (usable - self.held_out) // settings.batch_size
        if self.steps_per_epoch < 1:
            raise SettingsError(
                f"the texts give only {usable} chunks of {settings.length} tokens",
                remedy=f"Give more text, or a batch size below {usable}",
            )
        self.model = MaskedLanguageModel(model).to(self.device)
        groups = parameter_groups(model, settings.weight_decay)
        self.optimizer = adamw(groups, self.device, lr=settings.rate, betas=(0.9, 0.98))
        done = folder.load(model, self.optimizer)
        self.step = done or 0
        if done is not None:
            self.log(f"resumed after {self.tokens:,} tokens")
        if settings.compiled:
            self.model.encoder = torch.compile(model.bert)
        self.masker = WordMasker(tokenizer, settings.mask_share)
        self.stopped_by: str | None = None
        self.order: tuple[int, NDArray[np.int64]] | None = None  # an epoch and its chunks

    @property
    def tokens(self) -> int:
        return self.step * self.settings.batch_size * self.settings.length

    def run(self) -> dict[str, Any]:
        handlers = {
            number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            return self._train()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _: object = None) -> None:
        self.stopped_by = signal.Signals(number).name

    def _train(self) -> dict[str, Any]:
        begun = saved = said = time.monotonic()
        first = self.tokens
        losses: list[float] = []
        while self.tokens < self.settings.tokens and self.stopped_by is None:
            losses.append(self._one_step())
            now = time.monotonic()
            if now - said > _SAID_EVERY:
                speed = (self.tokens - first) / (now - begun)
                self.log(
                    f"{self.tokens:,} tokens  loss {np.mean(losses):.3f}  {speed:,.0f} tokens/s"
                )
                self.folder.record(
                    self.tokens, loss=float(np.mean(losses)), tokens_per_second=round(speed)
                )
                losses, said = losses[-1:], now
            if now - saved > 60 * self.settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        loss, accuracy = self._evaluate()
        self._save()
        speed = (self.tokens - first) / (time.monotonic() - begun)
        result = {
            "loss": float(np.mean(losses)) if losses else None,
            "held_out_loss": loss,
            "held_out_accuracy": accuracy,
            "tokens_per_second": round(speed),
        }
        self.folder.record(self.tokens, **result)
        return {"tokens": self.tokens, **result, "stopped_by": self.stopped_by}

    def _batch(self, step: int) -> NDArray[np.int64]:
        epoch, position = divmod(step, self.steps_per_epoch)
        if self.order is None or self.order[0] != epoch:
            drawn = np.random.default_rng((self.settings.seed, epoch))
            # The held-out chunks are the first ones.
            chunks = drawn.permutation(len(self.stream) - self.held_out) + self.held_out
            self.order = epoch, chunks
        size = self.settings.batch_size
        return self.stream.chunks(self.order[1][position * size : (position + 1) * size])

    def _masked(self, ids: NDArray[np.int64], seed: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
        hidden, chosen = self.masker(ids, seed)
        return tuple(torch.from_numpy(array).to(self.device) for array in (hidden, chosen, ids))

    def _loss(self, tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, chosen, ids = tensors
        with autocast(bf16=self.bf16, device=self.device):
            logits = self.model(hidden, chosen)
        return nn.functional.cross_entropy(logits.float(), ids[chosen]), logits

    def _one_step(self) -> float:
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate_at(self.tokens)
        loss, _ = self._loss(self._masked(self._batch(self.step), (self.settings.seed, self.step)))
        value = float(loss.detach())
        if not np.isfinite(value):
            raise ModelError(
                f"the loss became {value} after {self.tokens:,} tokens",
                remedy="Resume with a lower --rate; the last checkpoint is intact",
            )
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return value

    @torch.no_grad()
    def _evaluate(self) -> tuple[float, float]:
        self.model.eval()
        total = correct = 0.0
        count = 0
        size = self.settings.batch_size
        for begin in range(0, self.held_out, size):
            indices = np.arange(begin, min(begin + size, self.held_out))
            tensors = self._masked(self.stream.chunks(indices), (0, begin))
            loss, logits = self._loss(tensors)
            gold = tensors[2][tensors[1]]
            total += float(loss) * len(gold)
            correct += float((logits.argmax(-1) == gold).sum())
            count += len(gold)
        return total / max(1, count), correct / max(1, count)

    def _save(self) -> None:
        self.folder.save(self.model.model, self.optimizer, self.step)
        self.folder.export(self.model.model, self.tokenizer, self.tokens)
