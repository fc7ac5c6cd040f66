"""A pretraining run on disk: vocabulary, checkpoint, course, finished encoder."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from novelink.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

    from novelink.training.pretrain import PretrainSettings

_STATE = "state.pt"


class PretrainFolder:
    """The folder of one run.

    .. code-block:: text

        tokenizer.json   the vocabulary, fixed by the first call
        tokens/          the texts as ids, see :class:`~novelink.training.token_stream.TokenStream`
        checkpoint/      weights, optimiser and position, to go on from
        log.jsonl        the course
        encoder/         the encoder in float16 with its tokenizer, ready for use

    Args:
        settings: of the run; its ``output`` is made.
    """

    def __init__(self, settings: PretrainSettings) -> None:
        self.settings = settings
        self.path = Path(settings.output)
        self.path.mkdir(parents=True, exist_ok=True)
        self.tokens = self.path / "tokens"

    @property
    def vocabulary(self) -> Path | None:
        """The ``tokenizer.json`` that counts: the one kept here before the one of the settings."""
        kept = self.path / "tokenizer.json"
        if kept.exists():
            return kept
        return None if self.settings.vocabulary is None else Path(self.settings.vocabulary)

    def keep_vocabulary(self, tokenizer: Tokenizer) -> None:
        """Keep it for later calls, whose settings may name another."""
        tokenizer.save(str(self.path / "tokenizer.json"))

    def record(self, tokens: int, **values: Any) -> None:
        """Add a line to the course."""
        line = json.dumps({"tokens": tokens, "time": round(time.time()), **values})
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(line + "\n")

    def save(self, model: PreTrainedModel, optimizer: torch.optim.Optimizer, step: int) -> None:
        """Write the checkpoint beside the old one, then swap: a kill in between loses nothing."""
        folder, fresh, old = (self.path / f"checkpoint{end}" for end in ("", ".new", ".old"))
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "step": step,
            "settings": self._fixed(),
        }
        torch.save(state, fresh / _STATE)
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)

    def load(self, model: PreTrainedModel, optimizer: torch.optim.Optimizer) -> int | None:
        """Give model and optimiser the checkpoint's state.

        Returns:
            Its number of steps; None where there is no checkpoint.

        Raises:
            SettingsError: its chunks or batches are others.
            ModelError: it cannot be read.
        """
        places = (self.path / name / _STATE for name in ("checkpoint", "checkpoint.old"))
        path = next((place for place in places if place.exists()), None)
        if path is None:
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            settings, step = state["settings"], int(state["step"])
        except Exception as error:  # torch raises many kinds for a broken file
            raise ModelError(
                "the checkpoint cannot be read",
                source=str(path),
                remedy="Delete its folder to begin anew",
            ) from error
        if settings != self._fixed():
            raise SettingsError(
                f"the checkpoint in {self.path} was made with {settings}",
                remedy="Use the same batch size and length, or another --output",
            )
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return step

    def export(self, model: PreTrainedModel, tokenizer: Tokenizer, tokens: int) -> None:
        """Write the encoder in float16, with how it was made and without anybody's paths."""
        target, fresh = self.path / "encoder", self.path / "encoder.new"
        shutil.rmtree(fresh, ignore_errors=True)
        halves = {name: value.half() for name, value in model.bert.state_dict().items()}
        model.bert.save_pretrained(fresh, state_dict=halves)
        tokenizer.save(str(fresh / "tokenizer.json"))
        notes = {"tokens_seen": tokens, **asdict(self.settings)}
        notes["texts"] = [Path(text).name for text in self.settings.texts]
        for key in ("encoder", "output", "vocabulary"):
            notes[key] = Path(notes[key]).name if notes[key] else None
        text = json.dumps(notes, indent=2) + "\n"
        (fresh / "pretraining.json").write_text(text, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

    def _fixed(self) -> dict[str, int]:
        """What must not change between calls."""
        return {"batch_size": self.settings.batch_size, "length": self.settings.length}
