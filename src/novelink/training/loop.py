"""The training loop: accelerate around the joint loss, exact resume, best checkpoint by Dev.

Everything random is a function of seed, epoch, step and micro-batch, never of
how often the run was killed: a resumed run ends with the weights of an unbroken
one. Several processes share out the micro-batches of a step, so that two
processes train as one does with twice the accumulation.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from novelink.decode import DecisionSettings
from novelink.errors import DataError, ModelError, SettingsError
from novelink.model.joint_loss import TaskTensors, joint_loss
from novelink.training.adversarial import FastGradient
from novelink.training.averaging import AveragedWeights
from novelink.training.checkpoint import Position, fingerprint, load_state, save_state
from novelink.training.consistency import disagreement
from novelink.training.epochs import Epochs
from novelink.training.freezing import freeze_unused
from novelink.training.gradients import average_gradients
from novelink.training.kept_models import best_few, keep_model, kept_name
from novelink.training.memory import memory_advice
from novelink.training.optimizer import adamw
from novelink.training.precision import autocast, denormals_flushed, prepare_cpu, use_bf16
from novelink.training.prediction import predict
from novelink.training.schedule import parameter_groups, rate_factor, set_rates
from novelink.training.selection import Selection, choose, read_selection
from novelink.training.task_model import TaskModel, build_model
from novelink.training.tracking import write_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.model.document_model import DocumentBatch
    from novelink.model.pair_model import PairBatch
    from novelink.training.labels import Teaching
    from novelink.training.samples import Samples
    from novelink.training.settings import TrainSettings

_SAY_SECONDS = 30
_MICRO_BATCHES = 4096  # most micro-batches of a step over all processes; keeps seeds apart


class Trainer:
    """One run.

    Args:
        settings: see :class:`~novelink.training.settings.TrainSettings`.
        train: documents to learn from.
        dev: documents that choose epoch and thresholds; without any, the last
            epoch is the result, with plain thresholds.
        log: takes one line of progress at a time.
        progress: takes the steps done and the steps of the whole run after each step.
        teaching: soft labels of training documents, see
            :mod:`novelink.training.soft_labels`.

    Raises:
        DataError: the training documents relate no pair.
        SettingsError: settings do not fit the data, or the output folder holds
            a run with others.
        ModelError: the encoder cannot be loaded.
    """

    def __init__(
        self,
        settings: TrainSettings,
        train: Sequence[Document],
        dev: Sequence[Document],
        log: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
        *,
        teaching: Teaching | None = None,
    ) -> None:
        if settings.teacher.labels and teaching is None:
            raise SettingsError(
                "this run learns from gold labels alone, and teacher.labels is set",
                remedy="Use novelink train, or leave teacher.labels out",
            )
        self.settings = settings
        self._progress = progress
        self.optim = settings.optim
        self.output = Path(settings.output)
        self.log = log
        prepare_cpu(self.optim.threads)
        set_seed(self.optim.seed)
        probe = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bf16 = use_bf16(self.optim.precision, probe)
        # Processes without GPUs would each train alone, over each other: they join when told to.
        joins_cpus = probe.type == "cpu" and int(os.environ.get("WORLD_SIZE", "1")) > 1
        self.accelerator = Accelerator(cpu=joins_cpus)
        self.task_model: TaskModel = build_model(settings)
        self.weights = self.task_model.weights
        self.tasks = self.task_model.tasks
        self.dev = list(dev)
        self.train_samples = self._read(train, "train", teaching)
        self.dev_samples = self._read(self.dev, "dev")
        self._check_data()
        self.epochs = Epochs(self.task_model, train, self.train_samples, teaching)
        together = self.accelerator.num_processes * self.optim.accumulation
        self.steps = sum(
            math.ceil(self.epochs.planned(epoch) / together) for epoch in range(self.optim.epochs)
        )
        # The model stays unwrapped and gradients are averaged once a step, by hand: the two
        # backward passes of an adversarial step, and tasks without a row in one process's batch,
        # would each need an exchange of their own, or hang, under DistributedDataParallel.
        self.model = self.task_model.model.to(self.accelerator.device)
        freeze_unused(self.model, self.tasks)
        groups = parameter_groups(self.model, self.optim)
        self.optimizer = adamw(groups, self.accelerator.device, eps=1e-6)
        self.adversary = FastGradient(
            self.model.encoder.get_input_embeddings().weight, self.optim.fgm_epsilon
        )
        decay = self.optim.average_decay
        self.average = AveragedWeights(self.model, decay) if decay else None
        self._stamp = fingerprint(settings, self.train_samples, self.accelerator.num_processes)
        self.position = self._resumed() or Position()

    def _read(
        self, documents: Sequence[Document], name: str, teaching: Teaching | None = None
    ) -> Samples:
        samples = self.task_model.samples(documents, teaching)
        if samples.cut_mentions:
            self._say(
                f"{name}: {samples.cut_mentions:,} marked mentions lie outside the "
                f"{self.settings.model.max_length}-token windows of their pairs"
            )
        return samples

    def _check_data(self) -> None:
        if not len(self.train_samples):
            raise DataError("the training documents give no candidate pair")
        if not self.train_samples.relation.any():
            raise DataError(
                "the training documents relate no candidate pair",
                remedy="Give documents with gold relations between entities of the schema",
            )
        if len(self.dev_samples) and self.optim.evaluate_from > self.optim.epochs:
            raise SettingsError(
                f"optim.evaluate_from is {self.optim.evaluate_from}, but there are only "
                f"{self.optim.epochs} epochs",
                remedy="Set it to a number within optim.epochs",
            )
        if not len(self.dev_samples):
            found = "give no candidate pair" if self.dev else "are not given"
            self._say(f"Dev documents {found}: the last epoch will be kept, unscored")

    def _resumed(self) -> Position | None:
        position = load_state(
            self.output, self.model, self.optimizer, self._stamp, average=self.average
        )
        if position is not None and position.epoch < self.optim.epochs:
            self._say(f"resumed in epoch {position.epoch + 1} after step {position.step}")
        return position

    def _say(self, line: str) -> None:
        if self.accelerator.is_main_process:
            self.log(line)

    def _batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """This process's batches of an epoch; every process has equally many."""
        batches = self.epochs.batches(epoch)
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        rounds = math.ceil(len(batches) / world)
        return [batches[place % len(batches)] for place in range(rank, rounds * world, world)]

    @denormals_flushed()
    def run(self) -> Selection:
        """Train to the end.

        Returns:
            Thresholds and Dev scores of the best epoch; ``output/best`` is its
            model, ``output/metrics.jsonl`` the course.

        Raises:
            ModelError: the loss is not finite, or memory is out; says what to change.
        """
        while self.position.epoch < self.optim.epochs and not self._patience_is_over():
            with memory_advice(self.optim):
                self._one_epoch()
                self._after_epoch()
            self._save_state()
        self.accelerator.wait_for_everyone()
        return read_selection(self.output / "best")

    def _patience_is_over(self) -> bool:
        return self.optim.patience is not None and self.position.stale >= self.optim.patience

    def _one_epoch(self) -> None:
        self.model.train()
        position = self.position
        batches = self._batches(position.epoch)
        saved = said = time.monotonic()
        while position.batch < len(batches):
            group = batches[position.batch : position.batch + self.optim.accumulation]
            # By epochs, not steps: how many batches an epoch has is known when it is drawn.
            share = (position.batch + len(group) / 2) / len(batches)
            done = (position.epoch + share) / self.optim.epochs
            set_rates(self.optimizer, rate_factor(done, self.optim.warmup_share))
            for place, indices in enumerate(group):
                for task, value in self._micro_batch(indices, place, len(group)).items():
                    position.sums[task] = position.sums.get(task, 0.0) + value
            average_gradients(self.model, self.accelerator)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.optim.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
            position.batch += len(group)
            position.step += 1
            if self.average is not None:
                self.average.update(position.step)
            if self._progress is not None and self.accelerator.is_main_process:
                self._progress(position.step, self.steps)
            now = time.monotonic()
            if now - said > _SAY_SECONDS:
                share = 100 * position.batch / len(batches)
                losses = "  ".join(f"{task} {value:.3f}" for task, value in self._losses().items())
                self._say(f"epoch {position.epoch + 1}  {share:.0f} %  {losses}")
                said = now
            if now - saved > 60 * self.optim.checkpoint_minutes:
                self._save_state()
                saved = time.monotonic()

    def _micro_batch(self, indices: NDArray[np.int64], place: int, parts: int) -> dict[str, float]:
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        # Dropout too is a function of the place in the run, so that a resumed run draws the same.
        step = self.optim.seed * 1_000_003 + self.position.step
        seed = step * _MICRO_BATCHES + place * world + rank
        torch.manual_seed(seed)
        batch = self.epochs.batch(self.position.epoch, indices, seed)
        batch = batch.to(self.accelerator.device)
        values: dict[str, float] = {}

        def backward() -> None:
            loss, found = self._loss(batch)
            if not bool(torch.isfinite(loss)):
                raise ModelError(
                    f"the loss became {float(loss.detach())} in step {self.position.step + 1}",
                    remedy=f"Use a lower rate (--set optim.rate={self.optim.rate / 2:g}), or "
                    "--set optim.precision=fp32; the last checkpoint is intact",
                )
            for task, value in found.items():
                values.setdefault(task, value)  # those of the clean pass
            (loss / parts).backward()  # type: ignore[no-untyped-call]

        self.adversary.isolate()
        backward()
        self.adversary.step(backward)
        return values

    def _loss(self, batch: PairBatch | DocumentBatch) -> tuple[torch.Tensor, dict[str, float]]:
        """The joint loss of a micro-batch; with R-Drop, of two passes and their disagreement."""
        labels = batch.labels or TaskTensors()
        passes, losses = [], []
        for _ in range(2 if self.optim.rdrop else 1):
            # Not accelerate's own context: it allows one precision a process, for good.
            with autocast(bf16=self.bf16, device=self.accelerator.device):
                passes.append(self.model(batch, self.tasks))
            losses.append(
                joint_loss(
                    passes[-1],
                    labels,
                    self.weights,
                    label_smoothing=self.settings.tasks.label_smoothing,
                    soft=batch.soft,
                    soft_weight=self.settings.teacher.weight,
                )
            )
        loss, values = losses[0]
        if self.optim.rdrop:
            apart = disagreement(passes[0], passes[1], labels, self.weights)
            loss = (loss + losses[1][0]) / 2 + self.optim.rdrop * apart
            values["disagreement"] = float(apart.detach())
        return loss, values

    def _losses(self) -> dict[str, float]:
        return {
            task: value / max(1, self.position.batch) for task, value in self.position.sums.items()
        }

    def _after_epoch(self) -> None:
        position = self.position
        position.epoch += 1
        entry: dict[str, Any] = {
            "epoch": position.epoch,
            "step": position.step,
            "losses": self._losses(),
        }
        position.batch, position.sums = 0, {}
        with self.average.in_place() if self.average else nullcontext():
            if len(self.dev_samples):
                if position.epoch >= self.optim.evaluate_from:
                    entry |= self._evaluated()
            elif position.epoch == self.optim.epochs:
                self._save_model("best", Selection(DecisionSettings(), {}, 0.0, ""))
        position.history.append(entry)
        if self.accelerator.is_main_process:
            write_metrics(self.output, position.history)

    def _evaluated(self) -> dict[str, Any]:
        predictions = predict(
            self.model,
            self.dev_samples,
            self.task_model.pad_id,
            batch_tokens=self.optim.batch_tokens,
            bf16=self.bf16,
            device=self.accelerator.device,
            accelerator=self.accelerator,
        )
        selection = choose(
            self.dev,
            predictions,
            self.task_model.schema,
            tasks=self.tasks,
            novelty_over=self.settings.tasks.novelty_over,
        )
        position = self.position
        figures = "  ".join(
            f"{level} {100 * values['f1']:.1f}" for level, values in selection.scores.items()
        )
        self._say(f"epoch {position.epoch} of {self.optim.epochs}: Dev F1 {figures}")
        if self.optim.keep > 1:
            self._keep(selection)
        if selection.value > position.best:
            position.best, position.stale = selection.value, 0
            self._save_model("best", selection)
        else:
            position.stale += 1
        return {"dev": selection.scores, "decision": selection.decision.to_dict()}

    def _keep(self, selection: Selection) -> None:
        """Keep this epoch's model while it is among the best ones."""
        position = self.position
        latest = (selection.value, position.epoch)
        position.kept, dropped = best_few([*position.kept, latest], self.optim.keep)
        if latest in position.kept:
            self._save_model(kept_name(position.epoch), selection)
        if self.accelerator.is_main_process:
            for _, epoch in dropped:
                shutil.rmtree(self.output / kept_name(epoch), ignore_errors=True)

    def _save_model(self, name: str, selection: Selection) -> None:
        if self.accelerator.is_main_process:
            keep_model(self.task_model, self.output / name, selection, self.position.epoch)

    def _save_state(self) -> None:
        if self.accelerator.is_main_process:
            save_state(
                self.output,
                self.model,
                self.optimizer,
                self.position,
                self._stamp,
                average=self.average,
            )
