"""Probabilities of labels → the mentions of a document."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from novelink.annotate.tagger.consistency import second_look
from novelink.annotate.tagger.mending import mend
from novelink.annotate.tagger.spans import Span, SpanPlaces, find_spans
from novelink.annotate.variants.residues import THREE_PATTERN
from novelink.document import Mention
from novelink.schema import VARIANT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from novelink.document import Document

_PLAIN_VARIANT = re.compile(
    r"(?<![^\W_])(?:rs\d{3,}|(?:p\.)?[ACDEFGHIKLMNPQRSTVWY]\d{2,4}[ACDEFGHIKLMNPQRSTVWYX*]"
    rf"|(?:p\.)?(?i:{THREE_PATTERN})\d{{1,4}}(?i:{THREE_PATTERN})"
    r"|c\.\d+(?:[+-]\d+)?[ACGT]>[ACGT])(?![^\W_])"
)
_NEARLY = 0.02


def find_mentions(
    document: Document,
    probabilities: NDArray[np.float32],
    spans: Sequence[tuple[int, int]],
    types: Sequence[str],
    thresholds: Sequence[float],
    *,
    look_twice: bool = True,
) -> list[Mention]:
    """The mentions of a document, in text order.

    Args:
        document: the text.
        probabilities: [tokens, types, 3] of outside, beginning, inside.
        spans: place of each token.
        types: names of the types.
        thresholds: per type, least probability of a token not to be outside.
        look_twice: make names consistent over the document.
    """
    text = document.text
    evidence = _Evidence(probabilities, spans, types)
    found = mend(text, find_spans(probabilities, spans, types, text, thresholds))
    if look_twice:
        found = second_look(document, with_plain_variants(text, found, evidence), evidence)
    return [
        Mention(span.start, span.end, text[span.start : span.end], span.type)
        for span in found
        if _in_one_passage(document, span.start, span.end)
    ]


def with_plain_variants(
    text: str, spans: Sequence[Span], evidence: Callable[[int, int, str], float]
) -> list[Span]:
    """Spans and the variants in plain notation (V600E, rs7027) that were nearly found.

    Few variants are in the training texts twice, so that the model is often
    unsure of what the notation itself says.
    """
    added, taken = list(spans), SpanPlaces(spans)
    for found in _PLAIN_VARIANT.finditer(text):
        start, end = found.span()
        score = evidence(start, end, VARIANT)
        if score >= _NEARLY and taken.is_free(start, end):
            added.append(Span(start, end, VARIANT, score))
    return sorted(added, key=lambda span: (span.start, span.end, span.type))


class _Evidence:
    """Mean probability of a stretch to be part of a mention of a type."""

    def __init__(
        self,
        probabilities: NDArray[np.float32],
        spans: Sequence[tuple[int, int]],
        types: Sequence[str],
    ) -> None:
        self.inside = 1.0 - probabilities[:, :, 0]
        self.starts = [start for start, _ in spans]
        self.spans = spans
        self.types = types

    def __call__(self, start: int, end: int, entity_type: str) -> float:
        first = bisect_left(self.starts, start)
        last = bisect_left(self.starts, end)
        if first >= last or self.spans[first][0] != start or self.spans[last - 1][1] != end:
            return 0.0
        row = self.types.index(entity_type)
        return float(self.inside[first:last, row].mean())


def _in_one_passage(document: Document, start: int, end: int) -> bool:
    return any(passage.offset <= start and end <= passage.end for passage in document.passages)
