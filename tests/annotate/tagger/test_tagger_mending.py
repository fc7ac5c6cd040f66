"""Names that were found in pieces are put together, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.tagger.mending import mend
from novelink.annotate.tagger.spans import Span
from novelink.schema import BIORED, CELL_LINE, CHEMICAL, DISEASE, GENE, VARIANT


def mended(marked, kind):
    """Mend a text whose spans stand in braces; the result as texts."""
    text, spans = "", []
    for number, piece in enumerate(marked.replace("}", "{").split("{")):
        if number % 2:
            spans.append(Span(len(text), len(text) + len(piece), kind, 0.9))
        text += piece
    return [text[span.start : span.end] for span in mend(text, spans)]


@pytest.mark.parametrize(
    ("kind", "marked", "wanted"),
    [
        (GENE, "the {CHX1}{0} gene", ["CHX10"]),
        (GENE, "levels of {SP-}, and", ["SP"]),
        (GENE, "the {p62/}sequestosome", ["p62"]),
        (GENE, "{TIM-1}, {TIM-3} and", ["TIM-1", "TIM-3"]),
        (GENE, "{HIRA}/{TUPLE1}", ["HIRA", "TUPLE1"]),
        (CELL_LINE, "{MCF}-{10A} cells", ["MCF-10A"]),
        (DISEASE, "{small} {-}{cell cancer of the} lung", ["small", "cell cancer"]),
        (CHEMICAL, "{CaCl}(2)-treated", ["CaCl(2)"]),
        (CHEMICAL, "by {Ca}({2}+) and", ["Ca(2+)"]),
        (CHEMICAL, "the {I-} ratio, {NO} /{/}", ["I-", "NO"]),
        (CHEMICAL, "{ADR}(12) weeks", ["ADR"]),
        (VARIANT, "the {-}1082({G/A}) site", ["-1082(G/A)"]),
        (VARIANT, "{IVS9}+{459 GG} genotype", ["IVS9+459 GG"]),
        (VARIANT, "FOXP3{-924} A/G genotype", ["-924 A/G"]),
        (VARIANT, "{c.1A>G}, {p.Met1Val}", ["c.1A>G", "p.Met1Val"]),
        (VARIANT, "{rs7027} at the gene, {rs702553 at} it", ["rs7027", "rs702553"]),
        (VARIANT, "{Met}{326}{Ile} and {Val}600{Glu}", ["Met326Ile", "Val", "Glu"]),
    ],
)
def test_pieces_of_a_name_become_one(kind, marked, wanted):
    assert mended(marked, kind) == wanted


def test_types_do_not_mix():
    spans = [Span(0, 4, GENE, 0.9), Span(4, 8, DISEASE, 0.9)]
    assert mend("orfxgutt", spans) == spans


_SPANS = st.lists(
    st.builds(
        lambda start, length, kind, score: Span(start, start + length, kind, score),
        st.integers(0, 60),
        st.integers(1, 12),
        st.sampled_from(BIORED.entity_types),
        st.floats(0.1, 1),
    ),
    max_size=8,
)


@given(st.text("abA-/+ (2).,GT>1", min_size=80, max_size=80), _SPANS)
def test_mended_spans_lie_in_the_text_in_order_and_name_something(text, spans):
    found = mend(text, spans)
    assert found == sorted(found, key=lambda span: (span.start, span.end, span.type))
    for span in found:
        assert 0 <= span.start < span.end <= len(text)
        assert any(map(str.isalnum, text[span.start : span.end]))
