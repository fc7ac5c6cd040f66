"""A whole document becomes windows in which every mention is marked with its type."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink.document import Document, Mention
from novelink.errors import ModelError, SettingsError
from novelink.pairs import candidate_pairs
from novelink.reading.document import DocumentReading, type_markers, type_words
from novelink.runtime.bundle import load_bundle
from novelink.schema import BIORED, CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES

MARKERS = {marker: kind for kind in BIORED.entity_types for marker in type_markers(kind)}
SHORT = {
    marker: f"{'</' if marker.startswith('</') else '<'}{kind[0]}>"
    for marker, kind in MARKERS.items()
}


@pytest.fixture(scope="module")
def reading(tokenizer):
    return DocumentReading(tokenizer, BIORED, 512)


def encode(reading, document):
    return reading.encode(document, candidate_pairs(document))


def shown(reading, ids):
    """Token ids as text, word pieces joined, markers by their type's first letter."""
    tokens = [reading.tokenizer.id_to_token(number) for number in ids]
    return " ".join(SHORT.get(token, token) for token in tokens).replace(" ##", "")


def check(reading, document, expected, owners):
    """The marked text, and for each start marker the concept ids of its entities."""
    read = encode(reading, document)
    assert len(read.windows) == 1
    assert shown(reading, read.windows[0]) == f"[CLS] {expected} [SEP]"
    names = list(dict.fromkeys(name for pair in candidate_pairs(document) for name in pair.ids))
    starts = {}
    for window, place, entity in read.mentions:
        assert window == 0
        starts.setdefault(place, set()).add(names[entity])
    markers = [
        place
        for place, number in enumerate(read.windows[0])
        if reading.tokenizer.id_to_token(number) in MARKERS
        and not reading.tokenizer.id_to_token(number).startswith("</")
    ]
    assert [starts.pop(place, set()) for place in markers] == owners
    assert not starts


def test_every_mention_is_marked_with_its_type(reading, place, titled):
    text = "TNF lowers insulin in mice."
    marks = [place(text, "TNF"), place(text, "insulin", "2"), place(text, "mice", "9", SPECIES)]
    check(
        reading,
        titled(text, marks),
        "<G> tnf </G> lowers <G> insulin </G> in <O> mice </O> .",
        [{"1"}, {"2"}, set()],  # species take part in no pair
    )


def test_inner_mentions_stand_inside_outer_ones(reading, place, titled):
    text = "lack of TNF receptor disease and IL6"
    marks = [
        place(text, "TNF", "1"),
        place(text, "TNF receptor disease", "D1", DISEASE),
        place(text, "TNF receptor", "2"),
        place(text, "IL6", "3"),
    ]
    check(
        reading,
        titled(text, marks),
        "lack of <D> <G> <G> tnf </G> receptor </G> disease </D> and <G> il6 </G>",
        [{"D1"}, {"2"}, {"1"}, {"3"}],
    )


def test_overlapping_mentions_each_keep_both_markers(reading, place, titled):
    text = "ovarian tumor suppressor lost"
    marks = [place(text, "ovarian tumor", "D1", DISEASE), place(text, "tumor suppressor", "1")]
    check(
        reading,
        titled(text, marks),
        "<D> ovarian <G> tumor </D> suppressor </G> lost",
        [{"D1"}, {"1"}],
    )


def test_all_parts_of_a_discontinuous_mention_are_marked_and_the_first_counts(
    reading, place, titled
):
    text = "breast and ovarian cancer lower TNF"
    marks = [
        place(text, "breast … cancer", "D1", DISEASE),
        place(text, "ovarian cancer", "D2", DISEASE),
        place(text, "TNF"),
    ]
    check(
        reading,
        titled(text, marks),
        "<D> breast </D> and <D> ovarian <D> cancer </D> </D> lower <G> tnf </G>",
        [{"D1"}, {"D2"}, set(), {"1"}],
    )


def test_a_mention_of_several_ids_is_one_marker_of_all_their_entities(reading, place, titled):
    text = "p38 and IL6"
    marks = [place(text, "p38", ("1", "2")), place(text, "IL6", "3")]
    check(reading, titled(text, marks), "<G> p38 </G> and <G> il6 </G>", [{"1", "2"}, {"3"}])


def test_a_span_with_two_types_gets_both_markers(reading, place, titled):
    text = "insulin and IL6"
    marks = [
        place(text, "insulin", "1"),
        place(text, "insulin", "C1", CHEMICAL),
        place(text, "IL6", "3"),
    ]
    check(
        reading,
        titled(text, marks),
        "<G> <C> insulin </C> </G> and <G> il6 </G>",
        [{"1"}, {"C1"}, {"3"}],
    )


