"""Two processes train as one does with twice the accumulation."""

from __future__ import annotations

import pytest
import torch
from processes import run_processes, weights

from novelink.training.loop import Trainer

CASES = {
    "all tasks": {},
    "one task, where whole heads are silent": {
        "tasks": {"coreference": 0.0, "pair_type": 0.0, "novelty": 0.0}
    },
}


@pytest.mark.parametrize("sections", CASES.values(), ids=CASES.keys())
def test_two_processes_equal_one_with_two_micro_batches(
    settings, change, trainer, make_documents, sections
):
    """With adversarial steps and dropout."""
    train, dev = make_documents(32, seed=1), make_documents(8, seed=2)
    settings = change(
        settings,
        encoder={"dropout": 0.1, "attention_dropout": 0.1},
        optim={"fgm_epsilon": 0.5},
    )
    chosen = change(settings, optim={"epochs": 1, "rate": 5e-3}, **sections)
    alone_settings = change(chosen, output=f"{settings.output}-alone", optim={"accumulation": 2})
    alone = trainer(alone_settings, train, dev)
    # An odd batch at the end would be half a step alone and a whole one for two.
    assert len(alone._batches(0)) % 2 == 0
    alone.run()

    def one_of_two():
        torch.set_num_threads(1)
        made = Trainer(chosen, train, dev, log=lambda _: None)
        assert made.accelerator.num_processes == 2
        assert made.run().scores

    assert run_processes(2, one_of_two) == [0, 0]
    left, right = weights(alone.output / "best"), weights(f"{settings.output}/best")
    start = trainer(
        change(chosen, output=f"{settings.output}-start"), train, dev
    ).model.state_dict()
    for name, value in left.items():
        # Sums in another order differ in the last bits only, and far less than training moved.
        assert torch.allclose(value, right[name], atol=1e-4), name
    moved = max(float((left[name] - start[name]).abs().max()) for name in left)
    assert moved > 2e-3
