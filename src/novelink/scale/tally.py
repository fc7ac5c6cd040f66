"""What a run has done so far, in numbers that add up over blocks, shards and resumed runs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from novelink.wording import counted

if TYPE_CHECKING:
    from novelink.document import Document

_KEPT_REASONS = 8  # reasons named in the summary; all stand in the dead-letter file
_GENERAL = (
    (re.compile(r"document \S+?(?=[:\s]|$)"), "document"),
    (re.compile(r"'[^']*'"), "'…'"),
    (re.compile(r"\d[\d.,]*"), "#"),
)


@dataclass(slots=True)
class Tally:
    """Counts.

    Attributes:
        documents: documents written, with relations or without.
        failed: documents that went to the dead letters.
        documents_without_pairs: of those written, how many had no two entities
            that could be related.
        pairs: entity pairs judged.
        cut_documents: documents too long for the model in at least one pair.
        cut_mentions: mentions of a pair's entities outside the model's window,
            summed over pairs.
        relations: relation type → relations.
        novelty: ``Novel`` or ``No`` → relations.
        reasons: kind of fault → documents in the dead letters.
        notes: anything else that was left out → how often.
    """

    documents: int = 0
    failed: int = 0
    documents_without_pairs: int = 0
    pairs: int = 0
    cut_documents: int = 0
    cut_mentions: int = 0
    relations: Counter[str] = field(default_factory=Counter)
    novelty: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def count(self, document: Document) -> None:
        """Add a finished document and its relations."""
        self.documents += 1
        for relation in document.relations:
            self.relations[relation.type] += 1
            if relation.novelty is not None:
                self.novelty[relation.novelty] += 1

    def fail(self, reason: str) -> None:
        """Add a document that failed."""
        self.failed += 1
        self.reasons[general(reason)] += 1

    def add(self, other: Tally) -> None:
        """Add another tally."""
        for one in fields(self):
            mine, its = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Counter):
                mine.update(its)
            else:
                setattr(self, one.name, mine + its)

    def subtract(self, other: Tally) -> None:
        """Take back a tally that was added."""
        for one in fields(self):
            mine, its = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, Counter):
                mine.subtract(its)
                for key in [key for key, value in mine.items() if not value]:
                    del mine[key]
            else:
                setattr(self, one.name, mine - its)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is zero is left out."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value
            for name, value in values.items()
            if value
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Tally:
        """What :meth:`to_dict` gave."""
        tally = cls()
        for key, value in data.items():
            setattr(tally, key, Counter(value) if isinstance(value, dict) else value)
        return tally

    def lines(self) -> list[str]:
        """The summary for people."""
        total = self.relations.total()
        lines = [
            (
                f"{counted(self.documents, 'document')}, "
                f"{counted(self.pairs, 'pair')} of entities, {counted(total, 'relation')}"
            )
        ]
        if total:
            lines.append(f"  by type: {_named(self.relations)}")
        if self.novelty:
            named = {"Novel": "novel", "No": "known before"}
            parts = Counter({named.get(key, key): value for key, value in self.novelty.items()})
            lines.append(f"  by novelty: {_named(parts)}")
        if self.documents_without_pairs:
            lines.append(
                f"{counted(self.documents_without_pairs, 'document')} without two entities that "
                "could be related"
            )
        if self.cut_documents:
            lines.append(
                f"{counted(self.cut_documents, 'document')} longer than the model's window: read "
                f"in part, {counted(self.cut_mentions, 'mention')} outside"
            )
        if self.failed:
            lines.append(f"{counted(self.failed, 'document')} failed, now dead letters:")
            lines += [
                f"  {count:,} × {reason}"
                for reason, count in self.reasons.most_common(_KEPT_REASONS)
            ]
            if len(self.reasons) > _KEPT_REASONS:
                rest = len(self.reasons) - _KEPT_REASONS
                lines.append(f"  … and {counted(rest, 'further reason')}")
        lines += [f"{note}: {count:,}" for note, count in sorted(self.notes.items())]
        return lines


def general(reason: str) -> str:
    """A reason without what is special to one document, so that like ones are counted together.

    >>> general("document 12: mention 'ab' at 3–5: the text there is 'cd'")
    "document: mention '…' at #–#: the text there is '…'"
    """
    for form, stand_in in _GENERAL:
        reason = form.sub(stand_in, reason)
    return reason


def _named(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
