"""Probabilities into mentions, and the second look at a document."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.tagger.consistency import one_type_per_name, second_look
from novelink.annotate.tagger.spans import Span, find_spans, softmax, trim, without_conflicts
from novelink.document import Document
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE

TYPES = BIORED.entity_types
HALF = [0.5] * len(TYPES)


def probabilities(count, answers):
    """``{(token, type): (outside, begin, inside)}``; outside everywhere else."""
    result = np.zeros((count, len(TYPES), 3), dtype=np.float32)
    result[:, :, 0] = 1.0
    for (token, kind), values in answers.items():
        result[token, TYPES.index(kind)] = values
    return result


def spans_of(text):
    found, position = [], 0
    for word in text.split():
        start = text.index(word, position)
        position = start + len(word)
        found.append((start, position))
    return found


def tagged(text, answers, spans=None):
    spans = spans or spans_of(text)
    found = find_spans(probabilities(len(spans), answers), spans, TYPES, text, HALF)
    return [(text[span.start : span.end], span.type) for span in found]


def test_begin_parts_adjacent_mentions_and_inside_joins():
    text = "ORFX kinase ORFY"
    answers = {(0, GENE): (0, 1, 0), (1, GENE): (0, 0, 1), (2, GENE): (0, 1, 0)}
    assert tagged(text, answers) == [("ORFX kinase", GENE), ("ORFY", GENE)]


def test_inside_without_a_beginning_begins():
    assert tagged("the kinase", {(1, GENE): (0, 0, 1)}) == [("kinase", GENE)]


def test_a_gene_within_a_disease_is_found_too():
    text = "ORFX deficiency"
    answers = {(0, GENE): (0.1, 0.9, 0), (0, DISEASE): (0, 1, 0), (1, DISEASE): (0, 0, 1)}
    assert tagged(text, answers) == [("ORFX", GENE), ("ORFX deficiency", DISEASE)]


def test_of_two_types_at_one_place_the_surer_stays():
    answers = {(0, GENE): (0.4, 0.6, 0), (0, CHEMICAL): (0.1, 0.9, 0)}
    assert tagged("insulin", answers) == [("insulin", CHEMICAL)]


def test_pieces_of_a_word_answer_together():
    """Half a word is no mention when its pieces are unsure."""
    spans = [(0, 4), (4, 8)]
    unsure = {(0, CHEMICAL): (0.3, 0.7, 0), (1, CHEMICAL): (0.55, 0, 0.45)}
    assert tagged("zelamine", unsure, spans) == [("zelamine", CHEMICAL)]
    less = {(0, CHEMICAL): (0.4, 0.6, 0), (1, CHEMICAL): (0.8, 0, 0.2)}
    assert tagged("zelamine", less, spans) == []


def test_a_mention_within_a_word_is_kept_where_the_model_is_sure():
    """``ORFX`` in ``ORFXnull``."""
    sure = {(0, GENE): (0.02, 0.98, 0), (1, GENE): (0.98, 0.01, 0.01)}
    assert tagged("ORFXnull", sure, [(0, 4), (4, 8)]) == [("ORFX", GENE)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("(TNF", "TNF"),
        ("TNF)", "TNF"),
        ("(TNF)", "TNF"),
        (" TNF, ", "TNF"),
        ("interleukin (IL-6", "interleukin"),
        ("Ca(2+)", "Ca(2+)"),
        ("5-HT(2A) receptor", "5-HT(2A) receptor"),
        ("()", ""),
    ],
)
def test_brackets_are_kept_in_pairs_and_blanks_go(text, wanted):
    start, end = trim(text, 0, len(text))
    assert text[start:end] == wanted or (not wanted and start >= end)


def test_a_bracket_that_closes_right_after_is_taken_in():
    text = "Ca(2+) rose"
    assert trim(text, 0, 5) == (0, 6)


@given(st.text(alphabet="ab ()[],;", max_size=12), st.data())
def test_trimming_stays_within_a_bracket_of_the_span(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = trim(text, start, end)
    assert start <= first or first >= last
    assert last <= end + 1


_SPANS = st.builds(
    lambda start, length, kind, score: Span(start, start + length, kind, score),
    st.integers(0, 20),
    st.integers(1, 8),
    st.sampled_from([GENE, DISEASE]),
    st.floats(0, 1),
)


@given(st.lists(_SPANS, max_size=10))
def test_what_is_left_never_crosses(spans):
    kept = without_conflicts(spans)
    for one in kept:
        for other in kept:
            if one is not other and one.start < other.end and other.start < one.end:
                assert one.type != other.type
                assert (one.start, one.end) != (other.start, other.end)
                assert (one.start <= other.start and other.end <= one.end) or (
                    other.start <= one.start and one.end <= other.end
                )


@given(st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3))
def test_softmax_sums_to_one(values):
    assert softmax(np.array(values, dtype=np.float32)).sum() == pytest.approx(1.0, abs=1e-5)


def look(text, spans, weight=0.2):
    document = Document.from_text("1", "", text)
    moved = [Span(start + 1, end + 1, kind, 0.9) for start, end, kind in spans]
    found = second_look(document, moved, lambda *_: weight)
    return [(document.text[span.start : span.end], span.start - 1, span.type) for span in found]


def test_a_name_tagged_once_is_tagged_wherever_it_stands():
    text = "ORFX rose. Then ORFX fell; ORFXY did not."
    found = look(text, [(0, 4, GENE)])
    assert [(name, kind) for name, _, kind in found] == [("ORFX", GENE)] * 2


def test_places_that_the_model_rules_out_stay_free():
    assert len(look("ORFX rose. Then ORFX fell.", [(0, 4, GENE)], weight=0.01)) == 1


def test_a_name_mostly_untagged_is_not_spread():
    text = "ORFX. ORFX. ORFX. ORFX."
    assert len(look(text, [(0, 4, GENE)])) == 1


def test_the_short_form_takes_the_long_forms_type_at_once_and_later():
    text = "Gutter disease (GD) is rare. GD spreads."
    found = look(text, [(0, 14, DISEASE)])
    assert [name for name, _, _ in found] == ["Gutter disease", "GD", "GD"]
    assert {kind for _, _, kind in found} == {DISEASE}


def test_one_name_has_one_type():
    text = "insulin insulin insulin"
    spans = [Span(0, 7, GENE, 0.9), Span(8, 15, CHEMICAL, 0.95), Span(16, 23, GENE, 0.8)]
    assert {span.type for span in one_type_per_name(text, spans)} == {GENE}
