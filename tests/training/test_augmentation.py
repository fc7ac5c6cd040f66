"""Documents told otherwise: every label stays, every offset is right, every epoch is another."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from novelink.document import Document, Mention, Passage, Relation, check_document
from novelink.errors import SettingsError
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE
from novelink.sentences import document_sentences
from novelink.training.augmentation import (
    Augmentation,
    entity_names,
    with_fewer_sentences,
    with_other_names,
)
from novelink.training.document_edits import edited
from novelink.training.masking import WordHider
from novelink.training.settings import AugmentSettings, TrainSettings
from novelink.training.settings_file import override

TEXT = "Orfa raises palsy. We saw orfa in mice. Nobody looked at gutter disease (GD). GD is rare."


def mention_of(text, part, kind, *ids, nth=0, base=0):
    start = -1
    for _ in range(nth + 1):
        start = text.index(part, start + 1)
    return Mention(base + start, base + start + len(part), part, kind, ids)


def example(*more):
    mentions = [
        mention_of(TEXT, "Orfa", GENE, "1"),
        mention_of(TEXT, "palsy", DISEASE, "D1"),
        mention_of(TEXT, "orfa", GENE, "1"),
        mention_of(TEXT, "gutter disease", DISEASE, "D2"),
        mention_of(TEXT, "GD", DISEASE, "D2"),
        mention_of(TEXT, "GD", DISEASE, "D2", nth=1),
        *more,
    ]
    relation = Relation("1", "D1", "Positive_Correlation", "Novel")
    return Document("9", (Passage(0, TEXT),), tuple(mentions), (relation,))


def chance(seed=0):
    return np.random.default_rng(seed)


def labels(document):
    return {
        frozenset(pair.ids): (pair.relation, pair.novelty, pair.pair_type)
        for pair in candidate_pairs(document, BIORED)
    }


def test_all_entities_get_other_names_one_a_surface_form():
    names = {GENE: [("Orfz", "Z protein")], DISEASE: [("long limb syndrome",)]}
    found = with_other_names(example(), names, chance(), share=1.0)
    assert found.text == (
        "Orfz raises long limb syndrome. We saw Z protein in mice. Nobody looked at "
        "long limb syndrome (long limb syndrome). long limb syndrome is rare."
    )
    check_document(found)
    assert [one.concept_ids for one in found.mentions] == [
        one.concept_ids for one in example().mentions
    ]
    assert labels(found) == labels(example())


def test_no_share_changes_nothing():
    names = entity_names([example()])
    assert with_other_names(example(), names, chance(), share=0.0) == example()
    assert with_fewer_sentences(example(), BIORED, chance(), share=0.0) == example()


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        (mention_of(TEXT, "palsy", DISEASE, "D1", "D3"), "disease of several ids"),
        (mention_of(TEXT, "raises palsy", DISEASE, "D4"), "overlapping mention"),
        (
            Mention(0, 17, "Orfa palsy", DISEASE, ("D1",), ((0, 4), (12, 17))),
            "mention in several parts",
        ),
    ],
)
def test_entities_whose_names_cannot_be_told_apart_keep_them(more, changed):
    names = {DISEASE: [("other",)]}
    found = with_other_names(example(more), names, chance(), share=1.0)
    assert "raises palsy" in found.text, changed
    assert "looked at other (other)" in found.text
    check_document(found)


def test_types_without_names_keep_theirs():
    found = with_other_names(example(), {CHEMICAL: [("zelamine",)]}, chance(), share=1.0)
    assert found == example()


def test_names_are_counted_by_entity_and_document():
    names = entity_names([example(), example()])
    assert names[GENE] == [("Orfa", "orfa"), ("Orfa", "orfa")]
    assert names[DISEASE] == [("palsy",), ("GD", "gutter disease")] * 2


def test_only_sentences_that_no_label_needs_are_left_out():
    """The first stays, D2 keeps one of its two sentences, and nothing else names an entity."""
    for seed in range(8):
        found = with_fewer_sentences(example(), BIORED, chance(seed), share=1.0)
        check_document(found)
        assert found.text.startswith("Orfa raises palsy.")
        assert "mice" not in found.text
        assert ("looked" in found.text) != ("rare" in found.text)
        assert labels(found) == labels(example())


def test_a_related_pair_keeps_a_sentence_together():
    """Both are named in two sentences each, and share the last one alone."""
    text = "We saw orfa. There is palsy. Orfa raises palsy."
    mentions = (
        mention_of(text, "orfa", GENE, "1"),
        mention_of(text, "palsy", DISEASE, "D1"),
        mention_of(text, "Orfa", GENE, "1"),
        mention_of(text, "palsy", DISEASE, "D1", nth=1),
    )
    related = Relation("1", "D1", "Association", "No")
    document = Document("9", (Passage(0, text),), mentions, (related,))
    kept = with_fewer_sentences(document, BIORED, chance(), share=1.0)
    assert "Orfa raises palsy." in kept.text
    assert "There" not in kept.text
    unrelated = with_fewer_sentences(document.with_relations(()), BIORED, chance(1), share=1.0)
    texts = {
        with_fewer_sentences(document.with_relations(()), BIORED, chance(seed), share=1.0).text
        for seed in range(8)
    }
    assert any("raises" not in text for text in texts)
    check_document(unrelated)


def test_a_sentence_that_a_mention_leaves_stays():
    start = TEXT.index("mice")
    long = Mention(start, start + 12, TEXT[start : start + 12], DISEASE, ("D2",))
    found = with_fewer_sentences(example(long), BIORED, chance(), share=1.0)
    assert "mice. Nobody" in found.text


PARTS = st.text(string.ascii_lowercase + " ", max_size=6)


@st.composite
def documents_with_edits(draw):
    """Passages cut into pieces; some pieces are mentions, some are replaced."""
    offset, passages, mentions, edits, expected = 0, [], [], [], []
    for number in range(draw(st.integers(1, 3))):
        text, new_text = "", ""
        for _ in range(draw(st.integers(0, 6))):
            piece, new = draw(PARTS.filter(bool)), draw(PARTS)
            start = offset + len(text)
            fate = draw(st.sampled_from(["text", "mention", "edit", "renamed"]))
            if fate in ("mention", "renamed"):
                mentions.append(Mention(start, start + len(piece), piece, GENE, ("1",)))
            changes = fate in ("edit", "renamed")
            if changes:
                edits.append((start, start + len(piece), new))
            kept = new if changes else piece
            if fate == "mention" or (fate == "renamed" and new):
                expected.append(kept)
            text, new_text = text + piece, new_text + kept
        passages.append((Passage(offset, text, str(number)), new_text))
        offset += len(text) + draw(st.integers(0, 2))
    document = Document("9", tuple(one for one, _ in passages), tuple(mentions))
    return document, draw(st.permutations(edits)), [new for _, new in passages], expected


@given(documents_with_edits())
def test_edits_change_their_stretches_and_nothing_else(case):
    document, edits, texts, expected = case
    found = edited(document, edits)
    check_document(found)
    assert [one.text for one in found.passages] == texts
    assert [one.text for one in found.mentions] == expected
    gaps = [
        [after.offset - before.end for before, after in pairwise(one)]
        for one in (document.passages, found.passages)
    ]
    assert gaps[0] == gaps[1]


@given(st.integers(0, 10**6), st.floats(0, 1), st.floats(0, 1))
def test_labels_never_change(seed, swap, drop):
    text = TEXT + " Bexin lowers GD in palsy, and orfa does not."
    more = [
        Mention(text.index("Bexin"), text.index("Bexin") + 5, "Bexin", CHEMICAL, ("C1",)),
        mention_of(text, "GD", DISEASE, "D2", nth=2),
        mention_of(text, "palsy", DISEASE, "D1", nth=1),
        mention_of(text, "orfa", GENE, "1", nth=1),
    ]
    document = Document(
        "9",
        (Passage(0, text),),
        (*example().mentions, *more),
        (*example().relations, Relation("C1", "D2", "Negative_Correlation", "No")),
    )
    told = Augmentation(AugmentSettings(swap, drop), [document, example()], BIORED, seed=seed)
    for found in told.of_epoch(3):
        check_document(found)
    assert labels(told.of_epoch(3)[0]) == labels(document)
    assert len(document_sentences(told.of_epoch(3)[0])) <= len(document_sentences(document))


def test_epochs_differ_and_can_be_drawn_again(train_documents):
    def told(seed):
        settings = AugmentSettings(swap_entities=0.5)
        return Augmentation(settings, train_documents, BIORED, seed=seed)

    first = told(1).of_epoch(0)
    assert first == told(1).of_epoch(0)
    assert first not in (told(1).of_epoch(1), told(2).of_epoch(0), train_documents)


def test_whole_words_are_hidden_and_markers_are_not(trainer, settings, change):
    made = trainer(change(settings, augment={"hide_words": 1.0}))
    tokenizer = made.task_model.tokenizer
    batches = made.epochs.batches(0)
    hidden = made.epochs.batch(0, batches[0], 7)
    clean = made.train_samples.batch(batches[0], made.task_model.pad_id)
    added = [
        index
        for index, token in tokenizer.get_added_tokens_decoder().items()
        if token.content != "[MASK]"
    ]
    stays = torch.isin(clean.input_ids, torch.tensor(added))
    assert 0 < stays.sum() < stays.numel()
    assert torch.equal(hidden.input_ids[stays], clean.input_ids[stays])
    assert set(hidden.input_ids[~stays].tolist()) == {tokenizer.token_to_id("[MASK]")}
    assert torch.equal(hidden.labels.relation, clean.labels.relation)


def test_a_share_of_words_is_hidden_all_pieces_together(trainer):
    tokenizer = trainer().task_model.tokenizer
    # "orfab" is "orfa" and "##b"
    ids = torch.tensor([tokenizer.encode("we found orfab").ids * 400]).reshape(2, 2, -1)
    found = WordHider(tokenizer, 0.3)(ids, (1, 2))
    assert found.shape == ids.shape
    mask = found == tokenizer.token_to_id("[MASK]")
    assert 0.25 < mask.float().mean() < 0.35
    first, second = (mask[ids == tokenizer.token_to_id(piece)] for piece in ("orfa", "##b"))
    assert torch.equal(first, second)
    assert torch.equal(found[~mask], ids[~mask])
    assert torch.equal(found, WordHider(tokenizer, 0.3)(ids, (1, 2)))
    assert not torch.equal(found, WordHider(tokenizer, 0.3)(ids, (1, 3)))


@pytest.mark.parametrize("reading", ["pair", "entity", "document"])
def test_a_run_trains_on_what_its_epochs_tell(trainer, settings, change, make_documents, reading):
    documents = [
        replace(one, passages=(one.passages[0], replace(one.passages[1], text="It is known.")))
        for one in make_documents(24, seed=3, pairs=2)
    ]
    chosen = change(
        settings,
        model={"reading": reading},
        augment={"swap_entities": 0.5, "drop_sentences": 0.5, "hide_words": 0.1},
    )
    made = trainer(chosen, documents)
    lengths = [made.epochs.samples(epoch).lengths for epoch in (0, 1)]
    assert any((one != made.train_samples.lengths).any() for one in lengths)
    assert (made.epochs.samples(0).relation == made.train_samples.relation).all()
    made.run()
    lines = (made.output / "metrics.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    plain = trainer(change(settings, model={"reading": reading}, output=f"{settings.output}-b"))
    assert (made.dev_samples.lengths == plain.dev_samples.lengths).all()


def test_shares_are_fractions():
    with pytest.raises(SettingsError, match=r"augment\.hide_words"):
        override(TrainSettings(), ["augment.hide_words=1.5"])
