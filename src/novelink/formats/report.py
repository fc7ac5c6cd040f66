"""What reading and writing left out, counted, so that nothing goes silently."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink.wording import counted

if TYPE_CHECKING:
    from novelink.errors import DataError

KEPT_REASONS = 100
"""How many reasons of skipped documents a report keeps word by word."""


@dataclass(slots=True)
class ReadReport:
    """Counts of one reading, or of several that share the report.

    Attributes:
        documents: documents handed out.
        skipped: bad documents left out under ``lenient``.
        reasons: why, the first :data:`KEPT_REASONS` of them.
        ignored_types: entity types of other vocabularies → mentions left out.
        dialects: name of a relation-line dialect → lines of that form.
        notes: anything else that was left out → how often.
    """

    documents: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    ignored_types: Counter[str] = field(default_factory=Counter)
    dialects: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def skip(self, error: DataError) -> None:
        """Count a document that was left out and keep its reason."""
        self.skipped += 1
        if len(self.reasons) < KEPT_REASONS:
            self.reasons.append(str(error))

    def lines(self) -> list[str]:
        """Sentences for stderr; none where nothing was left out."""
        lines = []
        if self.skipped:
            lines.append(f"{counted(self.skipped, 'document')} skipped:")
            lines += [f"  {reason}" for reason in self.reasons]
            if self.skipped > len(self.reasons):
                lines.append(f"  … and {self.skipped - len(self.reasons):,} more")
        if self.ignored_types:
            named = ", ".join(
                f"{name} {count:,}" for name, count in self.ignored_types.most_common()
            )
            lines.append(
                f"{counted(self.ignored_types.total(), 'mention')} of types outside the schema "
                f"left out: {named}"
            )
        lines += [f"{note}: {count:,}" for note, count in sorted(self.notes.items())]
        return lines


@dataclass(slots=True)
class WriteReport:
    """Counts of one writing.

    Attributes:
        documents: documents written.
        losses: what the format has no place for → how often it was met.
    """

    documents: int = 0
    losses: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Sentences for stderr; none where the format held everything."""
        return [
            f"not held by this format, {loss}: {count:,}"
            for loss, count in sorted(self.losses.items())
        ]
