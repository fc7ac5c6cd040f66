"""Short documents for scorer tests: the text is made to fit the mentions."""

from __future__ import annotations

from novelink import Document, Mention, Relation

SHORT = {
    "G": "GeneOrGeneProduct",
    "D": "DiseaseOrPhenotypicFeature",
    "C": "ChemicalEntity",
    "V": "SequenceVariant",
    "S": "OrganismTaxon",
    "L": "CellLine",
}


def document(doc_id, entities, relations=()):
    """``document("1", "g1:G d1,d2:D", [("g1", "d1", "Association", "Novel")])``.

    A mention is ``ids:type``, ids joined by commas; a relation may end with a
    score and a novelty score.
    """
    words, mentions = [], []
    position = 0
    for item in entities.split():
        ids, _, short = item.rpartition(":")
        word = ids.replace(",", "+")
        mentions.append(
            Mention(
                position, position + len(word), word, SHORT.get(short, short), tuple(ids.split(","))
            )
        )
        words.append(word)
        position += len(word) + 1
    return Document.from_text(
        doc_id, " ".join(words), mentions=mentions, relations=[Relation(*row) for row in relations]
    )
