"""A second look at a document: one name, one answer.

A name tagged in one place is looked for in the others, abbreviations and
their long forms take each other's type, and a name tagged with two types keeps
the likelier one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from novelink.annotate.abbreviations import document_abbreviations
from novelink.annotate.tagger.spans import Span, SpanPlaces, without_conflicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from novelink.document import Document

# How likely a place must be by itself to follow the document's other places.
_FOLLOW = 0.15
_FOLLOW_ABBREVIATION = 0.03
_SHORTEST = 3
# A name is brought to further places only if most of its places were tagged.
_LEAST_SHARE = 0.5


def second_look(
    document: Document,
    spans: Sequence[Span],
    evidence: Callable[[int, int, str], float],
) -> list[Span]:
    """Spans made consistent over a document.

    Args:
        document: the text.
        spans: what the model found.
        evidence: mean probability that the tokens from one place to another
            belong to a mention of a type.

    Returns:
        Spans in text order.
    """
    text = document.text
    abbreviations = [
        (text[slice(*item.short)], item.short, item.long)
        for item in document_abbreviations(document)
    ]
    spans = one_type_per_name(text, spans)
    spans = _abbreviations(abbreviations, spans, evidence)
    short_forms = {short for short, _, _ in abbreviations}
    return _elsewhere(text, spans, evidence, short_forms)


def one_type_per_name(text: str, spans: Iterable[Span]) -> list[Span]:
    """The type with the highest sum of scores for every place of a name."""
    spans = list(spans)
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for span in spans:
        totals[text[span.start : span.end]][span.type] += span.score
    changed = []
    for span in spans:
        votes = totals[text[span.start : span.end]]
        best = max(sorted(votes), key=lambda name: votes[name])
        changed.append(Span(span.start, span.end, best, span.score))
    return without_conflicts(changed)


def _abbreviations(
    abbreviations: Sequence[tuple[str, tuple[int, int], tuple[int, int]]],
    spans: Sequence[Span],
    evidence: Callable[[int, int, str], float],
) -> list[Span]:
    """At a definition, the long form's type for the short one, or the other way round."""
    placed: Mapping[tuple[int, int], Span] = {(span.start, span.end): span for span in spans}
    added = list(spans)
    for _, short, long in abbreviations:
        at_short, at_long = placed.get(short), placed.get(long)
        if (at_short is None) == (at_long is None):
            continue
        source = at_short or at_long
        target = long if at_short else short
        if source is None or any(span.start < target[1] and target[0] < span.end for span in added):
            continue
        weight = evidence(*target, source.type)
        if weight >= _FOLLOW_ABBREVIATION:
            added.append(Span(*target, source.type, weight))
    return without_conflicts(added)


def _elsewhere(
    text: str,
    spans: Sequence[Span],
    evidence: Callable[[int, int, str], float],
    short_forms: set[str],
) -> list[Span]:
    names: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        name = text[span.start : span.end]
        if len(name) >= _SHORTEST or name in short_forms:
            names[name].append(span)
    added = list(spans)
    taken = SpanPlaces(spans)
    for name, tagged in names.items():
        places = list(_occurrences(name, text))
        if len(places) == len(tagged):
            continue
        free = [place for place in places if taken.is_free(*place)]
        if len(tagged) < _LEAST_SHARE * (len(tagged) + len(free)):
            continue
        least = _FOLLOW_ABBREVIATION if name in short_forms else _FOLLOW
        for start, end in free:
            weight = evidence(start, end, tagged[0].type)
            if weight >= least:
                added.append(Span(start, end, tagged[0].type, weight))
    return without_conflicts(added)


def _occurrences(name: str, text: str) -> Iterator[tuple[int, int]]:
    """The name where no letter or digit stands right before or after it."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum():
            yield start, end
            start = text.find(name, end)
        else:
            start = text.find(name, start + 1)
