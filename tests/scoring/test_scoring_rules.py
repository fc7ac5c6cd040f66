"""One test for each rule and trap of the BioRED track's scoring."""

from __future__ import annotations

import pytest
from scoring_documents import document

from novelink import DataError, Document, Mention, Passage, Relation, Schema, score

ENTITIES = "g1:G g2:G d1:D d2:D c1:C c2:C v1:V s1:S l1:L"
NOVEL = ("g1", "d1", "Association", "Novel")


def figures(scores, level):
    return scores[level].tp, scores[level].fp, scores[level].fn


def compared(gold, predicted, level="all", **options):
    options.setdefault("resamples", 0)
    left = [document("1", ENTITIES, gold)]
    right = [document("1", ENTITIES, predicted)]
    return figures(score(left, right, **options), level)


def test_order_of_ids_does_not_matter():
    assert compared([NOVEL], [("d1", "g1", "Association", "Novel")]) == (1, 0, 0)


def test_duplicates_collapse():
    assert compared([NOVEL, NOVEL], [NOVEL, ("d1", "g1", "Association", "Novel")]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        (NOVEL, {"pair": 1, "type": 1, "novelty": 1, "all": 1}),
        (("g1", "d1", "Bind", "Novel"), {"pair": 1, "type": 0, "novelty": 1, "all": 0}),
        (("g1", "d1", "Association", "No"), {"pair": 1, "type": 1, "novelty": 0, "all": 0}),
        (("g1", "d1", "Bind", "No"), {"pair": 1, "type": 0, "novelty": 0, "all": 0}),
        (("g2", "d1", "Association", "Novel"), {"pair": 0, "type": 0, "novelty": 0, "all": 0}),
    ],
)
def test_each_level_looks_at_its_own_parts(predicted, expected):
    """A wrong part is one false positive and one false negative."""
    for level, right in expected.items():
        assert compared([NOVEL], [predicted], level) == (right, 1 - right, 1 - right)


def test_two_types_for_one_pair_are_two_keys_where_the_type_counts():
    gold = [NOVEL, ("g1", "d1", "Positive_Correlation", "Novel")]
    assert compared(gold, [NOVEL], "pair") == (1, 0, 0)
    assert compared(gold, [NOVEL], "type") == (1, 0, 1)


@pytest.mark.parametrize("separator", [",", ";"])
def test_compound_ids_stand_for_every_combination_on_both_sides(separator):
    compound = [(f"g1{separator}g2", f"d1{separator}d2", "Association", "Novel")]
    single = [
        (one, other, "Association", "Novel") for one in ("g1", "g2") for other in ("d1", "d2")
    ]
    assert compared(compound, single) == (4, 0, 0)
    assert compared(single, compound) == (4, 0, 0)


def test_compound_mention_ids_give_each_id_its_type():
    gold = [document("1", "g1,g2:G d1:D", [("g1", "d1", "Association", "No")])]
    predicted = [document("1", "g1:G g2:G d1:D", [("g1,g2", "d1", "Association", "No")])]
    assert figures(score(gold, predicted, resamples=0), "all") == (1, 1, 0)


def test_compound_ids_keep_their_novelty():
    """Trap 4: every combination is Novel, none becomes Novel|Novel."""
    scores = score(
        [document("1", ENTITIES, [("g1,g2", "d1,d2", "Association", "Novel")])],
        [document("1", ENTITIES, [])],
        resamples=0,
    )
    assert scores.by_novelty["Novel"]["all"].fn == 4
    assert set(scores.by_novelty) == {"Novel", "No"}


def test_the_part_after_an_at_sign_is_kept():
    assert compared([("x@g1", "d1", "Bind", "No")], [("g1", "y@d1", "Bind", "No")]) == (1, 0, 0)


def test_ids_with_blanks_around_them_are_the_same():
    """Trap 7: BioRED has ids with a leading space."""
    gold = [document("1", "c1:C", [(" c1", "c2 ", "Bind", "No")])]
    gold[0] = gold[0].with_mentions(
        [
            Mention(0, 2, "c1", "ChemicalEntity", (" c1",)),
            Mention(0, 2, "c1", "ChemicalEntity", ("c2",)),
        ]
    )
    predicted = [document("1", "c1:C c2:C", [("c1", "c2", "Bind", "No")])]
    assert figures(score(gold, predicted, resamples=0), "all") == (1, 0, 0)


def test_a_bar_does_not_separate_ids():
    """Trap 7: composite diseases and variant ids contain it."""
    entities = "D1|D2:D g1:G p|SUB|V|600|E:V c1:C"
    relations = [
        ("D1|D2", "g1", "Association", "Novel"),
        ("p|SUB|V|600|E", "c1", "Association", "No"),
    ]
    scores = score(
        [document("1", entities, relations)], [document("1", entities, relations)], resamples=0
    )
    assert figures(scores, "all") == (2, 0, 0)
    assert scores.without_mention.gold == 0


