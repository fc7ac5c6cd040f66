"""Pairs over documents: checked against the same sums done one by one in Python."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novelink.document import Document, Mention, Relation
from novelink.errors import DataError, SettingsError
from novelink.scale.aggregation import aggregate, top_pairs
from novelink.scale.parts import new_part, part_name

pytest.importorskip("duckdb", reason="needs the extra 'scale'")

TYPES = {"1": "GeneOrGeneProduct", "2": "GeneOrGeneProduct", "3": "ChemicalEntity"}
KINDS = ("Positive_Correlation", "Negative_Correlation", "Association")

facts = st.lists(
    st.tuples(
        st.integers(1, 6),  # document
        st.sampled_from([("1", "2"), ("2", "1"), ("1", "3"), ("3", "2")]),
        st.sampled_from(KINDS),
        st.sampled_from(["Novel", "No", None]),
        st.integers(0, 100),
        st.integers(0, 2),  # subject: neither, first, second
    ),
    max_size=12,
)


def write_results(folder, found):
    """One part with these relations; document n appeared in 2000 + n, but 6 tells no year."""
    by_document = defaultdict(list)
    for document, ids, kind, novelty, percent, subject in found:
        by_document[document].append(
            Relation(*ids, kind, novelty, percent / 100, None, (None, *ids)[subject])
        )
    part = new_part("parquet", "tiny")
    for number, relations in sorted(by_document.items()):
        base = Document.from_text(str(number), "a b c", "")
        mentions = [
            Mention(2 * place, 2 * place + 1, "abc"[place], TYPES[name], (name,))
            for place, name in enumerate("123")
        ]
        infons = (("year", str(2000 + number)),) if number != 6 else ()
        part.add(
            Document(str(number), base.passages, tuple(mentions), tuple(relations), infons), ""
        )
    path = folder / part_name("in.xml", 0, "parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(part.finish())


def by_hand(found):
    """(id1, id2) → what the aggregate should say."""
    pairs = defaultdict(lambda: defaultdict(list))
    for document, ids, kind, novelty, percent, subject in found:
        first, second = sorted(ids, key=lambda name: (name, TYPES[name]))
        acting = (None, *ids)[subject]
        pairs[first, second][document].append((kind, novelty, percent / 100, acting))
    wanted = {}
    for key, documents in pairs.items():
        best = {number: max(one[2] for one in rows) for number, rows in documents.items()}
        novel = {number for number, rows in documents.items() if any(r[1] == "Novel" for r in rows)}
        years = [2000 + number for number in documents if number != 6]

        def holding(test, documents=documents):
            return sum(any(test(row) for row in rows) for rows in documents.values())

        positive = holding(lambda row: row[0] == KINDS[0])
        negative = holding(lambda row: row[0] == KINDS[1])
        forward = holding(lambda row, key=key: row[3] == key[0])
        backward = holding(lambda row, key=key: row[3] == key[1])
        wanted[key] = {
            "support": len(documents),
            "novel": len(novel),
            "score": 1 - math.prod(1 - score for score in best.values()),
            "best_score": max(best.values()),
            "mean_score": sum(best.values()) / len(best),
            "first_year": min(years, default=None),
            "last_year": max(years, default=None),
            "first_novel_year": min((2000 + n for n in novel if n != 6), default=None),
            "positive": positive,
            "negative": negative,
            "conflicting_signs": bool(positive and negative),
            "subject1": forward,
            "subject2": backward,
            "conflicting_directions": bool(forward and backward),
            "kinds": {
                kind: holding(lambda row, kind=kind: row[0] == kind)
                for kind in KINDS
                if holding(lambda row, kind=kind: row[0] == kind)
            },
        }
    return wanted


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(facts)
def test_the_join_equals_the_sums_done_by_hand(tmp_path, found):
    write_results(tmp_path, found)
    answer = top_pairs(str(tmp_path), limit=100)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    wanted = by_hand(found)
    assert {(row["id1"], row["id2"]) for row in rows} == set(wanted)
    assert answer.total == len(wanted)
    for row in rows:
        expected = dict(wanted[row["id1"], row["id2"]])
        kinds = expected.pop("kinds")
        assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-9)
        assert {one["relation"]: one["documents"] for one in row["relations"]} == kinds
        assert kinds[row["relation"]] == max(kinds.values())
    assert [row["support"] for row in rows] == sorted(
        (row["support"] for row in rows), reverse=True
    )


FOUND = [
    (1, ("1", "2"), KINDS[0], "No", 90, 1),
    (2, ("2", "1"), KINDS[1], "Novel", 50, 1),
    (3, ("1", "3"), KINDS[2], "Novel", 80, 0),
    (3, ("1", "3"), KINDS[2], "Novel", 80, 0),
]


def test_a_document_that_occurs_twice_counts_once(tmp_path):
    write_results(tmp_path, FOUND)
    answer = top_pairs(str(tmp_path), limit=10)
    supports = {row[:6:3]: row[answer.columns.index("support")] for row in answer.rows}
    assert supports == {("1", "2"): 2, ("1", "3"): 1}


def test_an_id_of_two_types_is_two_entities(tmp_path):
    """9606 is both a gene and a species."""
    part = new_part("parquet", "tiny")
    for number, kind in enumerate(("GeneOrGeneProduct", "OrganismTaxon")):
        base = Document.from_text(str(number), "a b", "")
        mentions = (Mention(0, 1, "a", kind, ("9606",)), Mention(2, 3, "b", TYPES["3"], ("3",)))
        part.add(
            Document(str(number), base.passages, mentions, (Relation("9606", "3", "Bind"),)), ""
        )
    path = tmp_path / part_name("in.xml", 0, "parquet")
    path.parent.mkdir(parents=True)
    path.write_bytes(part.finish())
    assert top_pairs(str(tmp_path), limit=10).total == 2


@pytest.mark.parametrize("ending", ["parquet", "tsv", "csv", "jsonl"])
def test_every_file_format_holds_the_same_pairs(tmp_path, novelink_here, ending):
    write_results(tmp_path / "results", FOUND)
    target = tmp_path / f"pairs.{ending}"
    code, out, err = novelink_here("aggregate", tmp_path / "results", "-o", target)
    assert (code, out) == (0, "")
    assert "2 pairs written" in err
    if ending == "parquet":
        import pyarrow.parquet as pq

        rows = pq.read_table(target).to_pylist()
    elif ending == "jsonl":
        rows = [json.loads(line) for line in target.read_text().splitlines()]
    else:
        with target.open(newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t" if ending == "tsv" else ","))
            for row in rows:
                row["relations"] = json.loads(row["relations"])
    assert [(row["id1"], row["id2"], int(row["support"])) for row in rows] == [
        ("1", "2", 2),
        ("1", "3", 1),
    ]
    assert [one["relation"] for one in rows[1]["relations"]] == [KINDS[2]]
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name, "results"]


def test_contradictions_and_support_can_be_asked_for(tmp_path, novelink_here):
    write_results(tmp_path, FOUND)
    code, out, _ = novelink_here("aggregate", tmp_path, "--conflicts", "--to", "jsonl")
    assert code == 0
    (row,) = map(json.loads, out.splitlines())
    assert (row["id1"], row["conflicting_signs"], row["conflicting_directions"]) == (
        "1",
        True,
        True,
    )
    code, out, _ = novelink_here("aggregate", tmp_path, "--min-support", "2", "--to", "csv")
    assert len(out.splitlines()) == 2
    code, out, _ = novelink_here("aggregate", tmp_path, "--min-score", "0.6", "--to", "csv")
    assert len(out.splitlines()) == 3


def test_what_cannot_be_written_is_said(tmp_path):
    write_results(tmp_path / "results", FOUND)
    with pytest.raises(SettingsError, match="does not tell the format"):
        aggregate(str(tmp_path / "results"), str(tmp_path / "pairs.xls"))
    with pytest.raises(DataError, match="its folder does not exist"):
        aggregate(str(tmp_path / "results"), str(tmp_path / "no/pairs.csv"))
    with pytest.raises(DataError, match="no results there"):
        aggregate(str(tmp_path / "other"), str(tmp_path / "pairs.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
