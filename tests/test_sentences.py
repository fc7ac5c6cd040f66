"""Sentence borders in biomedical text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink import formats
from novelink.document import Document, Passage
from novelink.sentences import document_sentences, split_sentences

# Each entry is a text cut into its sentences; joined by blanks they are the input.
CASES = {
    "decimals and variants": [
        "BRAF p.V600E was found in 3.5% (P < 0.05).",
        "c.76A>T and g.123_124del were not.",
    ],
    "abbreviations that never end": [
        "We used e.g. insulin, i.e. a hormone, cf. Fig. 2 vs. Fig. 3.",
        "Dr. Smith agreed.",
    ],
    "abbreviations that may end": [
        "Smith et al. found it in Candida spp. and in others.",
        "It was given i.p.",
        "The dose was 5 mg.",
    ],
    "et al. and a citation": ["Jones et al. (2010) and Li et al. [4] showed it.", "We agree."],
    "genera": ["E. coli and S. Typhimurium grew.", "C. elegans did not."],
    "initials": ["As J. R. Smith and P. Jones showed, it grew.", "It did not stop."],
    "names that end in a letter": ["They had hepatitis B.", "Patients recovered."],
    "two groups": ["Saline was given to groups A and B.", "Serum was taken."],
    "units": ["It peaked at 72 h.", "Sequencing followed within 30 min.", "Cells died."],
    "names in capitals are not shortened words": ["All had MS.", "None had ED.", "Some had CA."],
    "beginnings in lower case": [
        "We studied it.",
        "p53 binds MDM2.",
        "mRNA rose.",
        "miR-21 fell.",
        "c-Myc stayed.",
        "β-catenin moved.",
        "siRNA was used.",
        "c.76A>T was new.",
    ],
    "beginnings with digits": ["We had mice.", "24 of them died.", "5-HT rose."],
    "numbers of figures": ["See Fig. 3 and No. 5 of vol. 2.", "The rest is new."],
    "brackets": [
        "It grew (see below. It was fast).",
        "(Funded by X.)",
        "It stopped [data. Not shown].",
    ],
    "an open bracket does not hide the rest": ["It grew (see below.", "It stopped."],
    "quotes": ['"It works."', "He said “yes.”", "She left."],
    "questions": ["Does it grow?", "It does!", "Why (?) is open."],
    "headings": ["OBJECTIVE: To see.", "METHODS AND RESULTS: We saw.", "CONCLUSION: Seen."],
    "headings without a full stop before": ["It was in mice", "METHODS: We looked."],
    "headings alone go with their sentence": [
        "Objective. To see the effect.",
        "Methods. We looked.",
    ],
    "lists": ["1. Insulin rose.", "2. Glucose fell."],
    "lists in brackets": ["Two things were seen.", "(2) It grew."],
    "countries": [
        "The U.S. Food and Drug Administration agreed.",
        "It is in the U.S.",
        "We are not.",
    ],
    "ellipsis": ["It grew...", "Then it stopped."],
    "spaced decimals": ["The result was P = 0. 05 in mice.", "It held."],
    "species": ["Drosophila sp. nov. was described.", "It is new."],
}


def sentences(text):
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize("name", CASES)
def test_sentences_of(name):
    assert sentences(" ".join(CASES[name])) == CASES[name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It grew in mice.The mean was 3.", ["It grew in mice.", "The mean was 3."]),
        ("Seen in cells.12 We found more.", ["Seen in cells.12", "We found more."]),
        ("It ended.RESULTS: We saw.", ["It ended.", "RESULTS: We saw."]),
        ("One line\n\nanother line", ["One line", "another line"]),
        ("A wrapped\nline. And more", ["A wrapped\nline.", "And more"]),
        ("It grew . It stopped .", ["It grew .", "It stopped ."]),
        ("E.coli and p.Val600Glu are names.", ["E.coli and p.Val600Glu are names."]),
        ("", []),
        (" \n ", []),
        (" . ", ["."]),
        ("...", ["..."]),
    ],
)
def test_odd_borders(text, expected):
    assert sentences(text) == expected


MARKS = st.sampled_from('.?!…()[]"”: \n')
WORDS = st.sampled_from(
    ("p", "53", "0", "E", "coli", "al", "e.g", "Fig", "The", "RESULTS", "α", "İ")
)
PIECES = st.lists(st.one_of(MARKS, WORDS, st.just("\n\n")), max_size=60).map("".join)


@given(st.one_of(st.text(max_size=200), PIECES))
def test_spans_cover_all_that_is_not_blank_in_order_without_overlap(text):
    spans = split_sentences(text)
    position = 0
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip()
        position = end
    assert not text[position:].strip()


@given(PIECES, PIECES)
def test_no_sentence_crosses_a_passage(first, second):
    document = Document("1", (Passage(0, first), Passage(len(first) + 3, second)))
    for start, end in document_sentences(document):
        assert end <= len(first) or start >= len(first) + 3
        assert document.text[start:end].strip() == document.text[start:end] != ""


def test_corpus_sentences_have_the_length_of_sentences_and_cut_no_entity():
    """BioRED's training texts: about one border each 160 characters, hardly any splinter."""
    path = Path(__file__).parents[1] / "../shared/data/biored/Train.PubTator"
    if not path.exists():
        pytest.skip("the shared BioRED corpus is not beside this project")
    lengths, mentions, crossed = [], 0, 0
    for document in formats.read(path):
        spans = document_sentences(document)
        lengths += [end - start for start, end in spans]
        mentions += len(document.mentions)
        crossed += sum(
            not any(start <= one.start and one.end <= end for start, end in spans)
            for one in document.mentions
        )
    assert (mentions, crossed) == (13_351, 0)
    assert 120 < sum(lengths) / len(lengths) < 190
    assert sum(length < 12 for length in lengths) / len(lengths) < 0.005
    assert max(lengths) < 2000
