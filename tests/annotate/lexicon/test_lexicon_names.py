"""Forms under which different spellings of a name meet."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novelink.annotate.lexicon.names import fold, loose, singular, squash, stems


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TNF-α", "tnf alpha"),
        ("TNF-ά", "tnf alpha"),
        ("IL-6", "IL 6"),
        ("Sjögren", "SJOGREN"),
        ("ﬁbrosis", "Fibrosis"),
    ],
)
def test_squashed_keys_forget_case_marks_and_greek(one, other):
    assert squash(one) == squash(other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("disease", "Carcinoma, Breast", "breast cancers"),
        ("disease", "hypertensive", "Hypertension"),
        ("disease", "diabetic", "Diabetes Mellitus"),
        ("disease", "tumour of the kidney", "Renal Tumors"),
        ("disease", "inflammatory", "Inflammation"),
        ("disease", "Type II diabetes", "Diabetes, Type 2"),
        ("gene", "TGF-beta1", "TGFB1 gene"),
        ("gene", "IFN-gamma", "IFN-g"),
        ("gene", "human caspases 3", "caspase-3 protein"),
        ("chemical", "statins", "statin"),
        ("chemical", "sildenafil", "Sildenafil Citrate"),
    ],
)
def test_loose_keys_meet(kind, one, other):
    assert loose(kind, one) == loose(kind, other) or squash(one) == squash(other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("disease", "type 1 diabetes", "type 2 diabetes"),
        ("disease", "Diabetes Mellitus", "Diabetes Insipidus"),
        ("gene", "IL-2", "IL-12"),
        ("gene", "TGF-alpha", "TGF-beta"),
        ("chemical", "glutamine", "glutamate"),
        ("chemical", "citrate", "maleate"),
    ],
)
def test_loose_keys_keep_different_things_apart(kind, one, other):
    assert loose(kind, one) != loose(kind, other)


def test_some_words_that_end_in_s_are_no_plurals():
    """virus, sepsis and access stay; plurals lose their ending."""
    words = ["virus", "sepsis", "access", "cancers", "arteries", "branches", "gas"]
    assert [singular(word) for word in words] == [
        "virus",
        "sepsis",
        "access",
        "cancer",
        "artery",
        "branch",
        "gas",
    ]


@given(st.text(max_size=30))
@example("ἀ")
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=30), st.sampled_from(["gene", "disease", "chemical", "species", "cell"]))
def test_any_text_has_keys(text, kind):
    assert squash(text).isalnum() or not squash(text)
    assert all(stems(kind, text))
