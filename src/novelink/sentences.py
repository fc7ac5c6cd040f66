"""Sentence borders in biomedical text, by rule.

A full stop ends a sentence only if what stands before it is no abbreviation,
initial, genus or heading, what follows looks like a beginning, and no bracket
is open. The rules were written for PubMed abstracts: ``p.V600E``, ``P < 0.05``,
``E. coli``, ``Fig. 2``, ``et al.``, beginnings in lower case (``p53 binds …``),
headings of structured abstracts, missing blanks (``patients.The``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document

Span = tuple[int, int]
"""First character and position after the last."""

_CLOSERS = "\"'”’»)]}"

# An end mark with what closes around it, then a blank; or an empty line.
# Begun at a run's first mark alone: to try every mark of a long run would take its length squared.
_CANDIDATE = re.compile(
    rf"(?<![.?!…])(?P<mark>[.?!…]++)(?P<close>[{re.escape(_CLOSERS)}]*+)(?=\s|$)|\n\s*\n"
)
_BLANKS = re.compile(r"\s*")

# "in mice.The", "cells.12 We": the blank went missing, or a citation number stands there.
_GLUED = re.compile(
    r"(?<=[a-z0-9%)]{3})(?P<mark>\.)(?=[A-Z][a-z]+[ ,]|[A-Z]{4,}:)"
    r"|(?<=[a-z]{4})\.(?P<citation>\d{1,3}(?:[,–-]\d{1,3})*)(?=\s+[A-Z][a-z])"
)

_HEADINGS = (
    r"BACKGROUND|OBJECTIVES?|AIMS?|PURPOSE|INTRODUCTION|HYPOTHESIS|CONTEXT|RATIONALE|"
    r"METHODS?|MATERIALS?|PATIENTS|SUBJECTS|PARTICIPANTS|DESIGN|SETTING|INTERVENTIONS?|"
    r"MEASUREMENTS?|RESULTS?|FINDINGS?|OBSERVATIONS?|CONCLUSIONS?|DISCUSSION|"
    r"INTERPRETATION|SIGNIFICANCE|SUMMARY|IMPLICATIONS?"
)
# A heading in capitals begins a sentence even where no full stop stands before it.
_HEADING_START = re.compile(
    rf"(?<=[a-z0-9.,;%)])\s+(?=(?:{_HEADINGS})(?:(?: AND|,|/)? ?[A-Z]+){{0,4}}:\s)"
)
# "Objective. To study …" stays one sentence.
_HEADING_ALONE = re.compile(
    rf"(?:{_HEADINGS})(?:[ /]+(?:and|or|of|&)?[ ]?(?:{_HEADINGS}))*", re.IGNORECASE
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Never at the end of a sentence, in lower case without the last full stop.
_NEVER_LAST = _words(
    "e.g eg i.e ie vs v.s cf fig figs ref refs eq eqs dr drs prof mr mrs ms ca approx resp viz "
    "nos vol vols pp subsp ssp gen incl esp tab suppl ext var subfam st ave mt ph rev hon"
)
# May be at the end: only a likely first word tells.
_MAYBE_LAST = _words(
    "al etc sp spp inc ltd co corp u.s u.k u.s.a a.m p.m i.v i.p i.m s.c p.o i.d i.c.v i.n b.w "
    "ph.d m.d d.c b.i.d t.i.d q.d ed eds str cv nov avg jr sr dept univ wt"
)
_BEFORE_NUMBER = _words(
    "no nr n p jan feb mar apr jun jul aug sep sept oct nov dec art sec chap ch ver v approx "
    "min max mean avg temp"
)
_FIRST_WORDS = _words(
    "a an the this these those that we our it its they their there here in on at to for from by "
    "with within without under after before during among although though while whereas when "
    "where since because if as however moreover furthermore additionally also thus therefore "
    "hence conversely similarly consequently finally overall together both each all some most "
    "many several few no not one two three four five only further interestingly importantly "
    "notably recently previously here patients results methods conclusions data analysis "
    "treatment using based compared despite upon such other another it he she his her is are "
    "what which who how why can does do"
)
# Words before a lone capital that it belongs to: "hepatitis B. Patients", "vitamin D. Mice".
_NAME_JOINERS = _words("by and of from with to de van von der den la le et")

# Beginnings in lower case that are names: p53, mRNA, miR-21, c-Myc, iNOS, 5-HT, α-synuclein.
_LOWER_NAME = re.compile(
    r"(?:[a-z]{1,5}-?[A-Z0-9][\w-]*|[a-zα-ω]-[A-Za-z]{2}[\w-]*|[α-ω]\d|[a-z]{1,3}\d+)\b|[cgmnpr]\.\S*\d"
)
_WORD_BEFORE = re.compile(r"\S+$")
_LAST_PART = re.compile(r"[^\s(\[{\"'“‘/–—,;:=<>-]+$")
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]$")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_LIST_ITEM = re.compile(r"\(\d{1,2}\)\s+[A-Z]")
_LIST_NUMBER = re.compile(r"(?:^|(?P<word>\S*)[.?!:;]\s+)\(?\d{1,2}$")
_CAPITAL_AND = re.compile(r"\b[A-Z]\s+(?:and|or|to|vs\.?)$")
_OPENERS = "\"'“‘«([{"

# A bracket longer than this was never closed, or holds sentences of its own.
_BRACKET_LIMIT = 400


def split_sentences(text: str) -> list[Span]:
    """Sentence spans of a stretch of text.

    Args:
        text: one passage. A line break counts as a blank, an empty line as a
            border.

    Returns:
        Spans in order, not overlapping, without blanks at their ends; together
        they cover every character that is not blank.

    >>> text = "BRAF p.V600E (cf. Fig. 2) is common. E. coli is not."
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['BRAF p.V600E (cf. Fig. 2) is common.', 'E. coli is not.']
    """
    return list(_split(text))


@lru_cache(maxsize=64)  # tagger, linker and evidence ask for the same document one after the other
def _split(text: str) -> tuple[Span, ...]:
    brackets = _bracket_spans(text)
    starts = [start for start, _ in brackets]
    borders: set[int] = set()
    for found in _CANDIDATE.finditer(text):
        position = found.end()
        # An empty line is a border wherever it stands.
        if found["mark"] is None or (
            not _inside(position, found.start(), brackets, starts) and _is_end(text, found)
        ):
            borders.add(position)
    for found in _GLUED.finditer(text):
        position = found.end()
        if not _inside(position, found.start(), brackets, starts):
            borders.add(position)
    borders.update(found.end() for found in _HEADING_START.finditer(text))
    return tuple(_spans(text, sorted(borders)))


def document_sentences(document: Document) -> list[Span]:
    """Sentence spans of a document, in its offsets; none crosses a passage's border."""
    return [
        (passage.offset + start, passage.offset + end)
        for passage in document.passages
        for start, end in split_sentences(passage.text)
    ]


