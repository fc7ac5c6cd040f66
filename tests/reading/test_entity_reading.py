"""One copy an entity: its mentions set apart, all others marked with their type."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models

from novelink.document import Document, Mention
from novelink.errors import ModelError
from novelink.pairs import candidate_pairs
from novelink.reading.document import OVERLAP, DocumentReading, _windows, type_markers
from novelink.reading.entity import EntityReading
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE

MARKERS = [marker for kind in BIORED.entity_types for marker in type_markers(kind)]


@pytest.fixture(scope="module")
def reading(tokenizer):
    return EntityReading(tokenizer, BIORED)


def shown(reading, item):
    """The only window as text, word pieces joined, type markers by their first letter."""
    (window,) = item.copy.windows
    tokens = [reading.tokenizer.id_to_token(number) for number in window[1:-1]]
    short = {
        marker: f"{'</' if marker.startswith('</') else '<'}{marker.strip('</>')[0]}>"
        for marker in MARKERS
    }
    return " ".join(short.get(token, token) for token in tokens).replace(" ##", "")


def copies(reading, document):
    return list(reading.encode(document, candidate_pairs(document)))


def test_every_entity_has_a_copy_with_its_pairs(reading, place, titled):
    text = "TNF lowers insulin in colitis, TNF!"
    marks = [
        place(text, "TNF"),
        place(text, "insulin", "2"),
        place(text, "colitis", "D1", DISEASE),
        place(text, "TNF", occurrence=1),
    ]
    document = titled(text, marks)
    pairs = candidate_pairs(document)
    assert [pair.ids for pair in pairs] == [("1", "2"), ("1", "D1"), ("2", "D1")]
    found = copies(reading, document)
    assert [shown(reading, item) for item in found] == [
        "<G> @/E tnf E/@ </G> lowers <G> insulin </G> in <D> colitis </D> , <G> @/E tnf E/@ </G> !",
        "<G> tnf </G> lowers <G> @/E insulin E/@ </G> in <D> colitis </D> , <G> tnf </G> !",
        "<G> tnf </G> lowers <G> insulin </G> in <D> @/E colitis E/@ </D> , <G> tnf </G> !",
    ]
    assert [item.rows for item in found] == [(0, 1), (0, 2), (1, 2)]
    for item in found:
        # Entities are numbered as the copy's pairs name them, each pair in its own order.
        names = list(dict.fromkeys(name for row in item.rows for name in pairs[row].ids))
        assert [(names[first], names[second]) for first, second in item.copy.pairs] == [
            pairs[row].ids for row in item.rows
        ]


def test_a_mention_of_several_entities_is_set_apart_for_each(reading, place, titled):
    text = "TNF1/2 in colitis"
    marks = [
        place(text, "TNF1/2", ("1", "2")),
        place(text, "colitis", "D1", DISEASE),
    ]
    found = copies(reading, titled(text, marks))
    assert [shown(reading, item).count("@/E") for item in found] == [1, 1, 1]
    assert shown(reading, found[0]) == shown(reading, found[1])
    assert [len(item.rows) for item in found] == [2, 2, 2]


def test_all_parts_of_a_discontinuous_mention_are_set_apart(reading, place, titled):
    text = "breast and ovarian cancer lower TNF"
    marks = [
        place(text, "breast … cancer", "D1", DISEASE),
        place(text, "TNF"),
    ]
    found = copies(reading, titled(text, marks))
    assert shown(reading, found[0]) == (
        "<D> @/E breast E/@ </D> and ovarian <D> @/E cancer E/@ </D> lower <G> tnf </G>"
    )
    # The first part alone counts as the mention.
    assert Counter(entity for _, _, entity in found[0].copy.mentions) == {0: 1, 1: 1}


def test_a_text_with_markers_of_its_own_cannot_pass_for_marked(reading, place, titled):
    text = "ACE/TNF @/E E/@ lowers insulin"
    marks = [place(text, "TNF"), place(text, "insulin", "2")]
    found = copies(reading, titled(text, marks))
    assert [shown(reading, item).count("@/E") for item in found] == [1, 1]
    assert [shown(reading, item).count("E/@") for item in found] == [1, 1]


WORDS = ["ACE/", "tnf", "of", "il6", "mice", "(", "E/@", "βeta"]


@st.composite
def documents(draw):
    """Texts of short words, some of them mentions of a few entities."""
    pieces, mentions, position = [], [], 0
    for number in range(draw(st.integers(2, 12))):
        word = draw(st.sampled_from(WORDS))
        entity = draw(st.integers(0, 4))
        if number < 2 or entity < 3:
            name = str(entity if number > 1 else number)
            kind = (GENE, CHEMICAL, DISEASE)[int(name) % 3]
            mentions.append(Mention(position, position + len(word), word, kind, (name,)))
        pieces.append(word)
        gap = draw(st.sampled_from(["", " "]))
        pieces.append(gap)
        position += len(word) + len(gap)
    return Document.from_text("1", "".join(pieces), mentions=mentions)


@given(documents())
def test_each_pair_is_in_two_copies_and_tokens_know_their_places(reading, document):
    pairs = candidate_pairs(document)
    found = copies(reading, document)
    assert Counter(row for item in found for row in item.rows) == Counter(
        dict.fromkeys(range(len(pairs)), 2)
    )
    text = document.text.lower()
    for item in found:
        for window, offsets in zip(item.copy.windows, item.copy.offsets, strict=True):
            for token, offset in list(zip(window, offsets, strict=True))[1:-1]:
                name = reading.tokenizer.id_to_token(token)
                if name.isascii() and name.isalnum():
                    assert text[offset : offset + len(name)] == name


def test_without_the_markers_of_per_pair_reading_there_are_no_copies():
    bare = Tokenizer(models.WordPiece({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}, unk_token="[UNK]"))
    bare.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in MARKERS])
    DocumentReading(bare, BIORED)
    with pytest.raises(ModelError, match="lacks the token '@/E'"):
        EntityReading(bare, BIORED)


@given(st.integers(1, 3000), st.integers(6, 510))
def test_even_windows_cover_the_text_with_the_overlap_of_full_ones(length, room):
    full, even = (_windows(length, room, even=even) for even in (False, True))
    assert len(even) <= len(full)
    assert max(map(len, even)) <= room
    assert {place for window in even for place in window} == set(range(length))
    overlap = min(OVERLAP, room // 2)
    for before, after in pairwise(even):
        assert before.stop - after.start == overlap
    assert max(map(len, even)) - min(map(len, even)) <= len(even)
