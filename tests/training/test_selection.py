"""Thresholds are those with the best F1 of the track's own scorer, at the level trained for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.document import Relation
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED
from novelink.training.calibration import calibrated
from novelink.training.logits import Predictions
from novelink.training.selection import BOTH_HEADS, choose, judged_level, level_scores
from novelink.training.thresholds import novelty_threshold, relation_threshold

FINE = [step / 40 for step in range(41)]


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


@pytest.mark.parametrize("seed", range(2))
def test_no_threshold_scores_higher_than_the_chosen_one(documents, seed):
    """By the track's own scorer; novelty's threshold is chosen second, given the relation's."""
    predictions = noisy(documents, seed)
    chosen = choose(documents, predictions, BIORED)

    pairs = [pair for document in documents for pair in candidate_pairs(document)]
    fitted = calibrated(predictions, pairs, BIORED, tasks=BOTH_HEADS)

    def f1(**values):
        scores = level_scores(documents, predictions, BIORED, replace(fitted, **values))
        return scores["all"]["f1"]

    first = chosen.decision.threshold
    assert max(f1(threshold=value) for value in FINE) <= f1(threshold=first)
    assert max(f1(threshold=first, novel_threshold=value) for value in FINE) <= chosen.value
    levels = [figures["f1"] for figures in chosen.scores.values()]
    assert chosen.value == sum(levels) / len(levels)
    assert chosen.decision == replace(
        fitted, threshold=first, novel_threshold=chosen.decision.novel_threshold
    )
    assert chosen.level == "all"
    assert list(chosen.scores) == ["pair", "type", "novelty", "all"]


probabilities = st.integers(0, 10_000).map(lambda units: units / 10_000)


@given(
    st.lists(st.tuples(probabilities, st.booleans(), st.booleans()), min_size=1, max_size=30),
    st.integers(0, 9),
)
def test_the_relation_threshold_is_the_best_of_all_and_the_lowest_of_the_best(rows, missed):
    score = np.array([value for value, _, _ in rows])
    levels = [np.array([row[place] for row in rows]) for place in (1, 2)]
    gold = max(int(hits.sum()) for hits in levels) + missed

    def f1(threshold):
        taken = score >= threshold
        # Whole numbers over one another: equally good is equal.
        hits = sum(int(level[taken].sum()) for level in levels)
        return Fraction(2 * hits, max(1, int(taken.sum()) + gold))

    found = relation_threshold(score, [(hits, gold) for hits in levels])
    assert f1(found) == max(map(f1, score.tolist()))
    lower = [value for value in score.tolist() if value < found]
    assert all(f1(value) < f1(found) for value in lower)
    # Halfway to the next score below: as far from one result as from the other.
    taken = min(value for value in score.tolist() if value >= found)
    assert -1e-9 < (found - max(lower, default=0.0)) - (taken - found) < 1.01e-4


@given(st.lists(st.tuples(probabilities, st.booleans(), st.booleans()), max_size=30))
def test_the_novelty_threshold_has_most_right_answers_and_is_the_lowest_of_these(rows):
    share = np.array([value for value, _, _ in rows])
    is_novel = np.array([novel for _, novel, _ in rows], dtype=bool)
    counted = np.array([counts for _, _, counts in rows], dtype=bool)

    def right(threshold):
        return int((((share >= threshold) == is_novel) & counted).sum())

    found = novelty_threshold(share, is_novel, counted)
    assert 0 <= found <= 1
    if counted.any():
        cuts = [0.0, *sorted(share[counted].tolist()), 1.0]
        assert right(found) == max(map(right, cuts))
        # No cut that stands lower, seen from the shares that count, is as good.
        below = share[counted][share[counted] < found].tolist()
        assert all(right(value) < right(found) for value in below)
    else:
        assert found == 0.5


def test_nothing_to_choose_from_gives_one_half():
    nothing = np.array([])
    assert relation_threshold(nothing, [(nothing.astype(bool), 3)]) == 0.5


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
