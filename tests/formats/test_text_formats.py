"""Readers of texts without entities."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.errors import DataError
from novelink.formats import ReadReport, read
from novelink.formats.article_ids import article_id, is_request


def named(name, content):
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    stream.name = name
    return stream


def parts(content, name="notes.txt", form=None, **settings):
    return [
        (one.id, *(passage.text for passage in one.passages))
        for one in read(named(name, content), form, **settings)
    ]


TWO = (
    "\ufeffInsulin lowers glucose in mice.\r\nWe gave insulin.\r\nGlucose fell.\r\n\r\n \r\n"
    "Metformin helps. It was compared in 80 patients."
)


def test_text_has_a_title_line_or_a_title_sentence_and_blank_lines_between_documents():
    assert parts(TWO) == [
        ("notes-1", "Insulin lowers glucose in mice.", "We gave insulin. Glucose fell."),
        ("notes-2", "Metformin helps.", "It was compared in 80 patients."),
    ]


@pytest.mark.parametrize(
    ("content", "title", "abstract"),
    [
        ("Insulin in mice\nWe gave it.", "Insulin in mice", "We gave it."),
        ("Insulin was given to\nmice. They lived.", "Insulin was given to mice.", "They lived."),
        ("We saw p.V600E. It was\nrare.", "We saw p.V600E.", "It was rare."),
        ("One\ttab  and  blanks.", "One tab and blanks.", ""),
        ("BRAF", "BRAF", ""),
        ("Does it?\nyes.", "Does it?", "yes."),
    ],
)
def test_titles(content, title, abstract):
    assert parts(content) == [("notes", title, abstract)]


def test_a_whole_file_as_one_document():
    assert parts(TWO, form="text-whole") == [
        (
            "notes",
            "Insulin lowers glucose in mice.",
            "We gave insulin. Glucose fell. Metformin helps. It was compared in 80 patients.",
        )
    ]


def test_names_come_from_the_file_and_standard_input_has_one_too():
    assert parts("A text.", "/x/my notes.txt")[0][0] == "my_notes"
    assert parts(gzip.compress(b"A text."), "a.b.txt.gz")[0][0] == "a.b"
    assert parts("A text.", "<stdin>")[0][0] == "text"


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [(b"fine\nnot \xff fine", 2, "not UTF-8"), (b"a\n\n\x07b", 3, "control character U\\+0007")],
)
def test_text_that_is_no_text_is_refused_with_its_line(content, line, part):
    with pytest.raises(DataError, match=part) as caught:
        parts(content, form="text")
    assert caught.value.line == line


@given(st.lists(st.text("aB. 1(é\n", min_size=1).filter(str.strip), min_size=1, max_size=4))
def test_no_letter_of_a_text_is_lost(blocks):
    content = "\n\n".join(blocks)
    found = list(read(named("x.txt", content), "text"))
    text = "".join(one.text for one in found)
    assert "".join(text.split()) == "".join(content.split())
    assert all("\n" not in one.text for one in found)


def test_a_pubtator_file_named_txt_is_not_taken_for_prose():
    (document,) = read(named("a.txt", "1|t|BRAF.\n1|a|It is.\n1\t0\t4\tBRAF\tGene\t673\n"))
    assert document.mentions[0].concept_ids == ("673",)


HEADER = "pmid\tyear\tArticle Title\tabstract\n"


def test_a_table_with_a_header_in_any_order():
    content = HEADER + '7\t2001\t"Of ""mice"" and men."\tThey met.\n8\t2002\t\tOne. Two.\n'
    documents = list(read(named("t.tsv", content)))
    assert [(one.id, one.text) for one in documents] == [
        ("7", 'Of "mice" and men. They met.'),
        ("8", "One. Two."),
    ]
    assert documents[0].infons == (("pmid", "7"),)


def test_a_table_without_a_header():
    assert parts("a\tT.\tA.\nb\tT2.\tA2.\n", "t.tsv") == [("a", "T.", "A."), ("b", "T2.", "A2.")]
    assert parts("a\tOne. Two.\n", "t.tsv") == [("a", "One.", "Two.")]
    assert next(iter(read(named("t.tsv", "5\tT.\tA.\n")))).infons == ()


def test_a_quoted_word_at_each_end_keeps_its_quotes():
    assert parts('a\t"One" and "two"\tA.\n', "t.tsv")[0][1] == '"One" and "two"'


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("a\tT.\tA.\nb\tT.\n", 2, "2 columns where 3"),
        ("a\tT.\tA.\n\tT.\tA.\n", 2, "no id"),
        ("a\tT.\tA.\nb\t\t\n", 2, "no text"),
        ("a\tT.\tA.\na\tT.\tA.\n", 2, "occurs twice"),
        ("a\tb\tc\td\n", 1, "a line of 4 columns"),
    ],
)
def test_faults_of_a_table_have_their_line_and_lenient_goes_on(content, line, part):
    with pytest.raises(DataError, match=part) as caught:
        parts(content, "t.tsv")
    assert caught.value.line == line
    report = ReadReport()
    kept = parts(content, "t.tsv", lenient=True, report=report)
    assert len(kept) == line - 1
    assert report.skipped == 1


NBIB = """
PMID- 24259561
OWN - NLM
DP  - 2013 Nov 21
TI  - Insulin lowers glucose in mice and in
      men.
