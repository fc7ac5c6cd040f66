"""The track's rules once more, in plain loops and without the package's own functions.

Slow and simple on purpose: the scorer is compared with it on random documents.
"""

from __future__ import annotations

DROPPED = [
    ("DiseaseOrPhenotypicFeature", "DiseaseOrPhenotypicFeature"),
    ("GeneOrGeneProduct", "SequenceVariant"),
    ("SequenceVariant", "GeneOrGeneProduct"),
    ("GeneOrGeneProduct", "OrganismTaxon"),
    ("OrganismTaxon", "GeneOrGeneProduct"),
]


def split(identifier):
    ids = []
    for comma_part in identifier.split(","):
        for part in comma_part.split(";"):
            name = part
            while "@" in name:
                name = name[name.index("@") + 1 :]
            name = name.strip()
            if name not in {"", "-"}:
                ids.append(name)
    return ids or ["-"]


def rows(document):
    """Every (id, id, type, type, relation, novelty) that a document states, as a list."""
    types = {}
    for mention in document.mentions:
        for identifier in mention.concept_ids:
            for name in split(identifier):
                if name != "-":
                    types[name] = mention.type
    found = []
    for relation in document.relations:
        for one in split(relation.id1):
            for other in split(relation.id2):
                ids = [one, other]
                ids.sort()
                kinds = [types.get(ids[0]), types.get(ids[1])]
                if (kinds[0], kinds[1]) in DROPPED:
                    continue
                found.append((*ids, *kinds, relation.type, relation.novelty))
    return found


COLUMNS = {
    "pair": (0, 1, 2, 3),
    "type": (0, 1, 2, 3, 4),
    "novelty": (0, 1, 2, 3, 5),
    "all": (0, 1, 2, 3, 4, 5),
}


def counts(gold, predicted, level, *, compat=False):
    """[tp, fp, fn] by comparing every key with every other."""
    total = [0, 0, 0]
    ids = []
    for document in gold + predicted:
        if document.id not in ids:
            ids.append(document.id)
    for doc_id in ids:
        ours = keys_of(gold, doc_id, level)
        theirs = keys_of(predicted, doc_id, level)
        if compat and theirs is None:
            continue
        for key in ours or []:
            total[0 if key in (theirs or []) else 2] += 1
        for key in theirs or []:
            if key not in (ours or []):
                total[1] += 1
    return total


def keys_of(side, doc_id, level):
    """Distinct keys of one document, or None where the side lacks it."""
    keys = None
    for document in side:
        if document.id == doc_id:
            keys = []
            for row in rows(document):
                key = [row[column] for column in COLUMNS[level]]
                if key not in keys:
                    keys.append(key)
    return keys
