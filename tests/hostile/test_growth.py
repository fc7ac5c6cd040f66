"""Work grows with the input, not with its square: each of these took minutes to years before.

Nothing is timed. A reader that falls back does not come to an end here within the time that
anyone waits for a test.
"""

from __future__ import annotations

import io
import json

import pytest

from novelink.annotate.abbreviations import find_abbreviations
from novelink.errors import DataError
from novelink.formats import format_of_source, read
from novelink.formats.registry import FORMATS, load
from novelink.formats.report import ReadReport
from novelink.formats.source import open_source
from novelink.scale.splitting import split
from novelink.schema import BIORED
from novelink.sentences import split_sentences

MANY = 200_000


def documents(data, name, **options):
    return list(read(io.BytesIO(data), name, **options))


@pytest.mark.parametrize(
    "prefix", [b" " * 65_536, b"\n" * 65_536, b"x" * 65_536, b"\t" * 65_536, b"1|" * 32_768]
)
def test_telling_a_format_ends_on_long_runs_and_takes_none_for_its_own(prefix):
    for name, entry in FORMATS.items():
        if entry.sniff:
            # A long word may be plain text; nothing here has any other form.
            assert load(entry.sniff)(prefix) is (name == "text" and prefix[:1] == b"x"), name


def test_runs_of_full_stops_are_one_mark():
    assert split_sentences("A" + "." * MANY + "x") == [(0, MANY + 2)]
    assert split_sentences("A" + ".)" * MANY + "x") == [(0, 2 * MANY + 2)]


def test_a_long_text_is_not_copied_once_a_sentence():
    text = "is so. " * 60_000
    assert len(split_sentences(text)) == 1


def test_brackets_of_a_sentence_without_end_are_not_each_looked_for_from_its_beginning():
    assert len(find_abbreviations("alpha beta (AB) " * 20_000)) == 20_000


def test_direction_lines_do_not_search_all_relations():
    lines = ["1|t|A", "1|a|"]
    lines += [f"1\tBind\ta{number}\tb" for number in range(20_000)]
    lines += [f"1\ta{number}\tb\tSubject:b" for number in range(20_000)]
    (found,) = documents("\n".join(lines).encode(), "pubtator")
    assert all(relation.subject == "b" for relation in found.relations)


def test_a_long_medline_record_is_joined_once():
    data = b"PMID- 1\nTI  - A.\nAB  - B\n" + b"      and on and on\n" * MANY
    (found,) = documents(data, "medline")
    assert len(found.text) > 14 * MANY


def test_beginnings_without_an_end_are_not_searched_from_each():
    tags = b"<DeleteCitation>" * MANY
    documents(b"<PubmedArticleSet></PubmedArticleSet>" + tags, "pubmed-xml")
    with pytest.raises(DataError, match="ends before its"):
        documents(b"<PubmedArticleSet" * MANY, "pubmed-xml")


def test_a_long_article_is_searched_for_its_end_once():
    text = b"<AbstractText>" + b"word " * 300_000 + b"</AbstractText>"
    article = b"<MedlineCitation><PMID>1</PMID><Article><Abstract>%b</Abstract></Article>" % text
    data = b"<PubmedArticleSet><PubmedArticle>%b</MedlineCitation></PubmedArticle>" % article
    (found,) = documents(data + b"</PubmedArticleSet>", "pubmed-xml")
    assert len(found.text) > 1_400_000


def pieces(data):
    with open_source(io.BytesIO(data)) as source:
        return list(split(source, format_of_source(source), BIORED, ReadReport()))


def test_comments_behind_the_documents_are_read_once():
    data = b"<collection><document></document>" + b"<!-- a -->" * 1_000
    assert len(pieces(data + b"</collection>")) == 1
    with pytest.raises(DataError, match="does not end with"):
        pieces(data)


def test_end_tags_inside_a_section_are_not_weighed_each_against_all_before():
    inside = b"</document>" * 30_000
    data = b"<collection><document><![CDATA[" + inside + b"]]></document></collection>"
    (piece,) = pieces(data)
    assert piece.data.count(b"</document>") == 30_001


def test_mentions_of_a_long_json_text_are_looked_up_once():
    text = "A b. " * 20_000
    mentions = [
        {"start": 5 * number, "end": 5 * number + 1, "text": "A", "type": "GeneOrGeneProduct"}
        for number in range(20_000)
    ]
    (found,) = documents(
        json.dumps({"id": "1", "text": text, "mentions": mentions}).encode(), "jsonl"
    )
    assert len(found.mentions) == 20_000
