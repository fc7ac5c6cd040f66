"""The decision rule, against a plain-Python reading of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.document import Entity, Mention
from novelink.errors import SettingsError
from novelink.pairs import Pair
from novelink.schema import BIORED, Schema

# On a grid, so that two logits are either equal or clearly apart.
LOGIT = st.integers(-48, 48).map(lambda value: value / 4)
CASE = st.tuples(
    st.lists(LOGIT, min_size=9, max_size=9),
    st.lists(LOGIT, min_size=3, max_size=3),
    st.sampled_from(BIORED.pair_types),
)
SETTINGS = st.builds(
    DecisionSettings,
    threshold=st.floats(0, 1),
    relation_temperature=st.floats(0.2, 5),
    novelty_temperature=st.floats(0.2, 5),
    novel_threshold=st.floats(0, 1),
    relation_bias=st.floats(-3, 3),
    novelty_bias=st.floats(-3, 3),
)


def by_hand(relation, novelty, types, settings):
    """Related, type, score, novelty score of Novel: as the docstring of the module states it."""
    legal = ["None", *(name for name in BIORED.relation_types if name in BIORED.pairs[types])]
    places = [BIORED.relation_labels.index(name) for name in legal]
    raised = [math.exp(relation[place] / settings.relation_temperature) for place in places]
    raised[0] *= math.exp(-settings.relation_bias)
    score = 1 - raised[0] / math.fsum(raised)
    likeliest = max(range(1, len(legal)), key=lambda place: raised[place])
    novel, no = (math.exp(novelty[place] / settings.novelty_temperature) for place in (2, 1))
    novel *= math.exp(settings.novelty_bias)
    return score, legal[likeliest], novel / (novel + no)


@given(st.lists(CASE, min_size=1, max_size=6), SETTINGS)
def test_each_pair_is_decided_as_the_rule_says(cases, settings):
    decisions = decide(
        np.array([case[0] for case in cases], np.float32),
        np.array([case[1] for case in cases], np.float32),
        [case[2] for case in cases],
        BIORED,
        settings,
    )
    for (relation, novelty, types), decision in zip(cases, decisions, strict=True):
        score, kind, novel = by_hand(relation, novelty, types, settings)
        assert decision.score == pytest.approx(score, abs=5.1e-5)
        assert decision.related == (decision.score >= settings.threshold)
        assert decision.type == kind
        shown = novel if decision.novelty == "Novel" else 1 - novel
        assert decision.novelty_score == pytest.approx(shown, abs=1.01e-4)
        if abs(novel - settings.novel_threshold) > 1e-4:
            assert decision.novelty == ("Novel" if novel >= settings.novel_threshold else "No")


@given(CASE, SETTINGS)
def test_an_illegal_types_logit_changes_nothing(case, settings):
    relation, novelty, types = case
    changed = [
        99.0 if name != "None" and name not in BIORED.pairs[types] else value
        for name, value in zip(BIORED.relation_labels, relation, strict=True)
    ]
    first, second = (
        decide(np.array([row]), np.array([novelty]), [types], BIORED, settings)
        for row in (relation, changed)
    )
    assert first == second


def test_huge_logits_neither_overflow_nor_choose_an_illegal_type():
    """Where no legal type has any probability left, the likeliest legal one is still named."""
    types = ("SequenceVariant", "SequenceVariant")
    relation = np.array([[3e4, -3e4, 0, 0, 0, 0, 0, 0, 0]])
    decision = decide(relation, np.array([[0, -3e4, 3e4]]), [types], BIORED, DecisionSettings())[0]
    assert (decision.related, decision.type, decision.score) == (False, "Association", 0.0)
    assert (decision.novelty, decision.novelty_score) == ("Novel", 1.0)


def test_a_schema_without_novelty_gives_none():
    schema = Schema("s", ("A",), ("r",), {("A", "A"): ("r",)}, has_novelty=False)
    for novelty in (np.zeros((1, 3)), None):
        decision = decide(np.zeros((1, 2)), novelty, [("A", "A")], schema, DecisionSettings())[0]
        assert (decision.novelty, decision.novelty_score) == (None, None)


def test_a_pair_type_that_takes_no_relation_is_never_related():
    schema = Schema("s", ("A",), ("r",), {("A", "A"): ()})
    settings = DecisionSettings(threshold=0.0)
    assert not decide(np.zeros((1, 2)), np.zeros((1, 3)), [("A", "A")], schema, settings)[0].related


def test_no_pairs_no_decisions():
    assert decide(np.zeros((0, 9)), np.zeros((0, 3)), [], BIORED, DecisionSettings()) == []


def test_related_pairs_become_relations_with_the_first_mentioned_entity_first():
    entities = [
        Entity(name, "GeneOrGeneProduct", (Mention(0, 1, "x", "GeneOrGeneProduct", (name,)),))
        for name in ("9", "1", "5")
    ]
    types = ("GeneOrGeneProduct", "GeneOrGeneProduct")
    pairs = [Pair(entities[0], entities[1], types), Pair(entities[0], entities[2], types)]
    relation = np.array([[0, 5.0, 0, 0, 0, 0, 0, 0, 0], [9.0, 0, 0, 0, 0, 0, 0, 0, 0]])
    decisions = decide(relation, np.zeros((2, 3)), [types, types], BIORED, DecisionSettings())
    found = relations_of(pairs, decisions)
    assert [(item.id1, item.id2, item.type) for item in found] == [("9", "1", "Association")]
    assert found[0].score == decisions[0].score
    assert found[0].novelty == "Novel"


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"novel_threshold": -0.1},
        {"relation_temperature": 0.0},
        {"novelty_temperature": float("inf")},
        {"relation_bias": float("nan")},
        {"novelty_bias": float("-inf")},
        {"treshold": 0.5},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        DecisionSettings.from_dict(wrong)


@given(SETTINGS)
def test_settings_survive_their_file(settings):
    assert DecisionSettings.from_dict(settings.to_dict()) == settings
