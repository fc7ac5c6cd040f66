"""FGM: r = ε · g / ‖g‖₂ at the word embeddings, and nothing of it stays behind."""

from __future__ import annotations

import pytest
import torch

from novelink.training.adversarial import FastGradient


class Toy(torch.nn.Module):
    """Embeddings, a layer and a loss; small enough to differentiate by hand-written calls."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.embedding = torch.nn.Embedding(7, 4)
        self.layer = torch.nn.Linear(4, 3)

    def loss(self, ids, labels):
        hidden = torch.tanh(self.embedding(ids)).mean(1)
        return torch.nn.functional.cross_entropy(self.layer(hidden), labels)


IDS = torch.tensor([[0, 1, 2], [3, 3, 4]])
LABELS = torch.tensor([0, 2])
OTHER_IDS = torch.tensor([[5, 6, 0], [1, 5, 6]])
OTHER_LABELS = torch.tensor([1, 1])


def gradients_at(model, ids, labels, shift=None):
    """Gradients of the loss at shifted embeddings, as tensors of their own."""
    fresh = Toy()
    fresh.load_state_dict(model.state_dict())
    if shift is not None:
        fresh.embedding.weight.data.add_(shift)
    fresh.loss(ids, labels).backward()
    return fresh.embedding.weight.grad, fresh.layer.weight.grad


def adversarial_pass(model, epsilon, ids=IDS, labels=LABELS):
    """One micro-batch with an adversarial step; the embeddings seen in each forward pass."""
    seen = []

    def backward():
        seen.append(model.embedding.weight.detach().clone())
        model.loss(ids, labels).backward()

    adversary = FastGradient(model.embedding.weight, epsilon)
    adversary.isolate()
    backward()
    taken = adversary.step(backward)
    return taken, seen


@pytest.mark.parametrize("epsilon", [1e-3, 0.5, 1.0, 30.0])
def test_perturbation_has_the_direction_of_g_and_the_length_epsilon(epsilon):
    model = Toy()
    gradient, _ = gradients_at(model, IDS, LABELS)
    taken, (clean, perturbed) = adversarial_pass(model, epsilon)
    assert taken
    wanted = clean + epsilon * gradient / gradient.norm()
    assert torch.allclose(perturbed, wanted, rtol=1e-5, atol=1e-6)
    assert float((perturbed - clean).norm()) == pytest.approx(epsilon, rel=1e-3)


@pytest.mark.parametrize("epsilon", [1e-7, 0.3, 1e6])
def test_weights_are_bit_equal_afterwards(epsilon):
    """Adding and subtracting r would leave rounding behind."""
    model = Toy()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    adversarial_pass(model, epsilon)
    for name, value in model.state_dict().items():
        assert torch.equal(value.view(torch.int32), before[name].view(torch.int32))


def test_gradients_of_both_passes_add_up():
    model = Toy()
    clean, clean_layer = gradients_at(model, IDS, LABELS)
    shift = 0.5 * clean / clean.norm()
    shifted, shifted_layer = gradients_at(model, IDS, LABELS, shift)
    adversarial_pass(model, 0.5)
    assert torch.allclose(model.embedding.weight.grad, clean + shifted, atol=1e-6)
    assert torch.allclose(model.layer.weight.grad, clean_layer + shifted_layer, atol=1e-6)


def test_gradients_of_earlier_micro_batches_do_not_leak_into_r():
    """The second micro-batch is perturbed along its own gradient, not along the sum."""
    model = Toy()
    adversarial_pass(model, 0.5, OTHER_IDS, OTHER_LABELS)
    earlier = model.embedding.weight.grad.clone()
    own, _ = gradients_at(model, IDS, LABELS)
    assert not torch.allclose(earlier / earlier.norm(), own / own.norm(), atol=0.1)
    _, (clean, perturbed) = adversarial_pass(model, 0.5)
    assert torch.allclose(perturbed - clean, 0.5 * own / own.norm(), atol=1e-6)
    shifted, _ = gradients_at(model, IDS, LABELS, 0.5 * own / own.norm())
    assert torch.allclose(model.embedding.weight.grad, earlier + own + shifted, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_no_step_where_the_gradient_is_nothing_or_not_finite(value):
    model = Toy()
    adversary = FastGradient(model.embedding.weight, 1.0)
    earlier = torch.ones_like(model.embedding.weight)
    model.embedding.weight.grad = earlier.clone()
    before = model.embedding.weight.detach().clone()
    adversary.isolate()
    model.embedding.weight.grad = torch.full_like(before, value)
    assert not adversary.step(lambda: pytest.fail("a pass that must not be"))
    assert torch.equal(model.embedding.weight, before)
    expected = earlier + value
    assert torch.equal(model.embedding.weight.grad.nan_to_num(), expected.nan_to_num())


def test_no_step_where_nothing_reached_the_embeddings():
    model = Toy()
    adversary = FastGradient(model.embedding.weight, 1.0)
    adversary.isolate()
    assert not adversary.step(lambda: pytest.fail("a pass that must not be"))
    assert model.embedding.weight.grad is None


def test_epsilon_zero_is_ordinary_training():
    model = Toy()
    taken, seen = adversarial_pass(model, 0.0)
    assert not taken
    assert len(seen) == 1
    assert torch.allclose(model.embedding.weight.grad, gradients_at(model, IDS, LABELS)[0])


def test_weights_come_back_when_the_second_pass_fails():
    """A NaN loss is an error; what is saved after it must not be perturbed."""
    model = Toy()
    before = model.embedding.weight.detach().clone()
    adversary = FastGradient(model.embedding.weight, 1.0)
    adversary.isolate()
    model.loss(IDS, LABELS).backward()

    def failing():
        raise ValueError("not finite")

    with pytest.raises(ValueError, match="not finite"):
        adversary.step(failing)
    assert torch.equal(model.embedding.weight, before)


def test_under_bf16_autocast_the_weights_stay_and_the_perturbation_is_felt():
    model = Toy()
    before = model.embedding.weight.detach().clone()
    losses = []

    def backward():
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.loss(IDS, LABELS)
        losses.append(float(loss.detach()))
        loss.backward()

    adversary = FastGradient(model.embedding.weight, 2.0)
    adversary.isolate()
    backward()
    assert adversary.step(backward)
    assert torch.equal(model.embedding.weight, before)
    # Along the gradient the loss rises; 2.0 is far beyond bf16's rounding.
    assert losses[1] > losses[0] + 0.1
