"""What an extraction read and found, and what it left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class ExtractionReport:
    """What an extraction has done so far.

    Attributes:
        documents: documents given out.
        documents_without_pairs: of these, those with no two entities that
            could be related.
        pairs: entity pairs judged.
        relations: relations found.
        cut_documents: documents too long for the model in at least one pair.
        cut_pairs: pairs for which some text fell outside the model's window.
        cut_mentions: mentions of a pair's entities that fell outside, summed
            over pairs.
        cut_tokens: tokens that fell outside, summed over pairs.
        pairs_apart: pairs of long documents whose mentions never share a
            window of the model; they are judged all the same.
    """

    documents: int = 0
    documents_without_pairs: int = 0
    pairs: int = 0
    relations: int = 0
    cut_documents: int = 0
    cut_pairs: int = 0
    cut_mentions: int = 0
    cut_tokens: int = 0
    pairs_apart: int = 0

    def to_dict(self) -> dict[str, int]:
        """Counts by name."""
        return asdict(self)
