"""R-Drop, averaged weights and rates by layer: what each computes, and that each can be off."""

from __future__ import annotations

import json

import pytest
import torch
from processes import weights

from novelink.errors import SettingsError
from novelink.model.joint_loss import IGNORED, TaskTensors, TaskWeights, joint_loss
from novelink.training.averaging import AveragedWeights
from novelink.training.checkpoint import STATE
from novelink.training.consistency import disagreement
from novelink.training.schedule import is_pretrained, parameter_groups
from novelink.training.settings import TrainSettings, completed
from novelink.training.settings_file import override


def some_logits(seed):
    torch.manual_seed(seed)
    return TaskTensors(relation=torch.randn(3, 9), novelty=torch.randn(3, 3))


def divergence(first, second):
    """KL(p‖q) + KL(q‖p), halved, of one row each, by plain sums."""
    p, q = (logits.softmax(0).tolist() for logits in (first, second))
    total = 0.0
    for left, right in zip(p, q, strict=True):
        ratio = torch.log(torch.tensor(left / right))
        total += float((left - right) * ratio)
    return total / 2


def test_disagreement_is_the_mean_symmetric_divergence_of_the_rows_that_count():
    first, second = some_logits(1), some_logits(2)
    labels = TaskTensors(
        relation=torch.tensor([0, 3, 8]), novelty=torch.tensor([IGNORED, 1, IGNORED])
    )
    wanted = sum(
        divergence(*rows) for rows in zip(first.relation, second.relation, strict=True)
    ) / 3 + 0.4 * divergence(first.novelty[1], second.novelty[1])
    found = disagreement(first, second, labels, TaskWeights(novelty=0.4))
    assert float(found) == pytest.approx(wanted, rel=1e-4)
    same = disagreement(first, first, labels, TaskWeights(novelty=0.4))
    assert float(same) == 0.0
    silent = disagreement(first, second, labels, TaskWeights(novelty=0.0))
    assert float(silent) < float(found)


