"""What is written is read back: over generated documents, for every format."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from document_strategies import abstracts, full_documents, unique_ids
from hypothesis import given, settings

from novelink.document import Document, Mention, Passage, Relation
from novelink.errors import DataError
from novelink.formats import read, write
from novelink.schema import CHEMICAL, DISEASE, GENE, VARIANT

FORMATS = ("pubtator", "bioc-xml", "bioc-json", "jsonl")
fewer = settings(max_examples=25, deadline=None)


def through(documents, name, **options):
    """Written and read back; the read side is told the format."""
    stream = io.BytesIO()
    report = write(documents, stream, name, **options)
    stream.seek(0)
    return list(read(stream, name)), report


@given(unique_ids(full_documents(controls=True)))
@fewer
def test_jsonl_keeps_every_document(documents):
    found, report = through(documents, "jsonl")
    assert found == documents
    assert not report.losses


@given(unique_ids(full_documents(controls=True)))
@fewer
def test_bioc_json_keeps_every_document(documents):
    found, report = through(documents, "bioc-json")
    assert found == documents
    assert not report.losses


@given(unique_ids(full_documents(controls=False)))
@fewer
def test_bioc_xml_keeps_every_document_of_legal_characters(documents):
    found, report = through(documents, "bioc-xml")
    assert found == documents
    assert not report.losses


@given(unique_ids(full_documents(controls=True)))
@fewer
def test_bioc_xml_blanks_illegal_characters_and_says_so(documents):
    """Offsets stay, the result is well-formed, and only changed documents are counted."""
    found, report = through(documents, "bioc-xml")
    assert [len(document.text) for document in found] == [len(each.text) for each in documents]
    assert (found == documents) == (not report.losses)


@given(unique_ids(abstracts()))
@fewer
def test_pubtator_keeps_abstracts_with_scores_and_subjects(documents):
    found, report = through(documents, "pubtator", subjects=True, scores=True)
    assert found == documents
    assert not report.losses


@given(unique_ids(abstracts()))
@fewer
def test_pubtator_as_biored_writes_it_keeps_all_but_scores_and_subjects(documents):
    found, report = through(documents, "pubtator")
    bare = [
        document.with_relations(
            replace(relation, score=None, novelty_score=None, subject=None)
            for relation in document.relations
        )
        for document in documents
    ]
    assert found == bare
    assert bool(report.losses) == (bare != documents)


@given(unique_ids(full_documents(controls=True)))
@fewer
def test_pubtator_keeps_offsets_of_any_document(documents):
    """Every mention is where it was, however many passages there were."""
    found, _ = through(documents, "pubtator")
    for before, after in zip(documents, found, strict=True):
        assert [(m.start, m.end, m.type, m.concept_ids) for m in after.mentions] == [
            (m.start, m.end, m.type, m.concept_ids) for m in before.mentions
        ]
        blanked = before.text.replace("\n", " ").replace("\r", " ")
        assert after.text.rstrip(" ") == blanked.rstrip(" ")


@given(unique_ids(abstracts()))
@settings(max_examples=8, deadline=None)
def test_every_format_into_every_other_keeps_what_all_can_hold(documents):
    plain = [
        document.with_relations(
            replace(relation, score=None, novelty_score=None, subject=None)
            for relation in document.relations
        )
        for document in documents
        if all(char == "\t" or char >= " " for char in document.text)
    ]
    for first, second in product(FORMATS, FORMATS):
        assert through(through(plain, first)[0], second)[0] == plain


def example():
    title, abstract = "BRAF V600E in melanoma.", "Vemurafenib acts on BRAF p.V600E; melanoma too."
    text = f"{title} {abstract}"

    def mention(word, kind, ids, source_id=None, start=0):
        at = text.index(word, start)
        return Mention(at, at + len(word), word, kind, ids, (), source_id)

    return Document.from_text(
        "7",
        title,
        abstract,
        mentions=[
            mention("BRAF", GENE, ("673",)),
            mention("V600E", VARIANT, ("rs113488022",), "tmVar:p|SUB|V|600|E;RS#:113488022"),
            mention("melanoma", DISEASE, ("D008545",), "MESH:D008545"),
            mention("Vemurafenib", CHEMICAL, ("C551177", "D1"), "C551177;D1"),
            mention("BRAF", GENE, (), None, 30),
        ],
        relations=[Relation("673", "D008545", "Association", "Novel")],
    )


@pytest.mark.parametrize("name", ["bioc-xml", "bioc-json", "jsonl"])
def test_source_ids_survive(name):
    """The spelling of the source stays with a mention even where another is written."""
    (found,), _ = through([example()], name)
    assert [mention.source_id for mention in found.mentions] == [
        mention.source_id for mention in example().mentions
    ]


def test_pubtator_writes_one_name_per_entity():
    """Relations use the changed ids, so mentions must too; mere separators stay."""
    stream = io.BytesIO()
    write([example()], stream, "pubtator")
    lines = stream.getvalue().decode().splitlines()
    assert [line.rpartition("\t")[2] for line in lines[2:7]] == [
        "673",
        "rs113488022",
        "D008545",
        "C551177;D1",
        "-",
    ]
    assert lines[7:] == ["7\tAssociation\t673\tD008545\tNovel", ""]


def test_pubtator_writes_a_missing_novelty_as_pubtator_3_does():
    document = Document.from_text("1", "A.", relations=[Relation("a", "b", "Bind")])
    stream = io.BytesIO()
    write([document], stream, "pubtator")
    assert stream.getvalue().decode() == "1|t|A.\n1|a|\n1\tBind\ta\tb\n\n"


def test_untyped_passages_stay_untyped():
    """BioRED's JSON has untyped passages that are title and abstract; ours say they are none."""
    document = Document("1", (Passage(0, "A"), Passage(2, "B")))
    for name in ("bioc-xml", "bioc-json", "jsonl"):
        assert through([document], name)[0] == [document]


