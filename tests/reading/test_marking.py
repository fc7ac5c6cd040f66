"""Markers stand around exactly the mentions of the two entities, in the text itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.document import Mention
from novelink.reading.marking import END_MARKER, START_MARKER, mark, neutralise
from novelink.schema import GENE

CASES = {
    "ordinary": (
        "TNF lowers insulin.",
        ["TNF"],
        ["insulin"],
        "@/E TNF E/@ lowers @/E insulin E/@.",
        (1, 2),
    ),
    "every mention of both, none of others": (
        "IL6 and TNF; TNF binds IL6, not IL1.",
        ["IL6", ("IL6", 1)],
        ["TNF", ("TNF", 1)],
        "@/E IL6 E/@ and @/E TNF E/@; @/E TNF E/@ binds @/E IL6 E/@, not IL1.",
        (1, 2, 2, 1),
    ),
    "inside a word": (
        "anti-TNFalpha and IL6",
        ["TNF"],
        ["IL6"],
        "anti-@/E TNF E/@alpha and @/E IL6 E/@",
        (1, 2),
    ),
    "adjacent, nothing between": (
        "TNFIL6 fusion",
        ["TNF"],
        ["IL6"],
        "@/E TNF E/@@/E IL6 E/@ fusion",
        (1, 2),
    ),
    "nested: the outer one outside": (
        "breast cancer of men",
        ["breast cancer"],
        ["cancer"],
        "@/E breast @/E cancer E/@ E/@ of men",
        (1, 2),
    ),
    "nested at the same start": (
        "breast cancer of men",
        ["breast"],
        ["breast cancer"],
        "@/E @/E breast E/@ cancer E/@ of men",
        (2, 1),
    ),
    "overlapping: each keeps its markers": (
        "alpha beta gamma",
        ["alpha beta"],
        ["beta gamma"],
        "@/E alpha @/E beta E/@ gamma E/@",
        (1, 2),
    ),
    "discontinuous: every part marked, only the first is a mention": (
        "breast and ovarian cancer, TNF",
        ["breast … cancer"],
        ["TNF"],
        "@/E breast E/@ and ovarian @/E cancer E/@, @/E TNF E/@",
        (1, 0, 2),
    ),
    "a span of both entities, marked once": (
        "p38 and p38 alone",
        ["p38"],
        ["p38", ("p38", 1)],
        "@/E p38 E/@ and @/E p38 E/@ alone",
        (3, 2),
    ),
    "a later part that is a mention of the other entity": (
        "breast and ovarian cancer",
        ["breast … cancer"],
        ["cancer"],
        "@/E breast E/@ and ovarian @/E cancer E/@",
        (1, 2),
    ),
    "at both ends of the text": ("TNF IL6", ["TNF"], ["IL6"], "@/E TNF E/@ @/E IL6 E/@", (1, 2)),
    "beyond ASCII": (
        "TNF-α ↑ NF-κB🧬",
        ["TNF-α"],
        ["NF-κB🧬"],
        "@/E TNF-α E/@ ↑ @/E NF-κB🧬 E/@",
        (1, 2),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_marked_string(place, case):
    text, first, second, marked, owners = case

    def places(items):
        pairs = [item if isinstance(item, tuple) else (item, 0) for item in items]
        return [place(text, words, occurrence=occurrence) for words, occurrence in pairs]

    result = mark(text, places(first), places(second))
    assert result.text == marked
    assert result.owners == owners


spans = st.lists(
    st.tuples(st.integers(0, 29), st.integers(1, 12)).map(
        lambda item: (item[0], min(30, sum(item)))
    ),
    min_size=1,
    max_size=6,
)


@given(st.text("ab c.", min_size=30, max_size=30), spans, spans)
def test_taking_the_markers_out_gives_the_text_back(text, first, second):
    """Whatever is nested in or overlaps whatever: each span once, outer before inner."""
    groups = [
        [Mention(start, end, text[start:end], GENE, ("1",)) for start, end in group]
        for group in (first, second)
    ]
    result = mark(text, *groups)
    unmarked = result.text.replace(f"{START_MARKER} ", "").replace(f" {END_MARKER}", "")
    assert unmarked == text
    distinct = set(first) | set(second)
    assert len(result.owners) == len(distinct)
    assert result.text.count(START_MARKER) == result.text.count(END_MARKER) == len(distinct)
    wanted = [
        (span in first) + 2 * (span in second)
        for span in sorted(distinct, key=lambda span: (span[0], -span[1]))
    ]
    assert list(result.owners) == wanted


def test_special_tokens_of_the_text_lose_their_first_character_only():
    """Offsets stay as they are."""
    text = "[SEP] in @/E [CLS]E/@ [sep]"
    safe = neutralise(text, ["[SEP]", "[CLS]", "@/E", "E/@", ""])
    assert safe == "_SEP] in _/E _CLS]_/@ [sep]"
    assert len(safe) == len(text)
