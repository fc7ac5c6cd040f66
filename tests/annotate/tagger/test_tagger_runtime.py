"""The exported model at work: documents in, documents with mentions out."""

from __future__ import annotations

import shutil

import pytest

from novelink.annotate.linking import link
from novelink.annotate.tagger import Tagger
from novelink.document import Document, Mention, Passage, Relation, check_document
from novelink.errors import ModelError
from novelink.schema import CHEMICAL, DISEASE, GENE


def names(document):
    return [(mention.text, mention.type) for mention in document.mentions]


def test_mentions_have_the_texts_at_their_offsets(tagger):
    document = Document.from_text("1", "ORFX kinase met zelamine", "Gutter disease, ORFX.")
    [tagged] = tagger.tag([document])
    check_document(tagged)
    assert names(tagged) == [
        ("ORFX kinase", GENE),
        ("zelamine", CHEMICAL),
        ("Gutter disease", DISEASE),
        ("ORFX", GENE),
    ]


def test_mentions_of_its_own_and_relations_go(tagger):
    document = Document.from_text(
        "1",
        "Of patients",
        mentions=[Mention(3, 11, "patients", GENE, ("1",))],
        relations=[Relation("1", "2", "Bind")],
    )
    [tagged] = tagger.tag([document])
    assert (tagged.mentions, tagged.relations) == ((), ())


def test_a_mention_never_spans_title_and_abstract(tagger):
    document = Document("1", (Passage(0, "The ORFX", "title"), Passage(9, "kinase of", "abstract")))
    [tagged] = tagger.tag([document])
    assert all(
        any(
            passage.offset <= mention.start and mention.end <= passage.end
            for passage in document.passages
        )
        for mention in tagged.mentions
    )


def test_long_documents_are_read_whole(tagger):
    text = "We saw the ORFX kinase of patients. " * 30
    [tagged] = tagger.tag([Document.from_text("1", "Zelamine", text)])
    assert names(tagged) == [("Zelamine", CHEMICAL)] + [("ORFX kinase", GENE)] * 30


def test_the_second_look_uses_the_models_own_doubts(tagger):
    """``maybe`` alone is below one half, and stays untagged; ``GD`` follows its long form."""
    [tagged] = tagger.tag([Document.from_text("1", "Maybe", "Gutter disease (GD) and maybe GD.")])
    assert names(tagged) == [("Gutter disease", DISEASE), ("GD", DISEASE), ("GD", DISEASE)]


def test_nothing_to_read_gives_nothing(tagger):
    [tagged] = tagger.tag([Document.from_text("1", "", "")])
    assert tagged.mentions == ()


def test_threads_and_neighbours_do_not_change_an_answer(tagger, tagger_folder):
    documents = [
        Document.from_text(str(number), "ORFX kinase", "with bexin and " * number + "zelamine.")
        for number in range(25)
    ]
    alone = [next(iter(tagger.tag([document]))) for document in documents]
    assert list(Tagger.load(tagger_folder, threads=3).tag(iter(documents))) == alone


def test_tagged_documents_can_be_linked_at_once(tagger):
    documents = tagger.tag([Document.from_text("1", "ORFX", "Orfx met zelamine.")])
    [linked] = link(documents)
    assert [mention.concept_ids for mention in linked.mentions] == [
        ("text:orfx",),
        ("text:orfx",),
        ("text:zelamine",),
    ]


def test_a_relation_model_is_refused(tiny_bundle):
    with pytest.raises(ModelError, match="does not tag"):
        Tagger.load(tiny_bundle)


def test_a_changed_file_is_refused(tagger_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tagger_folder, copy)
    (copy / "model.onnx").write_bytes((copy / "model.onnx").read_bytes() + b"x")
    with pytest.raises(ModelError):
        Tagger.load(copy)
