"""Abbreviations and what they stand for, by the algorithm of Schwartz and Hearst.

A. S. Schwartz, M. A. Hearst: A simple algorithm for identifying abbreviation
definitions in biomedical text. Pacific Symposium on Biocomputing 8, 2003,
451–462. Written from the paper's description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from novelink.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document

Span = tuple[int, int]

_SHORT_LENGTH = range(2, 11)  # characters of a short form, as in the paper
_SHORT_WORDS = 2
_WORD = re.compile(r"\S+")
_LOOK_BACK = 1_000
"""Characters before a bracket; the longest long forms have a fifth of that."""

_BRACKET = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\[([^\[\]]*)\]")
_CUT = re.compile(r"[;]|,\s|\s(?:and|or)\s")


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One definition in a text.

    Attributes:
        short: span of the short form.
        long: span of the long form.
    """

    short: Span
    long: Span


def find_abbreviations(text: str) -> list[Abbreviation]:
    """All definitions in a text: ``long form (SF)`` and ``SF (long form)``.

    Args:
        text: a passage; definitions are looked for sentence by sentence.

    Returns:
        In order of their brackets; each short form's definition at each place
        it is defined.

    >>> text = "Heat shock protein 70 (HSP70) binds."
    >>> [(text[a.short[0]:a.short[1]], text[a.long[0]:a.long[1]]) for a in find_abbreviations(text)]
    [('HSP70', 'Heat shock protein 70')]
    """
    return list(_find(text))


@lru_cache(maxsize=64)  # tagger and linker ask for the same document one after the other
def _find(text: str) -> tuple[Abbreviation, ...]:
    return tuple(
        found
        for start, end in split_sentences(text)
        for bracket in _BRACKET.finditer(text, start, end)
        if (found := _definition(text, start, bracket)) is not None
    )


def document_abbreviations(document: Document) -> list[Abbreviation]:
    """All definitions of a document, in its offsets."""
    return [
        Abbreviation(_shift(found.short, passage.offset), _shift(found.long, passage.offset))
        for passage in document.passages
        for found in find_abbreviations(passage.text)
    ]


def long_forms(document: Document) -> dict[str, str]:
    """Short form → the long form that it has in this document (its first definition's)."""
    text = document.text
    forms: dict[str, str] = {}
    for found in document_abbreviations(document):
        forms.setdefault(text[slice(*found.short)], text[slice(*found.long)])
    return forms


def _shift(span: Span, offset: int) -> Span:
    return span[0] + offset, span[1] + offset


def _definition(text: str, sentence: int, bracket: re.Match[str]) -> Abbreviation | None:
    group = 1 if bracket[1] is not None else 2
    inner = _stripped(text, bracket.start(group), bracket.end(group))
    short = _cut(text, inner)
    if _is_short_form(text[slice(*short)]):
        long = _match(text, short, sentence, bracket.start())
        if long is not None:
            return Abbreviation(short, long)
    if len(text[slice(*inner)].split()) > 1:
        return _reversed(text, sentence, bracket.start(), inner)
    return None


def _reversed(text: str, sentence: int, bracket: int, inner: Span) -> Abbreviation | None:
    """``SF (long form)``: the word before the bracket is the short form."""
    words = list(_WORD.finditer(text, _near(text, sentence, bracket), bracket))
    if not words or not text[words[-1].end() : bracket].isspace():
        return None
    short = _stripped(text, words[-1].start(), words[-1].end(), "\"'“”‘’,;:")
    if not _is_short_form(text[slice(*short)]) or not any(
        char.isupper() for char in text[slice(*short)]
    ):
        return None
    for long_end in sorted({_cut(text, inner)[1], inner[1]}, reverse=True):
        long = _match(text, short, inner[0], long_end)
        # Here the long form is all that stands in the bracket, so it must begin there.
        if long is not None and long[0] == inner[0]:
            return Abbreviation(short, long)
    return None


def _cut(text: str, inner: Span) -> Span:
    """The bracket's content up to a semicolon or comma: ``(NIS; SLC5A5)``."""
    found = _CUT.search(text, *inner)
    return _stripped(text, inner[0], found.start() if found else inner[1], "\"'“”‘’")


def _stripped(text: str, start: int, end: int, chars: str = "") -> Span:
    while start < end and (text[start].isspace() or text[start] in chars):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in chars):
        end -= 1
    return start, end


def _is_short_form(form: str) -> bool:
    return (
        len(form) in _SHORT_LENGTH
        and len(form.split()) <= _SHORT_WORDS
        and form[0].isalnum()
        and any(char.isalpha() for char in form)
    )


def _match(text: str, short: Span, begin: int, end: int) -> Span | None:
    """The best long form that ends at ``end``.

    From right to left, each letter or digit of the short form is found in the
    text before it; the first one must begin a word. The long form has at most
    ``min(|SF| + 5, 2 |SF|)`` words.
    """
    form = text[slice(*short)]
    begin = _near(text, begin, end)
    window = list(_candidate_words(text, begin, end, min(len(form) + 5, len(form) * 2)))
    if not window:
        return None
    first, end = window[0], _stripped(text, begin, end)[1]
    position = end
    for index in range(len(form) - 1, -1, -1):
        wanted = form[index].lower()
        if not wanted.isalnum():
            continue
        position -= 1
        while position >= first and (
            text[position].lower() != wanted
            or (index == 0 and position > first and text[position - 1].isalnum())
        ):
            position -= 1
        if position < first:
            return None
    # The word that the first letter begins, back to the blank before it.
    while position > first and not text[position - 1].isspace():
        position -= 1
    start, end = _stripped(text, position, end, "([{\"'“”‘’")
    return (start, end) if _is_long_form(text[start:end], form) else None


def _near(text: str, begin: int, end: int) -> int:
    """Where to begin to look: no farther back than a long form can be, at a blank.

    Otherwise every bracket of a sentence without end would be looked for from its beginning.
    """
    start = max(begin, end - _LOOK_BACK)
    while begin < start < end and not text[start].isspace():
        start += 1
    return start


def _candidate_words(text: str, begin: int, end: int, limit: int) -> Iterator[int]:
    words = [found.start() for found in _WORD.finditer(text, begin, end)]
    yield from words[-limit:]


def _is_long_form(long: str, form: str) -> bool:
    """The paper's checks on the result: longer than the short form and not built on it."""
    if len(long) <= len(form) or form.lower() in long.lower().split():
        return False
    letters = sum(char.isalnum() for char in form)
    words = len(re.findall(r"[^\W_]+", long))
    unbalanced = long.count("(") != long.count(")") or long.count("[") != long.count("]")
    return words <= min(letters + 5, letters * 2) and not unbalanced
