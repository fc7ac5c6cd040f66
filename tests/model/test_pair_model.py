"""The per-pair model: what its vectors are, and which heads learn."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from novelink.errors import SettingsError  # noqa: E402 (after the skip)
from novelink.model.joint_loss import TASKS, TaskTensors, TaskWeights, joint_loss  # noqa: E402
from novelink.model.pair_model import PairBatch, PairModel, coreference_labels  # noqa: E402
from novelink.schema import BIORED  # noqa: E402


@pytest.fixture
def batch():
    """Two samples of 10 and 7 tokens; the second has fewer mentions."""
    generator = torch.Generator().manual_seed(5)
    ids = torch.randint(5, 60, (2, 12), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, 10:] = 0
    mask[1, 7:] = 0
    owners = torch.tensor([[1, 2, 3], [2, 1, 0]])
    return PairBatch(
        ids,
        mask,
        torch.tensor([[1, 4, 8], [2, 5, 0]]),
        owners,
        TaskTensors(
            relation=torch.tensor([0, 2]),
            novelty=torch.tensor([0, 1]),
            pair_type=torch.tensor([3, 0]),
            coreference=coreference_labels(owners),
            direction=torch.tensor([1, 0]),
        ),
    )


def test_start_masks_are_where_each_entity_begins(batch):
    first, second = batch.start_masks()
    assert first[0].nonzero().flatten().tolist() == [1, 8]
    assert second[0].nonzero().flatten().tolist() == [4, 8]
    assert first[1].nonzero().flatten().tolist() == [5]
    assert second[1].nonzero().flatten().tolist() == [2]
    assert set(first.unique().tolist()) == {0.0, 1.0}


def test_v_cls_classifies_the_pair(tiny_bert, batch):
    """The paper's form: every classifier reads the encoder's first vector."""
    model = PairModel(tiny_bert, BIORED, dropout=0.0).eval()
    with torch.no_grad():
        logits = model(batch)
        cls = tiny_bert(batch.input_ids, attention_mask=batch.attention_mask)[0][:, 0]
        for task in ("relation", "novelty", "pair_type"):
            layer = getattr(model, task).linear
            wanted = cls @ layer.weight.T + layer.bias
            assert torch.allclose(getattr(logits, task), wanted, atol=1e-5)
    assert logits.relation.shape == (2, 9)
    assert logits.novelty.shape == (2, 3)
    assert logits.pair_type.shape == (2, 8)
    assert logits.coreference.shape == (6, 2)


def test_coreference_reads_the_vectors_at_start_markers(tiny_bert, batch):
    model = PairModel(tiny_bert, BIORED, dropout=0.0).eval()
    with torch.no_grad():
        hidden = model.hidden(batch.input_ids, batch.attention_mask)
        found = model(batch).coreference.reshape(2, 3, 2)
        left, right = hidden[0, 1], hidden[0, 8]
        wanted = torch.einsum("a,acb,b->c", left, model.coreference.weight, right)
        wanted = wanted + model.coreference.bias
    assert torch.allclose(found[0, 1], wanted, atol=1e-5)


def test_entity_vectors_are_means_and_their_order_does_not_matter(tiny_bert, batch):
    model = PairModel(tiny_bert, BIORED, pair_vector="cls+entities", dropout=0.0).eval()
    with torch.no_grad():
        hidden = model.hidden(batch.input_ids, batch.attention_mask)
        first, second = batch.start_masks()
        vectors = model.pair_vectors(hidden, first, second)
        swapped = model.pair_vectors(hidden, second, first)
    assert torch.equal(vectors, swapped)
    mean_first = hidden[0, [1, 8]].mean(0)
    mean_second = hidden[0, [4, 8]].mean(0)
    wanted = torch.cat([hidden[0, 0], mean_first + mean_second, mean_first * mean_second])
    assert torch.allclose(vectors[0], wanted, atol=1e-5)


def test_padding_changes_nothing(tiny_bert, batch):
    model = PairModel(tiny_bert, BIORED, pair_vector="cls+entities", dropout=0.0).eval()
    alone = PairBatch(
        batch.input_ids[1:, :7],
        batch.attention_mask[1:, :7],
        batch.starts[1:, :2],
        batch.owners[1:, :2],
    )
    with torch.no_grad():
        together, single = model(batch), model(alone)
    assert torch.allclose(together.relation[1:], single.relation, atol=1e-5)
    assert torch.allclose(together.coreference[3:4], single.coreference, atol=1e-5)


@pytest.mark.parametrize("main", ["relation", "novelty"])
@pytest.mark.parametrize("silent", TASKS)
def test_a_head_of_weight_zero_gets_no_gradient(tiny_bert, batch, main, silent):
    if silent == main:
        silent = "pair_type"
    model = PairModel(tiny_bert, BIORED, dropout=0.0, direction=True)
    weights = TaskWeights(main=main, **({"direction": 0.5} | {silent: 0.0}))
    loss, _ = joint_loss(model(batch), batch.labels, weights)
    loss.backward()
    for task in TASKS:
        gradients = [value.grad for value in getattr(model, task).parameters()]
        if task == silent:
            assert all(gradient is None for gradient in gradients)
        else:
            assert any(bool(gradient.any()) for gradient in gradients)
    assert bool(tiny_bert.embeddings.word_embeddings.weight.grad.any())


def test_only_the_heads_asked_for_are_computed(tiny_bert, batch):
    logits = PairModel(tiny_bert, BIORED)(batch, frozenset(["relation"]))
    assert [task for task, _ in logits.items()] == ["relation"]


def test_unknown_pair_vector(tiny_bert):
    with pytest.raises(SettingsError, match="unknown pair vector 'mean'"):
        PairModel(tiny_bert, BIORED, pair_vector="mean")
