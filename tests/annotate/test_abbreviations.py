"""Definitions of abbreviations (Schwartz and Hearst 2003)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink import formats
from novelink.annotate.abbreviations import document_abbreviations, find_abbreviations, long_forms
from novelink.document import Document


def pairs(text):
    return [(text[slice(*a.short)], text[slice(*a.long)]) for a in find_abbreviations(text)]


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("The heat shock protein 70 (HSP70) binds.", "HSP70", "heat shock protein 70"),
        ("TNF (tumor necrosis factor) rose.", "TNF", "tumor necrosis factor"),
        ("Iodide transport defect (ITD) is rare.", "ITD", "Iodide transport defect"),
        ("mesenchymal stem cells (MSCs) grew", "MSCs", "mesenchymal stem cells"),
        ("with 5-hydroxytryptamine (5-HT)", "5-HT", "5-hydroxytryptamine"),
        ("the polymerase chain reaction [PCR]", "PCR", "polymerase chain reaction"),
        ("angiotensin-converting enzyme (ACE) inhibitors", "ACE", "angiotensin-converting enzyme"),
        ("sodium iodide symporter (NIS; SLC5A5)", None, None),
        ("nuclear factor (NF; also Rel) x", "NF", "nuclear factor"),
        ("type 2 diabetes mellitus (T2DM, n = 4)", "T2DM", "type 2 diabetes mellitus"),
        (
            "transforming growth factor-beta (TGF-beta)",
            "TGF-beta",
            "transforming growth factor-beta",
        ),
        ("in patients (n = 5) and tests (see Fig. 2)", None, None),
        ("a gene (the gene) here", None, None),
        ("BRAF (BRAF) twice", None, None),
        ("in 1999 (2000) years", None, None),
        ("unclosed heat shock protein (HSP", None, None),
        ("first. Second protein (FSP) x", None, None),
    ],
)
def test_definitions(text, short, long):
    assert pairs(text) == ([(short, long)] if short else [])


def test_several_in_one_sentence():
    text = "Estrogen receptor (ER) and progesterone receptor (PR) were seen."
    assert pairs(text) == [("ER", "Estrogen receptor"), ("PR", "progesterone receptor")]


def test_document_offsets_and_first_definition():
    document = Document.from_text(
        "1", "Heat shock protein (HSP).", "The human stress protein (HSP) is not it."
    )
    found = document_abbreviations(document)
    assert [document.text[slice(*one.short)] for one in found] == ["HSP", "HSP"]
    assert long_forms(document) == {"HSP": "Heat shock protein"}


@given(
    st.lists(
        st.sampled_from(
            ["(", ")", "[", "]", " ", ";", ", ", "AB", "alpha", "beta", "b", "-", "İ", "."]
        ),
        max_size=40,
    ).map("".join)
)
def test_spans_are_within_the_text_and_apart(text):
    for found in find_abbreviations(text):
        (s1, e1), (s2, e2) = found.short, found.long
        assert 0 <= s1 < e1 <= len(text)
        assert 0 <= s2 < e2 <= len(text)
        assert e1 <= s2 or e2 <= s1
        assert e2 - s2 > e1 - s1
        letters = iter(char.lower() for char in text[s2:e2])
        wanted = [char.lower() for char in text[s1:e1] if char.isalnum()]
        assert all(char in letters for char in wanted)


def test_short_and_long_forms_are_one_concept_in_a_corpus():
    """Where BioRED marks both forms, they have a common id in at least 95 % of cases."""
    path = Path(__file__).parents[2] / "../shared/data/biored/Train.PubTator"
    if not path.exists():
        pytest.skip("the shared BioRED corpus is not beside this project")
    same = both = 0
    for document in formats.read(path):
        ids = {(one.start, one.end): set(one.concept_ids) for one in document.mentions}
        for found in document_abbreviations(document):
            if found.short in ids and found.long in ids:
                both += 1
                same += bool(ids[found.short] & ids[found.long])
    assert both > 400
    assert same / both >= 0.95
