"""The examples are whole documents without relations, and between them show every entity type."""

from __future__ import annotations

from pathlib import Path

import pytest

from novelink import read
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def documents():
    return [
        document
        for name in ("abstracts.pubtator", "abstracts.json")
        for document in read(EXAMPLES / name)
    ]


def test_every_example_has_pairs_to_judge_and_no_relations(documents):
    assert len({document.id for document in documents}) == len(documents) == 6
    for document in documents:
        assert not document.relations
        assert len(candidate_pairs(document)) >= 10


def test_the_examples_cover_every_entity_type_and_most_pair_types(documents):
    mentions = [mention for document in documents for mention in document.mentions]
    assert {mention.type for mention in mentions} == set(BIORED.entity_types)
    pair_types = {pair.pair_type for document in documents for pair in candidate_pairs(document)}
    assert len(pair_types) >= 7


def test_every_mention_of_an_example_has_an_id_and_stands_between_word_borders(documents):
    for document in documents:
        text = document.text
        for mention in document.mentions:
            assert mention.concept_ids
            around = text[max(0, mention.start - 1) : mention.end + 1]
            assert not around.replace(mention.text, "", 1).isalnum()
