"""Samples a second and peak memory of training, against a plain loop over the same samples.

    python benchmarks/training.py Train.PubTator --encoder src/novelink/models/encoder

Four arms, each in a process of its own, one after the other on the same machine, each over
--seconds of training after a warm-up (under six minutes in all with the defaults):

novelink   this project's trainer: batches of like length within a number of tokens
plain      transformers.Trainer, every sample padded to 512 tokens, the library's defaults
plain-fit  the same with this trainer's attention kernel and dropout, to tell what padding costs
novelink-more  this project's trainer with five times the documents, for its memory alone

All read the same documents per pair, with the same heads, loss, precision and kind of optimiser,
and as many padded tokens a batch; batches come in random order, so that a stretch of an epoch is
a sample of it. Writes benchmarks/results/training.json.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from novelink import __version__, read
from novelink.model.encoder import quiet_transformers
from novelink.training.loop import Trainer
from novelink.training.settings import (
    EncoderSettings,
    ModelSettings,
    OptimSettings,
    TrainSettings,
)

RESULTS = Path(__file__).parent / "results"
ARMS = ("novelink", "plain", "plain-fit", "novelink-more")
LENGTH = 512
MORE = 5  # times the documents


class TimeOverError(Exception):
    """The seconds of an arm are over."""


def settings_of(given, folder):
    fit = given.arm != "plain"
    return TrainSettings(
        output=str(folder),
        encoder=EncoderSettings(name=given.encoder, attention_dropout=0.0 if fit else None),
        model=ModelSettings(max_length=given.length),
        optim=OptimSettings(
            epochs=1,
            rate=5e-5,
            batch_tokens=given.batch_tokens,
            precision=given.precision,
            threads=given.threads,
            checkpoint_minutes=1e6,
        ),
    )


class Stopwatch:
    """Ends a stretch of training after some seconds."""

    def __init__(self):
        self.end = 0.0

    def check(self, *_):
        """After each step of the trainer."""
        if time.monotonic() >= self.end:
            raise TimeOverError

    def stretch(self, trainer, seconds):
        """Train so long; how long it was in fact, and the samples done."""
        begun, done = time.monotonic(), 0
        self.end = begun + seconds
        position = trainer.position
        while time.monotonic() < self.end:
            batches, place = trainer._batches(position.epoch), position.batch  # noqa: SLF001 (the loop alone, without writing models)
            with contextlib.suppress(TimeOverError):
                trainer._one_epoch()  # noqa: SLF001
            done += sum(map(len, batches[place : position.batch]))
            if position.batch == len(batches):
                position.epoch, position.batch = position.epoch + 1, 0
        return time.monotonic() - begun, done


def own_arm(given, documents, folder):
    watch = Stopwatch()
    settings = settings_of(given, folder)
    trainer = Trainer(settings, documents, [], log=lambda _: None, progress=watch.check)
    watch.stretch(trainer, given.seconds / 6)  # kernels and allocators settle
    seconds, done = watch.stretch(trainer, given.seconds)
    samples = trainer.train_samples
    held = sum(value.nbytes for value in vars(samples).values() if hasattr(value, "nbytes"))
    return done, seconds, {"samples_held": len(samples), "samples_bytes": held}


class PlainModel(torch.nn.Module):
    """The same model and loss, behind the interface of transformers.Trainer."""

    def __init__(self, trainer):
        super().__init__()
        self.model, self.weights = trainer.model, trainer.weights

    def forward(self, **tensors):
        """The joint loss of a batch."""
        from novelink.model.joint_loss import TaskTensors, joint_loss
        from novelink.model.pair_model import PairBatch, coreference_labels

        batch = PairBatch(
            *(tensors[name] for name in ("input_ids", "attention_mask", "starts", "owners"))
        )
        labels = TaskTensors(
            relation=tensors["relation"],
            novelty=tensors["novelty"],
            pair_type=tensors["pair_type"],
            coreference=coreference_labels(batch.owners),
        )
        loss, _ = joint_loss(self.model(batch), labels, self.weights)
        return {"loss": loss}


class PaddedSamples(torch.utils.data.Dataset):
    """Every sample as tensors of the full length, as a first script would make them."""

    def __init__(self, samples, pad_id, length):
        self.samples, self.pad_id, self.length = samples, pad_id, length
        self.mentions = int(samples.mentions.max())

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        ids = self.samples.ids_of(index)
        starts, owners = self.samples.marks_of(index)
        item = {
            "input_ids": torch.full((self.length,), self.pad_id),
            "attention_mask": torch.zeros(self.length, dtype=torch.long),
            "starts": torch.zeros(self.mentions, dtype=torch.long),
            "owners": torch.zeros(self.mentions, dtype=torch.long),
        }
        item["input_ids"][: len(ids)] = torch.tensor(ids, dtype=torch.long)
        item["attention_mask"][: len(ids)] = 1
        item["starts"][: len(starts)] = torch.tensor(starts, dtype=torch.long)
        item["owners"][: len(owners)] = torch.tensor(owners, dtype=torch.long)
        for task in ("relation", "novelty", "pair_type"):
            item[task] = torch.tensor(int(getattr(self.samples, task)[index]))
        return item


def plain_arm(given, documents, folder):
    import transformers

    maker = Trainer(settings_of(given, folder), documents, [], log=lambda _: None)
    if given.arm == "plain":
        maker.model.encoder.set_attn_implementation("sdpa")
    samples = PaddedSamples(maker.train_samples, maker.task_model.pad_id, given.length)
    size = max(1, given.batch_tokens // given.length)

    class Clock(transformers.TrainerCallback):
        """Time and samples after a warm-up; stops when the time is over."""

        begun = warmed = None
        counted = 0

        def on_step_end(self, _arguments, _state, control, **_):
            """Warm up, then count."""
            now = time.monotonic()
            self.warmed = self.warmed or now
            if self.begun is None:
                if now - self.warmed >= given.seconds / 6:
                    self.begun = now
                return
            self.counted += size
            self.seconds = now - self.begun
            control.should_training_stop = self.seconds >= given.seconds

    clock = Clock()
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=100,
        per_device_train_batch_size=size,
        dataloader_drop_last=True,
        learning_rate=5e-5,
        bf16=maker.bf16,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        remove_unused_columns=False,
        label_names=["relation"],
    )
    transformers.Trainer(
        model=PlainModel(maker), args=arguments, train_dataset=samples, callbacks=[clock]
    ).train()
    return clock.counted, clock.seconds, {"samples_held": len(samples)}


def one_arm(given):
    documents = [document for document in read(given.train) if document.relations]
    documents = documents[: given.documents * (MORE if given.arm == "novelink-more" else 1)]
    arm = own_arm if given.arm.startswith("novelink") else plain_arm
    with tempfile.TemporaryDirectory() as scratch, quiet_transformers():
        samples, seconds, held = arm(given, documents, Path(scratch))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    return {
        "samples": samples,
        "seconds": round(seconds, 2),
        "samples_per_second": round(samples / seconds, 3),
        "peak_memory_bytes": peak,
        "peak_gpu_memory_bytes": gpu,
        "documents": len(documents),
        **held,
    }


def machine():
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
        processor = found.group(1) if found else processor
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"processor": processor, "cores": os.cpu_count(), "gpu": device}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", help="documents with gold relations")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument(
        "--documents", type=int, default=40, help="the first so many with relations"
    )
    parser.add_argument("--seconds", type=float, default=50, help="of each arm's training")
    parser.add_argument("--length", type=int, default=LENGTH)
    parser.add_argument("--batch-tokens", type=int, default=8192)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--arm", choices=ARMS, help="only this arm, to standard output")
    parser.add_argument("--output", type=Path, default=RESULTS / "training.json")
    given = parser.parse_args()
    if given.arm:
        print(json.dumps(one_arm(given)))
        return
    arms = {}
    for arm in ARMS:
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--arm", arm],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        arms[arm] = json.loads(done.stdout.splitlines()[-1])
        found = arms[arm]
        print(
            f"{arm:<14}{found['samples_per_second']:8.2f} samples/s"
            f"{found['peak_memory_bytes'] / 1e6:8.0f} MB",
            file=sys.stderr,
        )
    own = arms["novelink"]["samples_per_second"]
    result = {
        "machine": machine(),
        "versions": {"novelink": __version__}
        | {name: importlib.metadata.version(name) for name in ("torch", "transformers")},
        "settings": {
            "encoder": Path(given.encoder).name,
            "seconds": given.seconds,
            "batch_tokens": given.batch_tokens,
            "padded_length": given.length,
            "precision": given.precision,
            "threads": given.threads or torch.get_num_threads(),
        },
        "arms": arms,
        "times_plain": round(own / arms["plain"]["samples_per_second"], 2),
        "times_plain_fit": round(own / arms["plain-fit"]["samples_per_second"], 2),
        "memory_of_more_documents": {
            key: arms["novelink-more"][key] - arms["novelink"][key]
            for key in ("documents", "samples_held", "samples_bytes", "peak_memory_bytes")
        },
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
