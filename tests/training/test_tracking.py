"""Metrics of a run: whole lines of JSON, and the same figures in TensorBoard where it is there."""

from __future__ import annotations

import json
import sys

import pytest

from novelink.training.tracking import write_metrics

ENTRIES = [
    {"epoch": 1, "step": 3, "losses": {"relation": 2.0, "novelty": 1.0}},
    {
        "epoch": 2,
        "step": 6,
        "losses": {"relation": 1.5, "novelty": 0.5},
        "dev": {"all": {"precision": 0.5, "recall": 0.25, "f1": 0.375}},
        "decision": {"threshold": 0.5},
    },
]


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def writer(monkeypatch):
    """A stand-in for TensorBoard's writer; what was written to it."""
    written = []

    class Writer:
        def __init__(self, folder, purge_step):
            written.append(("opened", folder, purge_step))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            written.append(("closed",))

        def add_scalar(self, name, value, step):
            written.append((name, value, step))

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return written


def test_losses_and_dev_scores_of_the_last_epoch_go_to_tensorboard(writer, tmp_path):
    """What a killed process wrote for this epoch is dropped, so that no point is there twice."""
    write_metrics(tmp_path, ENTRIES)
    assert writer == [
        ("opened", str(tmp_path / "tensorboard"), 2),
        ("loss/relation", 1.5, 2),
        ("loss/novelty", 0.5, 2),
        ("dev-all/precision", 0.5, 2),
        ("dev-all/recall", 0.25, 2),
        ("dev-all/f1", 0.375, 2),
        ("closed",),
    ]


def test_without_tensorboard_there_are_lines_only(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    write_metrics(tmp_path, ENTRIES)
    assert lines(tmp_path) == ENTRIES
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_run_is_readable_by_tensorboard_itself(trainer, settings, change):
    """Every figure of metrics.jsonl, and no other."""
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    made = trainer(change(settings, optim={"epochs": 2}))
    made.run()
    events = EventAccumulator(str(made.output / "tensorboard"))
    events.Reload()
    found = {
        (name, point.step): point.value
        for name in events.Tags()["scalars"]
        for point in events.Scalars(name)
    }
    wanted = {}
    for entry in lines(made.output):
        for task, value in entry["losses"].items():
            wanted[f"loss/{task}", entry["epoch"]] = value
        for level, figures in entry["dev"].items():
            for name, value in figures.items():
                wanted[f"dev-{level}/{name}", entry["epoch"]] = value
    assert found.keys() == wanted.keys()
    assert found == pytest.approx(wanted, rel=1e-5)
