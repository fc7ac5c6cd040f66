"""Documents as the data of the page: compact, with positions as browsers count them.

The layout is internal to one version of the package: ``assets/model.js`` reads
it and nothing else should.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from novelink import __version__
from novelink.document import NOT_NOVEL, NOVEL
from novelink.exports.identifiers import identify, identify_document
from novelink.pairs import expand_ids
from novelink.schema import BIORED, short_name
from novelink.sentences import document_sentences
from novelink.view.colours import colour_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from novelink.document import Document, Mention, Relation
    from novelink.schema import Schema

NOVELTY_CODES = {None: 0, NOT_NOVEL: 1, NOVEL: 2}


class BrowserPositions:
    """Positions in UTF-16 units, which JavaScript counts, from characters.

    Args:
        text: whose positions to convert. Characters beyond the Basic
            Multilingual Plane (emoji, some mathematical letters) count twice.
    """

    def __init__(self, text: str) -> None:
        self._wide = [] if text.isascii() else [i for i, c in enumerate(text) if c > "\uffff"]

    def __call__(self, position: int) -> int:
        """The position in UTF-16 units."""
        return position + bisect_left(self._wide, position) if self._wide else position


class PageData:
    """Collects documents for one page.

    Args:
        schema: vocabulary; types that documents hold beyond it are added.
    """

    def __init__(self, schema: Schema = BIORED) -> None:
        self.schema = schema
        self._entity_types = {name: index for index, name in enumerate(schema.entity_types)}
        self._relation_types = {name: index for index, name in enumerate(schema.relation_types)}
        self._entities: dict[tuple[str, int], int] = {}
        self.documents: list[dict[str, Any]] = []

    def add(self, document: Document) -> None:
        """Take in one document."""
        place = BrowserPositions(document.text)
        local = {
            concept_id: self._entity(concept_id, entity.type)
            for concept_id, entity in document.entities().items()
        }
        compound = self._compound_ids(document, local)
        found = identify_document(document.id)
        self.documents.append(
            {
                "id": document.id,
                "url": found.url,
                "db": found.database,
                "passages": [
                    [place(passage.offset), passage.type, passage.text]
                    for passage in document.passages
                ],
                "mentions": [
                    self._mention(mention, place, local, compound) for mention in document.mentions
                ],
                # For relations without evidence: which sentences name both entities.
                "sentences": [
                    [place(start), place(end)] for start, end in document_sentences(document)
                ],
                "relations": [
                    self._relation(relation, place, local) for relation in document.relations
                ],
            }
        )

    def _type(self, entity_type: str) -> int:
        return self._entity_types.setdefault(entity_type, len(self._entity_types))

    def _entity(self, concept_id: str, entity_type: str) -> int:
        key = (concept_id, self._type(entity_type) if entity_type else -1)
        return self._entities.setdefault(key, len(self._entities))

    def _compound_ids(self, document: Document, local: dict[str, int]) -> dict[str, list[int]]:
        """Part of a compound relation id → its entities; ``local`` learns the compounds.

        A relation may name ``3172,3651`` where mentions carry ``3172`` and ``3651``.
        """
        parts_of: dict[str, list[int]] = {}
        entities = document.entities()
        for relation in document.relations:
            for concept_id in (relation.id1, relation.id2):
                if concept_id in local:
                    continue
                parts = [part for part in expand_ids(concept_id) if part in entities]
                index = self._entity(concept_id, entities[parts[0]].type if parts else "")
                local[concept_id] = index
                for part in parts:
                    parts_of.setdefault(part, []).append(index)
        return parts_of

    def _mention(
        self,
        mention: Mention,
        place: BrowserPositions,
        local: Mapping[str, int],
        compound: Mapping[str, list[int]],
    ) -> list[Any]:
        ids = list(dict.fromkeys(mention.concept_ids))
        entities = [local[concept_id] for concept_id in ids]
        entities += [index for concept_id in ids for index in compound.get(concept_id, ())]
        row: list[Any] = [
            place(mention.start),
            place(mention.end),
            self._type(mention.type),
            entities,
        ]
        if mention.spans:
            row.append([[place(start), place(end)] for start, end in mention.spans])
        return row

    def _relation(
        self, relation: Relation, place: BrowserPositions, local: Mapping[str, int]
    ) -> list[Any]:
        return [
            local[relation.id1],
            local[relation.id2],
            self._relation_types.setdefault(relation.type, len(self._relation_types)),
            NOVELTY_CODES.get(relation.novelty, 0),
            _rounded(relation.score),
            _rounded(relation.novelty_score),
            -1 if relation.subject is None else local.get(relation.subject, -1),
            [
                [place(item.start), place(item.end), _rounded(item.weight)]
                for item in relation.evidence
            ],
        ]

    def finish(self, *, title: str, decisions: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The page's data as JSON values.

        Args:
            title: heading of the page.
            decisions: what people decided already (:mod:`novelink.curation`).
        """
        types = tuple(self._entity_types)
        entities = []
        for concept_id, type_index in self._entities:
            found = identify(types[type_index] if type_index >= 0 else "", concept_id)
            entities.append([concept_id, type_index, found.url, found.database])
        letters = _letters(types)
        digest = hashlib.sha256(json.dumps(self.documents).encode()).hexdigest()
        return {
            "generator": f"NoveLink {__version__}",
            "title": title,
            # Decisions of this page are kept in the browser under this key.
            "key": digest[:16],
            "schema": {
                "name": self.schema.name,
                "novelty": self.schema.has_novelty,
                "entityTypes": [
                    [name, short_name(name), letters[name], colour_index(name, types)]
                    for name in types
                ],
                "relationTypes": list(self._relation_types),
                "pairs": [
                    [
                        *(self._entity_types[name] for name in pair),
                        [self._relation_types[name] for name in relations],
                    ]
                    for pair, relations in self.schema.pairs.items()
                ],
            },
            "entities": entities,
            "documents": self.documents,
            "decisions": list(decisions),
        }


def page_data(
    documents: Iterable[Document],
    *,
    title: str = "NoveLink",
    schema: Schema = BIORED,
    decisions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The page's data for these documents.

    Args:
        documents: with or without relations.
        title: heading of the page.
        schema: vocabulary; says which relation types a pair takes.
        decisions: records of :func:`novelink.curation.to_records`.
    """
    data = PageData(schema)
    for document in documents:
        data.add(document)
    return data.finish(title=title, decisions=decisions)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _letters(types: Sequence[str]) -> dict[str, str]:
    """A letter for each type, so that colour alone never carries meaning."""
    letters: dict[str, str] = {}
    for name in types:
        wanted = "L" if short_name(name) == "Cell line" else short_name(name)[:1].upper()
        if wanted in letters.values():
            wanted = short_name(name)[:2].capitalize()
        letters[name] = wanted
    return letters
