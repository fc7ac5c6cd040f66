"""Mentions found in one version of a text, carried over to another version of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novelink.document import Document, Mention

_REACH = 200
"""How far from its expected place a mention is looked for, in characters."""

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def same_paper(first: Document, second: Document) -> bool:
    """Whether two documents have the same title, apart from case and punctuation.

    An id of digits may be a PMID or a user's own number: the title tells.
    """
    titles = [
        _condensed(document.passages[0].text) for document in (first, second) if document.passages
    ]
    return len(titles) == 2 and bool(titles[0]) and titles[0] == titles[1]


def transfer_mentions(source: Document, target: Document) -> tuple[list[Mention], int]:
    """Mentions of ``source`` with the offsets they have in ``target``.

    Services return texts with other blanks, quotes or Greek letters, which
    shifts what follows. Each mention is looked for near where the ones before
    it were found.

    Returns:
        The mentions that were found, and how many were not.
    """
    text = target.text
    if source.text == text:
        return list(source.mentions), 0
    folded = text.lower()
    moved: list[Mention] = []
    lost = shift = 0
    for mention in sorted(source.mentions, key=lambda one: (one.start, one.end)):
        if mention.spans:
            start = mention.start + shift if _parts_fit(mention, shift, text) else -1
        else:
            start = _nearest(text, folded, mention.text, mention.start + shift)
        if start < 0:
            lost += 1
            continue
        shift = start - mention.start
        end = mention.end + shift
        spans = tuple((begin + shift, stop + shift) for begin, stop in mention.spans)
        found = " ".join(text[begin:stop] for begin, stop in spans) if spans else text[start:end]
        moved.append(replace(mention, start=start, end=end, spans=spans, text=found))
    return moved, lost


def _nearest(text: str, folded: str, wanted: str, expected: int) -> int:
    """Start of the occurrence nearest to the expected place, -1 if none is in reach."""
    low, high = max(0, expected - _REACH), expected + len(wanted) + _REACH
    for where, what in ((text, wanted), (folded, wanted.lower())):
        # Lower case can change a text's length (İ); then offsets would lie.
        if len(where) != len(text) or len(what) != len(wanted):
            continue
        starts = [found.start() for found in re.finditer(re.escape(what), where[low:high])]
        if starts:
            return min((low + start for start in starts), key=lambda place: abs(place - expected))
    return -1


def _parts_fit(mention: Mention, shift: int, text: str) -> bool:
    found = " ".join(text[max(0, start + shift) : end + shift] for start, end in mention.spans)
    return mention.start + shift >= 0 and found == mention.text


def _condensed(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).lower()
