"""Direction: which entity of a pair acts, judged apart from the four levels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scoring_documents import document

from novelink import read, score
from novelink.pairs import candidate_pairs
from novelink.scoring.table import scores_text

PAIRS = [("g1", "d1"), ("g1", "c1"), ("g2", "d1"), ("c1", "d1")]
CORPUS = Path(__file__).parents[2].parent / "shared" / "data" / "biored-direction"


def directed(subjects, doc_id="1", pairs=PAIRS):
    """Associations of the pairs; ``subjects`` maps a pair's place to the id that acts."""
    made = document(
        doc_id, "g1:G g2:G d1:D c1:C", [(*pair, "Association", "Novel") for pair in pairs]
    )
    return made.with_relations(
        replace(relation, subject=subjects.get(place))
        for place, relation in enumerate(made.relations)
    )


def test_accuracy_is_over_pairs_of_both_sides_whose_subject_the_gold_names():
    gold = directed({0: "g1", 1: "c1", 2: "g2"})  # the last pair has no subject
    found = directed({0: "g1", 1: "g1", 2: "d1"}, pairs=PAIRS[:2] + PAIRS[3:])
    scores = score([gold], [found], resamples=0)
    direction = scores.direction
    assert (direction.judged, direction.named, direction.right) == (2, 2, 1)
    assert direction.accuracy == 0.5
    # One right; g1 for c1 and d1 for a pair without a subject are wrong; two of the gold missed.
    assert (direction.counts.tp, direction.counts.fp, direction.counts.fn) == (1, 2, 2)
    assert scores["all"].f1 == pytest.approx(6 / 7)


def test_a_subject_left_open_is_not_right():
    scores = score([directed({0: "g1"})], [directed({})], resamples=0)
    assert (scores.direction.judged, scores.direction.named, scores.direction.right) == (1, 0, 0)
    assert scores.direction.counts.fn == 1


def test_gold_without_subjects_has_no_direction_to_judge():
    scores = score([directed({})], [directed({0: "g1"})], resamples=0)
    assert scores.direction is None
    assert scores.to_dict()["direction"] is None
    assert "direction" not in scores_text(scores)


def test_order_of_ids_and_type_of_relation_do_not_matter():
    gold = document("1", "g1:G d1:D", [("g1", "d1", "Association", "Novel")])
    gold = gold.with_relations([replace(gold.relations[0], subject="d1")])
    found = document("1", "g1:G d1:D", [("d1", "g1", "Negative_Correlation", "No")])
    found = found.with_relations([replace(found.relations[0], subject="d1")])
    assert score([gold], [found], resamples=0).direction.accuracy == 1.0


def test_a_compound_id_acts_in_each_of_its_pairs():
    gold = document("1", "g1,g2:G d1:D", [("g1,g2", "d1", "Association", "Novel")])
    gold = gold.with_relations([replace(gold.relations[0], subject="g1,g2")])
    assert score([gold], [gold], resamples=0).direction.counts.tp == 2
    named = {pair.ids: pair.subject for pair in candidate_pairs(gold)}
    assert named == {("g1", "g2"): None, ("g1", "d1"): "g1", ("g2", "d1"): "g2"}


def test_a_pair_that_acts_on_itself_has_no_subject():
    gold = document("1", "g1:G", [("g1", "g1", "Association", "Novel")])
    gold = gold.with_relations([replace(gold.relations[0], subject="g1")])
    assert score([gold], [gold], resamples=0).direction is None


SUBJECTS = st.dictionaries(st.integers(0, 3), st.integers(0, 1), max_size=4)


@given(SUBJECTS, SUBJECTS)
def test_figures_are_those_of_a_plain_count(ours, theirs):
    gold, found = (
        directed({place: PAIRS[place][side] for place, side in one.items()})
        for one in (ours, theirs)
    )
    direction = score([gold], [found], resamples=0).direction
    if not ours:
        assert direction is None
        return
    right = sum(theirs.get(place) == side for place, side in ours.items())
    assert (direction.judged, direction.right) == (len(ours), right)
    assert direction.named == len(ours.keys() & theirs.keys())
    assert direction.counts.f1 == pytest.approx(2 * right / (len(ours) + len(theirs)))


def test_direction_is_printed_and_in_the_json():
    scores = score([directed({0: "g1", 1: "c1"})], [directed({0: "g1", 1: "g1"})], resamples=0)
    text = scores_text(scores)
    row = next(line for line in text.splitlines() if line.startswith("pair + subject"))
    assert row.split()[3:] == ["50.0", "50.0", "50.0", "1", "1", "1"]
    assert "of 2 pairs found whose subject the gold names, 50.0 % have the right one" in text
    data = json.loads(json.dumps(scores.to_dict()))["direction"]
    assert (data["accuracy"], data["f1"], data["judged"]) == (0.5, 0.5, 2)


def test_biored_with_directions_against_itself():
    path = CORPUS / "test.pubtator"
    if not path.exists():
        pytest.skip("BioREDirect's documents are not beside the project")
    documents = list(read(path))
    scores = score(documents, documents, resamples=0)
    assert scores.direction.accuracy == 1.0
    assert scores.direction.judged == scores.direction.counts.tp == 1045
    pairs = [pair for one in documents for pair in candidate_pairs(one)]
    assert sum(pair.subject is not None for pair in pairs) == 1045