def test_a_span_named_twice_with_one_type_is_marked_once(reading, place, titled):
    text = "insulin and IL6"
    marks = [place(text, "insulin", "1"), place(text, "insulin", "2"), place(text, "IL6", "3")]
    check(reading, titled(text, marks), "<G> insulin </G> and <G> il6 </G>", [{"1", "2"}, {"3"}])


def test_adjacent_mentions_close_before_the_next_one_opens(reading, place, titled):
    text = "TNFIL6"
    marks = [place(text, "TNF"), place(text, "IL6", "2")]
    check(reading, titled(text, marks), "<G> tnf </G> <G> il6 </G>", [{"1"}, {"2"}])


def test_a_mention_within_a_word_is_marked_to_the_character(reading, place, titled):
    text = "anti-TNFalpha in HeLas and IL6"
    marks = [place(text, "TNF"), place(text, "HeLa", "c", CELL_LINE), place(text, "IL6", "2")]
    check(
        reading,
        titled(text, marks),
        "anti - <G> tnf </G> alpha in <C> hela </C> s and <G> il6 </G>",
        [{"1"}, set(), {"2"}],
    )


def test_special_tokens_written_in_a_text_are_ordinary_text(reading, tokenizer, place, titled):
    text = "[SEP] TNF <CellLine> fake </CellLine> [CLS][PAD] @/E <<GeneOrGeneProduct>> IL6 [MASK]"
    read = encode(reading, titled(text, [place(text, "TNF"), place(text, "IL6", "2")]))
    (window,) = read.windows
    counts = {
        name: window.count(tokenizer.token_to_id(name))
        for name in ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "@/E", *MARKERS)
    }
    expected = {"[CLS]": 1, "[SEP]": 1, **dict.fromkeys(type_markers(GENE), 2)}
    assert {name: count for name, count in counts.items() if count} == expected
    assert [entity for _, _, entity in read.mentions] == [0, 1]


@pytest.mark.parametrize("before", ["<", "</", "<GeneOrGeneProduct", "[", "E/", "[SEP", "</Cell"])
@pytest.mark.parametrize("after", ["", ">", "SEP]", "CellLine>", "@", "<"])
def test_markers_do_not_merge_with_the_text_around_them(reading, titled, before, after):
    """Whatever the text before and after a mention ends and begins with."""
    text = f"{before}TNF{after} IL6"
    at = len(before)
    marks = [
        Mention(at, at + 3, "TNF", GENE, ("1",)),
        Mention(len(text) - 3, len(text), "IL6", GENE, ("2",)),
    ]
    read = encode(reading, titled(text, marks))
    tokens = [reading.tokenizer.id_to_token(number) for number in read.windows[0]]
    assert [token for token in tokens if token in MARKERS] == [*type_markers(GENE)] * 2
    assert tokens.count("[SEP]") == 1
    assert len(read.mentions) == 2


def test_mentions_of_types_outside_the_schema_are_left_unmarked(reading, place, titled):
    """Such a marker would not be a token of the model."""
    text = "TNF of chr1 lowers IL6"
    marks = [place(text, "TNF"), place(text, "chr1", "c1", "Chromosome"), place(text, "IL6", "2")]
    check(reading, titled(text, marks), "<G> tnf </G> of chr1 lowers <G> il6 </G>", [{"1"}, {"2"}])


def test_a_document_without_pairs_is_read_all_the_same(reading, titled):
    read = encode(reading, titled("the mice", []))
    assert shown(reading, read.windows[0]) == "[CLS] the mice [SEP]"
    assert (read.entities, read.pairs, read.mentions, read.pairs_apart) == (0, (), (), 0)


def test_names_of_types_become_words():
    assert type_words(GENE) == "gene or gene product"
    assert type_words("cell_line") == "cell line"


def test_a_tokenizer_without_the_markers_is_refused(tiny_bundle):
    with pytest.raises(ModelError, match="lacks the token '<GeneOrGeneProduct>'"):
        DocumentReading(load_bundle(tiny_bundle).tokenizer(), BIORED)


def test_windows_too_short_to_overlap_are_refused(tokenizer):
    with pytest.raises(SettingsError, match="8 is the least"):
        DocumentReading(tokenizer, BIORED, 7)


def made(words, marked, joiner):
    """A document of words; ``marked`` maps a word's number to its entity's number."""
    pieces, mentions, position = [], [], 0
    for number, word in enumerate(words):
        if number in marked:
            entity = marked[number]
            kind = (GENE, CHEMICAL, DISEASE)[entity % 3]
            mentions.append(Mention(position, position + len(word), word, kind, (f"e{entity}",)))
        pieces.append(word)
        position += len(word) + len(joiner)
    return Document.from_text("1", joiner.join(words), mentions=mentions)


