"""The scorer against plain loops, and what must hold for any input."""

from __future__ import annotations

import scoring_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_documents import SHORT, document

from novelink import score
from novelink.pairs import gold_outside_candidates

IDS = ["a", "b", "c", "d|e", "f"]
RELATION_IDS = [*IDS, "a,b", "b;f", "q@c", " a", "-", "z"]
RELATIONS = st.tuples(
    st.sampled_from(RELATION_IDS),
    st.sampled_from(RELATION_IDS),
    st.sampled_from(["Association", "Bind", "Comparison"]),
    st.sampled_from(["Novel", "No", None]),
    st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
)
MENTIONS = st.lists(
    st.builds(
        "{}:{}".format,
        st.lists(st.sampled_from(IDS), min_size=1, max_size=2).map(",".join),
        st.sampled_from(sorted(SHORT)),
    ),
    max_size=7,
).map(" ".join)


@st.composite
def corpora(draw):
    """Gold and predicted documents that share most ids and mentions."""
    sides = ([], [])
    for number in range(draw(st.integers(0, 4))):
        shared = draw(MENTIONS)
        for side in sides:
            if draw(st.integers(0, 5)):
                mentions = shared if draw(st.integers(0, 3)) else draw(MENTIONS)
                relations = draw(st.lists(RELATIONS, max_size=6))
                side.append(document(str(number), mentions, relations))
    return sides


@settings(max_examples=300, deadline=None)
@given(corpora(), st.booleans())
def test_counts_are_those_of_plain_loops(sides, compat):
    gold, predicted = sides
    scores = score(gold, predicted, compat=compat, resamples=0)
    for level in ("pair", "type", "novelty", "all"):
        found = [scores[level].tp, scores[level].fp, scores[level].fn]
        assert found == oracle.counts(gold, predicted, level, compat=compat), level


@settings(max_examples=100, deadline=None)
@given(corpora())
def test_gold_and_prediction_are_mirror_images(sides):
    forth, back = score(*sides, resamples=0), score(*reversed(sides), resamples=0)
    for level in forth.levels:
        assert (forth[level].tp, forth[level].fp) == (back[level].tp, back[level].fn)


@settings(max_examples=100, deadline=None)
@given(corpora())
def test_a_corpus_against_itself_has_no_errors(sides):
    scores = score(sides[0], sides[0], resamples=0)
    assert all(not scores[level].errors for level in scores.levels)
    assert all(not row.errors for row in scores.per_document)


@settings(max_examples=150, deadline=None)
@given(corpora())
def test_tables_and_matrices_add_up(sides):
    """Each table sums to its level; the matrix's margins are the type level."""
    scores = score(*sides, resamples=0)
    tables = {
        "by_type": ("type", "all"),
        "by_novelty": ("novelty", "all"),
        "by_pair_type": ("pair", "type", "novelty", "all"),
    }
    for table, levels in tables.items():
        for level in levels:
            rows = [row[level] for row in getattr(scores, table).values()]
            total = scores[level]
            assert sum(row.tp for row in rows) == total.tp
            assert sum(row.fp for row in rows) == total.fp
            assert sum(row.fn for row in rows) == total.fn
    for matrix, table in (
        (scores.confusion, scores.by_type),
        (scores.novelty_confusion, scores.by_novelty),
    ):
        level = "type" if table is scores.by_type else "novelty"
        for place, label in enumerate(matrix.labels[1:], start=1):
            assert sum(matrix.counts[place]) == table[label][level].gold
            assert sum(row[place] for row in matrix.counts) == table[label][level].predicted
            assert matrix.counts[place][place] == table[label][level].tp
        assert matrix.counts[0][0] >= 0
    for level in scores.levels:
        assert sum(row.levels[level].errors for row in scores.per_document) == scores[level].errors


@settings(max_examples=100, deadline=None)
@given(corpora())
def test_gold_outside_candidates_agrees_with_the_candidate_generator(sides):
    """Relations without any id are the scorer's alone: the generator has no key for them."""
    gold = [
        one.with_relations(r for r in one.relations if "-" not in {r.id1, r.id2})
        for one in sides[0]
    ]
    found = score(gold, sides[1], resamples=0).to_dict()["gold_outside_candidates"]
    assert found == sum(gold_outside_candidates(one) for one in gold)


@settings(max_examples=50, deadline=None)
@given(corpora())
def test_a_finer_level_has_more_keys_and_is_never_right_alone(sides):
    scores = score(*sides, resamples=0)
    for finer, coarser in (
        ("all", "type"),
        ("all", "novelty"),
        ("type", "pair"),
        ("novelty", "pair"),
    ):
        assert scores[coarser].tp or not scores[finer].tp
    assert scores["pair"].predicted <= scores["type"].predicted <= scores["all"].predicted
    assert scores["pair"].gold <= scores["novelty"].gold <= scores["all"].gold
