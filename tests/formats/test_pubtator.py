"""PubTator text: what is accepted, and every dialect of relation lines."""

from __future__ import annotations

import io

import pytest

from novelink.document import Document, Mention, Relation
from novelink.errors import DataError
from novelink.formats import ReadReport, read, write
from novelink.schema import CHEMICAL, GENE

FIRST = Document.from_text(
    "1", "BRCA1 in cancer.", "It matters.", mentions=[Mention(0, 5, "BRCA1", GENE, ("672",))]
)
SECOND = Document.from_text("2", "Aspirin.", mentions=[Mention(0, 7, "Aspirin", CHEMICAL, ("D1",))])
LINES_1 = "1|t|BRCA1 in cancer.\n1|a|It matters.\n1\t0\t5\tBRCA1\tGene\t672\n"
LINES_2 = "2|t|Aspirin.\n2|a|\n2\t0\t7\tAspirin\tChemical\tD1\n"


def parse(text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read(io.BytesIO(data), "pubtator", **options))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{LINES_1}\n{LINES_2}\n", id="as it should be"),
        pytest.param(f"{LINES_1}{LINES_2}", id="no blank lines at all"),
        pytest.param(f"{LINES_1}\n\n{LINES_2}", id="two blank lines"),
        pytest.param(f"\n\n{LINES_1}\n \t\n{LINES_2}", id="blanks in blank lines"),
        pytest.param(f"{LINES_1}\n{LINES_2}".rstrip("\n"), id="no line end at the end"),
        pytest.param(f"{LINES_1}\n{LINES_2}\n".replace("\n", "\r\n"), id="CRLF"),
        pytest.param(f"\ufeff{LINES_1}\n{LINES_2}", id="byte order mark"),
        pytest.param(f"{LINES_1}\n{LINES_2}".replace("2|a|\n", ""), id="no abstract line"),
        pytest.param(
            f"{LINES_1}\n{LINES_2}".replace("cancer.\n1|a", "cancer.\n\n1|a"),
            id="a blank line inside a document",
        ),
    ],
)
def test_the_same_two_documents_are_read(text):
    """How lines end and how many are blank changes nothing."""
    assert parse(text) == [FIRST, SECOND]


def test_bars_and_tabs_in_the_text_are_text():
    text = "1|t|a|b|c\tin d\n1|a|x|t|y\n1\t2\t8\tb|c\tin\tGene\t1\n1\tBind\t1\tp|SUB|V|600|E\tNo\n"
    (found,) = parse(text)
    assert found.passages[0].text == "a|b|c\tin d"
    assert found.passages[1].text == "x|t|y"
    assert found.mentions == (Mention(2, 8, "b|c\tin", GENE, ("1",)),)
    assert found.relations == (Relation("1", "p|SUB|V|600|E", "Bind", "No"),)


def test_unicode_line_separators_do_not_end_lines():
    (found,) = parse("1|t|a\u2028b\x0bc\x85d\n1|a|\n1\t2\t3\tb\tGene\t1\n")
    assert found.mentions[0].text == "b"


def test_a_mention_may_lack_its_id_column():
    (found,) = parse("1|t|TP53\n1\t0\t4\tTP53\tGene\n")
    assert found.mentions == (Mention(0, 4, "TP53", GENE),)


@pytest.mark.parametrize("identifier", ["-", "-1", ""])
def test_no_id_is_no_concept(identifier):
    (found,) = parse(f"1|t|TP53\n1\t0\t4\tTP53\tGene\t{identifier}\n")
    assert found.mentions[0].concept_ids == ()


def test_individual_mentions_of_a_seventh_column_are_counted():
    """BC5CDR adds the parts of composite mentions there."""
    report = ReadReport()
    parse("1|t|TP53\n1\t0\t4\tTP53\tGene\t1|2\tTP|53\n", report=report)
    assert report.notes == {"seventh columns of mention lines left out": 1}


def test_a_types_name_in_place_of_the_text_is_mended():
    """BioCreative VIII's validation file has such a line."""
    report = ReadReport()
    (found,) = parse(
        "1|t|a disease\n1\t2\t9\tDiseaseOrPhenotypicFeature\tDisease\tD1\n", report=report
    )
    assert found.mentions[0].text == "disease"
    assert report.notes.total() == 1


def test_types_outside_the_schema_are_left_out_and_counted():
    report = ReadReport()
    (found,) = parse(
        "1|t|TP53 on 17p\n1\t0\t4\tTP53\tGene\t7157\n1\t8\t11\t17p\tChromosome\t17p\n",
        report=report,
    )
    assert [mention.text for mention in found.mentions] == ["TP53"]
    assert report.ignored_types == {"Chromosome": 1}
    assert report.lines() == ["1 mention of types outside the schema left out: Chromosome 1"]


