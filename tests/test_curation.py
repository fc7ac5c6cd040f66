"""Decisions and the gold data they make."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from novelink.cli.curate import command
from novelink.curation import (
    CurationReport,
    Decision,
    curated,
    decision_file,
    from_record,
    latest,
    read_decisions,
    to_record,
)
from novelink.document import Document, Mention, Relation
from novelink.errors import DataError, SettingsError
from novelink.formats import read, write
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED, GENE, NO_RELATION

TYPES = BIORED.relation_types


def document(doc_id="1", count=3):
    """Genes g0, g1, … of which neighbours are related."""
    words = [f"g{number}" for number in range(count + 1)]
    text = " ".join(words)
    mentions = [Mention(text.index(w), text.index(w) + len(w), w, GENE, (w,)) for w in words]
    relations = [
        Relation(f"g{n}", f"g{n + 1}", "Association", "Novel", 0.7, 0.6) for n in range(count)
    ]
    return Document.from_text(doc_id, text, mentions=mentions, relations=relations)


def decide(number, action, **right):
    # The ids stand the other way round on purpose: their order means nothing.
    return Decision("1", f"g{number + 1}", f"g{number}", action, "Association", **right)


def gold(decisions, incomplete="skip", documents=None, report=None):
    documents = documents or [document()]
    return list(curated(documents, decisions, incomplete=incomplete, report=report))


def test_accepted_corrected_and_added_relations_become_gold_without_scores():
    decisions = [
        decide(0, "accept"),
        decide(1, "reject"),
        decide(2, "correct", type="Bind", novelty="No"),
        Decision("1", "g0", "g3", "add", type="Association", novelty="Novel"),
    ]
    report = CurationReport()
    (found,) = gold(decisions, report=report)
    assert found.relations == (
        Relation("g0", "g1", "Association", "Novel"),
        Relation("g2", "g3", "Bind", "No"),
        Relation("g0", "g3", "Association", "Novel"),
    )
    assert report.actions == {"accept": 1, "reject": 1, "correct": 1, "add": 1}


@pytest.mark.parametrize(("incomplete", "count"), [("skip", 0), ("drop", 1), ("keep", 3)])
def test_undecided_relations_never_vanish_silently(incomplete, count):
    report = CurationReport()
    found = gold([decide(0, "accept")], incomplete, report=report)
    assert sum(len(one.relations) for one in found) == count
    assert (report.incomplete_documents, report.undecided) == (1, 2)
    assert any("undecided" in line for line in report.lines(incomplete))


def test_documents_without_decisions_and_stray_decisions_are_counted():
    report = CurationReport()
    decisions = [
        decide(0, "accept"),
        Decision("1", "g0", "gone", "accept", "Bind"),
        Decision("1", "g0", "gone", "add", type="Bind"),
        Decision("9", "a", "b", "reject", "Bind"),
    ]
    found = gold(decisions, documents=[document(count=1), document("2")], report=report)
    assert [one.id for one in found] == ["1"]
    assert report.undecided_documents == 1
    assert report.strays == 3


def test_the_latest_decision_counts_and_disagreement_is_counted():
    report = CurationReport()
    decisions = [
        decide(0, "reject", time="2026-01-02T00:00:00Z"),
        decide(0, "accept", time="2026-01-01T00:00:00Z"),
    ]
    (kept,) = latest(decisions, report).values()
    assert kept.action == "reject"
    assert report.overruled == 1


def test_an_unknown_way_to_treat_incomplete_documents_is_refused():
    with pytest.raises(SettingsError, match="skip, drop, keep"):
        gold([], "ignore")


names = st.text(min_size=1, max_size=8)
decisions_made = st.builds(
    Decision,
    document=names,
    id1=names,
    id2=names,
    action=st.just("correct"),
    predicted=st.sampled_from(TYPES),
    type=st.sampled_from(TYPES),
    novelty=st.sampled_from(["Novel", "No", None]),
    score=st.none() | st.floats(0, 1),
    curator=st.none() | names,
)


@given(st.lists(decisions_made, max_size=5))
def test_a_decision_file_is_read_as_it_was_written(decisions):
    data = json.loads(json.dumps(decision_file(decisions)))
    assert [from_record(record) for record in data["decisions"]] == decisions


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["accept", "reject"])), max_size=6))
def test_gold_holds_exactly_the_relations_last_accepted(made):
    last = dict(made)
    found = gold([decide(number, action) for number, action in made], "drop")
    kept = {relation.id1 for one in found for relation in one.relations}
    assert kept == {f"g{number}" for number, action in last.items() if action == "accept"}


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        '{"format": "other"}',
        '{"format": "novelink-decisions", "version": 2, "decisions": []}',
        '{"format": "novelink-decisions", "version": 1, "decisions": [3]}',
    ],
)
def test_files_that_hold_no_decisions_are_refused_by_name(tmp_path, content):
    path = tmp_path / "d.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"d\.json"):
        read_decisions(path)
    with pytest.raises(DataError, match="cannot read"):
        read_decisions(tmp_path / "none.json")


def test_the_command_writes_gold_and_says_what_it_left_out(tmp_path):
    source, file = tmp_path / "in.jsonl", tmp_path / "d.json"
    write([document(), document("2")], source)
    records = [to_record(decide(n, "accept")) for n in range(3)]
    file.write_text(
        json.dumps({"format": "novelink-decisions", "version": 1, "decisions": records})
    )
    target = tmp_path / "gold.pubtator"
    arguments = [str(source), "--decisions", str(file), "-o", str(target)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert "1 documents without decisions left out" in result.stderr
    (found,) = read(target)
    assert [relation.type for relation in found.relations] == ["Association"] * 3


@pytest.mark.parametrize("ending", ["pubtator", "xml", "json", "jsonl"])
def test_gold_of_every_format_gives_a_trainer_the_labels_people_chose(tmp_path, ending):
    decisions = [
        decide(0, "accept"),
        decide(1, "reject"),
        decide(2, "correct", type="Bind", novelty="No"),
    ]
    target = tmp_path / f"gold.{ending}"
    write(curated([document()], decisions), target)
    (found,) = read(target)
    labels = {pair.ids: (pair.relation, pair.novelty) for pair in candidate_pairs(found)}
    assert labels[("g0", "g1")] == ("Association", "Novel")
    assert labels[("g1", "g2")] == (NO_RELATION, None)
    assert labels[("g2", "g3")] == ("Bind", "No")