def _spans(text: str, borders: list[int]) -> Iterator[Span]:
    """Stretches between borders; one without a letter or digit goes with the one before."""
    begin = 0
    held: Span | None = None
    for border in [*borders, len(text)]:
        part = text[begin:border]
        stripped = part.strip()
        if stripped:
            start = begin + len(part) - len(part.lstrip())
            end = start + len(stripped)
            if held is None:
                held = (start, end)
            elif _LETTER_OR_DIGIT.search(stripped) and _LETTER_OR_DIGIT.search(text, *held):
                yield held
                held = (start, end)
            else:
                held = (held[0], end)
        begin = border
    if held is not None:
        yield held


def _bracket_spans(text: str) -> list[Span]:
    """Outermost balanced brackets, from the opening one to behind the closing one."""
    spans: list[Span] = []
    stack: list[int] = []
    for found in re.finditer(r"[(\[)\]]", text):
        if found[0] in "([":
            stack.append(found.start())
        elif stack:
            start = stack.pop()
            if found.end() - start <= _BRACKET_LIMIT:
                while spans and spans[-1][0] > start:
                    spans.pop()
                spans.append((start, found.end()))
    return spans


def _inside(position: int, mark: int, brackets: list[Span], starts: list[int]) -> bool:
    index = bisect_right(starts, mark) - 1
    # The last outermost span that begins before the mark is the only one that can hold it.
    return index >= 0 and brackets[index][0] <= mark and position < brackets[index][1]


