"""Temperatures and biases minimise the log loss of what was the case, the same every time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink.decode import DecisionSettings
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED, NO_RELATION
from novelink.training.calibration import Scale, before_and_after, calibrated, fit_scale, judged
from novelink.training.logits import Predictions

BOTH = frozenset(["relation", "novelty"])


def drawn(temperature, bias, size=4000, seed=0):
    """Log-odds, and what was the case with the chance that these say after scaling."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(0, 3, size)
    chance = 1 / (1 + np.exp(-(odds / temperature + bias)))
    return odds, generator.random(size) < chance


def loss(odds, right, temperature, bias):
    signs = np.where(right, 1.0, -1.0)
    return np.logaddexp(0.0, -signs * (odds / temperature + bias)).sum()


@pytest.mark.parametrize(("temperature", "bias"), [(1.0, 0.0), (2.5, -1.2), (0.6, 0.8)])
def test_the_scale_that_made_the_data_is_found(temperature, bias):
    odds, right = drawn(temperature, bias)
    found = fit_scale(lambda value: odds / value, right)
    assert found.temperature == pytest.approx(temperature, rel=0.12)
    assert found.bias == pytest.approx(bias, abs=0.15)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 4), st.floats(-2, 2))
def test_no_neighbour_of_the_fitted_scale_has_a_lower_loss(seed, temperature, bias):
    odds, right = drawn(temperature, bias, 300, seed)
    if right.all() or not right.any():
        return
    found = fit_scale(lambda value: odds / value, right)

    def total(scale, shift):
        prior = (math.log(scale) ** 2 + shift**2) / 8
        return loss(odds, right, scale, shift) + prior

    least = total(found.temperature, found.bias)
    for factor, step in [(1.05, 0), (1 / 1.05, 0), (1, 0.05), (1, -0.05), (1.1, 0.1)]:
        assert total(found.temperature * factor, found.bias + step) >= least - 1e-4


def test_a_clean_split_stays_finite():
    odds = np.array([-3.0, -2.0, 2.0, 3.0])
    found = fit_scale(lambda value: odds / value, odds > 0)
    assert 0.05 <= found.temperature < 1
    assert abs(found.bias) < 1e-3


@pytest.mark.parametrize("case", [True, False])
def test_where_all_or_nothing_was_the_case_nothing_is_fitted(case):
    assert fit_scale(lambda value: np.ones(3) / value, np.full(3, case)) == Scale()
    assert fit_scale(lambda value: np.ones(0) / value, np.ones(0, bool)) == Scale()


@pytest.fixture(scope="module")
def overconfident(make_documents):
    """Pairs, and logits three times as sure as they should be, shifted towards "related"."""
    documents = make_documents(60, seed=5, pairs=2)
    pairs = [pair for document in documents for pair in candidate_pairs(document)]
    generator = np.random.default_rng(3)
    relation = generator.normal(size=(len(pairs), 9))
    novelty = generator.normal(size=(len(pairs), 3))
    for row, pair in enumerate(pairs):
        relation[row, BIORED.relation_labels.index(pair.relation)] += 1.5
        novelty[row, BIORED.novelty_labels.index(pair.novelty or NO_RELATION)] += 1.0
    relation[:, 0] -= 1.0
    return pairs, Predictions((3 * relation).astype(np.float32), (3 * novelty).astype(np.float32))


def test_overconfident_scores_are_softened_and_fit_better(overconfident):
    pairs, predictions = overconfident
    found = calibrated(predictions, pairs, BIORED, tasks=BOTH)
    assert found.relation_temperature > 1.5
    assert found.novelty_temperature > 1.5
    assert found.relation_bias < 0
    figures = before_and_after(predictions, pairs, BIORED, found)
    assert list(figures) == ["related", "novelty"]
    for one in figures.values():
        assert one["calibrated"]["log_loss"] < one["raw"]["log_loss"]
        assert one["calibrated"]["error"] < one["raw"]["error"]
        assert one["calibrated"]["count"] == one["raw"]["count"]


def test_the_same_logits_give_the_same_settings(overconfident):
    pairs, predictions = overconfident
    first, second = (calibrated(predictions, pairs, BIORED, tasks=BOTH) for _ in range(2))
    assert first == second


def test_heads_that_were_not_trained_are_left_alone(overconfident):
    pairs, predictions = overconfident
    found = calibrated(predictions, pairs, BIORED, tasks=frozenset(["relation"]))
    assert (found.novelty_temperature, found.novelty_bias) == (1.0, 0.0)
    assert found.relation_temperature != 1.0
    found = calibrated(predictions, pairs, BIORED, tasks=frozenset(["novelty"]))
    assert (found.relation_temperature, found.relation_bias) == (1.0, 0.0)


def test_reliability_is_judged_over_all_pairs_and_over_those_with_novelty(overconfident):
    pairs, predictions = overconfident
    found = judged(predictions, pairs, BIORED, DecisionSettings(threshold=0.99))
    assert found["related"].count == len(pairs)
    assert found["novelty"].count == sum(pair.novelty is not None for pair in pairs)
    novel = sum(pair.novelty == "Novel" for pair in pairs)
    assert found["novelty"].share == pytest.approx(novel / found["novelty"].count)
