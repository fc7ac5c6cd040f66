"""Sequence variants in words and in HGVS → one form.

The form is that of tmVar and BioRED: ``p|SUB|V|600|E`` is
``sequence|event|from|position|to`` and ``c|DEL|1314_1328|`` is
``sequence|event|position|residues``. HGVS: den Dunnen et al. 2016,
doi:10.1002/humu.22981; tmVar: Wei et al. 2013, doi:10.1093/bioinformatics/btt156.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.variants.residues import THREE_PATTERN, WORD_PATTERN, residue

if TYPE_CHECKING:
    from collections.abc import Callable

_ARROW = r"(?:\s*(?:-+>|=+>|→|⟶|>|/|»|-to-)\s*|\s+to\s+)"
_THREE = rf"(?:{THREE_PATTERN}|ter|stop)"
_ONE = r"[ACDEFGHIKLMNPQRSTVWYX*]"
_POSITION = r"(?:IVS\d+\s?)?[+-]?\s?\d+(?:\s?[_+-]\s?\d+)*"
_LEVEL = r"(?:(?P<level>[cgmnrp])\s*\.\s*)?"
_AT = (
    r"(?:amino[ -]acids?|amino[ -]acid (?:position|residue)s?|codons?|positions?|residues?|"
    r"nucleotides?(?: positions?)?|nt|bp|base(?: pair)?s?|sites?)"
)

_RS = re.compile(r"\brs\s?#?\s?(\d+)\b", re.IGNORECASE)
_PROTEIN_SHORT = re.compile(
    rf"(?:(?P<level>p)\s*\.\s*)?\(?(?P<old>[ACDEFGHIKLMNPQRSTVWY])\(?(?P<pos>\d+)\)?"
    rf"(?:{_ARROW})?(?P<new>{_ONE})\)?$"
)
_PROTEIN_LONG = re.compile(
    rf"(?:(?P<level>p)\s*\.\s*)?[\[(]?(?P<old>{_THREE})\s*[-(]?\s*(?P<pos>\d+)\s*[-)]?\s*"
    rf"(?:{_ARROW}|-)?\s*(?P<new>{_THREE}|[X*])[\])]?$",
    re.IGNORECASE,
)
_FRAMESHIFT = re.compile(
    rf"(?:p\s*\.\s*)?\(?(?P<old>{_THREE}|{_ONE})-?(?P<pos>\d+)(?P<new>{_THREE}|{_ONE})?\s*-?"
    r"(?:fs|frame\s?shift)\s*-?(?:\*|x|ter|stop)?\s*(?P<stop>\d+)?\)?$",
    re.IGNORECASE,
)
_SUBSTITUTION = re.compile(
    rf"{_LEVEL}(?P<pos>{_POSITION}|\*\d+|Ex\d+[+-]\d+)\s*\(?"
    rf"(?P<old>[ACGTU]+){_ARROW}(?P<new>[ACGTU]+)\)?$"
)
_SUBSTITUTION_AROUND = re.compile(
    rf"{_LEVEL}\(?(?P<old>[ACGTU])\s?\(?(?P<pos>{_POSITION})\)?(?:{_ARROW})?\s?(?P<new>[ACGTU])\)?$"
)
_SUBSTITUTION_BEFORE = re.compile(
    rf"{_LEVEL}(?P<old>[ACGTU]){_ARROW}(?P<new>[ACGTU])\s*\(?(?P<pos>{_POSITION})\)?$"
)
_EVENT = re.compile(
    rf"{_LEVEL}\(?(?P<pos>{_POSITION})\)?[\s-]*(?P<event>del(?:etion)?|ins(?:ertion)?|dup(?:lication)?|inv)"
    r"\s*-?\(?(?P<what>[ACGTU]+|\d+)?(?:\s?bp)?\)?$",
    re.IGNORECASE,
)
_INDEL = re.compile(
    rf"{_LEVEL}(?P<pos>{_POSITION})\s*del(?P<lost>[ACGTU]+|\d+)?\s*ins(?P<what>[ACGTU]+|\d+)?$",
    re.IGNORECASE,
)
_PROTEIN_EVENT = re.compile(
    rf"(?:p\s*\.\s*)?\(?(?P<old>{_THREE}|{_ONE})-?(?P<pos>\d+)"
    rf"(?:[_-](?P<old2>{_THREE}|{_ONE})-?(?P<pos2>\d+))?\s*(?P<event>del|ins|dup)(?P<what>[A-Za-z]*)\)?$",
    re.IGNORECASE,
)
_EVENT_FIRST = re.compile(
    rf"(?P<event>delta|deletion|del|insertion|ins|duplication|dup|Δ)[\s-]*(?:of\s+)?\(?"
    rf"(?P<what>{_ONE}|[ACGTU]+|{_THREE})?\s?(?P<pos>\d+(?:[_-]\d+)?)\)?$",
    re.IGNORECASE,
)
_WORDS_AT_END = re.compile(
    rf"(?P<old>{WORD_PATTERN}|{_ONE})\b\s*(?:\([^)]*\)\s*)?(?:residue\s+)?"
    rf"(?:{_ARROW}|(?:was |is )?(?:replaced|substituted) (?:by|with)|into|by|\s*-\s*)\s*"
    rf"(?:an? )?(?P<new>{WORD_PATTERN}|{_ONE})\b.*?(?:\bat\b|\bin\b|\bof\b|\()?\s*"
    rf"(?:the )?{_AT}\s*(?:number )?\(?(?P<pos>[+-]?\d[\d,]*)",
    re.IGNORECASE,
)
_WORDS_NUMBERED = re.compile(
    rf"(?P<old>{WORD_PATTERN})\s*[-(]?\s*(?P<pos>\d+)\s*[-)]?\s*(?:{_ARROW}|by|with|into|for|-)?\s*"
    rf"(?:an? )?(?P<new>{WORD_PATTERN})",
    re.IGNORECASE,
)
_WORDS_FOR = re.compile(
    rf"(?P<new>{WORD_PATTERN})\b\s*(?:\([^)]*\)\s*)?(?:is |was )?"
    rf"(?:substitut\w+ |replac\w+ )?for\s+(?:an? )?"
    rf"(?P<old>{WORD_PATTERN})\b.*?{_AT}?\s*\(?(?P<pos>\d+)",
    re.IGNORECASE,
)
_AT_BEGINNING = re.compile(
    rf"{_AT}\s*\(?(?P<pos>[+-]?\d[\d,]*)\)?\W*(?:\w+\W+){{0,6}}?(?P<old>{WORD_PATTERN}|{_ONE})\b"
    rf"\s*(?:\([^)]*\)\s*)?(?:{_ARROW}|by|with|into)\s*(?:an? )?(?P<new>{WORD_PATTERN}|{_ONE})\b",
    re.IGNORECASE,
)
_LETTERS_ONLY = re.compile(
    rf"\(?(?P<old>{WORD_PATTERN}|[ACGTU]+)\)?{_ARROW}\(?(?P<new>{WORD_PATTERN}|[ACGTU]+)\)?$",
    re.IGNORECASE,
)
_ALLELE = re.compile(
    rf"{_LEVEL}\(?(?:allele\s*)?(?P<old>{WORD_PATTERN}|{_ONE})\)?[\s-]*(?:{_AT}\s*)?\(?(?P<pos>\d+)\)?"
    r"(?:\s*allele)?$",
    re.IGNORECASE,
)
_ALLELE_AFTER = re.compile(rf"{_LEVEL}(?P<pos>{_POSITION})\s?(?P<old>[ACGTU]{{1,2}})(?: allele)?$")
_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        (
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ),
        1,
    )
}
_LENGTH = re.compile(
    r"(?:a )?(?P<what>\d+|"
    + "|".join(_NUMBERS)
    + r"|[ACGTU]+|adenine|cytosine|guanine|thymine)[\s-]*"
    r"(?:(?:bp|base[\s-]?pairs?|bases?|nucleotides?|nt)\b)?[\s-]*"
    r"(?P<event>deletion|insertion|duplication|ins/del|insertion/deletion|indel)\b"
    rf"(?:.*?{_AT}\s*(?P<pos>\d+))?",
    re.IGNORECASE,
)
_OF_LENGTH = re.compile(
    r"(?P<event>deletion|insertion|duplication|del|ins|dup|ins/del|indel)\s*(?:of\s+)?\(?"
    r"(?:the |an? )?(?:single )?(?P<what>\d+|[ACGTU]+\b)\s*-?"
    r"(?P<unit>bp|base[\s-]?pairs?|bases?|nucleotides?|nt)?\)?"
    rf"(?:.*?{_AT}\s*(?P<pos>\d+))?",
    re.IGNORECASE,
)
_DEL_BEFORE = re.compile(r"del\s?(?P<pos>\d+)\s?(?P<what>[ACGT]+)$")
_EVENTS = {"del": "DEL", "ins": "INS", "dup": "DUP", "inv": "INV", "Δ": "DEL"}


def normal_form(text: str) -> str | None:
    """A variant's identifier from its text alone.

    Args:
        text: a mention: an rs number, HGVS, or plain English.

    Returns:
        ``rs…`` or the form above, None where the text names no definite change.

    >>> normal_form("p.Val600Glu"), normal_form("valine to glutamate at codon 600")
    ('p|SUB|V|600|E', 'p|SUB|V|600|E')
    >>> normal_form("c.1314_1328del"), normal_form("rs 113488022")
    ('c|DEL|1314_1328|', 'rs113488022')
    """
    found = _RS.search(text)
    if found:
        return f"rs{found[1]}"
    plain = re.sub(r"\s+", " ", text.replace("−", "-").replace("–", "-")).strip(" ,;.")
    for rule in _RULES:
        form = rule(plain)
        if form is not None:
            return form
    return None


def _letter(text: str) -> tuple[str, str]:
    """Alphabet and letter; a lone letter says nothing about the alphabet."""
    found = residue(text)
    if found is not None:
        return found
    return ("?", "X" if text == "*" else text.upper())


def _position(text: str) -> str:
    return text.replace(",", "").replace(" ", "")


def _range(text: str) -> str:
    """``10-12`` → ``10_12``, ``1782-83`` → ``1782_1783``; intronic offsets stay."""
    position = _position(text)
    found = re.fullmatch(r"(\d+)[-_](\d+)", position)
    if not found:
        return position
    first, last = found[1], found[2]
    if len(last) < len(first):
        last = first[: len(first) - len(last)] + last
    return f"{first}_{last}"


def _change(level: str | None, old: str, position: str, new: str) -> str | None:
    (kind1, letter1), (kind2, letter2) = _letter(old), _letter(new)
    kinds = {kind1, kind2} - {"?"}
    if len(kinds) > 1:
        return None
    if level is None:
        known = kinds.pop() if kinds else None
        nucleotides = set("ACGTU")
        level = known or ("c" if {letter1, letter2} <= nucleotides else "p")
    return f"{level}|SUB|{letter1}|{_position(position)}|{letter2}"


def _protein_short(text: str) -> str | None:
    found = _PROTEIN_SHORT.match(text)
    if not found:
        return None
    bases = set("ACGTU")
    if found["level"] is None and found["old"] in bases and found["new"] in bases:
        return f"c|SUB|{found['old']}|{found['pos']}|{found['new']}"
    new = "X" if found["new"] == "*" else found["new"]
    return f"p|SUB|{found['old']}|{found['pos']}|{new}"


def _protein_long(text: str) -> str | None:
    found = _PROTEIN_LONG.match(text)
    return _change("p", found["old"], found["pos"], found["new"]) if found else None


def _frameshift(text: str) -> str | None:
    found = _FRAMESHIFT.match(text)
    if not found:
        return None
    new = _letter(found["new"])[1] if found["new"] else ""
    return f"p|FS|{_letter(found['old'])[1]}|{found['pos']}|{new}|{found['stop'] or ''}"


def _substitution(text: str) -> str | None:
    for pattern in (_SUBSTITUTION, _SUBSTITUTION_AROUND, _SUBSTITUTION_BEFORE):
        found = pattern.match(text)
        if found:
            level = found["level"] or "c"
            return f"{level}|SUB|{found['old']}|{_position(found['pos'])}|{found['new']}"
    return None


def _indel(text: str) -> str | None:
    found = _INDEL.match(text)
    if not found:
        return None
    what = (found["what"] or "").upper()
    return f"{found['level'] or 'c'}|INDEL|{found['pos']}|{what}"


def _event(text: str) -> str | None:
    found = _EVENT.match(text)
    if not found:
        return None
    event = _EVENTS[found["event"][:3].lower()]
    end = "|" if event == "DUP" else ""
    position = _range(found["pos"])
    what = (found["what"] or "").upper()
    return f"{found['level'] or 'c'}|{event}|{position}|{what}{end}"


def _protein_event(text: str) -> str | None:
    found = _PROTEIN_EVENT.match(text)
    if not found:
        return None
    event = _EVENTS[found["event"].lower()]
    position = found["pos"] + (f"_{found['pos2']}" if found["pos2"] else "")
    if event == "INS":
        what = found["what"].upper()
    else:
        what = _letter(found["old"])[1] + (_letter(found["old2"])[1] if found["old2"] else "")
    return f"p|{event}|{position}|{what}" + ("|" if event == "DUP" else "")


def _event_first(text: str) -> str | None:
    found = _EVENT_FIRST.match(text)
    if not found:
        return None
    event = _EVENTS[found["event"][:3].lower()]
    what = found["what"] or ""
    letter = _letter(what)[1] if what else ""
    protein = bool(letter) and (len(what) == 3 or not set(letter) <= set("ACGTU"))
    position = found["pos"].replace("-", "_")
    return f"{'p' if protein else 'c'}|{event}|{position}|{letter}"


def _words(text: str) -> str | None:
    for pattern in (_WORDS_NUMBERED, _WORDS_AT_END, _AT_BEGINNING, _WORDS_FOR):
        found = pattern.search(text)
        if found:
            form = _change(None, found["old"], found["pos"], found["new"])
            if form is not None:
                return form
    return None


def _length(text: str) -> str | None:
    """``24 bp deletion``, ``dup24bp``, ``deletion of C at nucleotide 888``."""
    found = _DEL_BEFORE.match(text)
    if found:
        return f"c|DEL|{found['pos']}|{found['what']}"
    found = _LENGTH.match(text) or _OF_LENGTH.match(text)
    if not found:
        return None
    what = found["what"]
    if what.isdigit() and "unit" in found.re.groupindex and not found["unit"] and not found["pos"]:
        return None
    word = residue(what)
    what = word[1] if word else _NUMBERS.get(what.lower(), what.upper())
    name = found["event"].lower()
    event = "INDEL" if name in {"ins/del", "insertion/deletion", "indel"} else _EVENTS[name[:3]]
    return f"c|{event}|{found['pos'] or ''}|{what}" + ("|" if event == "DUP" else "")


def _allele(text: str) -> str | None:
    found = _ALLELE_AFTER.match(text)
    if found:
        return f"{found['level'] or 'c'}|Allele|{found['old'][0]}|{_position(found['pos'])}"
    found = _ALLELE.match(text)
    if not found:
        return None
    kind, letter = _letter(found["old"])
    level = found["level"] or ("p" if kind in {"?", "p"} else "c")
    return f"{level}|Allele|{letter}|{found['pos']}"


def _letters_only(text: str) -> str | None:
    found = _LETTERS_ONLY.match(text)
    return _change(None, found["old"], "", found["new"]) if found else None


_RULES: tuple[Callable[[str], str | None], ...] = (
    _protein_short,
    _protein_long,
    _frameshift,
    _substitution,
    _indel,
    _event,
    _protein_event,
    _event_first,
    _length,
    _words,
    _allele,
    _letters_only,
)