def test_entity_types_are_part_of_the_key():
    gold = [document("1", "x:G d1:D", [("x", "d1", "Association", "No")])]
    predicted = [document("1", "x:C d1:D", [("x", "d1", "Association", "No")])]
    assert figures(score(gold, predicted, resamples=0), "pair") == (0, 1, 1)


def test_an_ids_type_is_that_of_its_last_mention():
    gold = [document("1", "x:C x:G d1:D", [("x", "d1", "Association", "No")])]
    as_last = [document("1", "x:G d1:D", [("x", "d1", "Association", "No")])]
    as_first = [document("1", "x:C d1:D", [("x", "d1", "Association", "No")])]
    assert figures(score(gold, as_last, resamples=0), "pair") == (1, 0, 0)
    assert figures(score(gold, as_first, resamples=0), "pair") == (0, 1, 1)


def test_other_names_of_entity_types_are_the_same_type():
    gold = [document("1", "x:Gene y:Disease", [("x", "y", "Association", "No")])]
    predicted = [document("1", "x:G y:D", [("x", "y", "Association", "No")])]
    assert figures(score(gold, predicted, resamples=0), "all") == (1, 0, 0)


@pytest.mark.parametrize(("one", "other"), [("d1", "d2"), ("g1", "v1"), ("v1", "g1"), ("g1", "s1")])
def test_the_tracks_three_pair_types_are_left_out_on_both_sides(one, other):
    relation = [(one, other, "Association", "Novel")]
    assert compared(relation, []) == (0, 0, 0)
    assert compared([], relation) == (0, 0, 0)
    assert compared(relation, relation) == (0, 0, 0)
    scores = score([document("1", ENTITIES, relation)], [document("1", ENTITIES, relation)])
    assert scores.to_dict()["dropped_pairs"] == {"gold": 1, "predicted": 1}


def test_no_other_pair_type_is_left_out():
    """The track's scripts count Chemical–Species and the like as wrong."""
    assert compared([], [("c1", "s1", "Association", "Novel")]) == (0, 1, 0)


def test_another_schema_leaves_out_what_it_does_not_list():
    schema = Schema("cd", ("C", "D"), ("CID",), {("C", "D"): ("CID",)}, has_novelty=False)
    relations = [("c1", "d1", "CID"), ("c1", "c2", "CID")]
    made = [document("1", "c1:C c2:C d1:D", relations)]
    made[0] = made[0].with_mentions(
        [
            Mention(m.start, m.end, m.text, {"ChemicalEntity": "C"}.get(m.type, "D"), m.concept_ids)
            for m in made[0].mentions
        ]
    )
    scores = score(made, made, schema=schema)
    assert figures(scores, "type") == (1, 0, 0)
    assert scores.to_dict()["dropped_pairs"] == {"gold": 1, "predicted": 1}


def test_a_schema_without_novelty_has_two_levels():
    schema = Schema("cd", ("C", "D"), ("CID",), {("C", "D"): ("CID",)}, has_novelty=False)
    scores = score([document("1", "c1:C d1:D", [])], [], schema=schema)
    assert list(scores.levels) == ["pair", "type"]
    assert not {"novelty", "all"} & set(scores.to_dict())
    assert scores.novelty_confusion is None


def test_a_missing_document_counts_as_missed():
    """Trap 1: its relations are false negatives, and the result says so."""
    gold = [document("1", ENTITIES, [NOVEL]), document("2", ENTITIES, [NOVEL])]
    scores = score(gold, gold[:1], resamples=0)
    assert figures(scores, "all") == (1, 0, 1)
    assert scores.documents.missing == ("2",)
    assert any("count as missed (2)" in line for line in scores.warnings())


def test_compat_lets_a_missing_document_cost_nothing():
    """Trap 1 as the track's own scripts have it."""
    gold = [document("1", ENTITIES, [NOVEL]), document("2", ENTITIES, [NOVEL])]
    scores = score(gold, gold[:1], compat=True, resamples=0)
    assert figures(scores, "all") == (1, 0, 0)
    assert scores.to_dict()["documents"]["missing"] == 1
    assert any("cost nothing" in line for line in scores.warnings())


@pytest.mark.parametrize("compat", [False, True])
def test_a_document_with_nothing_predicted_is_not_missing(compat):
    gold = [document("1", ENTITIES, [NOVEL])]
    scores = score(gold, [document("1", ENTITIES)], compat=compat, resamples=0)
    assert figures(scores, "all") == (0, 0, 1)
    assert scores.documents.missing == ()


