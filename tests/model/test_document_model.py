"""The whole-document model: symmetric, blind to padding, and what its formulas say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from novelink.model.document_model import (  # noqa: E402 (after the skip)
    DocumentBatch,
    DocumentModel,
    PairReader,
    entity_vectors,
    marker_coreference_labels,
)
from novelink.model.joint_loss import IGNORED, TaskWeights, joint_loss  # noqa: E402
from novelink.schema import BIORED  # noqa: E402
from novelink.training.graphs import DocumentGraph  # noqa: E402

CLOSE = {"rtol": 0, "atol": 2e-6}


@pytest.fixture
def model(tiny_bert):
    """Weights far from their small beginnings, so that every part counts."""
    made = DocumentModel(tiny_bert, BIORED, layers=2, dropout=0.0).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if not name.startswith("encoder."):
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    return made


def document(windows, length, markers, entities, pairs, *, seed=1, last=None):
    """One random document; ``last`` is the length of its last window."""
    generator = torch.Generator().manual_seed(seed)
    last = last or length
    ids = torch.randint(5, 60, (1, windows, length), generator=generator)
    mask = torch.ones_like(ids)
    mask[:, -1, last:] = 0
    ids[:, -1, last:] = 0
    tokens = torch.nonzero(mask.flatten()).flatten()
    mentions = tokens[torch.randperm(len(tokens), generator=generator)[:markers]][None]
    members = torch.zeros(1, entities, markers)
    owners = torch.cat(
        [torch.arange(entities), torch.randint(entities, (markers,), generator=generator)]
    )
    members[0, owners[:markers], torch.arange(markers)] = 1.0
    first = torch.randint(entities, (pairs,), generator=generator)
    second = (first + 1 + torch.randint(entities - 1, (pairs,), generator=generator)) % entities
    return DocumentBatch(
        ids,
        mask,
        mentions,
        members,
        torch.stack([first, second], -1)[None],
        torch.ones(1, pairs, dtype=torch.bool),
    )


def padded_together(documents, *, more=0):
    """A batch as a collator makes it, with ``more`` of everything."""
    windows = max(one.input_ids.shape[1] for one in documents) + more
    length = max(one.input_ids.shape[2] for one in documents) + more
    sizes = [
        max(getattr(one, name).shape[axis] for one in documents) + more
        for name, axis in (("mentions", 1), ("members", 1), ("pairs", 1))
    ]
    markers, entities, pairs = sizes
    count = len(documents)
    batch = DocumentBatch(
        torch.zeros(count, windows, length, dtype=torch.long),
        torch.zeros(count, windows, length, dtype=torch.long),
        torch.zeros(count, markers, dtype=torch.long),
        torch.zeros(count, entities, markers),
        torch.zeros(count, pairs, 2, dtype=torch.long),
        torch.zeros(count, pairs, dtype=torch.bool),
    )
    for row, one in enumerate(documents):
        own_windows, own_length = one.input_ids.shape[1:]
        batch.input_ids[row, :own_windows, :own_length] = one.input_ids[0]
        batch.attention_mask[row, :own_windows, :own_length] = one.attention_mask[0]
        window, place = one.mentions[0] // own_length, one.mentions[0] % own_length
        batch.mentions[row, : len(place)] = window * length + place
        batch.members[row, : one.members.shape[1], : one.members.shape[2]] = one.members[0]
        batch.pairs[row, : one.pairs.shape[1]] = one.pairs[0]
        batch.pair_mask[row, : one.pairs.shape[1]] = True
    return batch


@torch.no_grad()
def test_swapping_the_two_entities_changes_nothing(model):
    batch = document(2, 20, 12, 5, 30)
    swapped = DocumentBatch(
        batch.input_ids,
        batch.attention_mask,
        batch.mentions,
        batch.members,
        batch.pairs.flip(-1),
        batch.pair_mask,
    )
    there, back = model(batch), model(swapped)
    for task in ("relation", "novelty", "pair_type"):
        torch.testing.assert_close(getattr(there, task), getattr(back, task), **CLOSE)
    # Not because the model says the same of all pairs.
    assert there.relation.std(0).min() > 0.05


@torch.no_grad()
@pytest.mark.parametrize("more", [0, 3])
def test_padding_of_any_kind_changes_nothing(model, more):
    """Windows, tokens, markers, entities and pairs that only others in the batch have."""
    documents = [
        document(1, 9, 4, 3, 2, seed=1),
        document(3, 20, 14, 6, 11, seed=2, last=7),
        document(2, 13, 5, 5, 6, seed=3, last=4),
    ]
    alone = [model(one) for one in documents]
    together = model(padded_together(documents, more=more))
    for task in ("relation", "novelty", "pair_type"):
        expected = torch.cat([getattr(one, task) for one in alone])
        torch.testing.assert_close(getattr(together, task), expected, **CLOSE)


@torch.no_grad()
def test_a_pair_reads_its_own_document_only(model):
    """Another document in the batch may hold anything."""
    first = document(1, 12, 5, 3, 4, seed=1)
    for seed in (2, 3):
        batch = padded_together([first, document(2, 16, 8, 4, 9, seed=seed)])
        torch.testing.assert_close(model(batch).relation[:4], model(first).relation, **CLOSE)


@torch.no_grad()
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    entities=st.integers(1, 6),
    markers=st.integers(1, 9),
    scale=st.sampled_from([0.0, 1.0, 20.0]),
)
def test_entities_are_the_log_sum_exp_of_their_markers(seed, entities, markers, scale):
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(2, markers, 7, generator=generator) * scale
    vectors = vectors.clamp(-70, 70)
    members = (torch.rand(2, entities, markers, generator=generator) < 0.5).float()
    members[..., 0] = 1.0
    chosen = vectors.unsqueeze(1).masked_fill(members.unsqueeze(-1) == 0, -math.inf)
    expected = chosen.double().logsumexp(2).float()
    torch.testing.assert_close(entity_vectors(vectors, members), expected, rtol=1e-5, atol=1e-5)


def test_entities_without_markers_give_finite_gradients():
    vectors = torch.randn(1, 3, 4, requires_grad=True)
    members = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    found = entity_vectors(vectors, members)
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert found[0, 1].max() < -60
    assert torch.isfinite(vectors.grad).all()


@torch.no_grad()
def test_flags_are_added_to_keys_and_values_of_the_pairs_own_markers(tiny_bert):
    """Against one pair and one head at a time, by the definition."""
    reader = PairReader(tiny_bert.encoder.layer[-1], 0.0).eval()
    generator = torch.Generator().manual_seed(2)
    for flag in (reader.flag_key, reader.flag_value, reader.flag_bias):
        flag.copy_(torch.randn(flag.shape, generator=generator))
    queries = torch.randn(1, 3, 16, generator=generator)
    tokens = torch.randn(1, 8, 16, generator=generator)
    flags = (torch.rand(1, 3, 8, generator=generator) < 0.4).float()
    bias = torch.zeros(1, 1, 8)
    bias[..., 6:] = -1e4
    found, attention = reader(queries, tokens, flags, bias)
    for pair in range(3):
        keys = reader.key(tokens[0]) + flags[0, pair, :, None] * reader.flag_key
        values = reader.value(tokens[0]) + flags[0, pair, :, None] * reader.flag_value
        query = reader.query(queries[0, pair])
        read, seen = [], []
        for number, head in enumerate((slice(0, 8), slice(8, 16))):
            scores = keys[:, head] @ query[head] / math.sqrt(8)
            scores = scores + flags[0, pair] * reader.flag_bias[number].flatten()
            weights = scores[:6].softmax(0)
            seen.append(torch.cat([weights, torch.zeros(2)]))
            read.append(weights @ values[:6, head])
        middle = reader.mixed_norm(queries[0, pair] + reader.mixed(torch.cat(read)))
        inner = torch.nn.functional.gelu(reader.inner(middle))
        expected = reader.outer_norm(middle + reader.outer(inner))
        torch.testing.assert_close(found[0, pair], expected, **CLOSE)
        torch.testing.assert_close(attention[0, pair], sum(seen) / 2, **CLOSE)


@torch.no_grad()
def test_heads_one_after_the_other_give_the_same(tiny_bert):
    reader = PairReader(tiny_bert.encoder.layer[-1], 0.0).eval()
    generator = torch.Generator().manual_seed(2)
    queries = torch.randn(2, 3, 16, generator=generator)
    tokens = torch.randn(2, 8, 16, generator=generator)
    flags = (torch.rand(2, 3, 8, generator=generator) < 0.4).float()
    bias = torch.zeros(2, 1, 8)
    expected = reader(queries, tokens, flags, bias)
    found = reader(queries, tokens, flags, bias, parts=2)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@torch.no_grad()
def test_the_bilinear_term_is_the_sum_over_both_orders(model):
    left, right = torch.randn(2, 4, model.groups, 16 // model.groups)
    outer = left.unsqueeze(-1) * right.unsqueeze(-2)
    both = (outer + outer.transpose(-1, -2)).flatten(1)
    torch.testing.assert_close(
        model._symmetric(outer.flatten(1)), model.bilinear(both), rtol=1e-5, atol=1e-5
    )


@torch.no_grad()
def test_known_token_vectors_stand_for_their_windows(model):
    """Encoded in any number of steps, a document gives the same."""
    batch = document(3, 12, 9, 4, 7)
    graph = DocumentGraph(model)
    rest = (batch.mentions, batch.members, batch.pairs)
    nothing = torch.zeros(1, 0, 16)
    whole = graph(batch.input_ids, batch.attention_mask, nothing, *rest)
    for cut in (1, 2):
        first = batch.input_ids[:, :cut], batch.attention_mask[:, :cut]
        second = batch.input_ids[:, cut:], batch.attention_mask[:, cut:]
        known = graph(*first, nothing, *_one_pair())[3]
        found = graph(*second, known, *rest)
        for one, other in zip(found[:3], whole[:3], strict=True):
            torch.testing.assert_close(one, other, **CLOSE)
    blank = torch.zeros(1, 1, 1, dtype=torch.long)
    found = graph(blank, blank, whole[3], *rest)
    torch.testing.assert_close(found[0], whole[0], **CLOSE)
    torch.testing.assert_close(found[2][..., :36], whole[2], **CLOSE)
    assert found[2][..., 36].abs().max() == 0


def _one_pair():
    return (
        torch.zeros(1, 1, dtype=torch.long),
        torch.ones(1, 1, 1),
        torch.zeros(1, 1, 2, dtype=torch.long),
    )


def test_two_markers_corefer_where_they_share_an_entity():
    members = torch.tensor(
        # markers: of entity 0, of both, of entity 1, of none
        [[[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0]]]
    )
    assert marker_coreference_labels(members).tolist() == [1, 0, IGNORED, 1, IGNORED, IGNORED]


def test_a_step_moves_every_weight_and_no_gradient_is_lost_to_padding(model):
    documents = [document(1, 9, 4, 3, 2, seed=1), document(2, 12, 8, 4, 9, seed=2, last=5)]
    batch = padded_together(documents, more=2)
    labels = model(batch)
    generator = torch.Generator().manual_seed(3)
    for task, logits in labels.items():
        drawn = torch.randint(logits.shape[-1], (len(logits),), generator=generator)
        setattr(labels, task, drawn)
    labels.coreference = marker_coreference_labels(batch.members)
    loss, _ = joint_loss(model(batch), labels, TaskWeights())
    loss.backward()
    for name, weight in model.named_parameters():
        if "pooler" in name:
            continue
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        # A shift of all keys moves no attention.
        if not name.endswith("key.bias"):
            assert weight.grad.abs().max() > 0, name


@torch.no_grad()
def test_only_the_tasks_asked_for_are_computed(model):
    logits = model(document(1, 9, 4, 3, 2), frozenset({"novelty"}))
    assert [task for task, _ in logits.items()] == ["novelty"]
    assert logits.novelty.shape == (2, 3)
