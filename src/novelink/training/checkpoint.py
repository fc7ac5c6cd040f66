"""The state of a run on disk: what a killed run goes on from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from novelink.errors import ModelError, SettingsError
from novelink.training.settings import completed
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from novelink.training.averaging import AveragedWeights
    from novelink.training.samples import Samples
    from novelink.training.settings import TrainSettings

STATE = "state.pt"


@dataclass
class Position:
    """Where a run is.

    Attributes:
        epoch: finished epochs.
        batch: micro-batches done in the current one, in each process.
        step: optimiser steps so far.
        best: highest Dev value so far.
        stale: Dev scores since then that were not higher.
        sums: task → sum of its losses over the epoch's micro-batches.
        kept: Dev value and epoch of the checkpoints kept, best first.
        history: one entry a finished epoch, as ``metrics.jsonl`` has them.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = -1.0
    stale: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    kept: list[tuple[float, int]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


def fingerprint(settings: TrainSettings, samples: Samples, processes: int) -> str:
    """What must be the same for a run to go on and end as an unbroken one would.

    All settings but where the run lies, what the data files are called and how
    fast it is; the training samples; the number of processes.
    """
    values = asdict(settings)
    for key in ("output", "name", "data"):
        values.pop(key)
    for key in ("threads", "checkpoint_minutes"):
        values["optim"].pop(key)
    digest = hashlib.sha256()
    for key in ("labels", "documents"):
        values["teacher"].pop(key)
    arrays: list[NDArray[Any]] = [samples.lengths, samples.relation, samples.novelty]
    if samples.soft is not None:
        arrays += [samples.soft.relation, samples.soft.novelty]
    for array in arrays:
        digest.update(array.tobytes())
    values["samples"] = digest.hexdigest()
    values["processes"] = processes
    return json.dumps(values, sort_keys=True)


def save_state(
    folder: Path,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    stamp: str,
    *,
    average: AveragedWeights | None = None,
) -> None:
    """Write the state beside the old one, then swap: a kill at any moment loses little."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "position": asdict(position),
        "fingerprint": stamp,
    }
    if average is not None:
        state["average"] = average.state()
    with whole_file(folder / STATE) as fresh:
        torch.save(state, fresh)


def load_state(
    folder: Path,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    stamp: str,
    *,
    average: AveragedWeights | None = None,
) -> Position | None:
    """Go on from a folder's state, if it has one.

    Returns:
        The position, or None where there is no state.

    Raises:
        SettingsError: the folder holds a run with other settings or data.
        ModelError: the state cannot be read.
    """
    path = folder / STATE
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["fingerprint"]
    except Exception as error:  # torch raises many kinds for a broken file
        raise ModelError(
            "the run's state cannot be read",
            source=str(path),
            remedy="Delete the file to begin anew",
        ) from error
    old, new = (completed(json.loads(text)) for text in (found, stamp))
    if old != new:
        raise SettingsError(
            f"{folder} holds a run with {_difference(old, new)}",
            remedy="Give another output folder, or delete this one to begin anew",
        )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if average is not None:
        average.load(state["average"])
    position = Position(**state["position"])
    position.kept = [(float(value), int(epoch)) for value, epoch in position.kept]
    return position


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The first setting in which two fingerprints differ, in words."""
    for section in sorted(old.keys() | new.keys()):
        left, right = old.get(section), new.get(section)
        if left == right:
            continue
        if section == "samples":
            return "other training documents, schema or tokenizer"
        if isinstance(left, dict) and isinstance(right, dict):
            key = next(key for key in sorted(left | right) if left.get(key) != right.get(key))
            return f"{section}.{key} = {left.get(key)!r}, not {right.get(key)!r}"
        return f"{section} = {left!r}, not {right!r}"
    return "other settings"
