"""Documents with one relation of every kind that exports treat in its own way."""

from __future__ import annotations

import pytest

from novelink.document import Document, Evidence, Mention, Relation
from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT

ENTITIES = {
    "ORFX1": (GENE, "9901"),
    "ORFX2": (GENE, "9902"),
    "zelamine": (CHEMICAL, "D990002"),
    "bexin": (CHEMICAL, "C990003"),
    "gutter disease": (DISEASE, "D990001"),
    "odd fever": (DISEASE, "OMIM:999001"),
    "V600E": (VARIANT, "rs113488022"),
    "c.17A>G": (VARIANT, "c|SUB|A|17|G"),
    "mice": (SPECIES, "10090"),
    "QLM-2": (CELL_LINE, "CVCL_9Z99"),
}


def build(doc_id, relations, extra=""):
    title = "Tab\tand | bar" + extra
    abstract = ", ".join(ENTITIES) + ' met "here".'
    text = f"{title} {abstract}"
    mentions = []
    for words, (kind, concept) in ENTITIES.items():
        start = text.index(words)
        mentions.append(Mention(start, start + len(words), words, kind, (concept,)))
    evidence = (Evidence(len(title) + 1, len(text), 0.9), Evidence(0, len(title), 0.1))
    related = [
        Relation(one, two, kind, novelty, score, 0.75, subject, evidence if number == 0 else ())
        for number, (one, two, kind, novelty, score, subject) in enumerate(relations)
    ]
    return Document.from_text(doc_id, title, abstract, mentions=mentions, relations=related)


@pytest.fixture(scope="session")
def related():
    first = build(
        "24259561",
        [
            ("9901", "D990002", "Negative_Correlation", "Novel", 0.9, None),
            ("9901", "9902", "Bind", "No", 0.8, None),
            ("9902", "9901", "Positive_Correlation", "Novel", 0.7, None),
            ("9901", "9902", "Positive_Correlation", "Novel", 0.7, "9901"),
            ("D990002", "C990003", "Cotreatment", "Novel", 0.6, None),
            ("D990002", "C990003", "Drug_Interaction", "Novel", 0.5, None),
            ("C990003", "D990002", "Conversion", None, 0.4, "D990002"),
            ("C990003", "D990002", "Comparison", None, 0.4, None),
            ("rs113488022", "OMIM:999001", "Positive_Correlation", "Novel", 0.3, None),
            ("c|SUB|A|17|G", "D990001", "Association", "Novel", 0.3, None),
        ],
    )
    second = build("PMC77", [("9901", "D990001", "Association", "No", None, None)], " again")
    third = build("mine/1", [("9902", "GONE", "Bind", None, None, None)])
    return [first, second, third]
