"""A document with stretches of its text replaced, its mentions moved along."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.document import Document, Mention, Passage

Edit = tuple[int, int, str]
"""First character, position after the last, and what comes in their place."""


def edited(document: Document, edits: Iterable[Edit]) -> Document:
    """Replace stretches of a document's text.

    Args:
        document: is not changed.
        edits: do not overlap; each lies within one passage and crosses no mention's border. A
            mention that is exactly what is replaced takes the new text, one within it goes, and
            all others move along.
    """
    edits = sorted(edits)
    if not edits:
        return document
    starts = np.array([start for start, _, _ in edits])
    grown = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]

    def moved(position: int) -> int:
        """Where a character is now that no edit holds, unless as its first one."""
        return position + grown[int(np.searchsorted(starts, position))]

    mentions: list[Mention] = []
    for mention in document.mentions:
        last = int(np.searchsorted(starts, mention.start, side="right")) - 1
        start, end, new = edits[last] if last >= 0 else (0, 0, "")
        begin = moved(mention.start)
        if not start <= mention.start < end:
            parts = tuple((moved(first), moved(after)) for first, after in mention.spans)
            mentions.append(replace(mention, start=begin, end=moved(mention.end), spans=parts))
        elif new and (mention.start, mention.end) == (start, end):
            mentions.append(replace(mention, start=begin, end=begin + len(new), text=new))
    passages = tuple(
        replace(passage, offset=moved(passage.offset), text=_text(passage, edits))
        for passage in document.passages
    )
    return replace(document, passages=passages, mentions=tuple(mentions))


def _text(passage: Passage, edits: list[Edit]) -> str:
    """A passage's text with those edits that lie within it."""
    parts, position = [], 0
    for start, end, new in edits:
        if passage.offset <= start and end <= passage.end:
            parts += [passage.text[position : start - passage.offset], new]
            position = end - passage.offset
    return "".join([*parts, passage.text[position:]])
