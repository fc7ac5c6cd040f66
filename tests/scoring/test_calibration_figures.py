"""Reliability of scores: bins, expected calibration error, log loss, Brier score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.scoring.calibration import reliability

CASES = st.lists(
    st.tuples(st.integers(0, 10_000).map(lambda units: units / 10_000), st.booleans()),
    min_size=1,
    max_size=50,
)


@given(CASES)
def test_figures_are_those_of_a_plain_count(cases):
    found = reliability([score for score, _ in cases], [right for _, right in cases])
    error = 0.0
    for place in range(10):
        # Whole numbers decide the bin, as scores have four decimals.
        inside = [
            (score, right)
            for score, right in cases
            if min(round(score * 10_000) // 1000, 9) == place
        ]
        if inside:
            promised = math.fsum(score for score, _ in inside)
            error += abs(promised - sum(right for _, right in inside)) / len(cases)
    assert found.error == pytest.approx(error)
    assert found.count == len(cases) == sum(one.count for one in found.bins)
    assert found.share == pytest.approx(sum(right for _, right in cases) / len(cases))
    brier = math.fsum((score - right) ** 2 for score, right in cases) / len(cases)
    assert found.brier == pytest.approx(brier)
    assert all(one.low <= one.mean_score <= one.high for one in found.bins)


def test_scores_that_mean_what_they_say_have_no_error():
    scores = [0.25] * 4 + [0.75] * 4
    right = [True, False, False, False, True, True, True, False]
    found = reliability(scores, right)
    assert found.error == pytest.approx(0.0)
    assert found.log_loss == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))


def test_a_sure_score_that_is_wrong_costs_a_finite_loss():
    found = reliability(np.array([1.0, 0.0]), np.array([False, True]))
    assert found.error == 1.0
    assert math.isfinite(found.log_loss)


def test_nothing_to_compare_gives_nothing():
    assert reliability([], []) is None