def test_r_drop_adds_the_disagreement_of_two_passes_to_their_mean_loss(trainer, settings, change):
    """With the two passes' own dropout, drawn anew from the same state."""
    optim = {"epochs": 1, "rdrop": 2.0}
    chosen = change(settings, model={"dropout": 0.3}, encoder={"dropout": 0.3}, optim=optim)
    made = trainer(chosen)
    batch = made.train_samples.batch(made._batches(0)[0], made.task_model.pad_id)
    made.model.train()
    torch.manual_seed(5)
    loss, values = made._loss(batch)
    torch.manual_seed(5)
    first, second = made.model(batch, made.tasks), made.model(batch, made.tasks)
    assert not torch.equal(first.relation, second.relation)
    plain = [joint_loss(one, batch.labels, made.weights)[0].item() for one in (first, second)]
    apart = disagreement(first, second, batch.labels, made.weights).item()
    assert loss.item() == pytest.approx(sum(plain) / 2 + 2.0 * apart, rel=1e-5)
    assert values["disagreement"] == pytest.approx(apart, rel=1e-5)
    made.run()
    line = json.loads((made.output / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert line["losses"]["disagreement"] > 0


def test_r_drop_without_any_dropout_is_refused():
    with pytest.raises(SettingsError, match="all dropout is 0"):
        override(
            TrainSettings(),
            ["encoder.dropout=0.0", "model.dropout=0.0", "optim.rdrop=1.0"],
        )


def test_averages_follow_the_weights_slowly_and_give_them_back_bit_by_bit():
    model = torch.nn.Linear(2, 1, bias=False)
    model.weight.data = torch.tensor([[0.0, 1.0]])
    average = AveragedWeights(model, decay=0.9)
    model.weight.data = torch.tensor([[1.0, 0.1]])
    average.update(1)  # d = 2 / 11, before it reaches 0.9
    expected = torch.tensor([[9 / 11, 2 / 11 + 0.1 * 9 / 11]])
    with average.in_place():
        torch.testing.assert_close(model.weight.data, expected)
    assert torch.equal(model.weight.data, torch.tensor([[1.0, 0.1]]))
    average.update(1000)
    with average.in_place():
        torch.testing.assert_close(
            model.weight.data, 0.9 * expected + 0.1 * torch.tensor([[1.0, 0.1]])
        )


def test_dev_scores_and_the_kept_model_are_those_of_the_averages(trainer, settings, change):
    chosen = change(settings, optim={"epochs": 3, "rate": 3e-3, "average_decay": 0.5})
    made = trainer(chosen)
    made.run()
    state = torch.load(made.output / STATE, weights_only=True)
    best = weights(made.output / "best")
    notes = json.loads((made.output / "best" / "selection.json").read_text("utf-8"))
    if notes["epoch"] == 3:  # the state is that of the last epoch
        name = "relation.linear.weight"
        assert torch.equal(best[name], state["average"][name])
        assert not torch.equal(best[name], state["model"][name])
    # Training itself went on from the weights, as it does without a mean.
    plain = trainer(
        change(settings, output=f"{settings.output}-plain", optim={"epochs": 3, "rate": 3e-3})
    )
    plain.run()
    other = torch.load(plain.output / STATE, weights_only=True)["model"]
    assert all(torch.equal(value, other[name]) for name, value in state["model"].items())


def test_without_dev_the_averages_of_the_last_epoch_are_kept(trainer, settings, change):
    made = trainer(change(settings, optim={"epochs": 1, "average_decay": 0.5}), dev=[])
    made.run()
    state = torch.load(made.output / STATE, weights_only=True)
    best = weights(made.output / "best")
    assert all(torch.equal(best[name], value) for name, value in state["average"].items())


@pytest.mark.parametrize("reading", ["pair", "document"])
def test_lower_layers_have_smaller_rates(trainer, settings, change, reading):
    chosen = change(
        settings,
        model={"reading": reading},
        optim={"rate": 1e-3, "head_rate": 5e-3, "layer_decay": 0.5},
    )
    made = trainer(chosen)
    rates = {
        id(value): group["highest"]
        for group in parameter_groups(made.model, made.optim)
        for value in group["params"]
    }
    named = {
        name: rates[id(value)]
        for name, value in made.model.named_parameters()
        if value.requires_grad
    }
    assert named["encoder.encoder.layer.1.output.dense.weight"] == pytest.approx(1e-3)
    assert named["encoder.encoder.layer.0.output.dense.bias"] == pytest.approx(5e-4)
    assert named["encoder.embeddings.word_embeddings.weight"] == pytest.approx(2.5e-4)
    assert named["encoder.embeddings.LayerNorm.bias"] == pytest.approx(2.5e-4)
    assert named["relation.linear.weight"] == pytest.approx(5e-3)
    copied = {rate for name, rate in named.items() if name.startswith("readers.")}
    assert copied <= {1e-3, 5e-3}
    assert len(named) == len(rates)


@pytest.mark.parametrize("reading", ["pair", "document"])
def test_bilinear_forms_have_a_share_of_the_heads_rate(trainer, settings, change, reading):
    made = trainer(change(settings, model={"reading": reading}, optim={"head_rate": 4e-3}))
    rates = {
        id(value): group["highest"]
        for group in made.optimizer.param_groups
        for value in group["params"]
    }
    named = {
        name: rates[id(value)]
        for name, value in made.model.named_parameters()
        if id(value) in rates and not is_pretrained(name)
    }
    width = made.model.encoder.config.hidden_size
    shares = {"coreference.weight": width**-0.5}
    if reading == "document":
        shares["bilinear.weight"] = (width // made.model.groups) ** -0.5
    assert shares.keys() <= named.keys()
    for name, rate in named.items():
        assert rate == pytest.approx(4e-3 * shares.get(name, 1.0))
    # The paper has one rate for everything.
    plain = trainer(change(settings, output=f"{settings.output}-one", model={"reading": reading}))
    assert {group["highest"] for group in plain.optimizer.param_groups} == {1e-3}


def test_all_are_off_by_default(trainer):
    made = trainer()
    assert made.average is None
    assert not made.optim.rdrop
    assert {group["highest"] for group in made.optimizer.param_groups} == {1e-3}
    assert len(made.optimizer.param_groups) == 4


def test_a_run_of_a_version_without_these_settings_goes_on(trainer, settings):
    """Its state does not name them; they are off, as they were."""
    made = trainer()
    made.run()
    path = made.output / STATE
    state = torch.load(path, weights_only=True)
    values = json.loads(state["fingerprint"])
    for key in ("layer_decay", "average_decay", "rdrop"):
        del values["optim"][key]
    del values["teacher"]
    torch.save(state | {"fingerprint": json.dumps(values)}, path)
    assert trainer().position.epoch == settings.optim.epochs
    values["optim"]["rate"] = 0.5
    torch.save(state | {"fingerprint": json.dumps(values)}, path)
    with pytest.raises(SettingsError, match=r"optim.rate = 0.5, not 0.001"):
        trainer()


def test_completed_settings_keep_what_was_written():
    written = TrainSettings().to_dict()
    written["optim"] = {"rate": 0.25}
    found = completed(written)
    assert found["optim"]["rate"] == 0.25
    assert found["optim"]["rdrop"] == 0.0
