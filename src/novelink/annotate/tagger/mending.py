"""Spans that were broken or cut between their tokens, made whole.

Names with hyphens, brackets and numbers (``TNFR-associated factor 2``,
``CaCl(2)``, ``-1082(G/A)``) are many tokens each, and a model is not sure of
every one of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.tagger.spans import Span, without_conflicts
from novelink.annotate.variants import normal_form
from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, VARIANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Gold mentions of a type almost never stand side by side with nothing but this between them.
_JOINTS = {CELL_LINE: {"", "-"}, DISEASE: {"", "-"}}
_USUAL_JOINTS = {""}
# What may stand between the parts of one variant: -924 A/G, IVS9+459 GG, del-(439-443).
_VARIANT_GAP = re.compile(r"[\s,+(\[:/>-]{0,3}")
_LONGEST_VARIANT = 60
# A place and its alleles, as written for polymorphisms: -1082(G/A), IVS9+459, A/G, -3279 AC+AA.
_ALLELES = r"[ACGT]\s?(?:/|-*>)\s?[ACGT]|[ACGT]{2}(?:\s?\+\s?[ACGT]{2})*"
_PLACED = re.compile(rf"(?:IVS\d+)?[-+]\d+(?:,?\s|\s?\()?(?:{_ALLELES})\)?(?![^\W_])")
_NEAR = 12
# A number or charge in brackets right behind a chemical: CaCl(2), Ca(2+).
_INDEX = re.compile(r"\((?:[1-9]|[1-3]?[+-])\)(?![^\W_])")
_LEADING = re.compile(r"^[-/]+")
_TRAILING = re.compile(r"[-/]+$")
_LAST_WORDS = re.compile(r"(?:(?:^|\s+)(?:an|and|at|by|for|from|in|into|of|on|or|the|to|with))+$")


def mend(text: str, spans: Iterable[Span]) -> list[Span]:
    """Spans without shreds, and broken ones in one piece.

    Args:
        text: the document's text.
        spans: found in it.

    Returns:
        Spans in text order.
    """
    whole = [span for span in spans if any(map(str.isalnum, text[span.start : span.end]))]
    parts: dict[str, list[Span]] = {}
    for span in sorted(whole, key=lambda item: (item.type, item.start, item.end)):
        parts.setdefault(span.type, []).append(span)
    mended: list[Span] = []
    for kind, members in parts.items():
        if kind == VARIANT:
            mended += _joined(text, [_placed(text, span) for span in members])
            continue
        joined = _joined(text, members)
        if kind == CHEMICAL:
            joined = _joined(text, [_with_index(text, span) for span in joined])
        mended += [_trimmed(text, span) for span in joined]
    ends = [_without_last_words(text, span) for span in mended]
    return without_conflicts([span for span in ends if span.start < span.end])


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Neighbours of one type that are parts of one name, put together."""
    result: list[Span] = []
    for span in spans:
        while result and _belong_together(text, result[-1], span):
            before = result.pop()
            span = _union(before, span)  # noqa: PLW2901 (it grows leftwards)
        result.append(span)
    return result


def _belong_together(text: str, one: Span, other: Span) -> bool:
    gap = text[one.end : other.start]
    if one.end > other.start:  # an index may reach into the next one
        return True
    if one.type != VARIANT:
        return gap in _JOINTS.get(one.type, _USUAL_JOINTS)
    if not _VARIANT_GAP.fullmatch(gap) or other.end - one.start > _LONGEST_VARIANT:
        return False
    if gap == "":
        return True
    forms = {normal_form(text[span.start : span.end]) for span in (one, other)}
    form = normal_form(text[one.start : other.end])
    return None in forms and form is not None and form not in forms


def _union(one: Span, other: Span) -> Span:
    sizes = one.end - one.start, other.end - other.start
    score = (one.score * sizes[0] + other.score * sizes[1]) / sum(sizes)
    return Span(one.start, max(one.end, other.end), one.type, score)


def _placed(text: str, span: Span) -> Span:
    """A variant's span over its place and alleles, where it has a part of them."""
    begin = max(0, span.start - _NEAR)
    for found in _PLACED.finditer(text, begin, span.end + _NEAR):
        if found.start() < span.end and span.start < found.end():
            start, end = min(span.start, found.start()), max(span.end, found.end())
            return Span(start, end, span.type, span.score)
    return span


def _with_index(text: str, span: Span) -> Span:
    found = _INDEX.match(text, span.end)
    return Span(span.start, found.end(), span.type, span.score) if found else span


def _trimmed(text: str, span: Span) -> Span:
    """Without hyphens and slashes at its ends; a chemical may end in its charge."""
    part = text[span.start : span.end]
    leading, trailing = _LEADING.match(part), _TRAILING.search(part)
    start = span.start + (len(leading[0]) if leading else 0)
    end = span.end
    if trailing and (span.type != CHEMICAL or "/" in trailing[0]):
        end -= len(trailing[0])
    return Span(start, end, span.type, span.score)


def _without_last_words(text: str, span: Span) -> Span:
    """No name ends in a preposition or an article."""
    found = _LAST_WORDS.search(text[span.start : span.end])
    return Span(span.start, span.end - len(found[0]), span.type, span.score) if found else span
