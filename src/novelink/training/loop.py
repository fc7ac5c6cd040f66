"""The training loop: accelerate around the joint loss, exact resume, best checkpoint by Dev.

Everything random is a function of seed, epoch and step, never of how often the
run was killed: a resumed run ends with the weights of an unbroken one.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from novelink.decode import DecisionSettings
from novelink.errors import DataError, ModelError, SettingsError
from novelink.model.joint_loss import TASKS, TaskTensors, TaskWeights, joint_loss
from novelink.training.adversarial import FastGradient
from novelink.training.precision import prepare_cpu, use_bf16
from novelink.training.prediction import predict
from novelink.training.samples import token_batches
from novelink.training.selection import Selection, choose
from novelink.training.task_model import TaskModel, build_model, save_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.training.document_samples import DocumentSamples
    from novelink.training.samples import PairSamples
    from novelink.training.settings import OptimSettings, TrainSettings


class Trainer:
    """One run.

    Args:
        settings: see :class:`~novelink.training.settings.TrainSettings`.
        train: documents to learn from.
        dev: documents that choose epoch and thresholds.
        log: takes one line of progress at a time.

    Raises:
        DataError: no training pairs.
    """

    def __init__(
        self,
        settings: TrainSettings,
        train: Sequence[Document],
        dev: Sequence[Document],
        log: Callable[[str], None] = print,
    ) -> None:
        self.settings = settings
        self.optim = settings.optim
        self.output = Path(settings.output)
        self.log = log
        prepare_cpu(self.optim.threads)
        set_seed(self.optim.seed)
        probe = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bf16 = use_bf16(self.optim.precision, probe)
        self.accelerator = Accelerator(mixed_precision="bf16" if self.bf16 else "no")
        self.task_model: TaskModel = build_model(settings)
        self.weights = TaskWeights(
            **{name: getattr(settings.tasks, name) for name in ("main", *TASKS)}
        )
        self.tasks = frozenset(task for task in TASKS if self.weights.of(task) > 0)
        self.dev = list(dev)
        self.train_samples = self._read(train, "train")
        self.dev_samples = self._read(self.dev, "dev")
        if not len(self.train_samples):
            raise DataError("the training documents give no candidate pair")
        self.steps_per_epoch = [
            math.ceil(len(self._batches(epoch)) / self.optim.accumulation)
            for epoch in range(self.optim.epochs)
        ]
        model = self.task_model.model
        optimizer = torch.optim.AdamW(_parameter_groups(model, self.optim), eps=1e-6)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.adversary = FastGradient(
            model.encoder.get_input_embeddings().weight, self.optim.fgm_epsilon
        )
        self.epoch = self.batch = self.step = 0
        self.best_value = -1.0
        self.stale = 0
        self.history: list[dict[str, Any]] = []
        self._resume()

    def _read(self, documents: Sequence[Document], name: str) -> PairSamples | DocumentSamples:
        samples = self.task_model.samples(documents)
        if samples.cut_mentions:
            self._say(
                f"{name}: {samples.cut_mentions:,} marked mentions lie outside the "
                f"{self.settings.model.max_length}-token windows of their pairs"
            )
        return samples

    def _say(self, line: str) -> None:
        if self.accelerator.is_main_process:
            self.log(line)

    def _batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """This process's batches of an epoch; every process has equally many."""
        indices = self.train_samples.epoch(
            negatives_per_positive=self.settings.tasks.negatives_per_positive,
            seed=self.optim.seed,
            epoch=epoch,
        )
        batches = token_batches(
            indices,
            self.train_samples.lengths,
            batch_tokens=self.optim.batch_tokens,
            seed=self.optim.seed,
            epoch=epoch,
        )
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        missing = -len(batches) % world
        return [*batches, *batches[:missing]][rank::world]

    def run(self) -> Selection:
        """Train to the end.

        Returns:
            Thresholds and Dev scores of the best epoch; ``output/best`` is its
            model, ``output/metrics.jsonl`` the course.

        Raises:
            ModelError: the loss is not finite, or memory is out; says what to change.
        """
        total = sum(self.steps_per_epoch)
        while self.epoch < self.optim.epochs and not self._patience_is_over():
            try:
                losses = self._one_epoch(total)
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise ModelError(
                    f"memory ran out with micro-batches of {self.optim.batch_tokens} tokens",
                    remedy=f"Use --set optim.batch_tokens={self.optim.batch_tokens // 2} "
                    f"--set optim.accumulation={self.optim.accumulation * 2}",
                ) from error
            self.epoch += 1
            self.batch = 0
            self._after_epoch(losses)
            self._save_state()
        return self._best()

    def _patience_is_over(self) -> bool:
        return self.optim.patience is not None and self.stale >= self.optim.patience

    def _one_epoch(self, total: int) -> dict[str, float]:
        self.model.train()
        batches = self._batches(self.epoch)
        sums: dict[str, float] = {}
        count = 0
        saved = said = time.monotonic()
        while self.batch < len(batches):
            group = batches[self.batch : self.batch + self.optim.accumulation]
            # Dropout too is a function of the step, so that a resumed run draws the same.
            torch.manual_seed(
                (self.optim.seed * 1_000_003 + self.step) * 64 + self.accelerator.process_index
            )
            self._set_rates(self.step / total)
            for place, indices in enumerate(group):
                values = self._micro_batch(indices, last=place == len(group) - 1, parts=len(group))
                for task, value in values.items():
                    sums[task] = sums.get(task, 0.0) + value
                count += 1
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.optim.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.batch += len(group)
            self.step += 1
            now = time.monotonic()
            if now - said > 30:
                share = (self.batch / len(batches)) * 100
                losses = "  ".join(f"{task} {value / count:.3f}" for task, value in sums.items())
                self._say(f"epoch {self.epoch + 1}  {share:.0f} %  {losses}")
                said = now
            if now - saved > 60 * self.optim.checkpoint_minutes:
                self._save_state()
                saved = time.monotonic()
        return {task: value / max(1, count) for task, value in sums.items()}

    def _micro_batch(
        self, indices: NDArray[np.int64], *, last: bool, parts: int
    ) -> dict[str, float]:
        batch = self.train_samples.batch(indices, self.task_model.pad_id).to(
            self.accelerator.device
        )
        values: dict[str, float] = {}

        def backward() -> None:
            with self.accelerator.autocast():
                logits = self.model(batch, self.tasks)
            loss, found = joint_loss(
                logits,
                batch.labels or TaskTensors(),
                self.weights,
                label_smoothing=self.settings.tasks.label_smoothing,
            )
            if not bool(torch.isfinite(loss)):
                raise ModelError(
                    f"the loss became {float(loss)} in step {self.step + 1}",
                    remedy=f"Use a lower rate (--set optim.rate={self.optim.rate / 2:g}), or "
                    "--set optim.precision=fp32",
                )
            values.update(values or found)
            self.accelerator.backward(loss / parts)

        self.adversary.note_gradient()
        # Processes exchange gradients in the last micro-batch only; with an adversarial pass,
        # both of its backward passes must take part or none.
        if last:
            backward()
            self.adversary.step(backward)
        else:
            with self.accelerator.no_sync(self.model):
                backward()
                self.adversary.step(backward)
        return values

    def _set_rates(self, done: float) -> None:
        rising = done / self.optim.warmup_share if self.optim.warmup_share > 0 else 1.0
        falling = (1.0 - done) / max(1e-9, 1.0 - self.optim.warmup_share)
        factor = min(1.0, rising, max(0.0, falling))
        for group in self.optimizer.param_groups:
            group["lr"] = group["highest"] * factor

    def _after_epoch(self, losses: dict[str, float]) -> None:
        entry: dict[str, Any] = {"epoch": self.epoch, "step": self.step, "losses": losses}
        if self.epoch >= self.optim.evaluate_from and len(self.dev_samples):
            selection = self._evaluate()
            entry["dev"] = selection.scores
            entry["decision"] = selection.decision.to_dict()
            if selection.value > self.best_value:
                self.best_value, self.stale = selection.value, 0
                self._save_best(selection)
            else:
                self.stale += 1
            figures = "  ".join(
                f"{level} {100 * values['f1']:.1f}" for level, values in selection.scores.items()
            )
            self._say(f"epoch {self.epoch} of {self.optim.epochs}: Dev F1 {figures}")
        elif not len(self.dev_samples):
            self._save_best(Selection(DecisionSettings(), {}, 0.0))
        if self.accelerator.is_main_process:
            self.output.mkdir(parents=True, exist_ok=True)
            with (self.output / "metrics.jsonl").open("a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")
        self.history.append(entry)

    def _evaluate(self) -> Selection:
        predictions = predict(
            self.accelerator.unwrap_model(self.model),
            self.dev_samples,
            self.task_model.pad_id,
            batch_tokens=self.optim.batch_tokens,
            bf16=self.bf16,
            device=self.accelerator.device,
        )
        return choose(self.dev, predictions, self.task_model.schema)

    def _save_best(self, selection: Selection) -> None:
        if not self.accelerator.is_main_process:
            return
        fresh, folder = self.output / "best.new", self.output / "best"
        shutil.rmtree(fresh, ignore_errors=True)
        save_model(self.task_model, fresh)
        notes = {
            "decision": selection.decision.to_dict(),
            "dev": selection.scores,
            "epoch": self.epoch,
        }
        (fresh / "selection.json").write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)

    def _best(self) -> Selection:
        path = self.output / "best" / "selection.json"
        if not path.exists():
            raise SettingsError(
                "no epoch was scored on Dev",
                remedy="Set optim.evaluate_from to a number within optim.epochs",
            )
        notes = json.loads(path.read_text(encoding="utf-8"))
        decision = DecisionSettings.from_dict(notes["decision"])
        level = "all" if self.task_model.schema.has_novelty else "type"
        value = notes["dev"][level]["f1"] if notes["dev"] else 0.0
        return Selection(decision, notes["dev"], value)

    def _save_state(self) -> None:
        """Write the state beside the old one, then swap: a kill at any moment loses little."""
        if not self.accelerator.is_main_process:
            return
        self.output.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.accelerator.unwrap_model(self.model).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "position": {"epoch": self.epoch, "batch": self.batch, "step": self.step},
            "best": {"value": self.best_value, "stale": self.stale},
            "settings": _fingerprint(self.settings),
        }
        fresh = self.output / "state.pt.new"
        torch.save(state, fresh)
        fresh.replace(self.output / "state.pt")

    def _resume(self) -> None:
        path = self.output / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["settings"] != _fingerprint(self.settings):
            raise SettingsError(
                f"{self.output} holds a run with other settings",
                remedy="Give another output folder, or delete this one to begin anew",
            )
        self.accelerator.unwrap_model(self.model).load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        position = state["position"]
        self.epoch, self.batch, self.step = position["epoch"], position["batch"], position["step"]
        self.best_value, self.stale = state["best"]["value"], state["best"]["stale"]
        self._say(f"resumed in epoch {self.epoch + 1} at step {self.step}")


def _fingerprint(settings: TrainSettings) -> str:
    """What must be the same for a run to go on: all settings but where and how fast it runs."""
    values = asdict(settings)
    for key in ("output", "name"):
        values.pop(key)
    for key in ("threads", "checkpoint_minutes"):
        values["optim"].pop(key)
    return json.dumps(values, sort_keys=True)


def _parameter_groups(model: torch.nn.Module, optim: OptimSettings) -> list[dict[str, Any]]:
    """Encoder and heads at their rates, matrices with weight decay and vectors without."""
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, value in model.named_parameters():
        groups.setdefault((name.startswith("encoder."), value.ndim > 1), []).append(value)
    head_rate = optim.rate if optim.head_rate is None else optim.head_rate
    return [
        {
            "params": values,
            "lr": optim.rate if in_encoder else head_rate,
            "highest": optim.rate if in_encoder else head_rate,
            "weight_decay": optim.weight_decay if is_matrix else 0.0,
        }
        for (in_encoder, is_matrix), values in groups.items()
    ]
