"""What people decide about relations, and how it becomes gold data.

A decision accepts, rejects or corrects one relation of one document, or adds
one that the reading missed. The page of ``novelink view`` hands them over as a
file, ``novelink serve`` keeps them in a database:

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
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.document import NOT_NOVEL, NOVEL, Relation
from novelink.errors import DataError, SettingsError
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from novelink.document import Document
    from novelink.schema import Schema

FORMAT = "novelink-decisions"
VERSION = 1
ACTIONS = ("accept", "reject", "correct", "add")
INCOMPLETE = ("skip", "drop", "keep")
"""What becomes of a document with undecided relations, see :func:`curated`."""

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
    """What identifies a relation for decisions."""
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


@dataclass(slots=True)
class CurationReport:
    """What became of documents and decisions.

    Attributes:
        documents: written.
        undecided_documents: left out because nobody decided on anything there.
        incomplete_documents: had undecided relations.
        relations: written.
        undecided: relations nobody decided on, in documents with decisions.
        actions: action → decisions carried out.
        strays: decisions on relations that the documents do not have.
        overruled: decisions replaced by later ones that say something else.
    """

    documents: int = 0
    undecided_documents: int = 0
    incomplete_documents: int = 0
    relations: int = 0
    undecided: int = 0
    actions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ACTIONS, 0))
    strays: int = 0
    overruled: int = 0

    def lines(self, incomplete: str) -> list[str]:
        """Sentences for stderr.

        Args:
            incomplete: the setting of :func:`curated`.
        """
        actions = ", ".join(f"{count:,} {name}" for name, count in self.actions.items() if count)
        lines = [
            (
                f"{self.documents:,} documents with {self.relations:,} relations "
                f"(decisions: {actions or 'none'})"
            )
        ]
        if self.undecided_documents:
            lines.append(f"{self.undecided_documents:,} documents without decisions left out")
        if self.incomplete_documents:
            done = {
                "skip": "left out; decide on the rest, or see --incomplete",
                "drop": "written without their undecided relations",
                "keep": "written with their undecided relations as predicted",
            }[incomplete]
            lines.append(
                f"{self.incomplete_documents:,} documents with {self.undecided:,} undecided "
                f"relations {done}"
            )
        if self.strays:
            lines.append(
                f"{self.strays:,} decisions are on relations that the documents do not have, "
                "and were not used; give the file that the decisions were made on"
            )
        if self.overruled:
            lines.append(f"{self.overruled:,} decisions were overruled by later ones")
        return lines


def latest(decisions: Iterable[Decision], report: CurationReport) -> dict[Key, Decision]:
    """The decision that counts for each relation: the latest, of equals the last given."""
    kept: dict[Key, Decision] = {}
    for decision in decisions:
        before = kept.get(decision.key)
        if before is None:
            kept[decision.key] = decision
            continue
        older, newer = sorted((before, decision), key=lambda item: item.time or "")
        said = [(item.action, item.type, item.novelty) for item in (older, newer)]
        report.overruled += said[0] != said[1]
        kept[decision.key] = newer
    return kept


def curated(
    documents: Iterable[Document],
    decisions: Sequence[Decision],
    *,
    incomplete: str = "skip",
    report: CurationReport | None = None,
) -> Iterator[Document]:
    """Documents with the relations that people confirmed: gold data to train on.

    A document counts when somebody decided on something in it. What a trainer
    does not find as a relation it takes for unrelated, so undecided relations
    must not just vanish:

    - ``skip``: leave documents with undecided relations out,
    - ``drop``: write them without the undecided relations,
    - ``keep``: write the undecided relations as predicted.

    Args:
        documents: those that the decisions were made on, with their relations.
        decisions: in any order; of several on one relation the latest counts.
        incomplete: one of :data:`INCOMPLETE`.
        report: takes the counts.

    Raises:
        SettingsError: ``incomplete`` is none of them.
    """
    if incomplete not in INCOMPLETE:
        raise SettingsError(
            f"'{incomplete}' is no way to treat incomplete documents",
            remedy=f"There are: {', '.join(INCOMPLETE)}",
        )
    report = CurationReport() if report is None else report
    by_document: dict[str, dict[Key, Decision]] = {}
    for key, decision in latest(decisions, report).items():
        by_document.setdefault(decision.document, {})[key] = decision
    return _curated(documents, by_document, incomplete, report)


def _curated(
    documents: Iterable[Document],
    by_document: dict[str, dict[Key, Decision]],
    incomplete: str,
    report: CurationReport,
) -> Iterator[Document]:
    for document in documents:
        decisions = by_document.pop(document.id, None)
        if not decisions:
            report.undecided_documents += 1
            continue
        relations, undecided = apply(document, decisions, report)
        if undecided:
            report.incomplete_documents += 1
            report.undecided += len(undecided)
            if incomplete == "skip":
                continue
            if incomplete == "keep":
                relations = [*relations, *undecided]
        report.documents += 1
        report.relations += len(relations)
        yield document.with_relations(relations)
    report.strays += sum(map(len, by_document.values()))


def apply(
    document: Document, decisions: Mapping[Key, Decision], report: CurationReport
) -> tuple[list[Relation], list[Relation]]:
    """Carry out the decisions on one document.

    Returns:
        Its confirmed relations, without scores, and the undecided ones as they
        were.
    """
    confirmed, undecided, used = [], [], set()
    for relation in document.relations:
        key = relation_key(document.id, relation.id1, relation.id2, relation.type)
        decision = decisions.get(key)
        if decision is None:
            undecided.append(relation)
            continue
        used.add(key)
        report.actions[decision.action] += 1
        right = replace(relation, score=None, novelty_score=None)
        if decision.action == "accept":
            confirmed.append(right)
        elif decision.action == "correct":
            confirmed.append(
                replace(right, type=decision.type or relation.type, novelty=decision.novelty)
            )
    entities = document.entities()
    for key, decision in decisions.items():
        if key in used:
            continue
        if decision.action == "add" and {decision.id1, decision.id2} <= set(entities):
            report.actions["add"] += 1
            confirmed.append(
                Relation(decision.id1, decision.id2, decision.type or "", decision.novelty)
            )
        else:
            report.strays += 1
    return confirmed, undecided
