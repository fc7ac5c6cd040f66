"""L = L_main + Σ η_t L_t, each L_t a mean cross-entropy over the rows that count."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from hypothesis import given, settings  # noqa: E402 (after the skip)
from hypothesis import strategies as st  # noqa: E402

from novelink.errors import SettingsError  # noqa: E402
from novelink.model.joint_loss import (  # noqa: E402
    IGNORED,
    TASKS,
    TaskTensors,
    TaskWeights,
    joint_loss,
)


def cross_entropy(logits, labels):
    """Mean of −log softmax at the label, by plain arithmetic."""
    rows = [
        math.log(sum(math.exp(value) for value in row)) - row[label]
        for row, label in zip(logits.tolist(), labels.tolist(), strict=True)
        if label != IGNORED
    ]
    return sum(rows) / len(rows)


def some_tensors(seed=0):
    torch.manual_seed(seed)
    logits = TaskTensors(
        relation=torch.randn(4, 9),
        novelty=torch.randn(4, 3),
        pair_type=torch.randn(4, 8),
        coreference=torch.randn(6, 2),
        direction=torch.randn(4, 2),
    )
    labels = TaskTensors(
        relation=torch.tensor([0, 3, 8, 0]),
        novelty=torch.tensor([0, 2, IGNORED, 0]),
        pair_type=torch.tensor([1, 1, 7, 0]),
        coreference=torch.tensor([0, 1, IGNORED, IGNORED, 1, 0]),
        direction=torch.tensor([IGNORED, 1, 0, IGNORED]),
    )
    return logits, labels


@pytest.mark.parametrize("main", ["relation", "novelty"])
def test_joint_loss_is_the_main_task_plus_the_weighted_others(main):
    logits, labels = some_tensors()
    eta = {"relation": 0.3, "novelty": 0.7, "pair_type": 0.2, "coreference": 0.4}
    eta["direction"] = 0.6
    loss, values = joint_loss(logits, labels, TaskWeights(main=main, **eta))
    single = {task: cross_entropy(getattr(logits, task), getattr(labels, task)) for task in TASKS}
    wanted = single[main] + sum(eta[task] * single[task] for task in TASKS if task != main)
    assert float(loss) == pytest.approx(wanted, rel=1e-5)
    assert values == pytest.approx(single, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 2), min_size=3, max_size=3), st.integers(0, 1000))
def test_weights_add_up_for_any_eta(eta, seed):
    logits, labels = some_tensors(seed)
    weights = TaskWeights("relation", coreference=eta[0], pair_type=eta[1], novelty=eta[2])
    loss, values = joint_loss(logits, labels, weights)
    wanted = sum(weights.of(task) * value for task, value in values.items())
    assert float(loss) == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    assert set(values) == {task for task in TASKS if weights.of(task) > 0}


def test_label_smoothing_spreads_over_relation_and_novelty_only():
    logits, labels = some_tensors()
    plain = joint_loss(logits, labels, TaskWeights())[1]
    smooth = joint_loss(logits, labels, TaskWeights(), label_smoothing=0.2)[1]
    assert smooth["pair_type"] == plain["pair_type"]
    assert smooth["coreference"] == plain["coreference"]
    row_means = (-logits.relation.log_softmax(-1)).mean(-1)
    wanted = 0.8 * plain["relation"] + 0.2 * float(row_means.mean())
    assert smooth["relation"] == pytest.approx(wanted, rel=1e-5)


def test_a_task_without_a_row_adds_nothing():
    """Documents without novelty, or samples with one mention, must not turn the loss into NaN."""
    logits, labels = some_tensors()
    labels.novelty = torch.full((4,), IGNORED)
    logits.coreference, labels.coreference = torch.zeros(0, 2), torch.zeros(0, dtype=torch.long)
    loss, values = joint_loss(logits, labels, TaskWeights())
    assert set(values) == {"relation", "pair_type"}
    wanted = values["relation"] + TaskWeights().pair_type * values["pair_type"]
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_wrong_weights_are_refused():
    with pytest.raises(SettingsError, match="unknown main task 'typing'"):
        TaskWeights(main="typing")
    with pytest.raises(SettingsError, match="'novelty' is negative"):
        TaskWeights(novelty=-0.1)
