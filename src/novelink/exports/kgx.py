"""Relations as a knowledge graph in KGX, by the Biolink model.

KGX (https://github.com/biolink/kgx) keeps nodes and edges in two files, TSV or
JSON lines. Names of classes, predicates and slots follow Biolink model 4;
``novelty`` and ``novelty_score`` are columns of our own, which KGX allows on
edges. Edges of one pair in several documents stay apart: each names its
publication.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import IO, TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from novelink.exports.identifiers import CATEGORIES, identify, identify_document
from novelink.exports.rows import evidence_text, relation_ends

if TYPE_CHECKING:
    from novelink.document import Document, Relation
    from novelink.exports.rows import End

PREDICATES = {
    "Association": "biolink:associated_with",
    "Positive_Correlation": "biolink:positively_correlated_with",
    "Negative_Correlation": "biolink:negatively_correlated_with",
    "Bind": "biolink:directly_physically_interacts_with",
    "Drug_Interaction": "biolink:interacts_with",
}
"""Relation type → predicate. Biolink has no counterpart of Conversion,
Cotreatment and Comparison (nor of other schemas' types): those become
``biolink:related_to``, with the type kept in ``original_predicate``. All of
these predicates are symmetric."""

NODE_COLUMNS = ("id", "category", "name")
EDGE_COLUMNS = (
    "id",
    "subject",
    "predicate",
    "object",
    "category",
    "publications",
    "primary_knowledge_source",
    "knowledge_level",
    "agent_type",
    "original_predicate",
    "has_confidence_score",
    "supporting_text",
    "novelty",
    "novelty_score",
)


class KgxWriter:
    """Writes the nodes and edges of documents.

    Edges stream; nodes are kept until the end, since a node's name is the text
    used most often over all documents.

    Args:
        nodes: text stream of the node file.
        edges: text stream of the edge file.
        lines: JSON lines in place of TSV.
    """

    def __init__(self, nodes: IO[str], edges: IO[str], *, lines: bool = False) -> None:
        self._nodes = nodes
        self._edges = edges
        self._lines = lines
        self._names: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._types: dict[str, str] = {}
        if not lines:
            nodes.write("\t".join(NODE_COLUMNS) + "\n")
            edges.write("\t".join(EDGE_COLUMNS) + "\n")

    def write(self, document: Document) -> None:
        """Add the relations of one document."""
        for relation, first, second in relation_ends(document):
            if relation.subject == second.id != first.id:
                first, second = second, first  # noqa: PLW2901 (the acting entity comes first)
            self._put(self._edges, EDGE_COLUMNS, self._edge(document, relation, first, second))

    def _edge(
        self, document: Document, relation: Relation, first: End, second: End
    ) -> dict[str, Any]:
        publication = identify_document(document.id)
        subject, target = self._node(first), self._node(second)
        key = f"{publication.curie}\t{subject}\t{relation.type}\t{target}"
        return {
            # The same relation of the same document keeps its id from one export to the next.
            "id": f"urn:uuid:{uuid5(NAMESPACE_URL, key)}",
            "subject": subject,
            "predicate": PREDICATES.get(relation.type, "biolink:related_to"),
            "object": target,
            "category": ["biolink:Association"],
            "publications": [publication.curie],
            "primary_knowledge_source": "infores:novelink",
            "knowledge_level": "not_provided",
            # Relations without a score came from people or an unknown tool.
            "agent_type": "not_provided" if relation.score is None else "text_mining_agent",
            "original_predicate": f"biored:{relation.type}",
            "has_confidence_score": relation.score,
            "supporting_text": evidence_text(document, relation),
            "novelty": relation.novelty,
            "novelty_score": relation.novelty_score,
        }

    def _node(self, end: End) -> str:
        curie = identify(end.type, end.id).curie
        self._names[curie][end.name] += 1
        self._types.setdefault(curie, end.type)
        return curie

    def _put(self, stream: IO[str], columns: tuple[str, ...], values: dict[str, Any]) -> None:
        if self._lines:
            kept = {name: value for name, value in values.items() if value not in (None, [], "")}
            stream.write(json.dumps(kept, ensure_ascii=False) + "\n")
        else:
            stream.write("\t".join(_cell(values.get(name)) for name in columns) + "\n")

    def close(self) -> None:
        """Write the nodes."""
        for curie, names in self._names.items():
            name = max(names, key=lambda text: names[text])
            category = CATEGORIES.get(self._types[curie], "biolink:NamedThing")
            values = {"id": curie, "category": [category], "name": name}
            self._put(self._nodes, NODE_COLUMNS, values)


def _cell(value: Any) -> str:
    """A TSV field; lists are joined by ``|``, which KGX reserves for that."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_cell(item).replace("|", "/") for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split())
