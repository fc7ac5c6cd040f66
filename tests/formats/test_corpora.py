"""The public corpora, where they stand beside the project: they are no part of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from novelink.formats import ReadReport, read, write
from novelink.schema import Schema

DATA = Path(__file__).parents[2] / "../shared/data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the folder shared/data with the corpora is not beside the project"
)

# Counts of the corpus paper (Luo et al. 2022).
COUNTS = {"Train": (400, 13_351, 4_178), "Dev": (100, 3_533, 1_162), "Test": (100, 3_535, 1_163)}


@pytest.fixture(scope="module", params=sorted(COUNTS))
def split(request):
    return request.param, list(read(DATA / f"biored/{request.param}.PubTator"))


def test_biored_has_its_published_counts(split):
    name, documents = split
    assert COUNTS[name] == (
        len(documents),
        sum(len(document.mentions) for document in documents),
        sum(len(document.relations) for document in documents),
    )


@pytest.mark.parametrize("ending", ["BioC.XML", "BioC.JSON"])
def test_biored_is_the_same_in_every_format(split, ending):
    name, documents = split
    assert list(read(DATA / f"biored/{name}.{ending}")) == documents


def test_biored_pubtator_is_written_back_byte_by_byte(split):
    name, documents = split
    stream = io.BytesIO()
    report = write(documents, stream, "pubtator")
    assert stream.getvalue() == (DATA / f"biored/{name}.PubTator").read_bytes()
    assert not report.losses


@pytest.mark.parametrize("form", ["bioc-xml", "bioc-json", "jsonl"])
def test_biored_survives_other_formats_byte_by_byte(split, form):
    """Out of PubTator, through another format, and back into the same bytes."""
    name, documents = split
    stream, back = io.BytesIO(), io.BytesIO()
    write(documents, stream, form)
    stream.seek(0)
    write(read(stream, form), back, "pubtator")
    assert back.getvalue() == (DATA / f"biored/{name}.PubTator").read_bytes()


@pytest.mark.parametrize(
    ("file", "documents", "dialects"),
    [
        ("bc8/bc8_biored_task1_train.pubtator", 500, {"BioRED": 5_340}),
        ("bc8/bc8_biored_task1_val.pubtator", 1_000, {}),
        ("biored-direction/test.pubtator", 100, {"BioRED": 1_163, "direction": 1_045}),
        ("biored-direction/train_dev.pubtator", 500, {"BioRED": 5_339, "direction": 4_798}),
    ],
)
def test_other_dialects_are_read_whole(file, documents, dialects):
    """Every document, with the dialects named; ids come out in BioRED's form."""
    report = ReadReport()
    found = list(read(DATA / file, report=report))
    assert len(found) == report.documents == documents
    assert report.dialects == dialects
    assert not report.skipped
    ids = {name for each in found for mention in each.mentions for name in mention.concept_ids}
    assert not any(name.startswith(("MESH:", "tmVar:", "CVCL:", " ")) for name in ids)


def test_directions_fall_on_the_relations_of_biored():
    """Relations are those of the split of the same name; each subject is one of its pair."""
    plain = {document.id: document for document in read(DATA / "biored/Test.PubTator")}
    subjects = 0
    for document in read(DATA / "biored-direction/test.pubtator"):
        assert len(document.relations) == len(plain[document.id].relations)
        for relation in document.relations:
            subjects += relation.subject is not None
            assert relation.subject in {None, relation.id1, relation.id2}
    assert subjects >= 1_045


CDR = Schema(
    name="cdr",
    entity_types=("Chemical", "Disease"),
    relation_types=("CID",),
    pairs={("Chemical", "Disease"): ("CID",)},
    has_novelty=False,
)


@pytest.mark.parametrize(
    ("name", "relations", "faulty"),
    [
        ("Training", 1_038, {"20722491", "11587867", "15863244"}),
        ("Development", 1_012, {"6415512"}),
    ],
)
def test_bc5cdr_is_the_same_in_both_formats(name, relations, faulty):
    """But for documents whose XML has parts of mentions one character off."""
    report = ReadReport()
    texts = {
        document.id: document
        for document in read(DATA / f"corpora/BC5CDR/CDR_{name}Set.PubTator.txt", schema=CDR)
    }
    bioc = {
        document.id: document
        for document in read(
            DATA / f"corpora/BC5CDR/CDR_{name}Set.BioC.xml",
            schema=CDR,
            lenient=True,
            report=report,
        )
    }
    assert len(texts) == 500
    assert sum(len(document.relations) for document in texts.values()) == relations
    assert texts.keys() - bioc.keys() == faulty
    assert all("the text there is" in reason for reason in report.reasons)
    for doc_id, document in bioc.items():
        assert document.passages == texts[doc_id].passages
        assert set(document.relations) == set(texts[doc_id].relations)
