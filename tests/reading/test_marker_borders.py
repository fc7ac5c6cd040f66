"""Start markers are read as such whatever the text before them ends in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.document import Document, Mention
from novelink.pairs import candidate_pairs
from novelink.reading.marking import mark
from novelink.reading.pair import PairReading
from novelink.runtime.bundle import load_bundle
from novelink.schema import CHEMICAL


@pytest.fixture(scope="module")
def reading(tiny_bundle):
    return PairReading(load_bundle(tiny_bundle).tokenizer(), 128)


def adjoining(before, between, after):
    """Two chemicals ``X`` and ``Y`` with these texts around them."""
    title = f"{before}X{between}Y{after}"
    first = len(before)
    second = first + 1 + len(between)
    mentions = [
        Mention(first, first + 1, "X", CHEMICAL, ("1",)),
        Mention(second, second + 1, "Y", CHEMICAL, ("2",)),
    ]
    return Document.from_text("1", title, mentions=mentions)


def test_a_slash_after_an_e_before_a_mention_makes_no_end_marker(reading):
    """As in "ACE/ARB inhibitors", where only ARB is marked."""
    document = adjoining("ACE/", " and ", "")
    pair = candidate_pairs(document)[0]
    marked = mark(document.text, pair.first.mentions, pair.second.mentions)
    assert marked.text.strip() == "ACE/ @/E X E/@ and @/E Y E/@"
    assert reading.encode(document, [pair])[0].owners == (1, 2)


@given(*[st.text(st.sampled_from("E/@e aX[]"), max_size=8)] * 3)
def test_both_start_markers_are_found_in_any_text(reading, before, between, after):
    document = adjoining(before, between, after)
    assert reading.encode(document, candidate_pairs(document))[0].owners == (1, 2)
