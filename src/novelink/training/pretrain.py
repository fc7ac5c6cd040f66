"""Masked-language training of an encoder on raw text (Devlin et al. 2019, whole words masked).

One pass needs only text files and a starting encoder; it resumes exactly, so it
can be given an hour at a time. The rate warms up, stays, and falls to zero over
the last tokens of the budget; raising the budget later goes on at the full rate.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from novelink.errors import ModelError, SettingsError
from novelink.model import attention
from novelink.model.encoder import encoder_name, load_tokenizer
from novelink.reading.tokens import token_id
from novelink.training.precision import autocast, denormals_flushed, prepare_cpu, use_bf16
from novelink.training.token_stream import TokenStream
from novelink.training.vocabulary import carry_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from transformers import PreTrainedModel

_REPLACED, _RANDOM = 0.8, 0.1  # shares of chosen tokens that become [MASK] / a random token
_HELD_OUT_CHUNKS = 512


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


class MaskedLanguageModel(nn.Module):
    """An encoder with BERT's prediction head, evaluated at chosen tokens only.

    The output layer costs more than the six layers below it, so scoring one
    token in five instead of all saves about half of a step.

    Args:
        model: a ``BertForMaskedLM``.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.encoder: Callable[..., Any] = model.bert

    def forward(self, ids: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Logits ``[chosen.sum(), vocabulary]`` for ids ``[batch, length]``."""
        hidden = self.encoder(ids, attention_mask=torch.ones_like(ids))[0]
        logits: torch.Tensor = self.model.cls(hidden[chosen])
        return logits


def mask_words(
    ids: NDArray[np.int64],
    continues: NDArray[np.bool_],
    special: NDArray[np.bool_],
    *,
    share: float,
    mask_id: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Choose whole words and hide them.

    Args:
        ids: ``[batch, length]``.
        continues: per vocabulary entry, whether it goes on inside a word (``##x``).
        special: per vocabulary entry, whether it is never chosen.
        share: of words to choose.
        mask_id: id of ``[MASK]``.
        generator: source of chance.

    Returns:
        Ids with chosen tokens hidden, and where they are; 80 % become
        ``[MASK]``, 10 % a random token, 10 % stay.
    """
    word = np.cumsum(~continues[ids], axis=1)
    draws = generator.random(ids.shape)
    chosen = np.take_along_axis(draws, word - 1, axis=1) < share
    chosen &= ~special[ids]
    fate = generator.random(ids.shape)
    hidden = np.where(chosen & (fate < _REPLACED), mask_id, ids)
    randomised = chosen & (fate >= _REPLACED) & (fate < _REPLACED + _RANDOM)
    return np.where(randomised, generator.integers(0, len(special), ids.shape), hidden), chosen


@denormals_flushed()
def pretrain(settings: PretrainSettings, log: Callable[[str], None] = print) -> dict[str, Any]:
    """Train until the budget is used; go on from the last checkpoint where there is one.

    SIGTERM and SIGINT write a checkpoint and the encoder before the run ends.

    Args:
        settings: see :class:`PretrainSettings`.
        log: takes one line of progress at a time.

    Returns:
        ``tokens``, ``loss``, ``held_out_loss``, ``held_out_accuracy``,
        ``tokens_per_second`` of this run. ``output/encoder`` holds the encoder
        in float16 with its tokenizer; ``output/log.jsonl`` the course.

    Raises:
        ModelError: the starting encoder cannot be loaded, or diverged.
    """
    prepare_cpu(settings.threads)
    torch.manual_seed(settings.seed)
    output = Path(settings.output)
    output.mkdir(parents=True, exist_ok=True)
    model, tokenizer = _starting_point(settings, output)
    return _Run(settings, output, model, tokenizer, log).run()


class _Run:
    """The state of one run: model, optimiser, data and position."""

    def __init__(
        self,
        settings: PretrainSettings,
        output: Path,
        model: PreTrainedModel,
        tokenizer: Tokenizer,
        log: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.output = output
        self.tokenizer = tokenizer
        self.log = log
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bf16 = use_bf16(settings.precision, self.device)
        files = [Path(text) for text in settings.texts]
        self.stream = TokenStream.build(files, tokenizer, output / "tokens", settings.length)
        usable = len(self.stream)
        self.held_out = min(_HELD_OUT_CHUNKS, usable // 10)
        self.steps_per_epoch = (usable - self.held_out) // settings.batch_size
        if self.steps_per_epoch < 1:
            raise SettingsError(
                f"the texts give only {usable} chunks of {settings.length} tokens",
                remedy=f"Give more text, or a batch size below {usable}",
            )
        self.model = MaskedLanguageModel(model).to(self.device)
        self.optimizer = torch.optim.AdamW(
            _parameter_groups(model, settings.weight_decay), lr=settings.rate, betas=(0.9, 0.98)
        )
        self.step = 0
        self._resume()
        if settings.compiled:
            self.model.encoder = torch.compile(model.bert)
        size = tokenizer.get_vocab_size()
        names = [tokenizer.id_to_token(index) or "" for index in range(size)]
        self.continues = np.array([name.startswith("##") for name in names])
        self.special = np.array([name in ("[CLS]", "[SEP]", "[PAD]") for name in names])
        self.mask_id = token_id(tokenizer, "[MASK]")
        self.stopped = False

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

    def _stop(self, *_: object) -> None:
        self.stopped = True

    def _train(self) -> dict[str, Any]:
        begun = saved = said = time.monotonic()
        first = self.tokens
        losses: list[float] = []
        while self.tokens < self.settings.tokens and not self.stopped:
            losses.append(self._one_step())
            now = time.monotonic()
            if now - said > 30:
                speed = (self.tokens - first) / (now - begun)
                self.log(
                    f"{self.tokens:,} tokens  loss {np.mean(losses):.3f}  {speed:,.0f} tokens/s"
                )
                self._record(loss=float(np.mean(losses)), tokens_per_second=round(speed))
                losses, said = losses[-1:], now
            if now - saved > 60 * self.settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        loss, accuracy = self._evaluate()
        self._save()
        speed = (self.tokens - first) / (time.monotonic() - begun)
        result = {
            "tokens": self.tokens,
            "loss": float(np.mean(losses)) if losses else None,
            "held_out_loss": loss,
            "held_out_accuracy": accuracy,
            "tokens_per_second": round(speed),
        }
        self._record(**result)
        return result

    def _batch(self, step: int) -> NDArray[np.int64]:
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.settings.seed, epoch)).permutation(
            len(self.stream) - self.held_out
        )
        size = self.settings.batch_size
        # The held-out chunks are the first ones.
        return self.stream.chunks(order[position * size : (position + 1) * size] + self.held_out)

    def _masked(self, ids: NDArray[np.int64], seed: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
        hidden, chosen = mask_words(
            ids,
            self.continues,
            self.special,
            share=self.settings.mask_share,
            mask_id=self.mask_id,
            generator=np.random.default_rng(seed),
        )
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

    def _record(self, **values: Any) -> None:
        line = json.dumps({"tokens": self.tokens, "time": round(time.time()), **values})
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    def _save(self) -> None:
        """Write the checkpoint beside the old one, then swap: a kill in between loses nothing."""
        folder, fresh = self.output / "checkpoint", self.output / "checkpoint.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        state = {
            "model": self.model.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "settings": {"batch_size": self.settings.batch_size, "length": self.settings.length},
        }
        torch.save(state, fresh / "state.pt")
        old = self.output / "checkpoint.old"
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
        self._export()

    def _export(self) -> None:
        model = self.model.model
        target, fresh = self.output / "encoder", self.output / "encoder.new"
        shutil.rmtree(fresh, ignore_errors=True)
        halves = {name: value.half() for name, value in model.bert.state_dict().items()}
        model.bert.save_pretrained(fresh, state_dict=halves)
        self.tokenizer.save(str(fresh / "tokenizer.json"))
        notes = {"tokens_seen": self.tokens, **asdict(self.settings)}
        notes["texts"] = [Path(text).name for text in self.settings.texts]
        for key in ("encoder", "output", "vocabulary"):
            notes[key] = Path(notes[key]).name if notes[key] else None
        (fresh / "pretraining.json").write_text(json.dumps(notes, indent=2) + "\n", "utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

    def _resume(self) -> None:
        for name in ("checkpoint", "checkpoint.old"):
            path = self.output / name / "state.pt"
            if path.exists():
                break
        else:
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        own = {"batch_size": self.settings.batch_size, "length": self.settings.length}
        if state["settings"] != own:
            raise SettingsError(
                f"the checkpoint in {self.output} was made with {state['settings']}",
                remedy="Use the same batch size and length, or another --output",
            )
        self.model.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        self.log(f"resumed after {self.tokens:,} tokens")


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    matrices = [value for value in model.parameters() if value.ndim > 1]
    others = [value for value in model.parameters() if value.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _starting_point(settings: PretrainSettings, output: Path) -> tuple[PreTrainedModel, Tokenizer]:
    from transformers import BertForMaskedLM

    kept = output / "tokenizer.json"
    try:
        model = BertForMaskedLM.from_pretrained(
            encoder_name(settings.encoder),
            attn_implementation=attention.register(),
            # One pass over the text cannot overfit; without dropout it learns more per token.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            use_safetensors=True,
            trust_remote_code=False,
        ).float()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot load the encoder '{settings.encoder}': {str(error).splitlines()[0]}",
            remedy="Give a BERT-style encoder by hub name or folder, with safetensors weights",
        ) from error
    tokenizer = load_tokenizer(settings.encoder)
    wanted = kept if kept.exists() else settings.vocabulary
    if wanted is not None:
        new = Tokenizer.from_file(str(wanted))
        old = model.get_input_embeddings().weight.detach().numpy()
        carried = torch.from_numpy(carry_embeddings(tokenizer, old, new))
        model.resize_token_embeddings(new.get_vocab_size())
        model.get_input_embeddings().weight.data.copy_(carried)
        model.cls.predictions.bias.data.zero_()
        model.config.pad_token_id = new.token_to_id("[PAD]")
        tokenizer = new
    tokenizer.save(str(kept))
    # Only encoders in use have dropout again: fine-tuning wants it.
    model.config.hidden_dropout_prob = 0.1
    return model, tokenizer
