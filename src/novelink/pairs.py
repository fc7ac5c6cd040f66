"""Document → candidate pairs with gold labels: the one place that knows which pairs exist.

Training and prediction both take their pairs from here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink import limits
from novelink.errors import DataError
from novelink.schema import BIORED, NO_RELATION, PairType, Schema, pair_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from novelink.document import Document, Entity, Relation


@dataclass(frozen=True, slots=True)
class Pair:
    """An unordered pair of entities of one document.

    Attributes:
        first: the entity with the earlier first mention.
        second: the other.
        pair_type: their entity types, in alphabetical order.
        relation: gold relation type, or :data:`~novelink.schema.NO_RELATION`.
        novelty: gold ``"Novel"`` / ``"No"``; None for unrelated pairs and where
            the source has none.
        subject: gold id of the entity that acts on the other; None for unrelated
            pairs and where the source names none.
    """

    first: Entity
    second: Entity
    pair_type: PairType
    relation: str = NO_RELATION
    novelty: str | None = None
    subject: str | None = None

    @property
    def ids(self) -> tuple[str, str]:
        """Both concept ids, first mention first."""
        return self.first.id, self.second.id


def expand_ids(identifier: str) -> tuple[str, ...]:
    """Concept ids of a compound id.

    ``,`` separates in BioRED, ``;`` in PubTator; ``X@Y`` keeps Y; blanks around
    ids go; ``-`` and nothing mean no id. ``|`` is part of variant ids and of
    composite diseases, so it does not separate.

    >>> expand_ids("3172,3651")
    ('3172', '3651')
    >>> expand_ids(" CVCL_1452")
    ('CVCL_1452',)
    >>> expand_ids("-")
    ()
    """
    parts = identifier.replace(";", ",").split(",")
    kept = (part.rpartition("@")[2].strip() for part in parts)
    return tuple(part for part in kept if part and part != "-")


def relation_keys(relation: Relation) -> Iterator[tuple[str, str]]:
    """Unordered id pairs that a relation states, compound ids expanded."""
    for id1 in expand_ids(relation.id1):
        for id2 in expand_ids(relation.id2):
            yield (id1, id2) if id1 <= id2 else (id2, id1)


def candidate_pairs(document: Document, schema: Schema = BIORED) -> list[Pair]:
    """All legal pairs of a document, with gold labels where it has relations.

    Args:
        document: mentions with concept ids; relations are the gold.
        schema: says which pair types are legal.

    Returns:
        Pairs in order of first mention, so that the same document always gives
        the same list. An entity is never paired with itself. Where the gold
        states several relations for one pair, the first counts.

    Raises:
        DataError: there are more than :data:`novelink.limits.CANDIDATE_PAIRS`.
    """
    entities = list(document.entities().values())
    _check_count(document.id, _count(entities, schema))
    gold: dict[tuple[str, str], Relation] = {}
    for relation in document.relations:
        for key in relation_keys(relation):
            gold.setdefault(key, relation)
    pairs = []
    for first, second in _legal(entities, schema):
        types = pair_type(first.type, second.type)
        key = (first.id, second.id) if first.id <= second.id else (second.id, first.id)
        found = gold.get(key)
        if found is None:
            pairs.append(Pair(first, second, types))
        else:
            subject = _subject(found, (first.id, second.id))
            pairs.append(Pair(first, second, types, found.type, found.novelty, subject))
    return pairs


def _subject(relation: Relation, ids: tuple[str, str]) -> str | None:
    """The one of two ids that a relation's subject names, compound ids expanded."""
    acting = expand_ids(relation.subject) if relation.subject else ()
    named = [concept_id for concept_id in ids if concept_id in acting]
    return named[0] if len(named) == 1 else None


def count_pairs(document: Document, schema: Schema = BIORED) -> int:
    """How many candidate pairs a document has, without making them."""
    return _count(document.entities().values(), schema)


def check_pair_count(document: Document, schema: Schema = BIORED) -> None:
    """Whether a document's pairs can all be asked about, told without making them.

    Raises:
        DataError: there are more than :data:`novelink.limits.CANDIDATE_PAIRS`.
    """
    _check_count(document.id, count_pairs(document, schema))


def _check_count(name: str, count: int) -> None:
    if count > limits.CANDIDATE_PAIRS:
        raise DataError(
            f"document {name} has {count:,} pairs of entities that could be related, and "
            f"{limits.CANDIDATE_PAIRS:,} is the most",
            remedy="Split the document, or mark fewer entities in it",
        )


def _count(entities: Iterable[Entity], schema: Schema) -> int:
    counts = Counter(entity.type for entity in entities)
    return sum(
        counts[one] * (counts[one] - 1) // 2 if one == other else counts[one] * counts[other]
        for one, other in schema.pairs
    )


def _legal(entities: Sequence[Entity], schema: Schema) -> Iterator[tuple[Entity, Entity]]:
    """Pairs whose types may be related, in order; the others cost nothing, however many."""
    places: dict[str, list[int]] = {}
    for index, entity in enumerate(entities):
        places.setdefault(entity.type, []).append(index)
    partners: dict[str, set[str]] = {}
    for one, other in schema.pairs:
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    for index, first in enumerate(entities):
        later = [
            place
            for kind in partners.get(first.type, ())
            for found in [places.get(kind, [])]
            for place in found[bisect_right(found, index) :]
        ]
        for place in sorted(later):
            yield first, entities[place]


def gold_outside_candidates(document: Document, schema: Schema = BIORED) -> int:
    """How many relations of a document no candidate pair covers.

    Self-relations, pairs of illegal types, and ids without a mention.
    """
    covered = {tuple(sorted(pair.ids)) for pair in candidate_pairs(document, schema)}
    keys = {key for relation in document.relations for key in relation_keys(relation)}
    return len(keys - covered)
