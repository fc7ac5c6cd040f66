"""``novelink show`` and the table it prints."""

from __future__ import annotations

import io

import pytest

from novelink import tables, write
from novelink.document import Relation
from novelink.exports.rows import entity_name
from novelink.schema import BIORED, CHEMICAL, GENE, Schema
from novelink.tables import document_table


@pytest.fixture
def found(tmp_path, small_documents):
    """Two documents with relations, one without."""
    relations = [
        Relation("9901", "D990001", "Association", "No", 0.4567, 0.9),
        Relation("D990002", "9901", "Negative_Correlation", "Novel", 0.912, 0.7),
    ]
    gold = [Relation("C990003", "9903,9904", "Bind", "Novel")]
    path = tmp_path / "found.jsonl"
    write(
        [
            small_documents[0].with_relations(relations),
            small_documents[1],
            small_documents[3].with_relations(gold),
        ],
        path,
    )
    return path


def test_the_whole_output(novelink, found):
    """Names of entities, short types, likeliest first; a column nobody fills is left out."""
    expected = f"""\
101  Loss of ORFX1 raises the risk of gutter disease
  entity    type      entity          type     relation              novelty  score
  zelamine  Chemical  ORFX1           Gene     Negative_Correlation  Novel     0.91
  ORFX1     Gene      gutter disease  Disease  Association           No        0.46

104  Bexin binds GLOP3
  entity  type      entity        type  relation  novelty
  Bexin   Chemical  GLOP3, GLOP3  Gene  Bind      Novel

3 relations in 3 documents, 1 of them without any, from {found}
"""
    assert novelink("show", found).out == expected


def test_filters_say_how_many_they_left_out(novelink, found):
    out = novelink("show", found, "--novel", "--min-score", "0.5").out
    assert "Association" not in out
    assert out.splitlines()[-1].startswith("2 relations in 3 documents, 1 of them without any, ")
    assert out.endswith("; 1 other not asked for\n")


def test_all_names_documents_without_relations_too(novelink, found):
    out = novelink("show", found, "--all").out
    assert "102  A note on method\n  no relations\n" in out


def test_standard_input_is_shown_like_a_file(novelink, found, monkeypatch):
    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(found.read_bytes()))

    monkeypatch.setattr("sys.stdin", Stdin)
    out = novelink("show", "-").out
    assert "from standard input" in out
    assert out.splitlines()[:-1] == novelink("show", found).out.splitlines()[:-1]


def test_bad_input_is_one_line(novelink, tmp_path):
    (tmp_path / "x.jsonl").write_text("{")
    outcome = novelink("show", tmp_path / "x.jsonl")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "x.jsonl:1" in outcome.err


def test_a_narrow_terminal_shortens_names_and_nothing_else(document_maker, monkeypatch):
    name = "a very long name of an otherwise plain chemical"
    document = document_maker(
        "7", "T", name + " binds G", {name: (CHEMICAL, "C1"), "G": (GENE, "2")}
    )
    document = document.with_relations([Relation("C1", "2", "Bind", "Novel", 0.5)])
    wide, narrow = document_table(document, BIORED), document_table(document, BIORED, width=70)
    assert name in wide[2]
    assert max(map(len, narrow)) <= 70
    assert narrow[2].split()[:2] == ["a", "very"]
    assert "…" in narrow[2]
    assert narrow[2].endswith(" 0.50")
    assert tables.terminal_width() is None


def test_an_arrow_points_from_the_entity_that_acts(document_maker):
    document = document_maker(
        "7", "T", "A binds B and C", {"A": (CHEMICAL, "C1"), "B": (GENE, "2"), "C": (GENE, "3")}
    )
    known = [
        Relation("C1", "2", "Bind", subject="C1"),
        Relation("3", "2", "Bind", subject="2"),
        Relation("C1", "3", "Bind"),
        Relation("2", "2", "Bind", subject="2"),
    ]
    header, *rows = document_table(document.with_relations(known), BIORED)[1:]
    place = rows[0].index("→")
    assert [row[place] for row in rows] == ["→", "←", " ", " "]
    assert header[place] == " "
    bare = document_table(document.with_relations(known[2:3]), BIORED)
    assert bare[1].split() == ["entity", "type", "entity", "type", "relation"]
    assert len(bare[1]) == len(header) - 3  # no empty column


def test_the_commonest_name_wins_then_the_longest(document_maker):
    entities = dict.fromkeys(["HD", "Huntington disease", "chorea major"], (GENE, "1"))
    document = document_maker("1", "HD", "Huntington disease or chorea major", entities)
    assert entity_name(document.entities()["1"]) == "Huntington disease"
    document = document_maker("1", "HD", "Huntington disease, short HD", entities)
    assert entity_name(document.entities()["1"]) == "HD"


def test_ids_without_a_mention_are_shown_as_ids(small_documents):
    document = small_documents[0].with_relations([Relation("X1", "9901", "Bind")])
    assert document_table(document, BIORED)[-1].split() == ["X1", "ORFX1", "Gene", "Bind"]


def test_short_types_are_shorter_or_the_type_itself():
    names = [BIORED.short_name(name) for name in BIORED.entity_types]
    assert names == ["Gene", "Disease", "Chemical", "Variant", "Species", "Cell line"]
    schema = Schema("s", ("A", "Long_Type"), (), {}, aliases={"Alpha": "A", "LT": "Long_Type"})
    assert [schema.short_name(name) for name in schema.entity_types] == ["A", "LT"]
