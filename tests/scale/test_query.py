"""Questions to results: the same answers from Parquet and JSON Lines, checked by hand."""

from __future__ import annotations

import json

import pytest

from novelink.document import Document, Evidence, Relation
from novelink.errors import DataError, SettingsError
from novelink.scale.parts import new_part, part_name
from novelink.scale.question import Question, ask, run_sql
from novelink.scale.results import COLUMNS, open_results

pytest.importorskip("duckdb", reason="needs the extra 'scale'")

GENE, OTHER, DISEASE = "GeneOrGeneProduct", "ChemicalEntity", "DiseaseOrPhenotypicFeature"
ENTITIES = {
    "GLOP3": (GENE, "9903"),
    "glop-3": (GENE, "9903"),
    "Bexin": (OTHER, "C990003"),
    "gutter disease": (DISEASE, "D990001"),
}
POSITIVE, NEGATIVE, ASSOCIATION = "Positive_Correlation", "Negative_Correlation", "Association"

# document → year, relations as (id1, id2, type, novelty, score, subject)
FACTS = {
    "11": (2001, [("9903", "C990003", POSITIVE, "No", 0.9, None)]),
    "12": (2003, [("C990003", "9903", POSITIVE, "Novel", 0.8, "C990003")]),
    "13": (2002, [("9903", "C990003", NEGATIVE, "Novel", 0.5, "9903"),
                  ("9903", "D990001", ASSOCIATION, "Novel", 0.7, None)]),
    "14": (None, [("9903", "D990001", ASSOCIATION, None, 0.6, None)]),
    "15": (2009, []),
}  # fmt: skip


@pytest.fixture(scope="module", params=["parquet", "jsonl"])
def results(request, document_maker, tmp_path_factory):
    """A folder as a run writes it."""
    folder = tmp_path_factory.mktemp("results") / "a 'quoted' [name]*"
    part = new_part(request.param, "tiny")
    for number, (name, (year, facts)) in enumerate(FACTS.items()):
        text = "GLOP3 meets Bexin. GLOP3 and glop-3 in gutter disease."
        document = document_maker(name, f"Study {number}", text, ENTITIES)
        document = Document(
            name,
            document.passages,
            document.mentions,
            tuple(Relation(*fact[:5], 0.75, fact[5], (Evidence(8, 20, 0.5),)) for fact in facts),
            (("year", str(year)),) if year else (),
        )
        part.add(document, "")
    path = folder / part_name("in.xml", 0, request.param)
    path.parent.mkdir(parents=True)
    path.write_bytes(part.finish())
    return folder


@pytest.fixture
def found(results):
    with open_results(str(results)) as connection:
        yield connection


def documents(found, question, **others):
    answer = ask(found, question, **others)
    place = answer.columns.index("document")
    return [row[place] for row in answer.rows]


def test_the_view_has_the_documented_columns(found):
    answer = run_sql(found, "SELECT * FROM relations ORDER BY document, score")
    assert answer.columns == COLUMNS
    first = dict(zip(answer.columns, answer.rows[0], strict=True))
    assert first["document"] == "11"
    assert (first["source"], first["title"], first["year"]) == ("in.xml", "Study 0", 2001)
    assert (first["id1"], first["name1"], first["type1"]) == ("9903", "GLOP3", GENE)
    assert (first["curie1"], first["curie2"]) == ("NCBIGene:9903", "MESH:C990003")
    assert {one["text"] for one in first["mentions1"]} == {"GLOP3", "glop-3"}
    assert [(one["start"], one["end"], one["weight"]) for one in first["evidence"]] == [
        (8, 20, 0.5)
    ]
    assert answer.total == 5


@pytest.mark.parametrize("term", ["9903", "glop3", "GLOP-3", "ncbigene:9903", "NCBIGene:9903"])
def test_an_entity_is_found_by_id_curie_or_any_name_in_any_case(found, term):
    assert documents(found, Question((term,))) == ["11", "12", "13", "14", "13"]


def test_the_entity_asked_for_stands_on_the_left(found):
    answer = ask(found, Question(("bexin",)))
    names = [(row[2], row[5]) for row in answer.rows]
    assert answer.columns[2:6:3] == ("name1", "name2")
    assert names == [("Bexin", "GLOP3")] * 3


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        (Question(("glop3", "bexin")), ["11", "12", "13"]),
        (Question(("bexin", "9903")), ["11", "12", "13"]),
        (Question(("glop3",), relations=(POSITIVE,)), ["11", "12"]),
        (Question(("glop3",), relations=(POSITIVE, ASSOCIATION)), ["11", "12", "13", "14"]),
        (Question(("glop3",), novel=True), ["12", "13", "13"]),
        (Question(("glop3",), novel=False), ["11"]),
        (Question(("glop3",), partner_types=(DISEASE,)), ["13", "14"]),
        (Question(partner_types=(DISEASE,)), ["13", "14"]),
        (Question(min_score=0.75), ["11", "12"]),
        (Question(since=2002), ["12", "13", "13"]),
        (Question(until=2002), ["11", "13", "13"]),
        (Question(since=2002, until=2002), ["13", "13"]),
        (Question(document="14"), ["14"]),
        (Question(("nothing called so",)), []),
        (Question(("glop3' OR true --",)), []),
    ],
)
def test_conditions_hold_together(found, question, wanted):
    assert documents(found, question) == wanted


