"""Thresholds are those with the best F1 of the track's own scorer, at the level trained for."""

from __future__ import annotations

import numpy as np
import pytest

from novelink.decode import DecisionSettings
from novelink.document import Relation
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED
from novelink.training.prediction import Predictions
from novelink.training.selection import choose, judged_level, level_scores

GRID = [round(0.05 * step, 2) for step in range(1, 20)]


def noisy(documents, seed, strength=2.0):
    """Logits that lean towards the gold."""
    generator = np.random.default_rng(seed)
    pairs = [pair for document in documents for pair in candidate_pairs(document)]
    relation = generator.normal(size=(len(pairs), 9))
    novelty = generator.normal(size=(len(pairs), 3))
    for row, pair in enumerate(pairs):
        relation[row, BIORED.relation_labels.index(pair.relation)] += strength
        novelty[row, BIORED.novelty_labels.index(pair.novelty or "None")] += strength
    return Predictions(relation.astype(np.float32), novelty.astype(np.float32))


@pytest.fixture(scope="module")
def documents(make_documents):
    """With one relation that no candidate pair covers, so that recall cannot be whole."""
    made = make_documents(20, seed=5, pairs=2)
    extra = Relation("orfa-id", "orfa-id", "Association", "Novel")
    return [made[0].with_relations([*made[0].relations, extra]), *made[1:]]


@pytest.mark.parametrize("seed", range(4))
def test_choice_equals_the_scorer_over_the_whole_grid(documents, seed):
    predictions = noisy(documents, seed)
    chosen = choose(documents, predictions, BIORED)

    def f1(**values):
        scores = level_scores(documents, predictions, BIORED, DecisionSettings(**values))
        return scores["all"]["f1"]

    first = max(GRID, key=lambda threshold: f1(threshold=threshold))
    second = max(GRID, key=lambda novel: f1(threshold=first, novel_threshold=novel))
    assert (chosen.decision.threshold, chosen.decision.novel_threshold) == (first, second)
    assert chosen.value == chosen.scores["all"]["f1"] == f1(threshold=first, novel_threshold=second)
    assert chosen.level == "all"
    assert list(chosen.scores) == ["pair", "type", "novelty", "all"]


def test_perfect_logits_score_one(make_documents):
    documents = make_documents(20, seed=5, pairs=2)
    chosen = choose(documents, noisy(documents, 0, strength=50.0), BIORED)
    assert chosen.value == 1.0


def test_a_model_is_judged_by_the_heads_it_has(documents):
    predictions = noisy(documents, 1, strength=50.0)
    rubbish = np.random.default_rng(0).normal(size=predictions.relation.shape).astype(np.float32)
    no_relation = frozenset(["novelty", "pair_type"])
    chosen = choose(documents, Predictions(rubbish, predictions.novelty), BIORED, tasks=no_relation)
    assert chosen.level == "novelty"
    assert list(chosen.scores) == ["pair", "novelty"]
    assert chosen.value > 0.9
    no_novelty = frozenset(["relation"])
    nothing = np.zeros_like(predictions.novelty)
    chosen = choose(documents, Predictions(predictions.relation, nothing), BIORED, tasks=no_novelty)
    assert chosen.level == "type"
    assert list(chosen.scores) == ["pair", "type"]
    assert chosen.value > 0.9


def test_a_novelty_head_that_saw_related_pairs_only_is_judged_on_those(documents):
    """Its "None" logit means nothing, so the gold says which pairs are related."""
    predictions = noisy(documents, 1, strength=50.0)
    novelty = predictions.novelty.copy()
    novelty[:, 0] = 100.0
    chosen = choose(
        documents,
        Predictions(predictions.relation * 0, novelty),
        BIORED,
        tasks=frozenset(["novelty"]),
        novelty_over="related",
    )
    assert chosen.value > 0.9


def test_level_for_every_set_of_heads():
    assert judged_level(frozenset(["relation", "novelty"]), BIORED) == "all"
    assert judged_level(frozenset(["relation", "coreference"]), BIORED) == "type"
    assert judged_level(frozenset(["novelty"]), BIORED) == "novelty"
