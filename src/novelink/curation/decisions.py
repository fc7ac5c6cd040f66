"""Decisions, in memory and as files.

.. code-block:: json

    {"format": "novelink-decisions", "version": 1, "decisions": [
      {"document": "101", "id1": "9901", "id2": "D990001",
       "predicted": "Association", "predicted_novelty": "Novel", "score": 0.81,
       "action": "correct", "type": "Positive_Correlation", "novelty": "Novel",
       "curator": "Ada", "time": "2026-01-31T12:00:00Z"}]}

``predicted`` names the relation decided on (two relations of one pair can have
different types); it is null for an added one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.document import NOT_NOVEL, NOVEL
from novelink.errors import DataError
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from novelink.schema import Schema

FORMAT = "novelink-decisions"
VERSION = 1
ACTIONS = ("accept", "reject", "correct", "add")

Key = tuple[str, str, str, str]
"""Document, both ids in order, predicted type (empty for an added relation)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on one relation.

    Attributes:
        document: its document's id.
        id1: one concept id.
        id2: the other; their order carries no meaning.
        action: one of :data:`ACTIONS`.
        predicted: type of the relation decided on; None for an added one.
        type: what is right, for ``correct`` and ``add``.
        novelty: what is right, for ``correct`` and ``add``; None where the
            corpus has no novelty.
        predicted_novelty: what was read.
        score: of the relation decided on.
        curator: who decided.
        time: when, ISO 8601 in UTC.
    """

    document: str
    id1: str
    id2: str
    action: str
    predicted: str | None = None
    type: str | None = None
    novelty: str | None = None
    predicted_novelty: str | None = None
    score: float | None = None
    curator: str | None = None
    time: str | None = None

    @property
    def key(self) -> Key:
        """Which relation it is about."""
        return relation_key(self.document, self.id1, self.id2, self.predicted)


def relation_key(document: str, id1: str, id2: str, predicted: str | None) -> Key:
    """What identifies a relation for decisions.

    Args:
        document: its document's id.
        id1: one concept id.
        id2: the other; the order does not matter.
        predicted: type that was read; None for one that was missed.
    """
    first, second = sorted((id1, id2))
    return document, first, second, predicted or ""


_FIELDS = {item.name for item in fields(Decision)}


def from_record(record: Any, *, schema: Schema = BIORED, source: str | None = None) -> Decision:
    """A decision from JSON.

    Raises:
        DataError: a field is missing, unknown or has a value that cannot be.
    """
    if not isinstance(record, dict):
        raise DataError("a decision is no JSON object", source=source)

    def fault(message: str) -> DataError:
        name = f"{record.get('document')}: {record.get('id1')} – {record.get('id2')}"
        return DataError(
            f"decision on {name}: {message}", source=source, remedy="See docs/page.md, decisions"
        )

    unknown = sorted(set(record) - _FIELDS)
    if unknown:
        raise fault(f"unknown field '{unknown[0]}'")
    for name in ("document", "id1", "id2", "action"):
        if not isinstance(record.get(name), str) or not record[name]:
            raise fault(f"'{name}' must be a text")
    for name in ("predicted", "type", "novelty", "predicted_novelty", "curator", "time"):
        if not isinstance(record.get(name), str | None):
            raise fault(f"'{name}' must be a text or null")
    score = record.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise fault("'score' must be a number or null")
    decision = Decision(**record)
    if decision.action not in ACTIONS:
        raise fault(f"unknown action '{decision.action}' (there are {', '.join(ACTIONS)})")
    if (decision.predicted is None) != (decision.action == "add"):
        raise fault("'predicted' must be null for 'add' and the relation's type otherwise")
    if decision.action in {"correct", "add"} and decision.type not in schema.relation_types:
        raise fault(
            f"unknown relation type '{decision.type}' (there are "
            f"{', '.join(schema.relation_types)})"
        )
    if decision.novelty not in {None, NOVEL, NOT_NOVEL}:
        raise fault(f"novelty '{decision.novelty}' is neither {NOVEL} nor {NOT_NOVEL}")
    return decision


def to_record(decision: Decision) -> dict[str, Any]:
    """A decision as JSON values."""
    return asdict(decision)


def to_records(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """Decisions as JSON values, for a page."""
    return [to_record(decision) for decision in decisions]


def decision_file(decisions: Iterable[Decision]) -> dict[str, Any]:
    """The content of a decision file."""
    return {"format": FORMAT, "version": VERSION, "decisions": to_records(decisions)}


def read_decisions(path: str | PathLike[str], *, schema: Schema = BIORED) -> list[Decision]:
    """Decisions of a file.

    Raises:
        DataError: the file cannot be read or holds no decisions.
    """
    name = str(path)
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", source=name) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"no JSON file ({error})",
            source=name,
            remedy="Give a file that was downloaded from a page under Decisions",
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DataError(
            "holds no decisions",
            source=name,
            remedy="Give a file that was downloaded from a page under Decisions",
        )
    if data.get("version") != VERSION or not isinstance(data.get("decisions"), list):
        raise DataError(
            f"is of version {data.get('version')}, and this program knows {VERSION}",
            source=name,
            remedy="Update novelink",
        )
    return [from_record(record, schema=schema, source=name) for record in data["decisions"]]
