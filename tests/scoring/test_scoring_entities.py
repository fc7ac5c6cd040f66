"""Subtask 2: recognition and normalisation, scored apart from relations."""

from __future__ import annotations

from scoring_documents import document

from novelink import score


def entities(gold, predicted):
    return score(gold, predicted, end_to_end=True, resamples=0).entities


def triple(counts):
    return counts.tp, counts.fp, counts.fn


def test_recognition_wants_the_span_and_the_type_and_not_the_id():
    gold = [document("1", "ab:G cd:D ef:C")]
    found = [document("1", "zz:G cd:C efg:C")]
    result = entities(gold, found)
    assert triple(result.overall["recognition"]) == (1, 2, 2)
    assert triple(result.by_type["GeneOrGeneProduct"]["recognition"]) == (1, 0, 0)
    assert triple(result.by_type["DiseaseOrPhenotypicFeature"]["recognition"]) == (0, 0, 1)
    assert triple(result.by_type["ChemicalEntity"]["recognition"]) == (0, 2, 1)


def test_normalisation_compares_ids_per_document_whatever_their_place():
    gold = [document("1", "a:G b:D a:G"), document("2", "c:C")]
    found = [document("1", "c:C b:D a:G"), document("2", "a:G")]
    assert triple(entities(gold, found).overall["normalisation"]) == (2, 2, 1)


def test_a_mention_without_an_id_counts_for_recognition_only():
    gold = [document("1", "-:G")]
    result = entities(gold, gold)
    assert triple(result.overall["recognition"]) == (1, 0, 0)
    assert triple(result.overall["normalisation"]) == (0, 0, 0)


def test_entities_of_a_missing_document_are_missed():
    gold = [document("1", "a:G b:D")]
    assert triple(entities(gold, []).overall["recognition"]) == (0, 0, 2)
    compat = score(gold, [], end_to_end=True, compat=True, resamples=0).entities
    assert triple(compat.overall["recognition"]) == (0, 0, 0)


def test_entities_are_scored_only_when_asked_for():
    gold = [document("1", "a:G")]
    assert score(gold, gold).entities is None
    assert score(gold, gold).to_dict()["entities"] is None
    data = score(gold, gold, end_to_end=True).to_dict()["entities"]
    assert data["recognition"]["f1"] == data["normalisation"]["f1"] == 1.0
    assert data["by_entity_type"]["GeneOrGeneProduct"]["recognition"]["tp"] == 1


def test_relations_that_the_predicted_entities_cannot_reach_are_counted():
    rows = [("a", "b", "Bind", "No"), ("a", "c", "Bind", "No"), ("a", "a", "Bind", "No")]
    gold = [document("1", "a:G b:D c:D", rows)]
    found = [document("1", "a:G b:D c:C")]
    assert score(gold, found).to_dict()["gold_unreachable"] == 1
    assert score(gold, gold).unreachable == 0
    assert score(gold, []).unreachable == 2