PLAIN = Relation("1", "2", "Bind")
DIALECTS = [
    ("Bind\t1\t2", PLAIN, "PubTator 3"),
    ("Bind\t1\t2\t", PLAIN, "PubTator 3"),
    ("interact\t1\t2", PLAIN, "PubTator 3"),
    ("Bind\t1\t2\tNovel", Relation("1", "2", "Bind", "Novel"), "BioRED"),
    ("Bind\t1\t2\tNo", Relation("1", "2", "Bind", "No"), "BioRED"),
    ("Bind\t1\t2\tNone", PLAIN, "BioRED"),
    ("Bind\t1\t2\tNovel\t\t", Relation("1", "2", "Bind", "Novel"), "BioRED"),
    ("Bind\t1\t2\t0.25", Relation("1", "2", "Bind", None, 0.25), "score column"),
    ("Bind\t1\t2\t1e-05", Relation("1", "2", "Bind", None, 1e-05), "score column"),
    ("Bind|0.5\t1\t2", Relation("1", "2", "Bind", None, 0.5), "type|score"),
    ("Bind|0.5\t1\t2\tNo", Relation("1", "2", "Bind", "No", 0.5), "type|score"),
    ("Bind|0.5\t1\t2\tNo|0.75", Relation("1", "2", "Bind", "No", 0.5, 0.75), "type|score"),
    ("Bind\t1\t2\tNo|0.75", Relation("1", "2", "Bind", "No", None, 0.75), "novelty|score"),
    ("Bind\tMESH:D1\tMESH:D2", Relation("D1", "D2", "Bind"), "PubTator 3"),
]


@pytest.mark.parametrize(("line", "relation", "dialect"), DIALECTS)
def test_each_relation_dialect_is_read_and_named(line, relation, dialect):
    report = ReadReport()
    (found,) = parse(f"7|t|A.\n7|a|\n7\t{line}\n", report=report)
    assert found.relations == (relation,)
    assert report.dialects == {dialect: 1}


def test_direction_lines_become_the_subject_of_their_relations():
    """Either order of the pair; all relations of the pair; other pairs are untouched."""
    report = ReadReport()
    (found,) = parse(
        "7|t|A.\n7|a|\n7\tBind\t1\t2\tNo\n7\tAssociation\t2\t1\tNo\n7\tBind\t1\t3\tNo\n"
        "7\t2\t1\tSubject:1\n",
        report=report,
    )
    assert [relation.subject for relation in found.relations] == ["1", "1", None]
    assert report.dialects == {"BioRED": 3, "direction": 1}


def test_a_score_behind_a_subject_is_taken_off_and_a_bar_of_an_id_is_not():
    """BioREDirect's output: scores at the type, the novelty and the subject."""
    report = ReadReport()
    (found,) = parse(
        "7|t|A.\n7|a|\n7\tBind|0.91\tp|SUB|V|600|E\t2\tNovel|0.6\n"
        "7\tp|SUB|V|600|E\t2\tSubject:p|SUB|V|600|E|0.75\n"
        "7\tAssociation|0.7\tD1|D2\t3\tNo|0.8\n7\tD1|D2\t3\tSubject:D1|D2\n",
        report=report,
    )
    variant, disease = found.relations
    assert (variant.subject, variant.score, variant.novelty_score) == ("p|SUB|V|600|E", 0.91, 0.6)
    assert disease.subject == "D1|D2"
    assert report.dialects == {"type|score": 2, "direction": 2}


def test_direction_lines_are_written_back():
    text = "7|t|A.\n7|a|\n7\tBind\t1\t2\tNo\n7\tBind\t1\t3\tNo\n7\t1\t2\tSubject:2\n\n"
    stream = io.BytesIO()
    report = write(parse(text), stream, "pubtator", subjects=True)
    assert stream.getvalue().decode() == text
    assert not report.losses


def test_subjects_that_direction_lines_cannot_tell_apart_are_counted():
    document = Document.from_text(
        "7",
        "A.",
        relations=[
            Relation("1", "2", "Bind", "No", subject="1"),
            Relation("1", "2", "Association", "No", subject="2"),
            Relation("1", "3", "Bind", "No", subject="4"),
        ],
    )
    stream = io.BytesIO()
    report = write([document], stream, "pubtator", subjects=True)
    assert report.losses == {
        "relation subjects that differ within a pair": 1,
        "relation subjects outside their pair": 1,
    }
    assert list(read(io.BytesIO(stream.getvalue())))


def test_losses_are_counted_by_kind():
    document = Document.from_text(
        "7",
        "A B C.",
        "D\nE",
        mentions=[Mention(0, 5, "A C", GENE, ("1",), ((0, 1), (4, 5)))],
        relations=[Relation("1", "2", "Bind", "No", 0.5, 0.5, "1")],
    )
    report = write([document], io.BytesIO(), "pubtator")
    assert report.losses == {
        "line breaks in the text (written as blanks)": 1,
        "parts of discontinuous mentions": 1,
        "relation scores": 1,
        "relation subjects": 1,
    }


@pytest.mark.parametrize("doc_id", ["a|b", "a\tb", "", " a", "a\n"])
def test_document_ids_that_break_lines_are_refused(doc_id):
    with pytest.raises(DataError, match="cannot stand in PubTator text"):
        write([Document.from_text(doc_id, "A.")], io.BytesIO(), "pubtator")


@pytest.mark.parametrize("name", ["a\tb", "a\nb", ""])
def test_relation_ids_that_break_lines_are_refused(name):
    document = Document.from_text("1", "A.", relations=[Relation(name, "2", "Bind")])
    with pytest.raises(DataError, match="cannot stand in PubTator text"):
        write([document], io.BytesIO(), "pubtator")
