"""One marked copy a pair becomes token ids that never exceed the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink.document import Document, Mention
from novelink.errors import ModelError
from novelink.pairs import candidate_pairs
from novelink.reading.marking import mark, neutralise
from novelink.reading.pair import PairReading
from novelink.runtime.bundle import load_bundle
from novelink.schema import CHEMICAL, DISEASE, GENE


@pytest.fixture(scope="module")
def tokenizer(tiny_bundle):
    return load_bundle(tiny_bundle).tokenizer()


def one_pair(document):
    (pair,) = candidate_pairs(document)
    return pair


def test_ids_are_the_marked_text_between_cls_and_sep(tokenizer, place, titled):
    text = "anti-TNFalpha of mice and IL6"
    document = titled(text, [place(text, "TNF"), place(text, "IL6", "2")])
    (read,) = PairReading(tokenizer, 128).encode(document, [one_pair(document)])
    marked = "anti-@/E TNF E/@alpha of mice and @/E IL6 E/@"
    assert read.ids == tuple(tokenizer.encode(f"[CLS]{marked}[SEP]", add_special_tokens=False).ids)
    start = tokenizer.token_to_id("@/E")
    assert read.starts == tuple(at for at, token in enumerate(read.ids) if token == start)
    assert read.owners == (1, 2)
    assert (read.cut_mentions, read.cut_tokens) == (0, 0)


def test_a_mention_with_both_ids_belongs_to_both(tokenizer, place, titled):
    text = "p38 and p38 again, then p38"
    document = titled(
        text,
        [
            place(text, "p38", ("1", "2")),
            place(text, "p38", "1", occurrence=1),
            place(text, "p38", "2", occurrence=2),
        ],
    )
    (read,) = PairReading(tokenizer, 128).encode(document, [one_pair(document)])
    assert read.owners == (3, 1, 2)


def test_later_parts_of_a_discontinuous_mention_count_as_no_mention(tokenizer, place, titled):
    text = "breast and ovarian cancer lower TNF"
    document = titled(text, [place(text, "breast … cancer", "D1", DISEASE), place(text, "TNF")])
    (read,) = PairReading(tokenizer, 128).encode(document, [one_pair(document)])
    start = tokenizer.token_to_id("@/E")
    marks = [at for at, token in enumerate(read.ids) if token == start]
    assert len(marks) == 3
    assert read.starts == (marks[0], marks[2])
    assert read.owners == (1, 2)


def test_special_tokens_written_in_a_text_are_ordinary_text(tokenizer, place, titled):
    text = "[SEP] TNF @/E fake E/@ [CLS] [PAD] [MASK] @/E IL6"
    document = titled(text, [place(text, "TNF"), place(text, "IL6", "2")])
    (read,) = PairReading(tokenizer, 256).encode(document, [one_pair(document)])
    counts = {
        name: read.ids.count(tokenizer.token_to_id(name))
        for name in ("[CLS]", "[SEP]", "[PAD]", "[MASK]", "@/E", "E/@")
    }
    assert counts == {"[CLS]": 1, "[SEP]": 1, "[PAD]": 0, "[MASK]": 0, "@/E": 2, "E/@": 2}
    assert read.owners == (1, 2)


documents = st.tuples(
    st.lists(st.integers(0, 9), min_size=10, max_size=300),
    st.sets(st.integers(0, 299), min_size=1, max_size=6),
    st.sets(st.integers(0, 299), min_size=1, max_size=6),
)


def spread_document(words, first, second):
    """A word a number, two of them entities at the given places."""
    total = len(words)
    first = {place % total for place in first}
    second = {place % total for place in second} - first or {(min(first) + 1) % total}
    first -= second
    if not first:
        first = {(min(second) + 1) % total}
    text, mentions = "", []
    for place, number in enumerate(words):
        word = f"w{number}"
        if place in first or place in second:
            concept = "1" if place in first else "2"
            mentions.append(Mention(len(text), len(text) + len(word), word, CHEMICAL, (concept,)))
        text += f"{word} "
    return Document.from_text("1", text, mentions=mentions)


@settings(max_examples=60, deadline=None)
@given(documents, st.sampled_from([32, 48, 64, 128]))
def test_window_of_a_long_text(tokenizer, parts, max_length):
    """Never too long, both entities in sight, and what was cut is counted."""
    document = spread_document(*parts)
    pair = one_pair(document)
    (read,) = PairReading(tokenizer, max_length).encode(document, [pair])
    (whole,) = PairReading(tokenizer, 100_000).encode(document, [pair])
    assert len(read.ids) <= max_length
    assert read.ids[0] == whole.ids[0]
    assert read.ids[-1] == whole.ids[-1]
    assert {1, 2} <= set(read.owners)
    start = tokenizer.token_to_id("@/E")
    assert all(read.ids[place] == start for place in read.starts)
    assert len(read.starts) == len(read.owners) == read.ids.count(start)
    assert read.cut_tokens == len(whole.ids) - len(read.ids)
    assert read.cut_mentions == len(whole.owners) - len(read.owners)
    assert whole.cut_tokens == whole.cut_mentions == 0


def test_pairs_beyond_one_block_come_in_order(tokenizer):
    """Marked copies are made in blocks; 30 chemicals give 435 pairs."""
    names = [f"w{number}" for number in range(30)]
    text, mentions = "", []
    for name in names:
        mentions.append(Mention(len(text), len(text) + len(name), name, CHEMICAL, (name,)))
        text += f"{name} "
    document = Document.from_text("1", text, mentions=mentions)
    pairs = candidate_pairs(document)
    reading = PairReading(tokenizer, 512)
    together = reading.encode(document, pairs)
    assert len(together) == 435
    assert together[300] == reading.encode(document, [pairs[300]])[0]


def test_a_tokenizer_without_markers_is_refused(tokenizer):
    from tokenizers import Tokenizer, models

    bare = Tokenizer(models.WordPiece({"[UNK]": 0, "[CLS]": 1}, unk_token="[UNK]"))
    with pytest.raises(ModelError, match="lacks the token"):
        PairReading(bare, 128)


def test_pubmedbert_vocabulary_reads_a_marked_copy_back(place, titled):
    """With a real vocabulary, a word cut by a marker is cut nowhere else."""
    vocabulary = (
        Path(__file__).resolve().parents[3] / "shared" / "encoders" / "pubmedbert-vocab.txt"
    )
    if not vocabulary.exists():
        pytest.skip("the PubMedBERT vocabulary is not beside the project")
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)._tokenizer
    tokenizer.add_special_tokens(["@/E", "E/@"])
    text = "Anti-TNFalpha antibodies and hepatocellular carcinoma in ACE/ARB users."
    document = titled(
        text,
        [
            place(text, "TNF", "7124", GENE),
            place(text, "hepatocellular carcinoma", "D6528", DISEASE),
        ],
    )
    pair = one_pair(document)
    (read,) = PairReading(tokenizer, 512).encode(document, [pair])
    tokens = [tokenizer.id_to_token(index) for index in read.ids]
    inside = tokens[tokens.index("@/E") + 1 : tokens.index("E/@")]
    assert inside == ["tnf"]
    second = len(tokens) - 1 - tokens[::-1].index("@/E")
    assert tokens[second + 1 : second + 3] == ["hepatocellular", "carcinoma"]
    marked = mark(neutralise(text, []), pair.first.mentions, pair.second.mentions)
    assert tokenizer.encode(marked.text, add_special_tokens=False).ids == list(read.ids[1:-1])


def test_a_whole_sample_of_title_and_abstract(tokenizer, place):
    """Every trap in one document, as the encoder reads it, token by token.

    A nested mention, a span of both entities by its ids, a discontinuous one, a word cut by a
    marker, and a mention of a third entity, which stays unmarked.
    """
    title, abstract = "TNF in p38 gutter", "Itch and lumen palsy raises anti-TNFb, not orfa."
    text = f"{title} {abstract}"
    mentions = [
        place(text, "TNF", "7124", GENE),
        place(text, "p38 gutter", "D1", DISEASE),
        place(text, "p38", ("7124", "D1"), GENE),
        place(text, "Itch … palsy", "D1", DISEASE),
        place(text, "TNF", "7124", GENE, occurrence=1),
        place(text, "orfa", "9", GENE),
    ]
    document = Document.from_text("1", title, abstract, mentions=mentions)
    pair = next(one for one in candidate_pairs(document) if set(one.ids) == {"7124", "D1"})
    (read,) = PairReading(tokenizer, 128).encode(document, [pair])
    marked = (
        "@/E TNF E/@ in @/E @/E p38 E/@ gutter E/@ "
        "@/E Itch E/@ and lumen @/E palsy E/@ raises anti-@/E TNF E/@b, not orfa."
    )
    wanted = tokenizer.encode(f"[CLS]{marked}[SEP]", add_special_tokens=False)
    assert read.ids == tuple(wanted.ids)
    start = tokenizer.token_to_id("@/E")
    marks = [at for at, token in enumerate(read.ids) if token == start]
    # Of the discontinuous mention the first part is the mention: mark 5, "palsy", is not one.
    assert read.starts == tuple(marks[:4] + marks[5:])
    assert read.owners == (1, 2, 3, 2, 1)
