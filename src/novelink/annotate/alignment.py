"""Mentions found in one version of a text, carried over to another version of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novelink.document import Document, Mention

_REACH = 200
"""How far from its expected place a mention is looked for, in characters."""

_PIECE = re.compile(r"\w+|[^\w\s]")
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
    shifts what follows. The words that both texts share in order say by how
    much; a mention whose own words differ is looked for nearby.

    Returns:
        The mentions that were found, and how many were not.
    """
    text = target.text
    if source.text == text:
        return list(source.mentions), 0
    folded = text.lower()
    starts, shifts = _shifts(source.text, text)
    moved: list[Mention] = []
    lost = 0
    for mention in source.mentions:
        shift = shifts[max(0, bisect_right(starts, mention.start) - 1)]
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


def _shifts(source: str, target: str) -> tuple[list[int], list[int]]:
    """Where a shared stretch begins in ``source``, and how far it has moved in ``target``."""
    pieces = [list(_PIECE.finditer(text)) for text in (source, target)]
    first, second = ([piece[0] for piece in found] for found in pieces)
    starts, shifts = [0], [0]
    for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks():
        if block.size:
            start = pieces[0][block.a].start()
            starts.append(start)
            shifts.append(pieces[1][block.b].start() - start)
    return starts, shifts


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
