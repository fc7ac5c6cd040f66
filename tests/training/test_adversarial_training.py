"""A training step with FGM and accumulation is METHOD's sum, on the real model and loss."""

from __future__ import annotations

import pytest
import torch

from novelink.model.joint_loss import joint_loss

EPSILON = 0.5


@pytest.fixture(params=["pair", "entity", "document"])
def step(request, trainer, settings, change, make_documents, monkeypatch):
    """The first optimiser step of a run: weights before it, gradients that reach it, the model."""
    chosen = change(
        settings,
        model={"reading": request.param},
        tasks={"coreference": 0.2, "pair_type": 0.3, "novelty": 0.5},
        optim={"accumulation": 3, "fgm_epsilon": EPSILON, "clip": 1e6, "batch_tokens": 128},
    )
    made = trainer(chosen, train=make_documents(12, seed=1, pairs=2))
    before = {name: value.detach().clone() for name, value in made.model.named_parameters()}

    class FirstStepError(Exception):
        pass

    def stop():
        raise FirstStepError

    monkeypatch.setattr(made.optimizer, "step", stop)
    with pytest.raises(FirstStepError):
        made._one_epoch()
    gradients = {
        name: value.grad.clone()
        for name, value in made.model.named_parameters()
        if value.grad is not None
    }
    return made, before, gradients


def gradients_at(made, indices, shift=None):
    """Gradients of one micro-batch's loss at shifted word embeddings."""
    made.model.zero_grad()
    weight = made.model.encoder.get_input_embeddings().weight
    kept = weight.detach().clone()
    if shift is not None:
        weight.data.add_(shift)
    batch = made.train_samples.batch(indices, made.task_model.pad_id)
    loss, _ = joint_loss(made.model(batch, made.tasks), batch.labels, made.weights)
    loss.backward()
    weight.data.copy_(kept)
    return {
        name: value.grad.clone()
        for name, value in made.model.named_parameters()
        if value.grad is not None
    }


def test_gradients_are_the_mean_of_clean_and_perturbed_passes_over_micro_batches(step):
    """r of each micro-batch is ε · g / ‖g‖₂ of that one's own clean gradient."""
    made, before, found = step
    name = "encoder.embeddings.word_embeddings.weight"
    group = made._batches(0)[:3]
    assert len(group) == 3
    wanted = dict.fromkeys(found, 0.0)
    for indices in group:
        clean = gradients_at(made, indices)
        shift = EPSILON * clean[name] / clean[name].norm()
        perturbed = gradients_at(made, indices, shift)
        for key in wanted:
            wanted[key] = wanted[key] + (clean[key] + perturbed[key]) / 3
    for key, value in found.items():
        torch.testing.assert_close(value, wanted[key], atol=2e-5, rtol=1e-3)
    # Had the passes not been there, this would pass for nothing.
    alone = gradients_at(made, group[0])
    assert not torch.allclose(found[name], alone[name], atol=1e-4)
    after = dict(made.model.named_parameters())
    assert all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_embeddings_are_bit_equal_in_every_clean_pass(
    trainer, settings, change, monkeypatch, precision
):
    """Nothing of a perturbation is left when the next micro-batch begins, under autocast too."""
    optim = {"epochs": 1, "fgm_epsilon": 2.0, "accumulation": 2, "precision": precision}
    made = trainer(change(settings, optim=optim | {"batch_tokens": 160}))
    weight = made.model.encoder.get_input_embeddings().weight
    clean, perturbed, at_step = [], [], [weight.detach().clone()]
    isolate, forward, advance = made.adversary.isolate, made.model.forward, made.optimizer.step

    def isolated():
        clean.append(weight.detach().clone())
        isolate()

    def noted(*given, **options):
        perturbed.append(weight.detach().clone())
        return forward(*given, **options)

    def stepped():
        assert all(torch.equal(value, at_step[-1]) for value in clean)
        assert len(perturbed) == 2 * len(clean)
        for first, second in zip(perturbed[::2], perturbed[1::2], strict=True):
            assert torch.equal(first, at_step[-1])
            assert float((second - first).norm()) == pytest.approx(2.0, rel=1e-3)
        clean.clear()
        perturbed.clear()
        advance()
        at_step.append(weight.detach().clone())

    monkeypatch.setattr(made.adversary, "isolate", isolated)
    monkeypatch.setattr(made.model, "forward", noted)
    monkeypatch.setattr(made.optimizer, "step", stepped)
    made._one_epoch()
    assert len(at_step) == made.steps + 1 >= 4
    assert not torch.equal(at_step[0], at_step[-1])


@pytest.mark.parametrize("clip", [0.01, 0.1])
def test_no_step_has_a_gradient_longer_than_clip(trainer, settings, change, monkeypatch, clip):
    made = trainer(change(settings, optim={"epochs": 1, "clip": clip, "fgm_epsilon": 1.0}))
    norms, advance = [], made.optimizer.step

    def stepped():
        gradients = [value.grad for value in made.model.parameters() if value.grad is not None]
        norms.append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))
        advance()

    monkeypatch.setattr(made.optimizer, "step", stepped)
    made._one_epoch()
    assert max(norms) <= clip * 1.001
    assert max(norms) > 0.99 * clip  # it was at work
