"""Samples, epochs and batches: nothing lost, nothing twice, everything a function of the seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink.document import Document, Mention, Relation
from novelink.errors import DataError
from novelink.model.joint_loss import IGNORED
from novelink.pairs import candidate_pairs
from novelink.reading.pair import PairReading
from novelink.runtime.bundle import load_bundle
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE, Schema
from novelink.training.labels import pair_labels
from novelink.training.samples import (
    PairSamples,
    collate,
    epoch_indices,
    pair_samples,
    token_batches,
)


@pytest.fixture(scope="module")
def reading(tiny_bundle):
    return PairReading(load_bundle(tiny_bundle).tokenizer(), 100)


def labelled(*relations):
    """Two genes and a disease with these relations."""
    text = "orfa orfb itch"
    mentions = [
        Mention(0, 4, "orfa", GENE, ("g1",)),
        Mention(5, 9, "orfb", GENE, ("g2",)),
        Mention(10, 14, "itch", DISEASE, ("d1",)),
    ]
    return Document.from_text("7", text, mentions=mentions, relations=relations)


def samples_of(relation):
    count = len(relation)
    return PairSamples(
        lengths=np.full(count, 10), relation=np.array(relation), mentions=np.zeros(count, np.int64)
    )


def test_flat_arrays_hold_what_the_reading_gives(reading, small_documents):
    samples = pair_samples(small_documents, reading, BIORED)
    place = 0
    for number, document in enumerate(small_documents):
        for item in reading.encode(document, candidate_pairs(document)):
            starts, owners = samples.marks_of(place)
            assert tuple(samples.ids_of(place)) == item.ids
            assert tuple(starts) == item.starts
            assert tuple(owners) == item.owners
            assert samples.lengths[place] == len(item.ids)
            assert samples.document[place] == number
            place += 1
    assert len(samples) == place > 5


def test_labels_are_numbers_in_the_schemas_order():
    document = labelled(
        Relation("g1", "d1", "Positive_Correlation", "Novel"), Relation("d1", "g2", "Bind", "No")
    )
    labels = pair_labels(document, candidate_pairs(document), BIORED)
    gene_gene = BIORED.pair_types.index((GENE, GENE))
    disease_gene = BIORED.pair_types.index((DISEASE, GENE))
    assert labels == [
        (0, 0, gene_gene),
        (BIORED.relation_labels.index("Positive_Correlation"), 2, disease_gene),
        (BIORED.relation_labels.index("Bind"), 1, disease_gene),
    ]


def test_novelty_over_related_pairs_ignores_the_others():
    document = labelled(Relation("g1", "d1", "Association"))
    pairs = candidate_pairs(document)
    everywhere = [row[1] for row in pair_labels(document, pairs, BIORED)]
    related = [row[1] for row in pair_labels(document, pairs, BIORED, novelty_over="related")]
    assert everywhere == [0, IGNORED, 0]
    assert related == [IGNORED, IGNORED, IGNORED]


def test_a_schema_without_novelty_has_no_novelty_labels():
    schema = Schema(
        "plain",
        (GENE, DISEASE),
        ("Association",),
        {(DISEASE, GENE): ("Association",)},
        has_novelty=False,
    )
    document = labelled(Relation("g1", "d1", "Association", "Novel"))
    labels = pair_labels(document, candidate_pairs(document, schema), schema)
    assert [row[1] for row in labels] == [IGNORED, IGNORED]


def test_labels_outside_the_schema_are_refused():
    unknown = labelled(Relation("g1", "d1", "Cures", "Novel"))
    with pytest.raises(DataError, match="document 7: relation type 'Cures'"):
        pair_labels(unknown, candidate_pairs(unknown), BIORED)
    unknown = labelled(Relation("g1", "d1", "Bind", "Maybe"))
    with pytest.raises(DataError, match="document 7: novelty 'Maybe'"):
        pair_labels(unknown, candidate_pairs(unknown), BIORED)


relations = st.lists(st.integers(0, 3), min_size=1, max_size=200)


@given(relations, st.one_of(st.none(), st.floats(0, 5)), st.integers(0, 99), st.integers(0, 9))
def test_an_epoch_has_all_related_pairs_and_its_share_of_others(labels, share, seed, epoch):
    samples = samples_of(labels)
    chosen = epoch_indices(samples, negatives_per_positive=share, seed=seed, epoch=epoch)
    assert len(set(chosen.tolist())) == len(chosen)
    positive = {place for place, label in enumerate(labels) if label}
    assert positive <= set(chosen.tolist())
    negatives = len(labels) - len(positive)
    if share is not None:
        negatives = min(negatives, round(share * len(positive)))
    assert len(chosen) == len(positive) + negatives
    again = epoch_indices(samples, negatives_per_positive=share, seed=seed, epoch=epoch)
    assert np.array_equal(chosen, again)


def test_unrelated_pairs_are_drawn_anew_each_epoch():
    samples = samples_of([1] * 10 + [0] * 200)
    drawn = [
        set(epoch_indices(samples, negatives_per_positive=2, seed=1, epoch=epoch).tolist())
        for epoch in range(3)
    ]
    assert drawn[0] != drawn[1] != drawn[2]
    assert len(drawn[0] | drawn[1] | drawn[2]) > 50


@given(
    st.lists(st.integers(3, 120), min_size=1, max_size=150),
    st.integers(32, 2000),
    st.one_of(st.none(), st.integers(0, 99)),
    st.integers(0, 5),
)
def test_batches_hold_every_sample_once_within_their_tokens(lengths, limit, seed, epoch):
    lengths = np.array(lengths)
    indices = np.arange(0, len(lengths), 2)
    batches = token_batches(indices, lengths, batch_tokens=limit, seed=seed, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == indices.tolist()
    for batch in batches:
        padded = -(-lengths[batch].max() // 32) * 32
        assert len(batch) == 1 or padded * len(batch) <= limit
    again = token_batches(indices, lengths, batch_tokens=limit, seed=seed, epoch=epoch)
    assert all(map(np.array_equal, batches, again))


def test_batches_are_of_like_lengths_and_shuffled_by_epoch():
    lengths = np.random.default_rng(0).integers(10, 500, 400)
    first, second = (
        token_batches(np.arange(400), lengths, batch_tokens=4096, seed=1, epoch=epoch)
        for epoch in (0, 1)
    )
    spread = [int(np.ptp(lengths[batch])) for batch in first]
    assert np.mean(spread) < 64
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]
    longest = [int(lengths[batch].max()) for batch in first]
    assert longest != sorted(longest)


def test_without_a_seed_batches_ascend_in_length():
    lengths = np.array([50, 10, 30, 20, 40])
    batches = token_batches(np.arange(5), lengths, batch_tokens=64, seed=None)
    assert np.concatenate(batches).tolist() == [1, 3, 2, 4, 0]


def test_a_batch_is_padded_and_labelled(reading, small_documents):
    samples = pair_samples(small_documents, reading, BIORED)
    chosen = np.array([3, 0])
    batch = collate(samples, chosen, pad_id=0)
    longest = int(samples.lengths[chosen].max())
    assert batch.input_ids.shape[1] % 32 == 0 or batch.input_ids.shape[1] == 100
    assert batch.input_ids.shape[1] >= longest
    for row, index in enumerate(chosen):
        length = samples.lengths[index]
        assert batch.input_ids[row, :length].tolist() == samples.ids_of(index).tolist()
        assert not batch.input_ids[row, length:].any()
        assert batch.attention_mask[row].sum() == length
        starts, owners = samples.marks_of(index)
        assert batch.starts[row, : len(starts)].tolist() == starts.tolist()
        assert batch.owners[row, : len(owners)].tolist() == owners.tolist()
        assert not batch.owners[row, len(owners) :].any()
    assert batch.labels.relation.tolist() == samples.relation[chosen].tolist()
    assert batch.labels.pair_type.tolist() == samples.pair_type[chosen].tolist()


def test_padding_never_exceeds_the_encoders_positions(reading):
    """100 is no multiple of 32: an input of 100 tokens stays at 100."""
    words = " ".join(f"w{number}" for number in range(60))
    text = f"orfa {words} itch"
    mentions = [
        Mention(0, 4, "orfa", CHEMICAL, ("1",)),
        Mention(len(text) - 4, len(text), "itch", DISEASE, ("2",)),
    ]
    samples = pair_samples([Document.from_text("1", text, mentions=mentions)], reading, BIORED)
    assert samples.lengths.tolist() == [100]
    assert collate(samples, np.array([0]), 0).input_ids.shape == (1, 100)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 40))
def test_document_numbers_skip_nothing(reading, count):
    documents = [labelled()] * count
    samples = pair_samples(documents, reading, BIORED)
    assert samples.document.tolist() == [number for number in range(count) for _ in range(3)]


def test_no_documents_give_no_samples(reading):
    samples = pair_samples([], reading, BIORED)
    assert len(samples) == 0
    assert samples.relation.shape == samples.novelty.shape == samples.pair_type.shape == (0,)


def test_a_corpus_is_held_as_a_few_bytes_a_token(reading, small_documents):
    """Four a token, five a mention, some for each sample; nothing else grows with the corpus."""
    samples = pair_samples(small_documents * 20, reading, BIORED)
    held = sum(value.nbytes for value in vars(samples).values() if isinstance(value, np.ndarray))
    tokens, mentions = int(samples.lengths.sum()), int(samples.mentions.sum())
    assert held <= 4 * tokens + 5 * mentions + 96 * len(samples)
    others = [value for value in vars(samples).values() if not isinstance(value, np.ndarray)]
    assert all(value is None or isinstance(value, int) for value in others)
