"""Training a tagger on several corpora at once."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from novelink import formats
from novelink.annotate.tagger.decoding import find_mentions
from novelink.annotate.tagger.encoding import TaggerReading
from novelink.annotate.tagger.spans import softmax
from novelink.errors import SettingsError
from novelink.model.encoder import load_encoder, load_tokenizer
from novelink.schema import BIORED
from novelink.training.optimizer import adamw
from novelink.training.precision import autocast, denormals_flushed, prepare_cpu, use_bf16
from novelink.training.tagger_model import TaggerModel
from novelink.training.tagger_samples import (
    HeldOut,
    Sample,
    batches,
    collate,
    make_samples,
    read_corpus,
)
from novelink.training.tagger_scores import ALL, MentionScore, mention_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.training.tagger_settings import CorpusSettings, TaggerSettings

Answer = tuple["NDArray[np.float32]", list[tuple[int, int]]]
"""Label probabilities [tokens, types, 3] of a document and its tokens' places."""

_THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)


class TaggerTrainer:
    """One training run.

    Args:
        settings: what to train on and how.
        log: told one line at a time.

    Raises:
        SettingsError: the settings do not fit, or weights cannot be read.
        DataError: a corpus cannot be read.
        ModelError: the encoder cannot be loaded.
    """

    def __init__(self, settings: TaggerSettings, log: Callable[[str], None] = print) -> None:
        if not settings.dev:
            raise SettingsError("no documents to choose by", remedy='Set dev = "…"')
        prepare_cpu(settings.threads)
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.log = log
        self.tokenizer = load_tokenizer(settings.encoder)
        self.reading = TaggerReading(self.tokenizer, settings.max_length)
        encoder = load_encoder(settings.encoder, dropout=settings.dropout, attention_dropout=0.0)
        self.types = BIORED.entity_types
        self.model = TaggerModel(encoder, len(self.types), settings.dropout)
        if settings.weights:
            self.model.load_state_dict(_weights(settings.weights))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model.to(self.device)
        self.bf16 = use_bf16(settings.precision, self.device)
        self.dev: list[Document] = list(formats.read(settings.dev))
        self.corpora = self._read()
        self.best: tuple[float, dict[str, torch.Tensor]] = (-1.0, {})
        self.history: list[dict[str, Any]] = []

    def _read(self) -> list[tuple[CorpusSettings, list[Sample]]]:
        held_out = HeldOut(
            document
            for path in (self.settings.dev, *self.settings.held_out)
            for document in formats.read(path, lenient=True)
        )
        corpora = []
        for corpus in self.settings.sources:
            documents, report = read_corpus(corpus, held_out)
            samples = make_samples(documents, corpus, self.reading, report)
            tokens = sum(len(sample.window.ids) for sample in samples)
            self.log(
                f"{Path(corpus.path).name}: {report.documents:,} documents, {tokens:,} tokens, "
                f"{report.mentions:,} mentions, {report.inexact:,} of them not at token borders; "
                f"left out: {report.held_out:,} held-out documents, {report.skipped:,} unreadable"
            )
            corpora.append((corpus, samples))
        return corpora

    @denormals_flushed()
    def run(self) -> dict[str, MentionScore]:
        """Train; the best epoch's weights are in :attr:`model` afterwards.

        Returns:
            Scores on Dev of the best epoch, at thresholds of one half.
        """
        settings = self.settings
        generator = np.random.default_rng(settings.seed)
        plan = [list(self._epoch_batches(generator)) for _ in range(settings.epochs)]
        total = sum(len(epoch) for epoch in plan)
        optimizer = self._optimizer()
        step = 0
        scores: dict[str, MentionScore] = {}
        best_scores = scores
        for epoch, groups in enumerate(plan, 1):
            started, tokens, losses = time.monotonic(), 0, []
            self.model.train()
            for group in groups:
                rate = _rate(step, total, settings.warmup)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = parameters["highest"] * rate
                losses.append(self._step(group, optimizer))
                tokens += sum(len(sample.window.ids) for sample in group)
                step += 1
            seconds = time.monotonic() - started
            line = (
                f"epoch {epoch}/{settings.epochs}: loss {np.mean(losses):.4f}, "
                f"{tokens / seconds:,.0f} tokens/s"
            )
            if epoch % settings.dev_every == 0 or epoch == settings.epochs:
                scores = self.score(self.answers(self.dev))
                line += f", Dev F1 {100 * scores[ALL].f1:.2f}" if ALL in scores else ", Dev empty"
                value = scores[ALL].f1 if ALL in scores else 0.0
                if value > self.best[0]:
                    self._keep_best(value)
                    best_scores = scores
                self.history.append(
                    {"epoch": epoch, "loss": float(np.mean(losses)), "dev_f1": value}
                )
            self.log(line)
        if self.best[1]:
            self.model.load_state_dict(self.best[1])
        return best_scores

    def _epoch_batches(self, generator: np.random.Generator) -> list[list[Sample]]:
        chosen: list[Sample] = []
        for corpus, samples in self.corpora:
            whole, part = divmod(corpus.share, 1.0)
            chosen.extend(samples * int(whole))
            count = round(part * len(samples))
            chosen.extend(samples[index] for index in generator.permutation(len(samples))[:count])
        return list(batches(chosen, self.settings.batch_tokens, generator))

    def _optimizer(self) -> torch.optim.Optimizer:
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            rate = self.settings.rate if name.startswith("encoder.") else self.settings.head_rate
            decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        listed = [
            {"params": members, "lr": rate, "highest": rate, "weight_decay": decay}
            for (rate, decay), members in groups.items()
        ]
        return adamw(listed, self.device)

    def _step(self, group: Sequence[Sample], optimizer: torch.optim.Optimizer) -> float:
        pad = self.tokenizer.token_to_id("[PAD]") or 0
        tensors = [tensor.to(self.device) for tensor in collate(group, pad)]
        ids, mask, shapes, labels, weights = tensors
        with autocast(bf16=self.bf16, device=self.device):
            logits = self.model(ids, shapes, mask)
        loss = self.model.loss(logits, labels, weights)
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    @torch.no_grad()
    def answers(self, documents: Sequence[Document]) -> list[Answer]:
        """Label probabilities of documents, in order."""
        self.model.eval()
        results = []
        for document in documents:
            parts: list[NDArray[np.float32]] = []
            spans: list[tuple[int, int]] = []
            for window in self.reading.encode(document):
                ids = torch.tensor([window.ids], device=self.device)
                shapes = torch.tensor([window.shapes], device=self.device)
                with autocast(bf16=self.bf16, device=self.device):
                    logits = self.model(ids, shapes, torch.ones_like(ids))
                first, last = window.keep
                values = logits[0].float().cpu().numpy().reshape(-1, len(self.types), 3)
                parts.append(values[first:last])
                spans.extend(window.spans[first:last])
            empty = np.zeros((0, len(self.types), 3), dtype=np.float32)
            results.append((softmax(np.concatenate(parts)) if parts else empty, spans))
        return results

    def score(
        self, answers: Sequence[Answer], thresholds: Sequence[float] | None = None
    ) -> dict[str, MentionScore]:
        """Scores on Dev of answers for its documents."""
        limits = thresholds or [0.5] * len(self.types)
        found = [
            document.with_mentions(
                find_mentions(document, probabilities, spans, self.types, limits) if spans else ()
            )
            for document, (probabilities, spans) in zip(self.dev, answers, strict=True)
        ]
        return mention_scores(self.dev, found)

    def thresholds(self) -> tuple[dict[str, float], dict[str, MentionScore]]:
        """For each type, the least probability that does best on Dev, and the scores with them.

        Types are taken one after the other; each is chosen with those before it
        in place.
        """
        answers = self.answers(self.dev)
        limits = [0.5] * len(self.types)
        for row in range(len(self.types)):

            def value(limit: float, row: int = row) -> float:
                scores = self.score(answers, [*limits[:row], limit, *limits[row + 1 :]])
                return scores[ALL].f1 if ALL in scores else 0.0

            # Of equal values the one nearest to a half is the safest.
            limits[row] = max(_THRESHOLDS, key=lambda limit: (value(limit), -abs(limit - 0.5)))
        return dict(zip(self.types, limits, strict=True)), self.score(answers, limits)

    def _keep_best(self, value: float) -> None:
        """Remember the weights, on disk too: a run that is stopped has lost nothing."""
        weights = {
            name: tensor.detach().cpu().clone().contiguous()
            for name, tensor in self.model.state_dict().items()
        }
        self.best = (value, weights)
        folder = Path(self.settings.output + "-state")
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / "best.safetensors.part"
        save_file(weights, part)
        part.replace(folder / "best.safetensors")


def _weights(path: str) -> dict[str, torch.Tensor]:
    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise SettingsError(
            f"cannot read the weights to go on from: {error}",
            source=path,
            remedy="Give best.safetensors of an earlier run",
        ) from error
    return weights


def _rate(step: int, total: int, warmup: float) -> float:
    """Linear rise, then a cosine fall to nothing."""
    rise = max(1.0, warmup * total)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1.0, total - rise)))