def test_partners_counts_and_first_years(found):
    partners = ask(found, Question(("glop3",)), "partners")
    assert [row[:6] for row in partners.rows] == [
        ("Bexin", "C990003", OTHER, 3, 2, 0.9),
        ("gutter disease", "D990001", DISEASE, 2, 1, 0.7),
    ]
    assert partners.rows[0][6] == f"{NEGATIVE}, {POSITIVE}"
    counts = ask(found, Question(), "counts")
    assert {row[:4] for row in counts.rows} == {
        (ASSOCIATION, "Novel", 1, 1),
        (ASSOCIATION, None, 1, 1),
        (POSITIVE, "No", 1, 1),
        (POSITIVE, "Novel", 1, 1),
        (NEGATIVE, "Novel", 1, 1),
    }
    first = ask(found, Question(("glop3", "bexin"), relations=(POSITIVE,)), "first")
    assert first.rows == [("GLOP3", "9903", "Bexin", "C990003", POSITIVE, 2001, 2003, "12", 2)]
    # Without a term too, a pair is one pair whatever order documents name it in.
    assert len(ask(found, Question(relations=(POSITIVE,)), "first").rows) == 1


def test_a_limit_says_how_much_it_hides(found):
    answer = ask(found, Question(), limit=2)
    assert (len(answer.rows), answer.total) == (2, 5)


def test_what_cannot_be_asked_is_said(found, tmp_path):
    with pytest.raises(SettingsError, match="3 entities asked for"):
        ask(found, Question(("a", "b", "c")))
    with pytest.raises(SettingsError, match="no question"):
        ask(found, Question(), "answers")
    with pytest.raises(DataError, match="no results there"), open_results(str(tmp_path)):
        pass
    (tmp_path / "a.csv").touch()
    with pytest.raises(DataError, match="nor a JSON Lines"), open_results(str(tmp_path / "a.csv")):
        pass


def test_the_command_line_prints_tables_and_machine_forms(results, novelink_here):
    code, out, err = novelink_here("query", results, "GLOP3", "--type", POSITIVE, "--novel")
    assert code == 0
    assert out.splitlines()[0].split()[:3] == ["document", "year", "name1"]
    assert out.splitlines()[1].split()[:3] == ["12", "2003", "GLOP3"]
    code, out, err = novelink_here("query", results, "--to", "jsonl", "--limit", "1")
    assert json.loads(out)["document"] == "11"
    assert "1 of 5 rows" in err
    code, out, _ = novelink_here("query", results, "--counts", "--to", "tsv")
    assert out.splitlines()[0].startswith("relation\tnovelty\trelations")
    code, out, _ = novelink_here(
        "query", results, "--sql", "SELECT count(*) AS n FROM relations", "--to", "csv"
    )
    assert out == "n\n5\n"
    code, out, err = novelink_here("query", results, "--sql", "SELEKT 1")
    assert (code, out) == (2, "")
    assert "DuckDB: Parser Error" in err
    assert err.count("\n") == 1
    code, _, err = novelink_here("query", results, "x", "--sql", "SELECT 1")
    assert code == 2
    code, out, err = novelink_here("query", results, "unheard-of")
    assert (code, out) == (0, "")
    assert "nothing found" in err


def test_duckdb_and_polars_read_the_parts_by_themselves(results):
    import shutil

    import duckdb

    polars = pytest.importorskip("polars", reason="needs polars")
    plain = results.parent / "plain"
    shutil.copytree(results, plain, dirs_exist_ok=True)
    if list(plain.glob("source=*/*.jsonl.gz")):
        rows = duckdb.sql(f"SELECT id FROM read_json('{plain}/*/*.jsonl.gz')").fetchall()
        assert rows == [(name,) for name in FACTS]
        (part,) = plain.glob("source=*/*.jsonl.gz")
        assert polars.read_ndjson(part)["id"].to_list() == list(FACTS)
        return
    rows = duckdb.sql(
        f"SELECT entity1.name, source FROM '{plain}/*/*.parquet' WHERE relation = 'Association'"
    ).fetchall()
    assert rows == [("GLOP3", "in.xml")] * 2
    frame = polars.read_parquet(f"{plain}/**/*.parquet", hive_partitioning=True)
    assert frame["entity1"].struct.field("name").to_list() == ["GLOP3", "Bexin", *["GLOP3"] * 3]
    assert set(frame["source"]) == {"in.xml"}
