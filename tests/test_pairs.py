"""Candidate pairs: what every document gives, whatever is in it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink import BIORED, Document, Mention, Relation
from novelink.pairs import candidate_pairs, expand_ids, gold_outside_candidates, relation_keys

GENE, DISEASE, CHEMICAL = "GeneOrGeneProduct", "DiseaseOrPhenotypicFeature", "ChemicalEntity"


def made(entities, relations=()):
    """A document with one mention per ``(type, ids)``."""
    text = " ".join("w" for _ in entities)
    mentions = [
        Mention(2 * place, 2 * place + 1, "w", kind, tuple(ids))
        for place, (kind, ids) in enumerate(entities)
    ]
    return Document.from_text("1", text, mentions=mentions, relations=relations)


IDS = st.sampled_from(["a", "b", "c", "d", "e|f"])
ENTITIES = st.lists(
    st.tuples(st.sampled_from(BIORED.entity_types), st.lists(IDS, max_size=2)), max_size=8
)
RELATIONS = st.lists(
    st.builds(
        Relation,
        st.sampled_from(["a", "b", "a,b", "c;d", "x@e|f", "-", "z"]),
        st.sampled_from(["a", "b", "c", "b,c", "e|f"]),
        st.sampled_from(BIORED.relation_types),
        st.sampled_from(["Novel", "No"]),
    ),
    max_size=6,
)


def key(pair):
    return frozenset(pair.ids)


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_each_legal_pair_comes_once_and_no_other(entities, relations):
    """Checked against every two ids of the document in a plain loop."""
    document = made(entities, relations)
    last = {}
    for kind, ids in entities:
        for concept_id in ids:
            last[concept_id] = kind
    expected = [
        {one, other}
        for one, other in combinations(last, 2)
        if (last[one], last[other]) in BIORED.pairs or (last[other], last[one]) in BIORED.pairs
    ]
    found = [set(pair.ids) for pair in candidate_pairs(document)]
    assert len(found) == len(expected)
    assert all(pair in found for pair in expected)


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_pairs_are_legal_and_never_of_one_entity(entities, relations):
    for pair in candidate_pairs(made(entities, relations)):
        assert pair.first.id != pair.second.id
        assert pair.pair_type in BIORED.pairs
        assert pair.pair_type == tuple(sorted((pair.first.type, pair.second.type)))


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_the_same_document_gives_the_same_list(entities, relations):
    document = made(entities, relations)
    assert candidate_pairs(document) == candidate_pairs(document)


@settings(deadline=None)
@given(ENTITIES, RELATIONS, st.randoms(use_true_random=False))
def test_the_order_of_mentions_changes_the_order_of_pairs_only(entities, relations, chance):
    """Unless an id has mentions of several types, where the last one decides."""
    last = {concept_id: kind for kind, ids in entities for concept_id in ids}
    plain = [(kind, [one]) for one, kind in last.items()]
    mixed = plain[:]
    chance.shuffle(mixed)
    one, other = candidate_pairs(made(plain, relations)), candidate_pairs(made(mixed, relations))
    labels = [{key(pair): (pair.relation, pair.novelty) for pair in side} for side in (one, other)]
    assert labels[0] == labels[1]


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_the_order_of_a_relations_ids_does_not_matter(entities, relations):
    turned = [Relation(one.id2, one.id1, one.type, one.novelty) for one in relations]
    assert candidate_pairs(made(entities, relations)) == candidate_pairs(made(entities, turned))


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_gold_is_on_the_candidates_or_counted_as_outside(entities, relations):
    document = made(entities, relations)
    stated = {frozenset(ids) for one in relations for ids in relation_keys(one)}
    related = {key(pair) for pair in candidate_pairs(document) if pair.relation != "None"}
    assert related <= stated
    assert len(related) + gold_outside_candidates(document) == len(stated)


@settings(deadline=None)
@given(ENTITIES, RELATIONS)
def test_relations_change_labels_and_never_the_pairs(entities, relations):
    bare, labelled = made(entities), made(entities, relations)
    assert list(map(key, candidate_pairs(bare))) == list(map(key, candidate_pairs(labelled)))
    assert all(pair.relation == "None" and pair.novelty is None for pair in candidate_pairs(bare))


def test_labels_are_those_of_the_gold_also_through_compound_ids():
    document = made(
        [(GENE, ["g1", "g2"]), (DISEASE, ["d"]), (CHEMICAL, ["c"])],
        [Relation("d", "g2,g1", "Association", "Novel"), Relation("c", "d", "Bind", "No")],
    )
    labels = {
        tuple(sorted(pair.ids)): (pair.relation, pair.novelty) for pair in candidate_pairs(document)
    }
    assert labels == {
        ("d", "g1"): ("Association", "Novel"),
        ("d", "g2"): ("Association", "Novel"),
        ("c", "d"): ("Bind", "No"),
        ("g1", "g2"): ("None", None),
        ("c", "g1"): ("None", None),
        ("c", "g2"): ("None", None),
    }


def test_pairs_come_in_the_order_of_first_mention():
    document = made([(DISEASE, ["z"]), (GENE, ["y"]), (DISEASE, ["z"]), (CHEMICAL, ["x"])])
    assert [pair.ids for pair in candidate_pairs(document)] == [("z", "y"), ("z", "x"), ("y", "x")]


def test_the_first_of_several_relations_of_one_pair_counts():
    relations = [Relation("a", "b", "Bind", "No"), Relation("b", "a", "Association", "Novel")]
    (pair,) = candidate_pairs(made([(GENE, ["a"]), (GENE, ["b"])], relations))
    assert (pair.relation, pair.novelty) == ("Bind", "No")


@pytest.mark.parametrize(
    ("identifier", "ids"),
    [
        ("3172,3651", ("3172", "3651")),
        ("3172;3651", ("3172", "3651")),
        ("x@3172, y@3651", ("3172", "3651")),
        (" CVCL_1452", ("CVCL_1452",)),
        ("D001|D002", ("D001|D002",)),
        ("p|SUB|V|600|E", ("p|SUB|V|600|E",)),
        ("-", ()),
        ("", ()),
        ("-,5", ("5",)),
    ],
)
def test_compound_ids_are_taken_apart(identifier, ids):
    assert expand_ids(identifier) == ids
