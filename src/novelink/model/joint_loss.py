"""The joint loss ``L = L_main + Σ η_t L_t`` over the four tasks, and direction if wanted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from torch.nn import functional

from novelink.errors import SettingsError
from novelink.model.tensor_group import TensorGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

IGNORED = -100
"""Label that takes no part in a loss."""

TASKS = ("coreference", "pair_type", "relation", "novelty", "direction")
MAIN_TASKS = ("relation", "novelty")


@dataclass(frozen=True)
class TaskWeights:
    """η of each auxiliary task; the main task's weight is 1.

    Attributes:
        main: ``relation`` (the paper's RE models) or ``novelty`` (its TNT
            models).
        coreference: η of coreference resolution.
        pair_type: η of entity-pair typing.
        relation: η of relation, where novelty is the main task.
        novelty: η of novelty, where relation is the main task.
        direction: η of which entity of a related pair acts; 0 is without.
    """

    main: str = "relation"
    coreference: float = 0.2
    pair_type: float = 0.2
    relation: float = 0.5
    novelty: float = 0.5
    direction: float = 0.0

    def __post_init__(self) -> None:
        if self.main not in MAIN_TASKS:
            raise SettingsError(
                f"unknown main task '{self.main}'", remedy=f"Choose one of: {', '.join(MAIN_TASKS)}"
            )
        for task in TASKS:
            if getattr(self, task) < 0:
                raise SettingsError(f"the weight of '{task}' is negative")

    def of(self, task: str) -> float:
        """Weight of a task in the sum."""
        return 1.0 if task == self.main else float(getattr(self, task))


@dataclass
class TaskTensors(TensorGroup):
    """One tensor per task: logits ``[N_t, classes]`` or labels ``[N_t]``.

    A task that is left out is None. Relation, novelty, pair typing and direction
    have one row per pair, coreference one per two mentions.
    """

    relation: torch.Tensor | None = None
    novelty: torch.Tensor | None = None
    pair_type: torch.Tensor | None = None
    coreference: torch.Tensor | None = None
    direction: torch.Tensor | None = None

    def items(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Tasks that are there, with their tensors."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value


def joint_loss(
    logits: TaskTensors,
    labels: TaskTensors,
    weights: TaskWeights,
    *,
    label_smoothing: float = 0.0,
    soft: TaskTensors | None = None,
    soft_weight: float = 1.0,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Weighted sum of the tasks' mean cross-entropies.

    Args:
        logits: of the model.
        labels: same rows; rows labelled :data:`IGNORED` do not count, and a
            task without any row adds 0.
        weights: η; a task of weight 0 is not computed, so its head gets no
            gradient.
        label_smoothing: share of the probability spread over all labels in
            relation and novelty.
        soft: probabilities ``[N_t, classes]`` that teachers gave, rows of NaN
            where there are none; the loss of a task then is its cross-entropy
            with the labels plus ``soft_weight`` times that with these.
        soft_weight: 0 leaves the teachers out.

    Returns:
        The loss, and the unweighted value of each task that has rows; a
        teacher's share under ``relation_soft`` and ``novelty_soft``.
    """
    total: torch.Tensor | None = None
    values: dict[str, float] = {}
    for task, scores in logits.items():
        weight = weights.of(task)
        target = getattr(labels, task)
        if weight == 0 or target is None:
            continue
        rows = int((target != IGNORED).sum())
        loss = functional.cross_entropy(
            scores.float(),
            target,
            ignore_index=IGNORED,
            label_smoothing=label_smoothing if task in MAIN_TASKS else 0.0,
            reduction="sum",
        )
        loss = loss / max(1, rows)
        if rows:
            values[task] = float(loss.detach())
        taught = getattr(soft, task) if soft is not None and soft_weight else None
        if taught is not None:
            learned = soft_loss(scores, taught)
            values[f"{task}_soft"] = float(learned.detach())
            loss = loss + soft_weight * learned
        total = weight * loss if total is None else total + weight * loss
    if total is None:
        first = next(scores for _, scores in logits.items())
        total = first.sum() * 0.0
    return total, values


def soft_loss(logits: torch.Tensor, probabilities: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of logits ``[N, C]`` with probabilities ``[N, C]``.

    Rows of NaN do not count; without any other the loss is 0.
    """
    known = ~probabilities.isnan().any(dim=1)
    target = probabilities.nan_to_num(0.0)
    losses = -(target * functional.log_softmax(logits.float(), dim=1)).sum(1)
    return (losses * known).sum() / known.sum().clamp(min=1)
