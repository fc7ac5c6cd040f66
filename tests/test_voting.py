"""Voting: against plain loops, and what no vote may do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink import BIORED, SettingsError
from novelink.voting import METHODS, vote, vote_triplets

CLASSES = 4
UP_TO_SIX = st.integers(1, 6)


@st.composite
def ensembles(draw, classes=CLASSES, members=UP_TO_SIX):
    """Members × pairs × classes, of few distinct values so that ties are common."""
    count, pairs = draw(members), draw(st.integers(1, 4))
    weights = draw(
        st.lists(
            st.lists(st.integers(0, 6), min_size=classes, max_size=classes).filter(any),
            min_size=count * pairs,
            max_size=count * pairs,
        )
    )
    array = np.array(weights, dtype=float).reshape(count, pairs, classes)
    return array / array.sum(axis=2, keepdims=True)


def winner_by_hand(rows, method):
    """The rule in words, for one pair: rows are members, in tenths of a billionth."""
    exact = [[round(value * 10**12) for value in row] for row in rows.tolist()]
    means = [sum(row[label] for row in exact) for label in range(len(exact[0]))]
    votes = [0] * len(means)
    for row in exact:
        votes[row.index(max(row))] += 1
    best = None
    for label in range(len(means)):
        rank = (votes[label], means[label]) if method == "majority" else (means[label],)
        if best is None or rank > best[0]:
            best = (rank, label)
    return best[1]


@settings(deadline=None)
@given(ensembles(), st.sampled_from(METHODS))
def test_the_winner_is_that_of_plain_loops(members, method):
    labels = vote(list(members), method=method).labels
    assert labels.tolist() == [
        winner_by_hand(members[:, pair], method) for pair in range(members.shape[1])
    ]


@settings(deadline=None)
@given(ensembles(), st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_the_order_of_members_never_changes_the_answer(members, method, chance):
    mixed = list(members)
    chance.shuffle(mixed)
    one, other = vote(list(members), method=method), vote(mixed, method=method)
    assert (one.labels == other.labels).all()
    assert (one.probabilities == other.probabilities).all()
    assert (one.shares == other.shares).all()


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 1.0), min_size=3, max_size=9), st.randoms(use_true_random=False))
def test_no_rounding_of_sums_depends_on_the_order(values, chance):
    """Members that mirror each other tie exactly, so the first label wins in any order."""
    members = [np.array([[p, 1 - p]]) for p in values] + [np.array([[1 - p, p]]) for p in values]
    chance.shuffle(members)
    assert vote(members, method="mean").labels.tolist() == [0]


@settings(deadline=None)
@given(ensembles(), st.sampled_from(METHODS))
def test_what_all_members_say_stays(members, method):
    result = vote(list(members), method=method)
    labels = members.argmax(axis=2)
    agreed = (labels == labels[0]).all(axis=0)
    assert (result.labels[agreed] == labels[0][agreed]).all()
    assert (result.shares[agreed, labels[0][agreed]] == 1.0).all()


@settings(deadline=None)
@given(ensembles(members=st.just(1)), st.sampled_from(METHODS))
def test_a_single_member_is_itself(members, method):
    result = vote(list(members), method=method)
    assert (result.labels == members[0].argmax(axis=1)).all()
    np.testing.assert_allclose(result.probabilities, members[0], atol=1e-12)


@settings(deadline=None)
@given(ensembles(), st.sampled_from(METHODS), st.integers(2, 4))
def test_having_every_member_several_times_changes_nothing(members, method, times):
    one, other = vote(list(members), method=method), vote(list(members) * times, method=method)
    assert (one.labels == other.labels).all()


@settings(deadline=None)
@given(ensembles())
def test_probabilities_are_the_mean_and_sum_to_one(members):
    result = vote(list(members))
    np.testing.assert_allclose(result.probabilities, members.mean(axis=0), atol=1e-11)
    np.testing.assert_allclose(result.shares.sum(axis=1), 1.0)


def test_a_majority_of_labels_beats_a_higher_mean():
    members = [[[0.6, 0.4]], [[0.6, 0.4]], [[0.0, 1.0]]]
    assert vote(members, method="majority").labels.tolist() == [0]
    assert vote(members, method="mean").labels.tolist() == [1]


def test_equal_votes_go_to_the_higher_mean_then_to_label_order():
    assert vote([[[0.6, 0.4]], [[0.1, 0.9]]]).labels.tolist() == [1]
    assert vote([[[0.0, 0.7, 0.3]], [[0.0, 0.3, 0.7]]]).labels.tolist() == [1]


@settings(deadline=None)
@given(ensembles(), st.sampled_from(METHODS), st.data())
def test_classes_that_are_not_allowed_never_win(members, method, data):
    rows = st.lists(st.booleans(), min_size=CLASSES, max_size=CLASSES).filter(any)
    allowed = np.array([data.draw(rows) for _ in range(members.shape[1])])
    result = vote(list(members), method=method, allowed=allowed)
    assert allowed[np.arange(len(allowed)), result.labels].all()
    assert (result.probabilities[~allowed] == 0).all()
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1.0, atol=1e-11)


def test_members_may_have_decided_by_thresholds_of_their_own():
    members = [[[0.6, 0.4]], [[0.6, 0.4]], [[0.9, 0.1]]]
    assert vote(members, labels=[[1], [1], [0]]).labels.tolist() == [1]


def test_types_come_from_the_relation_members_and_novelty_from_the_others():
    relation = np.zeros((2, 9))
    relation[0, 2], relation[0, 0] = 0.75, 0.25
    relation[1, 0], relation[1, 1] = 0.75, 0.25
    novelty = np.array([[0.9, 0.02, 0.08], [0.1, 0.8, 0.1]])
    triplets = vote_triplets([relation], [novelty])
    first, second = triplets.decisions(BIORED)
    assert (first.related, first.type, first.novelty) == (True, "Positive_Correlation", "Novel")
    assert first.score == pytest.approx(0.75)
    assert first.novelty_score == pytest.approx(0.8)
    assert (second.related, second.type, second.novelty) == (False, "Association", "No")
    assert second.score == pytest.approx(0.25)


def test_without_novelty_members_there_is_no_novelty():
    (decision,) = vote_triplets([np.eye(9)[[3]]]).decisions(BIORED)
    assert (decision.type, decision.novelty, decision.novelty_score) == (
        "Negative_Correlation",
        None,
        None,
    )


@settings(deadline=None)
@given(ensembles(3), st.sampled_from(METHODS))
def test_a_novelty_member_votes_between_no_and_novel(members, method):
    """However sure it is that the pair is unrelated."""
    pairs = members.shape[1]
    relation = np.tile(np.eye(9)[1], (pairs, 1))
    result = vote_triplets([relation], list(members), method=method).novelty
    assert set(result.labels.tolist()) <= {0, 1}
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1.0, atol=1e-11)


def test_no_pairs_give_no_answers():
    result = vote_triplets([np.zeros((0, 9))], [np.zeros((0, 3))])
    assert result.decisions(BIORED) == []


@pytest.mark.parametrize(
    ("members", "options", "message"),
    [
        ([], {}, "at least one member"),
        ([[[1.0]], [[0.5, 0.5]]], {}, "shapes"),
        ([[1.0, 0.0]], {}, "shapes"),
        ([[[2.0, -1.0]]], {}, "within 0–1"),
        ([[[float("nan"), 1.0]]], {}, "within 0–1"),
        ([[[1.0, 0.0]]], {"method": "median"}, "Methods are: majority, mean"),
        ([[[1.0, 0.0]]], {"labels": [[0, 1]]}, "same pairs"),
        ([[[1.0, 0.0]]], {"labels": [[2]]}, "within 0–1"),
        ([[[1.0, 0.0]]], {"allowed": np.array([[False, False]])}, "none for some pair"),
    ],
)
def test_members_that_do_not_fit_are_refused(members, options, message):
    with pytest.raises(SettingsError, match=message):
        vote(members, **options)


def test_novelty_members_of_other_pairs_are_refused():
    with pytest.raises(SettingsError, match=r"shape \(2, 3\), not \(1, 3\)"):
        vote_triplets([np.eye(9)[[0]]], [np.full((2, 3), 1 / 3)])