WORD = st.text(st.sampled_from("abz09<>/[]@-.,βéß中\u200b"), min_size=1, max_size=6)
DOCUMENTS = st.builds(
    made,
    st.lists(WORD | st.sampled_from(["[SEP]", "<CellLine>", "E/@"]), min_size=2, max_size=30),
    st.dictionaries(st.integers(0, 29), st.integers(0, 4), max_size=12),
    st.sampled_from([" ", "", "  "]),
)


@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS, length=st.sampled_from([8, 16, 40, 512]))
def test_windows_hold_every_token_and_every_mention_and_no_pair_is_dropped(
    tokenizer, document, length
):
    """Against one window of the whole document, which needs no cutting."""
    pairs = candidate_pairs(document)
    whole = DocumentReading(tokenizer, BIORED, 10**6).encode(document, pairs)
    read = DocumentReading(tokenizer, BIORED, length).encode(document, pairs)
    (ids,), (origins,) = whole.windows, whole.offsets
    assert read.pairs == whole.pairs
    assert len(read.pairs) == len(pairs)
    assert all(len(window) <= length for window in read.windows)
    # Where each window lies: windows begin at equal steps, so the first pairs of neighbours tell.
    room = length - 2
    step = room - min(128, room // 2)
    covered = set()
    placed = set()
    for number, (window, offsets) in enumerate(zip(read.windows, read.offsets, strict=True)):
        begin = number * step
        inner = window[1:-1]
        assert (window[0], window[-1]) == (ids[0], ids[-1])
        assert inner == ids[1 + begin : 1 + begin + len(inner)]
        assert offsets == (-1, *origins[1 + begin : 1 + begin + len(inner)], -1)
        covered |= set(range(begin, begin + len(inner)))
        inside = {(place - 1 - begin, entity) for _, place, entity in whole.mentions}
        expected = {item for item in inside if 0 <= item[0] < len(inner)}
        found = {(place - 1, entity) for at, place, entity in read.mentions if at == number}
        assert found == expected
        placed |= {(place + begin, entity) for place, entity in found}
    assert covered == set(range(len(ids) - 2))
    assert placed == {(place - 1, entity) for _, place, entity in whole.mentions}
    together = {
        pair
        for pair in read.pairs
        for number in range(len(read.windows))
        if set(pair) <= {entity for at, _, entity in read.mentions if at == number}
    }
    assert read.pairs_apart == len([pair for pair in read.pairs if pair not in together])


@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS)
def test_offsets_say_where_each_token_stands_in_the_text(tokenizer, document):
    read = DocumentReading(tokenizer, BIORED, 10**6).encode(document, candidate_pairs(document))
    starts = {mention.start for mention in document.mentions}
    ends = {mention.end for mention in document.mentions}
    text = document.text
    last = 0
    normalise = tokenizer.normalizer.normalize_str
    for number, offset in zip(read.windows[0], read.offsets[0], strict=True):
        token = tokenizer.id_to_token(number)
        if token in ("[CLS]", "[SEP]"):
            assert offset == -1
            continue
        assert last <= offset <= len(text)
        last = offset
        if token in MARKERS:
            assert offset in (ends if token.startswith("</") else starts)
        elif token != "[UNK]":
            character = normalise(text[offset]).strip()
            # The first character of a special token in the text was made harmless.
            assert token.removeprefix("##")[0] in (character[0], "_")


def test_pairs_in_windows_of_their_own_are_counted(tokenizer):
    """Ten words a window or so: neighbours share one, the ends do not."""
    words = [f"w{number % 10}" for number in range(60)]
    document = made(words, {0: 0, 3: 1, 59: 2}, " ")
    read = DocumentReading(tokenizer, BIORED, 24).encode(document, candidate_pairs(document))
    assert len(read.pairs) == 3
    assert read.pairs_apart == 2


def test_a_mention_in_the_overlap_of_two_windows_is_read_in_both(tokenizer):
    words = [f"w{number % 10}" for number in range(40)]
    middle = random.Random(1).randrange(12, 28)
    document = made(words, {middle: 0, 0: 1}, " ")
    read = DocumentReading(tokenizer, BIORED, 24).encode(document, candidate_pairs(document))
    names = list(candidate_pairs(document)[0].ids)
    windows = [window for window, _, entity in read.mentions if names[entity] == "e0"]
    assert len(windows) == 2
    assert windows[1] == windows[0] + 1
