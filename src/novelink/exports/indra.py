"""Relations as INDRA statements (https://indra.readthedocs.io, "JSON" format).

Which relation becomes what:

========================  ======================================================
Bind                      Complex
Positive_Correlation      Activation of the object by the subject
Negative_Correlation      Inhibition of the object by the subject
Conversion                Conversion, where the subject is stated
other types               none: INDRA has no statement of two agents that are
                          only associated; they are counted as left out
========================  ======================================================

Activation and Inhibition are directed. The subject is the stated one, else the
usual one of the pair's types (a chemical or a variant acts on a gene or
disease, a gene on a disease); the statement's annotations say which of the two
it was. Pairs of equal types without a stated subject are left out.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from novelink.exports.identifiers import LOCAL_PREFIX, identify, identify_document
from novelink.exports.rows import evidence_text, relation_ends
from novelink.formats.writer import Writer
from novelink.schema import CHEMICAL, DISEASE, GENE, VARIANT

if TYPE_CHECKING:
    from novelink.document import Document, Relation
    from novelink.exports.rows import End

NAMESPACES = {
    "NCBIGene": "EGID",
    "MESH": "MESH",
    "DBSNP": "DBSNP",
    "NCBITaxon": "TAXONOMY",
    "cellosaurus": "CVCL",
    "OMIM": "OMIM",
    "CHEBI": "CHEBI",
}
"""CURIE prefix → key of an INDRA agent's ``db_refs``."""

# Who acts on whom where the source does not say: the lower number acts.
_ORDER = {CHEMICAL: 0, VARIANT: 1, GENE: 2, DISEASE: 3}
_DIRECTED = {"Positive_Correlation": "Activation", "Negative_Correlation": "Inhibition"}


def statement(
    document: Document, relation: Relation, first: End, second: End
) -> dict[str, Any] | None:
    """The statement of a relation, None where no type maps.

    Args:
        document: gives the evidence its text.
        relation: one of the document's.
        first: what its ``id1`` names.
        second: what its ``id2`` names.
    """
    directed = _direct(relation, first, second)
    if relation.type == "Bind":
        core: dict[str, Any] = {
            "type": "Complex",
            "members": [_agent(first), _agent(second)],
        }
        direction = "none"
    elif directed is None:
        return None
    else:
        subject, target, direction = directed
        if relation.type in _DIRECTED:
            core = {
                "type": _DIRECTED[relation.type],
                "subj": _agent(subject),
                "obj": _agent(target),
                "obj_activity": "activity",
            }
        elif relation.type == "Conversion" and direction == "stated":
            core = {
                "type": "Conversion",
                "obj_from": [_agent(subject)],
                "obj_to": [_agent(target)],
            }
        else:
            return None
    key = f"{document.id}\t{first.id}\t{relation.type}\t{second.id}"
    return {
        **core,
        "belief": 1.0 if relation.score is None else round(relation.score, 6),
        "evidence": _evidence(document, relation, direction),
        "id": str(uuid5(NAMESPACE_URL, key)),
    }


def _direct(relation: Relation, first: End, second: End) -> tuple[End, End, str] | None:
    if relation.subject == first.id:
        return first, second, "stated"
    if relation.subject == second.id:
        return second, first, "stated"
    ranks = _ORDER.get(first.type), _ORDER.get(second.type)
    if None in ranks or ranks[0] == ranks[1]:
        return None
    by_type = sorted((first, second), key=lambda end: _ORDER[end.type])
    return by_type[0], by_type[1], "by entity types"


def _agent(end: End) -> dict[str, Any]:
    found = identify(end.type, end.id)
    references = {"TEXT": end.name}
    if found.prefix != LOCAL_PREFIX:
        local = f"CHEBI:{found.local}" if found.prefix == "CHEBI" else found.local
        references[NAMESPACES[found.prefix]] = local
    return {"name": end.name, "db_refs": references}


def _evidence(document: Document, relation: Relation, direction: str) -> list[dict[str, Any]]:
    shared: dict[str, Any] = {"source_api": "novelink"}
    publication = identify_document(document.id)
    if publication.prefix == "PMID":
        shared["pmid"] = publication.local
    else:
        shared["source_id"] = document.id
    annotations = {
        "relation": relation.type,
        "direction": direction,
        "novelty": relation.novelty,
        "novelty_score": relation.novelty_score,
        "score": relation.score,
    }
    shared["annotations"] = {key: value for key, value in annotations.items() if value is not None}
    # No entry says that the contact is direct: correlations in an abstract rarely are.
    shared["epistemics"] = {"direct": relation.type == "Bind"}
    sentences = evidence_text(document, relation)
    return [{**shared, "text": sentence} for sentence in sentences] or [shared]


class IndraWriter(Writer):
    """Writes one JSON array of statements, one a line.

    Relations that no statement stands for are counted in
    :attr:`~novelink.formats.writer.Writer.report`.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        super().__init__(stream, name)
        self._before = "[\n"

    def write(self, document: Document) -> None:
        """Add the relations of one document."""
        seen: set[str] = set()
        for relation, first, second in relation_ends(document):
            found = statement(document, relation, first, second)
            if found is None:
                self.lose(f"{relation.type} relations without an INDRA statement or a direction")
                continue
            if found["id"] in seen:
                self.lose("repeated relations of one document")
                continue
            seen.add(found["id"])
            text = self._before + json.dumps(found, ensure_ascii=False)
            self.stream.write(text.encode("utf-8"))
            self._before = ",\n"
        self.report.documents += 1

    def finish(self) -> None:
        """End the array."""
        self.stream.write(b"[]\n" if self._before == "[\n" else b"\n]\n")
