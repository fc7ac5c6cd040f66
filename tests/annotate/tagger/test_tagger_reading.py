"""Documents into windows, mentions into labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.tagger.encoding import SHAPES, TaggerReading, token_shapes
from novelink.annotate.tagger.labels import BEGIN, INSIDE, OUTSIDE, token_labels
from novelink.document import Document, Mention
from novelink.errors import ModelError
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE

_WORDS = st.lists(
    st.sampled_from(["orfx", "Kinase", "the", "of", "met", "zz9", "patients.", "In", "(GD)", "é"]),
    max_size=90,
)


def test_a_document_that_fits_is_one_window(table_tokenizer):
    document = Document.from_text("1", "ORFX met zelamine.", "We saw it.")
    [window] = TaggerReading(table_tokenizer, 64).encode(document)
    assert window.keep == (1, len(window.ids) - 1)
    assert window.ids[0] == table_tokenizer.token_to_id("[CLS]")
    assert window.ids[-1] == table_tokenizer.token_to_id("[SEP]")
    assert document.text[slice(*window.spans[1])] == "ORFX"


@given(_WORDS, st.integers(8, 40), st.integers(0, 20))
def test_every_token_is_answered_for_once_and_no_window_is_too_long(
    table_tokenizer, words, max_length, overlap
):
    document = Document.from_text("1", "A title.", " ".join(words))
    reading = TaggerReading(table_tokenizer, max_length, overlap)
    windows = reading.encode(document)
    kept = [span for window in windows for span in window.spans[slice(*window.keep)]]
    assert kept == reading.spans(document)
    assert all(len(window.ids) <= max_length for window in windows)
    assert all(len(window.ids) == len(window.shapes) == len(window.spans) for window in windows)


def test_long_documents_are_cut_at_sentence_ends(table_tokenizer):
    document = Document.from_text("1", "", "We saw the ORFX kinase of patients. " * 20)
    windows = TaggerReading(table_tokenizer, 48, 8).encode(document)
    assert len(windows) > 3
    for window in windows:
        start, _ = window.spans[window.keep[0]]
        assert document.text[start:].startswith("We saw")
    assert windows[1].keep[0] > 1, "the second window begins with context"


def test_an_empty_document_has_no_window(table_tokenizer):
    assert TaggerReading(table_tokenizer).encode(Document.from_text("1", "", "")) == []


def test_a_tokenizer_without_marks_is_refused():
    from tokenizers import Tokenizer, models

    with pytest.raises(ModelError, match="CLS"):
        TaggerReading(Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")))


def test_shapes_tell_cases_apart_that_the_tokenizer_lowers():
    text = "mice Mice TNF mTOR V600E p53 42 , N α"
    spans = []
    position = 0
    for word in text.split():
        start = text.index(word, position)
        position = start + len(word)
        spans.append((start, position))
    shapes = token_shapes(text, spans)
    assert len(set(shapes)) == len(shapes)
    assert all(0 < shape < SHAPES for shape in shapes)


def test_pieces_of_a_word_share_the_words_shape():
    one, other = token_shapes("TNFalpha", [(0, 3), (3, 8)])
    assert one // 12 == other // 12
    assert one != other


def labels_of(text, spans, mentions):
    return token_labels(mentions, spans, BIORED.entity_types)


def test_adjacent_mentions_of_one_type_stay_two():
    text = "ORFX ORFY"
    mentions = [Mention(0, 4, "ORFX", GENE), Mention(5, 9, "ORFY", GENE)]
    labels, inexact = labels_of(text, [(0, 4), (5, 9)], mentions)
    assert labels[BIORED.entity_types.index(GENE)].tolist() == [BEGIN, BEGIN]
    assert inexact == 0


def test_nested_mentions_of_different_types_are_both_kept():
    """``ORFX deficiency`` is a disease that holds a gene."""
    mentions = [Mention(0, 4, "ORFX", GENE), Mention(0, 15, "ORFX deficiency", DISEASE)]
    labels, _ = labels_of("ORFX deficiency", [(0, 4), (5, 15)], mentions)
    assert labels[BIORED.entity_types.index(GENE)].tolist() == [BEGIN, OUTSIDE]
    assert labels[BIORED.entity_types.index(DISEASE)].tolist() == [BEGIN, INSIDE]


def test_mentions_that_tokens_cannot_say_are_counted():
    labels, inexact = labels_of("orfxa", [(0, 5)], [Mention(0, 4, "orfx", GENE)])
    assert inexact == 1
    assert labels.sum() == BEGIN


def test_special_tokens_and_other_types_have_no_label():
    mentions = [Mention(0, 4, "ORFX", "Unknown")]
    labels, inexact = labels_of("ORFX", [(-1, -1), (0, 4), (-1, -1)], mentions)
    assert not np.any(labels)
    assert inexact == 0
    assert labels_of("a", [(-1, -1), (0, 1)], [Mention(0, 1, "a", CHEMICAL)])[0][:, 0].sum() == 0
