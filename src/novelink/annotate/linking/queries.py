"""Which names to look a mention up by, best first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.names import singular

if TYPE_CHECKING:
    from collections.abc import Iterator

_GENE_HEAD = re.compile(
    r"^(?:anti|pro|pre|phospho|phosphorylated|recombinant|soluble|serum|plasma|mutant|"
    r"wild[- ]type|human|mouse|murine|rat|bovine|porcine|chicken|native|endogenous|"
    r"truncated|mature|total|p|c|v)[- ]+",
    re.IGNORECASE,
)
_GENE_TAIL = re.compile(
    r"[- ]+(?:genes?|proteins?|mrnas?|cdnas?|loc(?:us|i)|promoters?|enzymes?|oncogenes?|alleles?|"
    r"deficient|null|knockout|positive|negative|like|transcripts?|molecules?|"
    r"polypeptides?|peptides?|antigens?|isoforms?|subunits?|mutants?|family|gene products?)$",
    re.IGNORECASE,
)
_LETTER_HEAD = re.compile(r"^[hmrpcz](?=[A-Z][A-Za-z]*\d|[A-Z]{2})")
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*")
_CHEMICAL_HEAD = re.compile(
    r"^(?:\[?\(?\d{1,3}[A-Z][a-z]?\d?\)?\]?-?|(?:\(\+/-\)|\([+-]\)|\([RSEZ]\)|[LDdl]|DL|dl|cis|trans|"
    r"all-trans|n|N|alpha|beta)-)(?=\w)"
)
_CHEMICAL_TAIL = re.compile(
    r"[- ]+(?:hydrochloride|hcl|sodium|potassium|hydrobromide|sulfate|sulphate|acetate|mesylate|"
    r"maleate|citrate|tartrate|phosphate|chloride|bromide|calcium|monohydrate|dihydrate|"
    r"ions?|salts?|compounds?|molecules?|derivatives?|analogues?|analogs?|metabolites?)$",
    re.IGNORECASE,
)
_CELL_TAIL = re.compile(r"[- ]+(?:cells?|cell lines?|line)$", re.IGNORECASE)
# Lone letters that stand for Greek ones in plain text: b-thalassemia, IFN-g.
_GREEK_LETTER = re.compile(r"(?:(?<=^)|(?<=[\s-]))[abgdk](?=$|[\s-])")
_GREEK = {"a": "alpha", "b": "beta", "g": "gamma", "d": "delta", "k": "kappa"}
_CHARGE = re.compile(r"\s*(?:\(?\d?\s?[+-]{1,2}\)?|\d?[+-]\d?)$")
# Texts speak of salts and mean the acid: glutamate, lactate.
_ANION = re.compile(r"[a-z]{4,}ate", re.IGNORECASE)
# Annotators take what is said of an organ's harm for its diseases.
_HARM = re.compile(r"(\S+)[- ](?:damage|dysfunctions?|disturbances?|toxicity)", re.IGNORECASE)
# What BioRED's annotators take these for, in its training documents.
_MEANT = {
    "carcinogenesis": "neoplasms",
    "depressed": "depressive disorder",
    "depression": "depressive disorder",
    "nephrotoxic": "kidney diseases",
    "nephrotoxicity": "kidney diseases",
    "neuroinflammation": "inflammation",
    "oncogenesis": "neoplasms",
    "proinflammatory": "inflammation",
    "qt prolongation": "long QT syndrome",
    "toxicities": "drug-related side effects and adverse reactions",
    "toxicity": "drug-related side effects and adverse reactions",
    "tumorigenesis": "neoplasms",
}
SHORT_FORMS: dict[str, str] = {
    "Al": "aluminum",
    "As": "arsenic",
    "Ba": "barium",
    "Ca": "calcium",
    "Ca2": "calcium",
    "Cd": "cadmium",
    "Cl": "chlorides",
    "Co": "cobalt",
    "Cr": "chromium",
    "Cu": "copper",
    "Fe": "iron",
    "H": "hydrogen",
    "Hg": "mercury",
    "K": "potassium",
    "Li": "lithium",
    "Mg": "magnesium",
    "Mg2": "magnesium",
    "Mn": "manganese",
    "Na": "sodium",
    "Ni": "nickel",
    "Pb": "lead",
    "Pt": "platinum",
    "Se": "selenium",
    "Zn": "zinc",
    "Zn2": "zinc",
    "CO": "carbon monoxide",
    "CO2": "carbon dioxide",
    "H2O2": "hydrogen peroxide",
    "H2S": "hydrogen sulfide",
    "N2O": "nitrous oxide",
    "NO": "nitric oxide",
    "O2": "oxygen",
    "NaCl": "sodium chloride",
    "CCl4": "carbon tetrachloride",
    "5-FU": "fluorouracil",
    "5-HT": "serotonin",
    "6-OHDA": "oxidopamine",
    "ATP": "adenosine triphosphate",
    "ADP": "adenosine diphosphate",
    "cAMP": "cyclic AMP",
    "CsA": "cyclosporine",
    "Dex": "dexamethasone",
    "DEX": "dexamethasone",
    "dex": "dexamethasone",
    "GABA": "gamma-aminobutyric acid",
    "GSH": "glutathione",
    "L-DOPA": "levodopa",
    "L-dopa": "levodopa",
    "AZT": "zidovudine",
    "LPS": "lipopolysaccharides",
    "MTX": "methotrexate",
    "SSRI": "serotonin uptake inhibitors",
    "SSRIs": "serotonin uptake inhibitors",
    "PGE2": "dinoprostone",
    "ROS": "reactive oxygen species",
    "STZ": "streptozotocin",
    "T3": "triiodothyronine",
    "T4": "thyroxine",
    "alcohol": "ethanol",
    "ATRA": "tretinoin",
}
"""Symbols and abbreviations that texts use without saying what they mean."""
# Parts of gene names in plain words (receptor, transcription factor) name no gene by themselves.
_SYMBOL = re.compile(r"\d|[A-Z]{2}|^[A-Z][a-z]{1,3}$")
_WORDS = re.compile(r"[^\s,;/()\[\]]+")
_MOST_WORDS = 8


def variants_of(kind: str, text: str) -> Iterator[tuple[str, float]]:
    """A mention and shortened forms of it, each with how much it still says.

    Args:
        kind: of the mention's type.
        text: the mention.

    Yields:
        Name and quality 0–1, falling.
    """
    seen = set()
    for form in _first_forms(kind, text):
        seen.add(form)
        yield form, 1.0
    if text not in seen:
        seen.add(text)
        yield text, 1.0
    bare = _BRACKETS.sub(" ", text).strip()
    forms = [(bare, 0.95)]
    if text in SHORT_FORMS and kind == "chemical":
        forms.append((SHORT_FORMS[text], 1.0))
    greek = _GREEK_LETTER.sub(lambda found: _GREEK[found[0]], bare)
    forms.append((greek, 0.95))
    if kind in {"disease", "chemical"}:
        forms.append((singular(bare), 0.95))
    if kind == "gene":
        forms += _stripped(bare, (_GENE_HEAD, _GENE_TAIL), 0.9)
        forms += [(_LETTER_HEAD.sub("", bare), 0.8), (bare.removesuffix("s"), 0.85)]
        # A family's name alone mostly means its first member.
        forms += [(f"{bare.removesuffix('s')} {member}", 0.6) for member in ("1", "alpha", "A")]
    elif kind == "chemical":
        plain = _CHARGE.sub("", bare).replace("(", "").replace(")", "")
        forms += [(SHORT_FORMS.get(plain, ""), 1.0), (plain, 0.9)]
        forms += _stripped(bare, (_CHEMICAL_HEAD, _CHEMICAL_TAIL), 0.85)
        if bare.endswith("ate"):
            forms.append((bare[:-3] + "ic acid", 0.8))
    elif kind == "cell":
        forms += _stripped(bare, (_CELL_TAIL,), 0.95)
    for form, quality in forms:
        if form and form not in seen:
            seen.add(form)
            yield form, quality


def _first_forms(kind: str, text: str) -> Iterator[str]:
    """Names that a mention stands for although it is itself the name of something else."""
    if kind == "chemical":
        plain = _CHARGE.sub("", text).replace("(", "").replace(")", "")
        if plain != text and plain in SHORT_FORMS:
            yield SHORT_FORMS[plain]
        if _ANION.fullmatch(text):
            yield text[:-3] + "ic acid"
    elif kind == "disease":
        harmed = _HARM.fullmatch(text)
        meant = _MEANT.get(text.lower()) or (harmed and f"{harmed[1]} diseases")
        if meant:
            yield meant


def _stripped(
    text: str, patterns: tuple[re.Pattern[str], ...], quality: float
) -> list[tuple[str, float]]:
    found = []
    for _ in range(2):
        for pattern in patterns:
            shorter = pattern.sub("", text)
            if shorter != text:
                text = shorter
                found.append((text, quality))
                quality -= 0.05
    return found


def parts_of(kind: str, text: str) -> Iterator[tuple[str, float]]:
    """Runs of a mention's words, longest first, with the share of words they keep.

    Heads of English noun phrases stand last, so of two runs of one length the
    later comes first.
    """
    words = list(_WORDS.finditer(text))
    if kind == "gene":
        words = words[:_MOST_WORDS]
    count = min(len(words), _MOST_WORDS)
    for length in range(count - 1, 0, -1):
        for first in range(count - length, -1, -1):
            run = text[words[first].start() : words[first + length - 1].end()]
            if len(run) > 2 and (kind != "gene" or _SYMBOL.search(run)):
                yield run, length / len(words)
