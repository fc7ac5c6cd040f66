"""Which sentences a relation rests on: shares of attention, from the model to the files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from novelink.document import Document, Evidence, Relation
from novelink.errors import ModelError
from novelink.evidence import LEAST_SHARE, EvidenceReader
from novelink.extractor import Extractor
from novelink.formats import read, write
from novelink.reading.document import DocumentInput
from novelink.sentences import document_sentences

TITLE = "TNF lowers insulin."
ABSTRACT = "Mice were fed. Insulin fell in all of them. Nothing else was seen."


@pytest.fixture(scope="module")
def document():
    return Document.from_text("1", TITLE, ABSTRACT)


def encoding(*rows, mentions=()):
    """Windows whose tokens begin at these places of the text, and a pair."""
    return DocumentInput(
        windows=tuple((0,) * len(row) for row in rows),
        mentions=mentions,
        entities=2,
        pairs=((0, 1),),
        offsets=rows,
    )


def spans(document):
    text = document.text
    return [text[start:end] for start, end in document_sentences(document)]


def test_a_token_belongs_to_the_sentence_it_begins_in(document):
    assert spans(document)[2] == "Insulin fell in all of them."
    row = (-1, 0, 4, 18, 20, 25, 35, 43, 63, 64, 84, -1)
    read = encoding(row)
    borders = EvidenceReader(document, read).borders
    assert read.segments(borders).tolist() == [-1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, -1]


def test_all_windows_count_in_a_row_without_padding(document):
    read = encoding((-1, 0, 20, 35, -1), (-1, 35, 64, -1))
    borders = EvidenceReader(document, read).borders
    assert read.segments(borders).tolist() == [-1, 0, 1, 2, -1, -1, 2, 3, -1]


def test_sentences_come_heaviest_first_down_to_a_tenth(document):
    reader = EvidenceReader(document, encoding((-1, 0, -1)))
    found = reader.read(0, np.array([0.1, 0.02, 0.25, 0.03], np.float32))
    third, first = document_sentences(document)[2], document_sentences(document)[0]
    assert found == (Evidence(*third, 0.625), Evidence(*first, 0.25))


def test_attention_counts_by_how_many_of_the_two_a_sentence_names(document):
    """Two for both, one for one, a fifth for none; named twice is named."""
    row = (-1, 0, 11, 20, 35, 64, -1)
    marks = ((0, 1, 0), (0, 2, 1), (0, 4, 1), (1, 2, 1))
    read = encoding(row, (-1, 25, 40, -1), mentions=marks)
    reader = EvidenceReader(document, read)
    assert read.segments(reader.borders).tolist() == [-1, 0, 0, 1, 2, 3, -1, -1, 1, 2, -1]
    found = reader.read(0, np.array([0.5, 1.0, 1.0, 1.0], np.float32))
    sentences = document_sentences(document)
    # 0.5 · 2, 1 · 0.2, 1 · 1, 1 · 0.2: the first and the third have 1 / 2.4 each, rounded down.
    assert found == (
        Evidence(*sentences[0], 0.4166),
        Evidence(*sentences[2], 0.4166),
    )


def test_equal_weights_stand_in_the_order_of_the_text(document):
    reader = EvidenceReader(document, encoding((-1, 0, -1)))
    found = reader.read(0, np.array([0.5, 0.5, 0.5, 0.5], np.float32))
    assert [(one.start, one.end) for one in found] == document_sentences(document)


def test_where_all_are_light_the_heaviest_stands_alone():
    words = [f"Word{number} is here." for number in range(20)]
    document = Document.from_text("1", "Title.", " ".join(words))
    reader = EvidenceReader(document, encoding((-1, 0, -1)))
    weights = np.full(len(reader.sentences), 1.0, np.float32)
    weights[7] = 1.5
    (one,) = reader.read(0, weights)
    assert (one.start, one.end) == reader.sentences[7]
    assert one.weight < LEAST_SHARE


def test_no_attention_on_the_text_is_no_evidence(document):
    reader = EvidenceReader(document, encoding((-1, 0, -1)))
    assert reader.read(0, np.zeros(4, np.float32)) == ()
    assert reader.read(0, np.zeros(0, np.float32)) == ()


@given(
    weights=arrays.arrays(
        np.float32, st.integers(0, 4), elements=st.floats(0, 1e6, width=32, allow_nan=False)
    )
)
def test_weights_are_shares_that_never_add_up_to_more_than_one(document, weights):
    reader = EvidenceReader(document, encoding((-1, 0, -1)))
    found = reader.read(0, weights)
    assert sum(one.weight for one in found) <= 1 + 1e-12
    assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)
    assert all(0 <= one.weight <= 1 for one in found)
    assert {(one.start, one.end) for one in found} <= set(document_sentences(document))
    assert bool(found) == bool(weights.sum() > 0)
    assert found == reader.read(0, weights)


@pytest.fixture(scope="module")
def extractor(document_bundles):
    return Extractor.load(document_bundles / "fp32", threads=1)


def test_every_relation_of_a_document_model_has_sentences_of_its_text(extractor, small_documents):
    relations = 0
    for document in extractor.extract(small_documents, min_score=0.0, evidence=True):
        sentences = set(document_sentences(document))
        for relation in document.relations:
            assert relation.evidence
            assert {(one.start, one.end) for one in relation.evidence} <= sentences
            assert 0 < sum(one.weight for one in relation.evidence) <= 1
            relations += 1
    assert relations > 10


def test_evidence_differs_between_pairs_and_changes_no_relation(extractor, small_documents):
    with_it = list(extractor.extract(small_documents, min_score=0.0, evidence=True))
    without = list(extractor.extract(small_documents, min_score=0.0))
    bare = [
        document.with_relations(
            Relation(
                one.id1, one.id2, one.type, one.novelty, one.score, one.novelty_score, one.subject
            )
            for one in document.relations
        )
        for document in with_it
    ]
    assert bare == without
    assert len({relation.evidence for relation in with_it[0].relations}) > 3


def test_a_pair_looks_more_at_the_sentences_of_its_own_mentions(extractor, small_documents):
    """The flags on its markers see to that even before any training, on average."""
    own, other = [], []
    for document in extractor.extract(small_documents, min_score=0.0, evidence=True):
        entities = document.entities()
        for relation in document.relations:
            places = [
                mention.start
                for name in (relation.id1, relation.id2)
                for mention in entities[name].mentions
            ]
            for one in relation.evidence:
                inside = sum(one.start <= place < one.end for place in places)
                (own if inside else other).append(one.weight)
    assert np.mean(own) > np.mean(other or [0.0])


def test_a_per_pair_model_gives_none(tiny_bundle, small_documents):
    with pytest.raises(ModelError, match="gives no evidence"):
        Extractor.load(tiny_bundle).extract(small_documents, evidence=True)


@settings(max_examples=30, deadline=None)
@given(shares=st.lists(st.integers(0, 10_000), min_size=1, max_size=4))
@pytest.mark.parametrize("name", ["jsonl", "bioc-xml", "bioc-json"])
def test_files_keep_evidence(document, tmp_path_factory, name, shares):
    sentences = document_sentences(document)
    evidence = tuple(
        Evidence(*sentence, share / 10_000)
        for sentence, share in zip(sentences, shares, strict=False)
    )
    relation = Relation("1", "2", "Bind", "Novel", 0.75, 0.5, evidence=evidence)
    plain = Relation("1", "3", "Bind", "No", 0.5, 0.5)
    written = document.with_relations([relation, plain])
    target = tmp_path_factory.mktemp("files") / "evidence.out"
    write([written], target, name)
    (again,) = read(target, name)
    assert [one.evidence for one in again.relations] == [evidence, ()]
    assert again.relations[0].score == 0.75
