"""The data model: texts, entities, and the checks every reader runs."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.document import (
    Document,
    Evidence,
    Mention,
    Passage,
    Relation,
    check_document,
)
from novelink.errors import DataError
from novelink.schema import CHEMICAL, DISEASE, GENE


def mention(start, end, text, kind=GENE, ids=("1",), *, spans=()):
    return Mention(start, end, text, kind, ids, spans)


def test_from_text_joins_title_and_abstract_by_one_character():
    document = Document.from_text("1", "A b.", "C d.")
    assert document.text == "A b. C d."
    assert document.passages == (Passage(0, "A b.", "title"), Passage(5, "C d.", "abstract"))


@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=10)), max_size=5))
def test_each_passage_stands_at_its_offset_in_the_text(parts):
    """Gaps between passages are blanks."""
    passages, position = [], 0
    for gap, text in parts:
        passages.append(Passage(position + gap, text))
        position = passages[-1].end
    text = Document("1", tuple(passages)).text
    assert len(text) == position
    for passage in passages:
        assert text[passage.offset : passage.end] == passage.text
    kept = sum(len(passage.text) for passage in passages)
    assert text.count(" ") >= len(text) - kept


def test_entities_take_the_type_of_their_last_mention_and_the_order_of_their_first():
    document = Document.from_text(
        "1",
        "a b a",
        mentions=[
            mention(0, 1, "a", GENE, ("x", "y")),
            mention(2, 3, "b", DISEASE, ()),
            mention(4, 5, "a", CHEMICAL, ("x", "x")),
        ],
    )
    entities = document.entities()
    assert list(entities) == ["x", "y"]
    assert (entities["x"].type, entities["y"].type) == (CHEMICAL, GENE)
    assert entities["x"].mentions == (document.mentions[0], document.mentions[2])


def test_replacing_relations_and_mentions_leaves_the_rest():
    document = Document.from_text("1", "a", relations=[Relation("1", "2", "Bind")])
    other = document.with_relations([]).with_mentions([mention(0, 1, "a")])
    assert (other.relations, other.mentions) == ((), (mention(0, 1, "a"),))
    assert (other.id, other.passages) == (document.id, document.passages)
    assert document.relations == (Relation("1", "2", "Bind"),)


def test_the_spelling_of_the_source_does_not_count_in_comparisons():
    first = Mention(0, 1, "a", GENE, ("D1",), (), "MESH:D1")
    assert first == Mention(0, 1, "a", GENE, ("D1",))
    assert hash(first) == hash(Mention(0, 1, "a", GENE, ("D1",)))


@pytest.mark.parametrize(
    "value",
    [
        Passage(0, "a"),
        mention(0, 1, "a"),
        Evidence(0, 1, 0.5),
        Relation("1", "2", "Bind"),
        Document.from_text("1", "a"),
    ],
)
def test_values_are_frozen_slotted_and_cross_processes(value):
    assert not hasattr(value, "__dict__")
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, "x")
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value


@pytest.mark.parametrize(
    "found",
    [
        mention(0, 3, "abc"),
        mention(0, 1, "a"),
        mention(2, 3, "c"),
        mention(0, 3, "a c", spans=((0, 1), (2, 3))),
    ],
)
def test_right_mentions_pass(found):
    document = Document("1", (Passage(0, "abc"),), (found,))
    assert check_document(document) is document


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (mention(0, 2, "abc"), "mention 'abc' at 0–2: the text there is 'ab'"),
        (mention(0, 3, "aBc"), "the text there is 'abc'"),
        (mention(-1, 2, "x"), "lies outside the text of 3 characters"),
        (mention(1, 4, "bcd"), "lies outside"),
        (mention(2, 2, ""), "lies outside"),
        (mention(2, 1, ""), "lies outside"),
        (mention(0, 3, "a c", spans=((0, 1), (2, 4))), "lies outside"),
        (mention(0, 2, "a c", spans=((0, 1), (2, 3))), "does not cover its parts"),
        (mention(0, 3, "ac", spans=((0, 1), (2, 3))), "the text there is 'a c'"),
    ],
)
def test_wrong_mentions_are_named_with_place_and_remedy(found, words):
    document = Document("7", (Passage(0, "abc"),), (mention(0, 1, "a"), found))
    with pytest.raises(DataError) as caught:
        check_document(document, source="x.pubtator", line=3, mention_lines={1: 9})
    assert words in caught.value.message
    assert str(caught.value).startswith("x.pubtator:9: document 7: mention ")
    assert "Correct the offsets" in str(caught.value)


def test_the_line_of_the_document_stands_in_where_no_mention_line_is_known():
    document = Document("7", (Passage(0, "abc"),), (mention(0, 1, "x"),))
    with pytest.raises(DataError, match=r"^x:3: "):
        check_document(document, source="x", line=3)


@pytest.mark.parametrize(
    "passages",
    [
        (Passage(0, "abc"), Passage(2, "d")),
        (Passage(5, "abc"), Passage(0, "d")),
        (Passage(-1, "abc"),),
    ],
)
def test_passages_that_overlap_or_go_back_are_refused(passages):
    with pytest.raises(DataError, match="begins before the one before it ends"):
        check_document(Document("1", passages))


def test_offsets_count_code_points():
    """Not bytes, not UTF-16 units."""
    document = Document("1", (Passage(0, "\U0001f9ecβ gene"),), (mention(3, 7, "gene"),))
    assert check_document(document) is document


def test_mentions_may_lie_in_any_passage():
    document = Document.from_text("1", "a b", "c d", mentions=[mention(4, 5, "c")])
    assert check_document(document) is document