def test_bioc_counts_mentions_whose_order_it_cannot_keep():
    document = Document.from_text("1", "A.", "B.")
    late = Mention(3, 4, "B", GENE, ("2",))
    early = Mention(0, 1, "A", GENE, ("1",))
    (found,), report = through([document.with_mentions([late, early])], "bioc-json")
    assert found.mentions == (early, late)
    assert report.losses == {"order of mentions that do not follow the text": 1}


def test_json_counts_repeated_infon_keys():
    document = Document("1", (Passage(0, "A"),), infons=(("author", "X"), ("author", "Y")))
    (found,), report = through([document], "bioc-json")
    assert found.infons == (("author", "Y"),)
    assert report.losses == {"repeated infon keys": 1}
    assert through([document], "bioc-xml")[0] == [document]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_of_numpy_are_written_as_numbers(name, kind):
    scored = Relation("1", "2", "Bind", "No", kind(0.5), kind(0.25))
    document = Document.from_text("1", "A", relations=[scored])
    options = {"scores": True} if name == "pubtator" else {}
    assert through([document], name, **options)[0] == [document]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("score", [float("nan"), 1.5, -0.1])
def test_scores_that_no_reader_takes_are_not_written(name, score):
    document = Document.from_text("1", "A", relations=[Relation("1", "2", "Bind", "No", score)])
    with pytest.raises(DataError, match="is no number from 0 to 1"):
        write([document], io.BytesIO(), name)


@pytest.mark.parametrize("name", FORMATS)
def test_no_documents_are_a_whole_file(name):
    assert through([], name)[0] == []


@pytest.mark.parametrize("name", FORMATS)
def test_writing_twice_gives_the_same_bytes(name, tmp_path):
    """Also compressed: no time and no name go into the header."""
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    write([example()], first, name)
    write([example()], second, name)
    assert first.read_bytes() == second.read_bytes()
    assert list(read(first)) == list(read(second))
