"""The models that a run keeps: its best one, and the best few epochs where they are asked for."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from novelink.training.selection import SELECTION
from novelink.training.task_model import save_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from novelink.training.selection import Selection
    from novelink.training.task_model import TaskModel

Scored = tuple[float, int]
"""Dev value and epoch of a checkpoint."""


def kept_name(epoch: int) -> str:
    """Folder, within a run's, of a kept checkpoint."""
    return f"kept/epoch-{epoch:03d}"


def best_few(scored: Sequence[Scored], count: int) -> tuple[list[Scored], list[Scored]]:
    """The best checkpoints, best first, and the others.

    Of equal ones the earlier stays: it has seen less and scores the same.

    >>> best_few([(0.3, 1), (0.5, 2), (0.5, 3)], 2)
    ([(0.5, 2), (0.5, 3)], [(0.3, 1)])
    """
    ranked = sorted(scored, key=lambda item: (-item[0], item[1]))
    return ranked[:count], ranked[count:]


def keep_model(model: TaskModel, folder: Path, selection: Selection, epoch: int) -> None:
    """Write a model with its thresholds, in place of what the folder held, whole or not at all."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    save_model(model, fresh)
    notes = {
        "decision": selection.decision.to_dict(),
        "dev": selection.scores,
        "epoch": epoch,
        "level": selection.level,
        "value": selection.value,
        "tasks": sorted(model.tasks),
    }
    (fresh / SELECTION).write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