@pytest.mark.parametrize("compat", [False, True])
def test_relations_of_an_extra_document_are_false_positives(compat):
    gold = [document("1", ENTITIES, [NOVEL])]
    predicted = [document("9", ENTITIES, [NOVEL]), *gold]
    scores = score(gold, predicted, compat=compat, resamples=0)
    assert figures(scores, "all") == (1, 1, 0)
    assert scores.documents.extra == ("9",)
    assert any("not in the gold" in line for line in scores.warnings())


def test_an_id_without_a_mention_is_counted_and_said():
    """Trap 3: it does not crash; a gold one still has to be found."""
    gold = [document("1", "g1:G", [("g1", "d9", "Association", "No")])]
    scores = score(gold, [document("1", "g1:G")], resamples=0)
    assert figures(scores, "all") == (0, 0, 1)
    assert scores.to_dict()["relations_without_mention"] == {"gold": 1, "predicted": 0}
    assert any("no mention carries" in line for line in scores.warnings())
    assert figures(score(gold, gold, resamples=0), "all") == (1, 0, 0)


def test_an_id_without_a_mention_does_not_match_one_with_a_mention():
    gold = [document("1", "g1:G d1:D", [("g1", "d1", "Association", "No")])]
    predicted = [document("1", "g1:G", [("g1", "d1", "Association", "No")])]
    assert figures(score(gold, predicted, resamples=0), "pair") == (0, 1, 1)


def test_a_relation_without_an_id_is_counted():
    """Trap 7: the id ``-`` names no concept, yet the relation is not lost."""
    scores = score([document("1", "g1:G", [("g1", "-", "Bind", "No")])], [], resamples=0)
    assert figures(scores, "all") == (0, 0, 1)
    assert scores.without_mention.gold == 1


def test_self_relations_count_and_lie_outside_the_candidates():
    """Trap 6: the track does not drop them, and no candidate pair covers them."""
    gold = [("g1", "g1", "Bind", "No"), ("g1", "v1", "Association", "No"), NOVEL]
    scores = score([document("1", ENTITIES, gold)], [document("1", ENTITIES, [NOVEL])])
    assert figures(scores, "all") == (1, 0, 1)
    data = scores.to_dict()
    assert data["gold_outside_candidates"] == 2
    assert data["gold_outside_candidates_by_reason"] == {
        "self": 1,
        "pair_type": 1,
        "no_mention": 0,
    }


@pytest.mark.parametrize("side", ["gold", "prediction"])
def test_a_document_id_that_occurs_twice_is_an_error(side):
    once, twice = [document("7", ENTITIES)], [document("7", ENTITIES), document("7", ENTITIES)]
    sides = (twice, once) if side == "gold" else (once, twice)
    with pytest.raises(DataError, match=f"document 7 occurs twice in the {side}"):
        score(*sides)


def test_mention_offsets_do_not_matter():
    gold = document("1", ENTITIES, [NOVEL])
    moved = Document(
        "1",
        (Passage(0, "xx " + gold.text),),
        tuple(
            Mention(m.start + 3, m.end + 3, m.text, m.type, m.concept_ids) for m in gold.mentions
        ),
        gold.relations,
    )
    scores = score([gold], [moved], resamples=0)
    assert figures(scores, "all") == (1, 0, 0)
    assert scores.documents.text_differs == ("1",)
    assert any("other words" in line for line in scores.warnings())


def test_a_relation_without_novelty_is_right_about_pair_and_type_only():
    predicted = [("g1", "d1", "Association", None)]
    assert compared([NOVEL], predicted, "type") == (1, 0, 0)
    assert compared([NOVEL], predicted, "novelty") == (0, 1, 1)
    scores = score([document("1", ENTITIES, [NOVEL])], [document("1", ENTITIES, predicted)])
    assert scores.without_novelty.predicted == 1
    assert any("neither Novel nor No" in line for line in scores.warnings())


def test_direction_and_evidence_do_not_matter():
    gold = document("1", ENTITIES, [NOVEL])
    said = gold.with_relations([Relation("g1", "d1", "Association", "Novel", 0.7, 0.5, "d1")])
    assert figures(score([gold], [said], resamples=0), "all") == (1, 0, 0)


def test_nothing_at_all_scores_zero_without_a_fault():
    scores = score([], [])
    assert all(scores[level].f1 == 0.0 for level in scores.levels)
    assert scores.intervals["all"] == (0.0, 0.0)


def test_order_of_documents_does_not_matter():
    gold = [document(str(n), ENTITIES, [NOVEL][: n % 2]) for n in range(5)]
    predicted = [document(str(n), ENTITIES, [NOVEL][: n % 3]) for n in range(5)]
    assert score(gold, predicted).to_dict() == score(gold, predicted[::-1]).to_dict()
