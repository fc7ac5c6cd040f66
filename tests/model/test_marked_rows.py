"""The last layer for a few tokens gives what the whole layer gives there, gradients too."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from novelink.model import attention, pair_model  # noqa: E402 (after the skip)
from novelink.model.joint_loss import TASKS, TaskTensors, TaskWeights, joint_loss  # noqa: E402
from novelink.model.marked_rows import KINDS, can_read_rows, marked_rows  # noqa: E402
from novelink.model.pair_model import PairBatch, PairModel, coreference_labels  # noqa: E402
from novelink.schema import BIORED  # noqa: E402


def encoder_of(kind, *, dropout=0.0):
    """Three layers with random weights."""
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(4)
    config = AutoConfig.for_model(
        kind,
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return AutoModel.from_config(config, attn_implementation=attention.register()).eval()


def marked_batch(seed):
    """Samples of different lengths and numbers of markers, one of them without any."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 60, (4, 24), generator=draw)
    mask, starts, owners = torch.ones_like(ids), torch.zeros(4, 6).long(), torch.zeros(4, 6).long()
    for row, (length, count) in enumerate(((24, 6), (17, 3), (9, 1), (12, 0))):
        mask[row, length:] = 0
        starts[row, :count] = 1 + torch.randperm(length - 2, generator=draw)[:count]
        owners[row, :count] = torch.randint(1, 4, (count,), generator=draw)
    labels = TaskTensors(
        relation=torch.tensor([0, 2, 1, 5]),
        novelty=torch.tensor([0, 1, 2, 2]),
        pair_type=torch.tensor([3, 0, 1, 2]),
        coreference=coreference_labels(owners),
        direction=torch.tensor([1, 0, -100, 1]),
    )
    return PairBatch(ids, mask, starts, owners, labels)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pair_vector", ["cls", "cls+entities"])
def test_logits_and_gradients_are_those_of_the_whole_layer(kind, pair_vector, monkeypatch):
    torch.manual_seed(6)
    model = PairModel(encoder_of(kind), BIORED, pair_vector=pair_vector, direction=True).eval()
    assert can_read_rows(model.encoder)
    weights = TaskWeights(
        main="relation", coreference=0.3, pair_type=0.2, relation=1.0, novelty=0.5, direction=0.4
    )
    for seed in range(3):
        found = []
        for is_short in (True, False):
            monkeypatch.setattr(pair_model, "can_read_rows", lambda _, kept=is_short: kept)
            batch = marked_batch(seed)
            logits = model(batch)
            loss, _ = joint_loss(logits, batch.labels, weights)
            model.zero_grad()
            loss.backward()
            grads = {
                name: value.grad.clone()
                for name, value in model.named_parameters()
                if value.grad is not None
            }
            found.append((logits, grads))
        (short, short_grads), (whole, whole_grads) = found
        for task in TASKS:
            assert torch.allclose(getattr(short, task), getattr(whole, task), atol=1e-5), task
        assert short_grads.keys() == whole_grads.keys()
        assert len(short_grads) > 40
        for name, value in short_grads.items():
            assert torch.allclose(value, whole_grads[name], atol=1e-5), name


def test_dropout_of_the_last_layer_is_on_while_training():
    encoder = encoder_of("bert")
    last = encoder.encoder.layer[-1]
    batch = marked_batch(1)
    places = torch.arange(3).expand(4, 3)
    still = marked_rows(encoder, batch.input_ids, batch.attention_mask, places)
    for dropout in (last.attention.self.dropout, last.attention.output.dropout):
        encoder.train()
        again = marked_rows(encoder, batch.input_ids, batch.attention_mask, places)
        assert torch.equal(still, again)
        dropout.p = 0.5
        assert not torch.equal(
            still, marked_rows(encoder, batch.input_ids, batch.attention_mask, places)
        )
        dropout.p = 0.0


def test_the_encoder_has_all_its_layers_again_even_after_a_failure():
    encoder = encoder_of("bert")
    layers = encoder.encoder.layer
    batch = marked_batch(1)
    with pytest.raises(IndexError):
        marked_rows(encoder, batch.input_ids + 1000, batch.attention_mask, batch.starts)
    assert encoder.encoder.layer is layers
    assert len(layers) == 3


def test_other_kinds_of_encoders_and_of_attention_are_left_whole():
    encoder = encoder_of("bert")
    encoder.set_attn_implementation("sdpa")
    assert not can_read_rows(encoder)
    encoder.set_attn_implementation(attention.NAME)
    assert can_read_rows(encoder)
    encoder.config.model_type = "deberta"
    assert not can_read_rows(encoder)
