"""Where the entities of a run came from, and which documents got none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from novelink.formats.report import ReadReport

GIVEN = "given with the documents"
PUBTATOR = "PubTator 3"
PUBTATOR_TEXT = "PubTator 3's raw-text service"
OFFLINE = "the offline tagger"

_LISTED = 20
"""So many failed documents are named one by one."""


@dataclass(slots=True)
class AnnotationReport:
    """Counts of one run.

    Attributes:
        sources: where entities came from → documents.
        texts: documents whose text came from PubMed, PubTator 3 lacking it.
        failures: id → why the document was left out.
        notes: anything else worth a line → how often.
        reading: what was left out of services' answers.
    """

    sources: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    reading: ReadReport = field(default_factory=ReadReport)

    def lines(self) -> list[str]:
        """Sentences for stderr."""
        lines = []
        if self.sources:
            named = ", ".join(
                f"{source} ({_documents(count)})" for source, count in self.sources.most_common()
            )
            lines.append(f"entities from {named}")
        if self.texts:
            lines.append(f"{_documents(self.texts)}: title and abstract from PubMed")
        lines += [f"{note}: {count:,}" for note, count in sorted(self.notes.items()) if count]
        lines += self.reading.lines()
        if self.failures:
            lines.append(f"{_documents(len(self.failures))} left out:")
            shown = list(self.failures.items())[:_LISTED]
            lines += [f"  {name}: {reason}" for name, reason in shown]
            if len(self.failures) > len(shown):
                lines.append(f"  … and {len(self.failures) - len(shown):,} more")
        return lines


def _documents(count: int) -> str:
    return f"{count:,} document{'' if count == 1 else 's'}"
