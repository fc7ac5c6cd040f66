"""Documents and decisions → gold data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from novelink.curation.decisions import relation_key
from novelink.curation.report import CurationReport
from novelink.document import Relation
from novelink.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from novelink.curation.decisions import Decision, Key
    from novelink.document import Document

INCOMPLETE = ("skip", "drop", "keep")
"""What becomes of a document with undecided relations, see :func:`curated`."""


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
