"""Figures that BioRED is known for, where the corpus lies beside the project."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from novelink import Relation, read, score
from novelink.pairs import candidate_pairs

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "biored"
pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the BioRED corpus is not beside the project (shared/data/biored)"
)


@pytest.fixture(scope="module")
def test_split():
    return list(read(CORPUS / "Test.PubTator"))


def test_relating_every_candidate_of_test_is_right_in_one_of_six(test_split):
    everything = [
        one.with_relations(
            Relation(*pair.ids, "Association", "Novel") for pair in candidate_pairs(one)
        )
        for one in test_split
    ]
    scores = score(test_split, everything)
    assert scores["pair"].predicted == 7047
    assert scores["pair"].gold == 1163
    assert round(100 * scores["pair"].precision, 1) == 16.5
    assert scores["pair"].recall == 1.0
    assert scores.gold_outside_candidates == {}


def test_gold_against_itself_is_right_and_complete(test_split):
    scores = score(test_split, CORPUS / "Test.BioC.JSON")
    assert all(scores[level].f1 == 1.0 for level in scores.levels)
    assert scores["all"].gold == 1163
    assert scores.by_novelty["Novel"]["novelty"].gold == 859
    assert scores.documents.text_differs == ()
    assert scores.without_mention.gold == 0


@pytest.mark.parametrize(
    ("split", "relations", "outside"),
    [
        ("Train", 4177, {"self": 3, "pair_type": 1}),
        ("Dev", 1162, {"self": 1}),
    ],
)
def test_train_and_dev_hold_relations_that_no_candidate_covers(split, relations, outside):
    """Of Train's 4,178 the one Gene–Variant relation is not scored; self-relations are."""
    path = CORPUS / f"{split}.PubTator"
    scores = score(path, path, resamples=0)
    assert scores["all"].gold == relations
    assert scores.gold_outside_candidates == outside


def test_candidates_of_train_carry_its_gold_labels():
    documents = list(read(CORPUS / "Train.PubTator"))
    pairs = [pair for one in documents for pair in candidate_pairs(one)]
    related = Counter(pair.relation for pair in pairs if pair.relation != "None")
    # Four lie outside the candidates: three self-relations and Gene–Variant; three are Novel.
    assert related.total() == 4178 - 4
    assert Counter(pair.novelty for pair in pairs)["Novel"] == 2838 - 3
    assert all(pair.novelty is None for pair in pairs if pair.relation == "None")
