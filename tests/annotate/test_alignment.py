"""Mentions carried over between two versions of a text."""

from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.alignment import same_paper, transfer_mentions
from novelink.document import Document, Mention

WORDS = st.lists(
    st.sampled_from(["BRAF", "gene", "α", "TNF-α", "(p53)", "in", "cells."]), min_size=1
)


def document(text, *spans):
    mentions = [Mention(start, end, text[start:end], "GeneOrGeneProduct") for start, end in spans]
    return Document.from_text("x", text, mentions=mentions)


def test_the_same_text_keeps_its_mentions_as_they_are():
    one = document("BRAF and BRAF", (0, 4), (9, 13))
    assert transfer_mentions(one, one) == (list(one.mentions), 0)


def test_each_of_several_equal_names_goes_to_its_own_place():
    source = document('""BRAF"" BRAF BRAF', (2, 6), (9, 13), (14, 18))
    moved, lost = transfer_mentions(source, document("“BRAF” BRAF BRAF"))
    assert ([one.start for one in moved], lost) == ([1, 7, 12], 0)


def test_a_change_of_case_gives_the_target_s_own_text():
    moved, _ = transfer_mentions(document("x braf", (2, 6)), document("BRAF"))
    assert (moved[0].start, moved[0].text) == (0, "BRAF")


def test_what_the_target_does_not_hold_is_counted_as_lost():
    assert transfer_mentions(document("KRAS", (0, 4)), document("BRAF only")) == ([], 1)


def test_parts_of_a_mention_move_together():
    text = "a breast and ovarian cancer"
    spans = ((2, 8), (21, 27))
    mention = Mention(2, 27, "breast cancer", "DiseaseOrPhenotypicFeature", spans=spans)
    source = Document.from_text("x", text, mentions=[mention])
    moved, lost = transfer_mentions(source, document("the breast and ovarian cancer"))
    assert lost == 0
    assert moved[0].spans == ((4, 10), (23, 29))
    assert moved[0].text == "breast cancer"


@given(before=WORDS, words=WORDS, added=st.lists(st.sampled_from(["new", "“"]), max_size=3))
def test_offsets_are_right_whatever_stands_before(before, words, added):
    """Every carried mention is the text at its place, and none is lost when words only come in."""
    text, start = " ".join([*before, *words]), len(" ".join(before)) + 1
    source = document(text, (start, start + len(words[0])))
    target = document(" ".join([*added, *before, *words]))
    moved, lost = transfer_mentions(source, target)
    assert lost == 0
    assert [target.text[one.start : one.end] for one in moved] == [one.text for one in moved]
    assert moved[0].text == words[0]


def test_the_same_title_in_other_letters_is_the_same_paper():
    one, other = (
        Document.from_text("1", "[BRAF, in mice]", "x"),
        Document.from_text("2", "Braf in mice."),
    )
    assert same_paper(one, other)
    assert not same_paper(one, Document.from_text("3", "KRAS in mice."))
    assert not same_paper(one, Document("4", ()))
    assert not same_paper(Document.from_text("5", "", "a"), Document.from_text("6", "", "b"))
