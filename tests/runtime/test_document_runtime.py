"""A whole-document model: the same bits in any company, the same answer in any blocks."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink import extractor as extractor_module
from novelink.document import Document, Mention
from novelink.errors import DataError, ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.pairs import candidate_pairs
from novelink.reading.document import DocumentReading
from novelink.runtime import document_model
from novelink.runtime.bundle import load_bundle, write_manifest
from novelink.runtime.document_model import DocumentModel, feed
from novelink.runtime.session import Session
from novelink.schema import BIORED, CHEMICAL, GENE

CLOSE = {"rtol": 0, "atol": 2e-5}


@pytest.fixture(scope="module")
def bundle(document_bundles):
    return load_bundle(document_bundles / "fp32")


@pytest.fixture(scope="module")
def read(bundle):
    """Encode a document in windows of so many tokens."""

    def make(document, length=512):
        reading = DocumentReading(bundle.tokenizer(), BIORED, length)
        return reading.encode(document, candidate_pairs(document))

    return make


def article(words, entities, *, doc_id="1", seed=1):
    """A text of so many words, about one in ten of them a mention."""
    generator = random.Random(seed)
    pieces, mentions, position = [], [], 0
    for index in range(words):
        if index < 3 or generator.random() < 0.1:
            number = index if index < 3 else generator.randrange(entities)
            word = f"g{number}"
            kind = GENE if number % 2 else CHEMICAL
            mentions.append(Mention(position, position + len(word), word, kind, (word,)))
        else:
            word = generator.choice(["the", "of", "cells", "mice", "were", "disease."])
        pieces.append(word)
        position += len(word) + 1
    return Document.from_text(doc_id, " ".join(pieces), mentions=mentions)


@pytest.fixture(scope="module")
def several():
    """Short and long texts with few and many pairs."""
    return [article(words, entities, seed=words) for words, entities in
            [(30, 4), (200, 12), (60, 5), (400, 6), (30, 4), (90, 20)]]  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_bits_depend_on_the_document_alone(document_bundles, read, several, precision):
    opened = load_bundle(document_bundles / precision)
    inputs = [read(document, 64) for document in several]
    single = DocumentModel(opened, threads=1)
    alone = [single.logits([item])[0] for item in inputs]
    for threads in (1, 2, 3):
        model = DocumentModel(opened, threads=threads)
        for order in ([0, 1, 2, 3, 4, 5], [5, 3, 3, 1, 0]):
            found = model.logits([inputs[place] for place in order])
            for logits, place in zip(found, order, strict=True):
                assert np.array_equal(logits.relation, alone[place].relation)
                assert np.array_equal(logits.novelty, alone[place].novelty)


@pytest.fixture(scope="module")
def in_one_run(bundle, read, several):
    """Each document of windows of 64 tokens in a single run, with its attention over segments."""
    session = Session(bundle, document_model.INPUTS, document_model.OUTPUTS)
    found = []
    for document in several:
        item = read(document, 64)
        outputs = session.run(feed(item, 32))
        longest = max(map(len, item.windows))
        attention = outputs["attention"][0].reshape(len(item.pairs), -1, longest)
        rows = [attention[:, row, : len(window)] for row, window in enumerate(item.windows)]
        found.append(
            (item, outputs["relation"][0], outputs["novelty"][0], np.concatenate(rows, axis=1))
        )
    return found


@pytest.mark.parametrize("windows", [1, 2, 4, 100])
@pytest.mark.parametrize(("pairs", "threads"), [(1, 1), (7, 1), (7, 2), (256, 1), (256, 2)])
def test_groups_of_windows_and_blocks_of_pairs_answer_as_one_run(
    bundle, in_one_run, windows, pairs, threads
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document_model, "WINDOWS_AT_ONCE", windows)
        patch.setattr(document_model, "BLOCK_PAIRS", pairs)
        check_blocks(DocumentModel(bundle, threads=threads), in_one_run[: 4 if pairs > 1 else 1])


def check_blocks(model, in_one_run):
    for item, relation, novelty, attention in in_one_run:
        segments = np.arange(item.tokens) // 5 - 1
        (found,) = model.logits([item], [segments])
        np.testing.assert_allclose(found.relation, relation, **CLOSE)
        np.testing.assert_allclose(found.novelty, novelty, **CLOSE)
        expected = np.add.reduceat(attention, np.arange(0, item.tokens, 5), axis=1)[:, 1:]
        np.testing.assert_allclose(found.attention, expected, **CLOSE)
    assert relation.std(0).min() > 0.02  # it tells pairs apart


def test_blocks_shrink_with_the_length_of_the_text(bundle, read, monkeypatch):
    """Pairs × tokens of a run stay below the bound, and no pair is lost."""
    item = read(article(400, 12), 64)
    most = []
    model = DocumentModel(bundle, threads=1)
    run = model._session.run

    def counted(inputs, outputs):
        tokens = inputs["known"].shape[1] + inputs["input_ids"].size
        most.append((inputs["pairs"].shape[1], tokens))
        return run(inputs, outputs)

    monkeypatch.setattr(model._session, "run", counted)
    expected = model.logits([item])[0].relation
    limit = 10 * item.tokens
    monkeypatch.setattr(document_model, "PAIR_TOKENS", limit)
    most.clear()
    found = model.logits([item])[0].relation
    assert len(found) == len(item.pairs) == 66
    np.testing.assert_allclose(found, expected, **CLOSE)
    scoring = [pairs for pairs, tokens in most if tokens >= item.tokens]
    assert scoring == [10, 10, 10, 10, 10, 10, 6]


def test_a_sentence_in_two_windows_is_one_segment(bundle, read, in_one_run):
    """Its tokens are read twice; what both were attended to is its sum."""
    item, _, _, attention = in_one_run[1]
    offsets = np.concatenate([np.array(row) for row in item.offsets])
    segments = np.where(offsets < 0, -1, offsets // 100)
    found = DocumentModel(bundle, threads=1).logits([item], [segments])[0].attention
    for number in range(found.shape[1]):
        expected = attention[:, segments == number].sum(1)
        np.testing.assert_allclose(found[:, number], expected, **CLOSE)


def test_what_is_not_a_number_is_an_error(bundle, read, monkeypatch):
    model = DocumentModel(bundle, threads=1)
    run = model._session.run

    def spoiled(inputs, outputs):
        found = run(inputs, outputs)
        found["novelty"][0, 0, 0] = np.nan
        return found

    monkeypatch.setattr(model._session, "run", spoiled)
    with pytest.raises(ModelError, match="not a number"):
        model.logits([read(article(30, 4))])


def test_fewer_than_one_thread_is_refused(bundle):
    with pytest.raises(SettingsError, match="threads"):
        DocumentModel(bundle, threads=0)


def test_a_graph_of_the_other_reading_is_refused(bundle_writer, tmp_path):
    folder = bundle_writer(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["reading"] = "document"
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_manifest(folder)
    with pytest.raises(ModelError, match="the graph's inputs are attention_mask, first_starts"):
        DocumentModel(load_bundle(folder))


@pytest.fixture(scope="module")
def documents(small_documents, several):
    return [*small_documents[:5], *several[:3]]


@pytest.fixture(scope="module", params=["fp32", "int8"])
def extractors(request, document_bundles):
    """One model under several thread counts, in windows of 64 tokens."""
    made = [Extractor.load(document_bundles / request.param, threads=n) for n in (1, 2, 3)]
    for one in made:
        one._reader.reading.max_length = 64
    return made


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(8)), size=st.integers(1, 8), window=st.sampled_from([1, 300]))
def test_a_documents_relations_do_not_depend_on_its_company(
    extractors, documents, order, size, window
):
    """Any subset in any order, any window and thread count: the same relations and evidence."""
    expected = [next(extractors[0].extract([one], evidence=True)) for one in documents]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractor_module, "WINDOW_TOKENS", window)
        patch.setattr(extractor_module, "WINDOW_DOCUMENTS", 1 + window % 3)
        for one in extractors:
            found = list(one.extract([documents[place] for place in order[:size]], evidence=True))
            assert found == [expected[place] for place in order[:size]]


def test_every_pair_is_judged_and_pairs_apart_are_counted(extractors, several):
    for one in extractors:
        list(one.extract(several, min_score=0.0))
        report = one.report
        pairs = sum(len(candidate_pairs(document)) for document in several)
        assert report.pairs == report.relations == pairs
        assert (report.cut_documents, report.cut_mentions, report.cut_tokens) == (0, 0, 0)
        assert 0 < report.pairs_apart < pairs


def test_documents_are_read_while_others_are_scored(document_bundles, small_documents, monkeypatch):
    """With threads, the answers run one window behind; the order stays."""
    monkeypatch.setattr(extractor_module, "WINDOW_DOCUMENTS", 4)
    taken = []

    def stream():
        for number in range(60):
            taken.append(number)
            yield small_documents[number % 3]

    for threads, behind in ((1, 4), (2, 4)):
        taken.clear()
        found = Extractor.load(document_bundles / "fp32", threads=threads).extract(stream())
        next(found)
        assert len(taken) == behind
        assert len(list(found)) == 59


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fault_of_the_input_comes_through(document_bundles, small_documents, threads):
    def breaking():
        yield from small_documents
        raise DataError("bad", source="x", line=3)

    extractor = Extractor.load(document_bundles / "fp32", threads=threads)
    with pytest.raises(DataError, match="x:3: bad"):
        list(extractor.extract(breaking()))
    assert len(list(extractor.extract(small_documents))) == 6


def test_a_caller_who_leaves_early_stops_the_work(document_bundles, several):
    extractor = Extractor.load(document_bundles / "fp32", threads=2)
    found = extractor.extract(several * 3)
    next(found)
    found.close()
    assert len(list(extractor.extract(several))) == 6


_ARTICLE = """
import re, sys
from pathlib import Path
from test_document_runtime import article
from novelink import Extractor
from novelink.pairs import candidate_pairs


def peak():
    # getrusage's figure would begin at the parent's peak.
    return re.search(r"VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]


document = article(30_000, 34)
extractor = Extractor.load(sys.argv[1], threads=2)
list(extractor.extract([article(100, 5)], evidence=True))
before = peak()
(found,) = extractor.extract([document], min_score=0.0, evidence=True)
after = peak()
pairs = {pair.ids for pair in candidate_pairs(document)}
assert {(relation.id1, relation.id2) for relation in found.relations} == pairs
assert all(relation.evidence for relation in found.relations)
print(len(pairs), before, after)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from Linux's /proc")
def test_an_article_of_thirty_thousand_words_needs_bounded_memory(document_bundles, request):
    """Every legal pair is scored. A map of all pairs × tokens × heads alone would take 500 MB."""
    done = subprocess.run(
        [sys.executable, "-c", _ARTICLE, str(document_bundles / "fp32")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=request.path.parent,
        env={"OMP_NUM_THREADS": "1", "PYTHONPATH": str(request.path.parent)},
    )
    pairs, before, after = map(int, done.stdout.split())
    assert pairs == 34 * 33 // 2
    assert (after - before) / 1000 < 450
