"""Metrics of a run: one line of JSON an epoch, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

METRICS = "metrics.jsonl"


def write_metrics(folder: Path, history: Sequence[dict[str, Any]]) -> None:
    """Write all epochs so far; whole, so that a resumed run repeats no line."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / METRICS) as fresh:
        fresh.write_text("".join(json.dumps(entry) + "\n" for entry in history), encoding="utf-8")
    _write_tensorboard(folder, history[-1])


def _write_tensorboard(folder: Path, entry: dict[str, Any]) -> None:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:  # an optional extra of torch
        return
    epoch = int(entry["epoch"])
    # What an earlier, killed process wrote for this epoch or later is dropped on display.
    with SummaryWriter(str(folder / "tensorboard"), purge_step=epoch) as writer:
        for name, value in _scalars(entry):
            writer.add_scalar(name, value, epoch)


def _scalars(entry: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for task, value in entry["losses"].items():
        yield f"loss/{task}", value
    for level, figures in entry.get("dev", {}).items():
        for name, value in figures.items():
            yield f"dev-{level}/{name}", value