def _is_end(text: str, found: re.Match[str]) -> bool:
    """Whether this end mark ends a sentence."""
    begin = _BLANKS.match(text, found.end()).end()  # type: ignore[union-attr]  # matches nothing too
    after = text[begin : begin + 60]
    if not after:
        return True
    mark, closed = found["mark"], bool(found["close"])
    inner = after.lstrip(_OPENERS)
    if not inner:
        return False
    if not _can_begin(after, inner):
        return False
    before_match = _WORD_BEFORE.search(text, max(0, found.start() - 60), found.start())
    if mark != "." or closed or before_match is None:
        return True
    return _word_ends(text, found.start(), before_match[0], inner)


def _can_begin(after: str, inner: str) -> bool:
    first = inner[0]
    if first.isupper():
        return True
    if first.isdigit():
        # "[12]" and "(2010)" behind a full stop are citations, "(2) We …" is a list.
        return after[0] not in "([" or bool(_LIST_ITEM.match(after))
    if _LOWER_NAME.match(inner):
        return True
    # Other scripts and symbols without case (μ-opioid was matched above): "≥", "%" do not begin.
    return first.isalpha() and not first.islower() and not first.isupper()


def _word_ends(text: str, position: int, word: str, inner: str) -> bool:
    """Whether a word before a single full stop can end a sentence here."""
    part = _LAST_PART.search(word)
    last = part[0] if part else word
    lower = last.lower()
    starter = _first_word(inner).lower() in _FIRST_WORDS
    # "MS", "CA", "ED" in capitals are names of diseases and markers, no shortened words.
    shortened = not (last.isupper() and len(last) > 1 and "." not in last)
    if (
        (shortened and lower in _NEVER_LAST)
        or _is_heading(text, position)
        or _is_list_number(text, position)
        or (inner[0].isdigit() and (lower in _BEFORE_NUMBER or last == "0"))
    ):
        return False
    if (shortened and lower in _MAYBE_LAST) or _DOTTED.fullmatch(last):
        return starter
    if len(last) == 1 and last.isalpha() and (len(word) == 1 or "." in word or word[0] in _OPENERS):
        return starter or _belongs_to_name(text, position - 1, unit=last.islower())
    return True


def _belongs_to_name(text: str, position: int, *, unit: bool) -> bool:
    """Whether a lone letter closes a name or a quantity: "vitamin D", "72 h"; no initial."""
    before = text[max(0, position - 40) : position].rstrip()
    if unit:
        return before[-1:].isdigit()
    if _CAPITAL_AND.search(before):
        return True
    found = _WORD_BEFORE.search(before)
    if found is None:
        return False
    word = found[0]
    return word.islower() and word.isalpha() and len(word) > 2 and word not in _NAME_JOINERS


def _is_heading(text: str, position: int) -> bool:
    """Whether all since the last border is a heading such as "Objective"."""
    begin = max(0, position - 60)
    piece = text[begin:position]
    border = max(piece.rfind(". "), piece.rfind("\n"))
    if border < 0 and begin > 0:
        return False
    return bool(_HEADING_ALONE.fullmatch(piece[border + 1 :].strip()))


def _is_list_number(text: str, position: int) -> bool:
    """Whether a number stands where a sentence begins: "2. Glucose fell", but not "Fig. 2"."""
    found = _LIST_NUMBER.search(text[max(0, position - 20) : position])
    if found is None:
        return False
    word = (found["word"] or "").lower().lstrip(_OPENERS)
    return word not in _NEVER_LAST and word not in _BEFORE_NUMBER and word not in _MAYBE_LAST


def _first_word(inner: str) -> str:
    found = _FIRST_WORD.match(inner)
    return found[0] if found else ""
