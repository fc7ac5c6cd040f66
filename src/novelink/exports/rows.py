"""One relation with what a reader needs beside it: names, types, the sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.pairs import expand_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document, Entity, Relation


@dataclass(frozen=True, slots=True)
class End:
    """One side of a relation.

    Attributes:
        id: concept id as the relation has it.
        name: what the document calls it, see :func:`entity_name`; the id where
            the document does not mention it.
        type: entity type; empty where the document does not mention the id.
    """

    id: str
    name: str
    type: str


def entity_name(entity: Entity) -> str:
    """What a document calls an entity: its commonest form, of equals the longest, then the first.

    >>> from novelink.document import Entity, Mention
    >>> mentions = [Mention(0, 2, "HD", "Disease"), Mention(3, 13, "Huntington", "Disease")]
    >>> entity_name(Entity("D006816", "Disease", tuple(mentions)))
    'Huntington'
    """
    forms = Counter(" ".join(mention.text.split()) for mention in entity.mentions)
    return max(forms, key=lambda form: (forms[form], len(form)))


def relation_ends(document: Document) -> Iterator[tuple[Relation, End, End]]:
    """Each relation of a document with both of its ends named."""
    entities = document.entities()
    known: dict[str, End] = {}

    def end(concept_id: str) -> End:
        if concept_id not in known:
            entity = entities.get(concept_id)
            if entity is None:
                # A compound id ("3172,3651") is mentioned by its parts.
                parts = (entities.get(part) for part in expand_ids(concept_id))
                entity = next((part for part in parts if part is not None), None)
            known[concept_id] = (
                End(concept_id, concept_id, "")
                if entity is None
                else End(concept_id, entity_name(entity), entity.type)
            )
        return known[concept_id]

    for relation in document.relations:
        yield relation, end(relation.id1), end(relation.id2)


def arrow(relation: Relation) -> str:
    """An arrow from the entity that acts to the other one, as the two stand; empty if unknown.

    >>> from novelink.document import Relation
    >>> arrow(Relation("D000001", "672", "Bind", subject="672"))
    '←'
    """
    if relation.subject is None or relation.id1 == relation.id2:
        return ""
    return {relation.id1: "→", relation.id2: "←"}.get(relation.subject, "")


def evidence_text(document: Document, relation: Relation) -> list[str]:
    """The sentences a relation rests on, heaviest first, on one line each."""
    text = document.text
    return [" ".join(text[item.start : item.end].split()) for item in relation.evidence]
