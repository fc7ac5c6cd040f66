"""Relations in BioC: the infons of BioRED and of PubTator 3, and nodes.

=================  ===========================================================
who writes         form
=================  ===========================================================
BioRED, NoveLink   infons ``entity1``, ``entity2``, ``type``, ``novel``; here
                   also ``score``, ``novelty_score``, ``subject``, ``evidence``
PubTator 3         infons ``role1``, ``role2`` (objects with ``identifier``, or
                   ``Type|id``), ``type``, ``score``
BC5CDR             infons ``relation`` and two named by entity types
BioC's own         two nodes ``refid``, ``role`` that point at annotations
=================  ===========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from novelink.document import Evidence, Relation
from novelink.formats.identifiers import default_id, normal_form, read_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novelink.formats.intake import Intake

_KNOWN = "entity1 and entity2, role1 and role2, or two nodes"


def parse_relation(
    raw: dict[str, Any],
    ids_of: Mapping[str, str | None],
    line: int | None,
    intake: Intake,
) -> Relation | None:
    """One BioC relation.

    Args:
        raw: ``{"id", "infons", "nodes"}``.
        ids_of: annotation id → its concept ids joined by ``,``; None where its
            type is left out.
        line: line of the document.
        intake: types, faults, counts.

    Returns:
        The relation; None, counted, where its mentions have no concept ids.

    Raises:
        DataError: type or values are unknown, or the two entities are not there.
    """
    infons = {key: value for key, value in (raw.get("infons") or {}).items() if value is not None}
    name = infons.get("type", infons.get("relation"))
    if name is None:
        raise intake.fault(
            f"relation {raw.get('id')} without a type", line=line, remedy='Give it an infon "type"'
        )
    pair = _pair(raw, infons, ids_of, line, intake)
    if pair is None:
        return None
    if not pair[0] or not pair[1]:
        raise intake.fault(
            f"relation {raw.get('id')} with an empty id", line=line, remedy=f"Give it {_KNOWN}"
        )
    score = infons.get("score")
    novelty_score = infons.get("novelty_score")
    subject = infons.get("subject")
    return Relation(
        pair[0],
        pair[1],
        intake.relation_type(str(name), line),
        intake.novelty(str(infons.get("novel", infons.get("novelty", "")) or ""), line),
        None if score is None or score == "" else intake.probability(str(score), "score", line),
        None
        if novelty_score is None
        else intake.probability(str(novelty_score), "novelty score", line),
        None if not subject else normal_form(str(subject)),
        _evidence(str(infons.get("evidence") or ""), line, intake),
    )


def _pair(
    raw: dict[str, Any],
    infons: dict[str, Any],
    ids_of: Mapping[str, str | None],
    line: int | None,
    intake: Intake,
) -> tuple[str, str] | None:
    if "entity1" in infons and "entity2" in infons:
        return normal_form(str(infons["entity1"])), normal_form(str(infons["entity2"]))
    if "role1" in infons and "role2" in infons:
        return _role(infons["role1"], intake), _role(infons["role2"], intake)
    nodes = raw.get("nodes") or ()
    if len(nodes) == 2:
        return _node_pair(nodes, ids_of, line, intake)
    named = [
        value
        for key, value in infons.items()
        if key in intake.schema.entity_types or key in intake.schema.aliases
    ]
    if len(named) == 2:
        return normal_form(str(named[0])), normal_form(str(named[1]))
    if len(nodes) > 2:
        intake.report.notes["relations of more than two nodes left out"] += 1
        return None
    raise intake.fault(
        f"relation {raw.get('id')} does not name two entities",
        line=line,
        remedy=f"Give it {_KNOWN}",
    )


def _role(role: Any, intake: Intake) -> str:
    """An entity as PubTator 3 names it: an object, or ``Type|id``."""
    if isinstance(role, dict):
        for key in ("identifier", "normalized_id", "id"):
            if role.get(key) is not None and role[key] != "":
                # The identifier of a variant is a whole record; entities are single here.
                return default_id(read_ids(str(role[key]))[0])
        raise ValueError("a role without an identifier")
    text = str(role)
    kind, bar, rest = text.partition("|")
    schema = intake.schema
    if bar and (schema.entity_type(kind) is not None or kind in schema.ignored_types):
        text = rest
    return normal_form(text)


def _node_pair(
    nodes: Any, ids_of: Mapping[str, str | None], line: int | None, intake: Intake
) -> tuple[str, str] | None:
    found = []
    for node in nodes:
        refid = str(node["refid"])
        if refid not in ids_of:
            raise intake.fault(
                f"relation node '{refid}' points at no annotation of its document",
                line=line,
                remedy="Correct its refid",
            )
        found.append(ids_of[refid])
    if not found[0] or not found[1]:
        intake.report.notes["relations of mentions without a concept id left out"] += 1
        return None
    return found[0], found[1]


def _evidence(text: str, line: int | None, intake: Intake) -> tuple[Evidence, ...]:
    parts = []
    for item in text.split():
        span, _, weight = item.partition(":")
        start, _, end = span.partition("-")
        if not (start.isdecimal() and end.isdecimal()):
            raise intake.fault(
                f"evidence '{item}' is not start-end:weight",
                line=line,
                remedy="Write such as 120-214:0.83, several separated by blanks",
            )
        weight_value = intake.probability(weight, "evidence weight", line)
        parts.append(Evidence(int(start), int(end), weight_value))
    return tuple(parts)


def relation_infons(relation: Relation) -> list[tuple[str, str]]:
    """A relation's infons, as :func:`parse_relation` reads them back."""
    infons = [("entity1", relation.id1), ("entity2", relation.id2), ("type", relation.type)]
    if relation.novelty is not None:
        infons.append(("novel", relation.novelty))
    if relation.score is not None:
        infons.append(("score", repr(float(relation.score))))
    if relation.novelty_score is not None:
        infons.append(("novelty_score", repr(float(relation.novelty_score))))
    if relation.subject is not None:
        infons.append(("subject", relation.subject))
    if relation.evidence:
        spans = (f"{part.start}-{part.end}:{float(part.weight)!r}" for part in relation.evidence)
        infons.append(("evidence", " ".join(spans)))
    return infons
