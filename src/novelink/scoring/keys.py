"""Document → the keys that are compared: the BioRED track's rules in one place.

A relation's key holds both ids in alphabetical order and the entity type of
each, where an id's type is the type of its last mention. Compound ids stand for
every combination. What the track leaves out is left out here, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from novelink.pairs import expand_ids
from novelink.schema import BIORED, DISEASE, GENE, SPECIES, VARIANT, PairType, Schema, pair_type

if TYPE_CHECKING:
    from novelink.document import Document

NO_ID = "-"
"""Stands in a key for a relation's side that names no concept."""

UNKNOWN_TYPE = "?"
"""Entity type of an id that no mention carries."""

TRACK_DROPS: frozenset[PairType] = frozenset(
    {pair_type(DISEASE, DISEASE), pair_type(GENE, VARIANT), pair_type(GENE, SPECIES)}
)
"""Pair types that the BioRED track's scripts leave out on both sides; these and no others."""


class PairKey(NamedTuple):
    """Two ids in alphabetical order with their entity types."""

    id1: str
    id2: str
    type1: str
    type2: str

    @property
    def pair_type(self) -> PairType:
        """Both entity types in alphabetical order."""
        return pair_type(self.type1, self.type2)


class Statement(NamedTuple):
    """What one relation says about one pair."""

    pair: PairKey
    type: str
    novelty: str | None


def levels_of(schema: Schema) -> tuple[str, ...]:
    """Names of the levels at which a schema's relations are compared."""
    return ("pair", "type", "novelty", "all") if schema.has_novelty else ("pair", "type")


def level_key(statement: Statement, level: str) -> tuple[Any, ...]:
    """The part of a statement that counts at a level.

    ========  ====================================
    level     key
    ========  ====================================
    pair      both ids and entity types
    type      pair + relation type
    novelty   pair + Novel / No
    all       pair + relation type + Novel / No
    ========  ====================================

    The pair always comes first.
    """
    if level == "pair":
        return (statement.pair,)
    if level == "type":
        return (statement.pair, statement.type)
    if level == "novelty":
        return (statement.pair, statement.novelty)
    return statement


@dataclass(slots=True)
class DocumentKeys:
    """One document's relations as the scorer sees them.

    Attributes:
        statements: what the relations say → score and novelty score, the
            highest where several relations say the same.
        types: concept id → entity type of its last mention.
        names: concept id → text of its first mention.
        dropped: id pairs left out because of their entity types.
        without_mention: relations, as the file has them, that name an id which
            no mention carries, or no id at all.
        without_novelty: relations without Novel / No.
        outside: id pairs that no candidate pair covers, by reason.
        subjects: pair → the id that acts on the other, where a relation says so.
        text: the document's words, for telling whether two files hold the same
            text.
    """

    statements: dict[Statement, tuple[float | None, float | None]]
    types: dict[str, str]
    names: dict[str, str]
    dropped: int = 0
    without_mention: int = 0
    without_novelty: int = 0
    outside: dict[str, int] = field(default_factory=dict)
    subjects: dict[PairKey, str] = field(default_factory=dict)
    text: int = 0

    def at(self, level: str) -> set[tuple[Any, ...]]:
        """Keys at a level."""
        return {level_key(statement, level) for statement in self.statements}


def is_dropped(types: PairType, schema: Schema) -> bool:
    """Whether pairs of these entity types are left out on both sides.

    For BioRED these are the track's three (:data:`TRACK_DROPS`); any other pair
    that a system states, Chemical–Species say, is a false positive there and
    here. For another schema they are the pairs that it does not list.
    """
    return types in TRACK_DROPS if schema.name == BIORED.name else types not in schema.pairs


def entity_types(document: Document, schema: Schema) -> tuple[dict[str, str], dict[str, str]]:
    """What a document's mentions say of each concept id, compound ids taken apart.

    Returns:
        Id → entity type of its last mention; id → text of its first mention.
    """
    types: dict[str, str] = {}
    names: dict[str, str] = {}
    expanded: dict[tuple[str, ...], tuple[str, ...]] = {}  # the same ids come again and again
    for mention in document.mentions:
        ids = expanded.get(mention.concept_ids)
        if ids is None:
            ids = tuple(one for written in mention.concept_ids for one in expand_ids(written))
            expanded[mention.concept_ids] = ids
        entity_type = schema.entity_type(mention.type) or mention.type
        for concept_id in ids:
            types[concept_id] = entity_type
            names.setdefault(concept_id, mention.text)
    return types, names


def document_keys(document: Document, schema: Schema) -> DocumentKeys:
    """Apply the rules to one document.

    Args:
        document: gold or predicted.
        schema: entity types' aliases and the pair types that count.
    """
    types, names = entity_types(document, schema)
    keys = DocumentKeys({}, types, names, text=hash(tuple(document.text.split())))
    dropped: set[PairKey] = set()
    outside: dict[PairKey, str] = {}
    for relation in document.relations:
        ids1 = expand_ids(relation.id1) or (NO_ID,)
        ids2 = expand_ids(relation.id2) or (NO_ID,)
        keys.without_mention += any(concept_id not in types for concept_id in (*ids1, *ids2))
        keys.without_novelty += relation.novelty is None
        acting = expand_ids(relation.subject) if relation.subject else ()
        for pair in (_pair(id1, id2, types) for id1 in ids1 for id2 in ids2):
            reason = _outside_reason(pair, schema)
            if reason:
                outside[pair] = reason
            if UNKNOWN_TYPE not in pair.pair_type and is_dropped(pair.pair_type, schema):
                dropped.add(pair)
                continue
            statement = Statement(pair, relation.type, relation.novelty)
            said = (relation.score, relation.novelty_score)
            known = keys.statements.get(statement)
            keys.statements[statement] = said if known is None else _higher(known, said)
            named = {pair.id1, pair.id2}.intersection(acting)
            if len(named) == 1 and pair.id1 != pair.id2:
                keys.subjects.setdefault(pair, named.pop())
    keys.dropped = len(dropped)
    for reason in outside.values():
        keys.outside[reason] = keys.outside.get(reason, 0) + 1
    return keys


def _pair(id1: str, id2: str, types: dict[str, str]) -> PairKey:
    first, second = (id1, id2) if id1 <= id2 else (id2, id1)
    return PairKey(first, second, types.get(first, UNKNOWN_TYPE), types.get(second, UNKNOWN_TYPE))


def _outside_reason(pair: PairKey, schema: Schema) -> str | None:
    """Why no candidate pair covers this one, or None where one does."""
    if UNKNOWN_TYPE in pair.pair_type:
        return "no_mention"
    if pair.id1 == pair.id2:
        return "self"
    return None if pair.pair_type in schema.pairs else "pair_type"


def _higher(
    one: tuple[float | None, float | None], other: tuple[float | None, float | None]
) -> tuple[float | None, float | None]:
    return max(one, other, key=lambda scores: tuple(-1.0 if s is None else s for s in scores))


def combined_score(scores: tuple[float | None, float | None], level: str) -> float | None:
    """Probability that a statement is right at a level, 0–1; None without a score.

    The novelty levels take the product of the relation's score and, where it
    has one, its novelty score (the latter is conditional on the former).
    """
    score, novelty_score = scores
    if score is None or not isfinite(score):  # a NaN of some other tool cannot be ranked
        return None
    if novelty_score is None or level in {"pair", "type"}:
        return score
    return score * novelty_score