AB  - BACKGROUND: We gave insulin. METHODS: By
      injection.
JT  - Journal of Made Up Things
OAB - Une traduction.
PMC - PMC77
SO  - J. 2013.

PMID- 7
TI  - A letter.

PMID- 8
AB  - No title here. But a text.
"""


def test_medline_records():
    documents = list(read(named("a.nbib", NBIB)))
    assert [(one.id, *(passage.text for passage in one.passages)) for one in documents] == [
        (
            "24259561",
            "Insulin lowers glucose in mice and in men.",
            "BACKGROUND: We gave insulin. METHODS: By injection.",
        ),
        ("7", "A letter.", ""),
        ("8", "No title here.", "But a text."),
    ]
    assert dict(documents[0].infons) == {
        "pmid": "24259561",
        "journal": "Journal of Made Up Things",
        "year": "2013",
        "pmcid": "PMC77",
    }


def test_medline_is_told_from_content():
    assert len(parts(NBIB, "export.txt")) == 3


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        ("PMID- 1\nTI  - T.\n\nPMID- 2\nDP  - 2001\n", 4, "neither title nor abstract"),
        ("PMID- 1\nTI  - T.\n\nPMID- x\nTI  - T.\n", 4, "'x' is no PMID"),
        ("PMID- 1\nTI  - T.\nstray\n", 3, "begins with no tag"),
        ("PMID- 1\nTI  - T.\nPMID- 1\nTI  - T.\n", 3, "occurs twice"),
    ],
)
def test_faults_of_medline_have_their_line(content, line, part):
    with pytest.raises(DataError, match=part) as caught:
        parts(content, "a.nbib", "medline")
    assert caught.value.line == line


def article(pmid, inner="", data=""):
    return (
        f"<PubmedArticle><MedlineCitation><PMID Version='1'>{pmid}</PMID><Article>{inner}"
        f"</Article></MedlineCitation>{data}</PubmedArticle>\n"
    )


def pubmed(*articles, tail=""):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM" "x.dtd">\n'
        f"<PubmedArticleSet>\n{''.join(articles)}{tail}</PubmedArticleSet>\n"
    )


FULL = article(
    5,
    "<Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate>"
    "</JournalIssue><Title>J Made Up</Title></Journal>"
    "<ArticleTitle>TGF-<i>β</i> &amp; 10<sup>6</sup>\n cells.</ArticleTitle><Abstract>"
    "<AbstractText Label='AIM'>To <b>see</b>.</AbstractText>"
    "<AbstractText Label='UNLABELLED'>Seen.</AbstractText>"
    "<CopyrightInformation>Us</CopyrightInformation></Abstract>",
    "<PubmedData><ArticleIdList><ArticleId IdType='pmc'>PMC5</ArticleId></ArticleIdList>"
    "</PubmedData>",
)
MATH = article(6, "<ArticleTitle>A <mml:math><mml:mi>x</mml:mi></mml:math>.</ArticleTitle>")
BOOK = (
    "<PubmedBookArticle><BookDocument><PMID>9</PMID><ArticleTitle>A chapter.</ArticleTitle>"
    "<Abstract><AbstractText>Text.</AbstractText></Abstract></BookDocument></PubmedBookArticle>"
)
DELETED = "<DeleteCitation><PMID>1</PMID>\n<PMID>2</PMID></DeleteCitation>"


def test_pubmed_xml_articles_books_and_markup():
    report = ReadReport()
    documents = list(read(named("p.xml", pubmed(FULL, MATH, BOOK, tail=DELETED)), report=report))
    assert [(one.id, one.text) for one in documents] == [
        ("5", "TGF-β & 106 cells. AIM: To see. Seen."),
        ("6", "A x. "),
        ("9", "A chapter. Text."),
    ]
    assert dict(documents[0].infons) == {
        "pmid": "5",
        "journal": "J Made Up",
        "year": "1998",
        "pmcid": "PMC5",
    }
    assert list(report.notes.values()) == [2]


def test_pubmed_xml_across_the_borders_of_chunks():
    many = [
        article(n, f"<ArticleTitle>{'x' * (n % 700)} {n}.</ArticleTitle>") for n in range(1, 900)
    ]
    assert [one.id for one in read(named("p.xml", pubmed(*many)))] == [
        str(n) for n in range(1, 900)
    ]


@pytest.mark.parametrize(
    ("content", "line", "part"),
    [
        (pubmed(FULL, article("", "<ArticleTitle>T.</ArticleTitle>")), 6, "without a PMID"),
        (pubmed(FULL, article(8)), 6, "neither title nor abstract"),
        (pubmed(FULL, article(8, "\n<ArticleTitle>T.</b></ArticleTitle>")), 7, "is broken"),
        (pubmed(FULL, FULL), 6, "occurs twice"),
        (pubmed(FULL, article(8, "<ArticleTitle>&evil;</ArticleTitle>")), 6, "undefined entity"),
    ],
)
def test_one_bad_article_has_its_line_and_lenient_keeps_the_others(content, line, part):
    with pytest.raises(DataError, match=part) as caught:
        parts(content, "p.xml")
    assert caught.value.line == line
    report = ReadReport()
    ids = [one[0] for one in parts(content, "p.xml", lenient=True, report=report)]
    assert (ids, report.skipped) == (["5"], 1)


def test_pubmed_xml_that_is_cut_off_is_said():
    with pytest.raises(DataError, match="ends before its </PubmedArticleSet>"):
        parts(pubmed(FULL)[:-30], "p.xml")


def test_no_entity_is_ever_expanded(tmp_path):
    bomb = (
        '<!DOCTYPE PubmedArticleSet [<!ENTITY a "boom">]>\n'
        + pubmed(article(1, "<ArticleTitle>&a;</ArticleTitle>")).partition('x.dtd">\n')[2]
    )
    with pytest.raises(DataError, match="undefined entity"):
        parts(bomb, "p.xml", "pubmed-xml")


def test_a_list_of_ids_becomes_requests():
    content = "# mine\n24259561\nPMID: 0007\npmc12  # an article\n24259561\n\n"
    report = ReadReport()
    documents = list(read(named("ids", content), report=report))
    assert [one.id for one in documents] == ["24259561", "7", "PMC12"]
    assert all(is_request(one) for one in documents)
    assert list(report.notes.values()) == [1]


def test_a_line_that_is_no_id_is_refused():
    with pytest.raises(DataError, match="'insulin' is neither") as caught:
        parts("1\ninsulin\n", "a", "ids")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", None), ("1234567890", None), ("PMC", None), ("12 13", None), ("PMC1.2", "PMC1")],
)
def test_what_is_an_id(text, expected):
    assert article_id(text) == expected
