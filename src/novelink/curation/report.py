"""What became of documents and decisions, counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from novelink.curation.decisions import ACTIONS


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
            incomplete: the setting of :func:`~novelink.curation.curated`.
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
