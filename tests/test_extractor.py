"""Documents in, documents with relations out: same answer whatever the batch, order or threads."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink import extractor as extractor_module
from novelink.document import Document, Mention, Relation
from novelink.errors import DataError, ModelError, SettingsError
from novelink.extractor import ExtractionReport, Extractor
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import write_manifest
from novelink.runtime.readers import BLOCK_PAIRS
from novelink.schema import BIORED, GENE


@pytest.fixture(scope="module")
def extractor(tiny_bundle):
    return Extractor.load(tiny_bundle, threads=2)


@pytest.fixture(scope="module", params=["tiny_bundle", "quantised_bundle"])
def extractors(request):
    """One model under several thread counts and batch sizes."""
    folder = request.getfixturevalue(request.param)
    return [
        Extractor.load(folder, threads=threads, batch_tokens=tokens)
        for threads, tokens in [(1, 1), (2, 64), (3, 4096)]
    ]


def crowd(genes, doc_id="900", repeat=1):
    """A document that names each of so many genes, over and over."""
    title = "Many genes"
    words = [f"g{number}" for number in range(genes)] * repeat
    start = len(title) + 1
    mentions = []
    for word in words:
        mentions.append(Mention(start, start + len(word), word, GENE, (word,)))
        start += len(word) + 1
    return Document.from_text(doc_id, title, " ".join(words), mentions=mentions)


def test_documents_keep_their_order_and_everything_but_their_relations(extractor, small_documents):
    found = list(extractor.extract(small_documents))
    assert [document.with_relations(()) for document in found] == small_documents


def test_every_relation_is_a_legal_pair_with_label_and_scores(extractor, small_documents):
    relations = 0
    for document in extractor.extract(small_documents):
        pairs = {pair.ids: pair for pair in candidate_pairs(document)}
        for relation in document.relations:
            pair = pairs[relation.id1, relation.id2]
            assert relation.type in BIORED.pairs[pair.pair_type]
            assert relation.novelty in {"Novel", "No"}
            assert 0.6 <= relation.score <= 1  # the tiny model's own threshold
            assert 0 <= relation.novelty_score <= 1
            relations += 1
    assert relations


def test_relations_of_the_input_are_replaced_and_do_not_sway_the_answer(extractor, small_documents):
    planted = Relation("9901", "D990001", "Bind", "Novel", 1.0)
    alien = Relation("no", "mention", "Association", "No")
    given_relations = [document.with_relations([planted, alien]) for document in small_documents]
    found = list(extractor.extract(given_relations))
    assert found == list(extractor.extract(small_documents))
    assert not any({planted, alien} & set(document.relations) for document in found)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)), size=st.integers(1, 6), window=st.sampled_from([1, 200]))
def test_a_documents_relations_do_not_depend_on_its_company(
    extractors, small_documents, order, size, window
):
    """Any subset in any order, any batch size, thread count and window: the same relations."""
    expected = {
        document.id: next(extractors[0].extract([document])) for document in small_documents
    }
    chosen = [small_documents[place] for place in order[:size]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractor_module, "WINDOW_TOKENS", window)
        patch.setattr(extractor_module, "WINDOW_DOCUMENTS", 1 + window % 3)
        for one in extractors:
            assert list(one.extract(chosen)) == [expected[document.id] for document in chosen]


def test_counts_say_what_was_judged_and_what_had_no_pairs(extractor, small_documents):
    found = list(extractor.extract(small_documents))
    report = extractor.report
    assert report.documents == 6
    assert report.documents_without_pairs == 2  # nothing marked; species only
    assert report.pairs == sum(len(candidate_pairs(document)) for document in small_documents)
    assert report.relations == sum(len(document.relations) for document in found)


def test_what_does_not_fit_the_model_is_counted(extractor):
    long = crowd(3, repeat=60)
    short = crowd(3, "901")
    list(extractor.extract([long, short]))
    report = extractor.report.to_dict()
    assert report["cut_documents"] == 1
    assert report["cut_pairs"] == 3
    # Each pair marks 2 × 60 mentions; at most 128 tokens of some 490 are read.
    assert 200 < report["cut_mentions"] < 360
    assert report["cut_tokens"] > 3 * 300


def test_a_report_of_ones_own_is_added_to(extractor, small_documents):
    report = ExtractionReport()
    for _ in range(2):
        list(extractor.extract(small_documents, report=report))
    assert report.documents == 12


def test_a_document_with_a_thousand_pairs_is_judged_in_blocks(extractor, monkeypatch):
    document = crowd(48)
    sizes, windows = [], []
    start = extractor._reader.start

    def counted(blocks):
        sizes.extend(block.pairs for block in blocks)
        windows.append(sum(block.pairs for block in blocks))
        return start(blocks)

    monkeypatch.setattr(extractor._reader, "start", counted)
    monkeypatch.setattr(extractor_module, "WINDOW_TOKENS", 20_000)
    found = list(extractor.extract([document]))
    assert extractor.report.pairs == sum(sizes) == sum(windows) == 48 * 47 // 2
    assert max(sizes) == BLOCK_PAIRS
    assert max(windows) <= 20_000 / 100 + BLOCK_PAIRS
    monkeypatch.undo()
    assert list(extractor.extract([document])) == found


def test_an_endless_stream_comes_out_while_it_goes_in(extractor, small_documents):
    read = []

    def endless():
        for document in itertools.cycle(small_documents):
            read.append(document)
            yield document

    found = extractor.extract(endless())
    assert not read
    assert [document.id for document in itertools.islice(found, 8)] == [
        "101", "102", "103", "104", "105", "106", "101", "102",
    ]  # fmt: skip
    assert len(read) <= extractor_module.WINDOW_DOCUMENTS


def test_a_fault_of_the_input_comes_through(extractor, small_documents):
    def breaking():
        yield small_documents[0]
        raise DataError("bad", source="x", line=3)

    with pytest.raises(DataError, match="x:3: bad"):
        list(extractor.extract(breaking()))


def test_min_score_replaces_the_threshold_both_ways(extractor, small_documents):
    def found(min_score):
        return {
            (document.id, relation)
            for document in extractor.extract(small_documents, min_score=min_score)
            for relation in document.relations
        }

    everything, usual, sure = found(0.0), found(None), found(0.9)
    assert len(everything) == extractor.report.pairs
    assert usual == {entry for entry in everything if entry[1].score >= 0.6}
    assert sure == {entry for entry in everything if entry[1].score >= 0.9}
    assert len(sure) < len(usual) < len(everything)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_score_outside_0_to_1_is_refused_at_once(extractor, wrong):
    with pytest.raises(SettingsError, match="not within 0–1"):
        extractor.extract([], min_score=wrong)


def test_evidence_of_a_model_without_any_is_refused_at_once(extractor):
    with pytest.raises(ModelError, match="gives no evidence"):
        extractor.extract([], evidence=True)


def test_documents_without_text_mentions_or_ids_pass_through(extractor):
    odd = [Document("1", ()), Document.from_text("2", "", ""), crowd(0, "3"), crowd(1, "4")]
    assert list(extractor.extract(odd)) == odd
    assert extractor.report.documents_without_pairs == 4
    assert list(extractor.extract([])) == []


def test_markers_and_special_tokens_in_a_text_do_no_harm(extractor):
    title = "g1 @/E [SEP] E/@ g2 [CLS]"
    mentions = [Mention(0, 2, "g1", GENE, ("1",)), Mention(17, 19, "g2", GENE, ("2",))]
    document = Document.from_text("1", title, "[PAD] [UNK]", mentions=mentions)
    assert len(next(extractor.extract([document], min_score=0)).relations) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reading": "tea-leaves"}, "reads by 'tea-leaves', which this version does not know"),
        ({"decision": {"treshold": 0.5}}, "unknown key 'treshold'"),
        ({"decision": {"threshold": 7}}, "not within 0–1"),
    ],
)
def test_a_config_that_the_extractor_cannot_follow_is_refused(
    tiny_bundle, tmp_path, changes, message
):
    folder = shutil.copytree(tiny_bundle, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    write_manifest(folder)
    with pytest.raises(ModelError, match=message) as caught:
        Extractor.load(folder)
    assert caught.value.source == str(folder / "config.json")


def test_the_extractor_tells_what_its_model_is(extractor):
    assert extractor.name == "tiny"
    assert extractor.schema == BIORED
    assert extractor.max_length == 128
    assert extractor.threads == 2
    assert extractor.info["training"]["seed"] == 7
