"""Intervals, curves and calibration against slower ways of finding them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_documents import document

from novelink import score
from novelink.scoring.bootstrap import f1_intervals
from novelink.scoring.confusion import label_pairs
from novelink.scoring.counts import Counts
from novelink.scoring.curves import rank

COUNTS = np.array([[[8, 2, 1]], [[3, 5, 4]], [[6, 0, 3]], [[0, 2, 2]], [[9, 1, 0]]])


def f1(counts):
    tp, fp, fn = counts
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def test_the_interval_is_that_of_redrawing_documents_one_by_one():
    chance = random.Random(5)
    drawn = sorted(
        f1(np.sum([COUNTS[chance.randrange(5), 0] for _ in range(5)], axis=0)) for _ in range(4000)
    )
    low, high = f1_intervals(COUNTS, resamples=4000)[0]
    assert low == pytest.approx(drawn[100], abs=0.02)
    assert high == pytest.approx(drawn[3899], abs=0.02)


def test_the_same_seed_gives_the_same_interval():
    assert (f1_intervals(COUNTS, seed=3) == f1_intervals(COUNTS, seed=3)).all()
    assert (f1_intervals(COUNTS, seed=3) != f1_intervals(COUNTS, seed=4)).any()


def test_drawing_in_blocks_gives_the_same_interval(monkeypatch):
    whole = f1_intervals(COUNTS, resamples=100)
    monkeypatch.setattr("novelink.scoring.bootstrap._CELLS_AT_ONCE", 35)
    assert (f1_intervals(COUNTS, resamples=100) == whole).all()


def test_documents_that_are_all_alike_leave_no_doubt():
    low, high = f1_intervals(np.array([[[2, 1, 1]]] * 7))[0]
    assert low == high == pytest.approx(2 / 3)


def test_the_interval_holds_the_figure():
    gold = [document(str(n), "g1:G d1:D", [("g1", "d1", "Bind", "No")] * (n % 2)) for n in range(9)]
    found = [
        document(str(n), "g1:G d1:D", [("g1", "d1", "Bind", "No")] * (n % 3)) for n in range(9)
    ]
    scores = score(gold, found)
    for level, (low, high) in scores.intervals.items():
        assert low < scores[level].f1 < high


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_the_harmonic_mean(tp, fp, fn):
    counts = Counts(tp, fp, fn)
    below = counts.precision + counts.recall
    expected = 2 * counts.precision * counts.recall / below if below else 0.0
    assert counts.f1 == pytest.approx(expected)


SCORES = st.lists(
    st.tuples(st.sampled_from([0, 0.1, 0.35, 0.5, 0.9, 1.0]), st.booleans()), min_size=1
)


@settings(deadline=None)
@given(SCORES, st.integers(0, 5))
def test_each_point_of_the_curve_is_what_its_threshold_keeps(predictions, missed):
    gold = sum(hit for _, hit in predictions) + missed
    ranking = rank([one for one, _ in predictions], [hit for _, hit in predictions], gold)
    assert list(ranking.thresholds) == sorted({one for one, _ in predictions}, reverse=True)
    area = before = 0.0
    for threshold, precision, recall in zip(
        ranking.thresholds, ranking.precision, ranking.recall, strict=True
    ):
        kept = [hit for one, hit in predictions if one >= threshold]
        assert precision == pytest.approx(sum(kept) / len(kept))
        assert recall == pytest.approx(sum(kept) / gold if gold else 0.0)
        area += (recall - before) * precision
        before = recall
    assert ranking.average_precision == pytest.approx(area)


@settings(deadline=None)
@given(SCORES)
def test_calibration_bins_hold_every_prediction_once(predictions):
    ranking = rank([one for one, _ in predictions], [hit for _, hit in predictions], 9)
    assert sum(one.count for one in ranking.calibration) == len(predictions)
    error = 0.0
    for one in ranking.calibration:
        last = math.isclose(one.high, 1.0)
        held = [
            (value, hit)
            for value, hit in predictions
            if one.low <= value < one.high or (last and value == 1.0)
        ]
        assert one.count == len(held)
        assert one.accuracy == pytest.approx(sum(hit for _, hit in held) / len(held))
        assert one.mean_score == pytest.approx(sum(value for value, _ in held) / len(held))
        error += len(held) * abs(one.accuracy - one.mean_score)
    assert ranking.calibration_error == pytest.approx(error / len(predictions))


def test_novelty_levels_take_the_product_of_both_scores():
    gold = [document("1", "g1:G d1:D", [("g1", "d1", "Bind", "No")])]
    found = [document("1", "g1:G d1:D", [("g1", "d1", "Bind", "No", 0.8, 0.5)])]
    rankings = score(gold, found).rankings
    assert rankings["type"].thresholds == (0.8,)
    assert rankings["all"].thresholds == (0.4,)


def test_predictions_without_a_score_are_counted_and_not_ranked():
    rows = [("g1", "d1", "Bind", "No", 0.8), ("g2", "d1", "Bind", "No")]
    found = [document("1", "g1:G g2:G d1:D", rows)]
    ranking = score(found, found).rankings["all"]
    assert (ranking.scored, ranking.unscored) == (1, 1)
    plain = [document("1", "g1:G d1:D", [("g1", "d1", "Bind", "No")])]
    assert score(plain, plain).rankings == {}


def test_a_score_that_is_no_number_is_not_ranked():
    found = [document("1", "g1:G d1:D", [("g1", "d1", "Bind", "No", math.nan)])]
    assert score(found, found).rankings == {}


def test_the_confusion_matrix_counts_pairs_that_neither_side_relates():
    gold = [document("1", "g1:G g2:G d1:D d2:D", [("g1", "d1", "Bind", "No")])]
    found = [document("1", "g1:G g2:G d1:D d2:D", [("g1", "d2", "Association", "No")])]
    matrix = score(gold, found).confusion
    cells = {
        (row, column): matrix.counts[y][x]
        for y, row in enumerate(matrix.labels)
        for x, column in enumerate(matrix.labels)
    }
    # Five legal pairs: four gene–disease, one gene–gene.
    assert cells["None", "None"] == 3
    assert cells["Bind", "None"] == cells["None", "Association"] == 1
    assert sum(cells.values()) == 5


@given(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd")))
def test_label_pairs_use_every_label_once(gold, predicted):
    laid = list(label_pairs(gold, predicted))
    assert sorted(left for left, _ in laid if left != "None") == sorted(gold)
    assert sorted(right for _, right in laid if right != "None") == sorted(predicted)
    assert {left for left, right in laid if left == right} == gold & predicted
