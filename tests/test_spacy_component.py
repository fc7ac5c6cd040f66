"""The spaCy component, in a pipeline whose entities come from rules."""

from __future__ import annotations

import pytest

spacy = pytest.importorskip("spacy", reason="spaCy is not installed")

from novelink.extractor import Extractor  # noqa: E402 (spaCy decides whether there is anything to test)


@pytest.fixture
def nlp(tiny_bundle):
    from novelink import spacy_component  # noqa: F401 (registers the factory where not installed)

    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "Gene", "pattern": "ORFX1", "id": "9901"},
            {"label": "ILLNESS", "pattern": "fever"},
            {"label": "PLACE", "pattern": "Oslo"},
        ]
    )
    pipeline.add_pipe(
        "novelink",
        config={"model": str(tiny_bundle), "labels": {"ILLNESS": "Disease"}, "min_score": 0.0},
    )
    return pipeline


def test_entities_of_a_pipeline_get_relations_as_extract_gives_them(nlp, tiny_bundle):
    doc = nlp("In Oslo ORFX1 raises fever. Fever and fever are one.")
    document = doc._.novelink
    assert [(m.text, m.type, m.concept_ids) for m in document.mentions] == [
        ("ORFX1", "GeneOrGeneProduct", ("9901",)),
        ("fever", "DiseaseOrPhenotypicFeature", ("fever",)),
        ("fever", "DiseaseOrPhenotypicFeature", ("fever",)),
    ]
    extractor = Extractor.load(tiny_bundle, threads=1)
    (expected,) = extractor.extract([document], min_score=0.0)
    assert doc._.relations == list(expected.relations) != []
    assert nlp.get_pipe("novelink").ignored == {"PLACE": 1}


def test_many_documents_give_what_each_gives_alone(nlp):
    texts = [f"ORFX1 raises fever {number}." for number in range(70)] + ["Nothing here."]
    together = [doc._.relations for doc in nlp.pipe(texts)]
    assert together == [nlp(text)._.relations for text in texts]
    assert together[-1] == []
