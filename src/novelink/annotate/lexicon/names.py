"""Forms of a name under which different spellings meet.

Two keys are kept for each name. The *squashed* key forgets case, accents,
punctuation and how Greek letters are written; the *loose* key also forgets word
order, plurals, British spelling, Roman numerals and words that carry no meaning
for the kind of entity.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "ο": "omicron",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "ς": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
}
_GREEK_TABLE = str.maketrans(GREEK)
# Gene symbols write one Latin letter for these: TGFB1 is TGF-beta 1.
_GREEK_LETTERS = {
    "alpha": "a",
    "beta": "b",
    "gamma": "g",
    "delta": "d",
    "epsilon": "e",
    "kappa": "k",
    "lambda": "l",
}
# "v", "x" and "i" alone are letters more often than numbers.
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_STOP = frozenset({"of", "the", "in", "and", "with", "to", "due", "a", "an", "by", "for", "or"})
# Names of diseases have these for completeness; texts leave them out.
_DISEASE_STOP = _STOP | {"mellitus", "nos", "s", "included", "susceptibility"}
_GENE_STOP = _STOP | {
    "gene",
    "protein",
    "proteins",
    "genes",
    "human",
    "mouse",
    "rat",
    "murine",
    "mrna",
}
# A drug's salt is the drug: MeSH lists sildenafil as Sildenafil Citrate.
_SALTS = frozenset(
    {
        "besylate",
        "citrate",
        "dihydrate",
        "dihydrochloride",
        "fumarate",
        "hcl",
        "hydrobromide",
        "hydrochloride",
        "maleate",
        "mesylate",
        "monohydrate",
        "succinate",
        "tartrate",
        "tosylate",
    }
)
_BRITISH = (
    ("tumour", "tumor"),
    ("aemi", "emi"),
    ("haem", "hem"),
    ("oedem", "edem"),
    ("oesoph", "esoph"),
    ("oestr", "estr"),
    ("diarrhoe", "diarrhe"),
    ("paed", "ped"),
    ("gynaec", "gynec"),
    ("anaesth", "anesth"),
    ("behaviour", "behavior"),
    ("sulph", "sulf"),
    ("foet", "fet"),
    ("ischaem", "ischem"),
    ("goitre", "goiter"),
    ("fibre", "fiber"),
    ("isation", "ization"),
)
# Adjectives and nouns of one disease word share a stem: hypertension, hypertensive.
_SUFFIXES = (
    "atory",
    "ations",
    "ation",
    "ities",
    "ity",
    "ions",
    "ion",
    "ives",
    "ive",
    "ical",
    "ics",
    "ic",
    "als",
    "al",
    "ous",
    "ing",
    "ed",
    "ias",
    "ia",
    "es",
    "ies",
    "y",
    "is",
    "e",
    "ar",
)
# Stems that mean the same in names of diseases as another word.
_DISEASE_SYNONYMS = {
    "cancer": "neoplasm",
    "carcinoma": "neoplasm",
    "tumor": "neoplasm",
    "malignanc": "neoplasm",
    "malignant": "neoplasm",
    "renal": "kidney",
    "nephr": "kidney",
    "hepat": "liver",
    "cardi": "heart",
    "cardiac": "heart",
    "pulmon": "lung",
    "gastr": "stomach",
    "cerebr": "brain",
    "cutane": "skin",
    "dermal": "skin",
    "mammar": "breast",
    "ocul": "eye",
    "diseas": "disorder",
    "injur": "injur",
    "damag": "injur",
    "deficit": "deficienc",
    "impair": "deficienc",
    "abnormalit": "abnorm",
}
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"\d+|[^\W\d_]+")


@lru_cache(maxsize=65536)
def fold(name: str) -> str:
    """Lower case, no accents, Greek letters spelled: ``"TNF-α"`` → ``"tnf-alpha"``."""
    if name.isascii():
        return name.lower()
    spelled = unicodedata.normalize("NFKC", name).casefold().translate(_GREEK_TABLE)
    if spelled.isascii():
        return spelled
    parts = unicodedata.normalize("NFKD", spelled)
    plain = "".join(char for char in parts if not unicodedata.combining(char))
    # Greek letters with an accent have lost it only now.
    return plain.translate(_GREEK_TABLE)


def squash(name: str) -> str:
    """Letters and digits of the folded name: ``"TNF-α"`` → ``"tnfalpha"``."""
    return "".join(_WORD.findall(fold(name)))


def singular(word: str) -> str:
    """A lower-case word without a plural ending."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=65536)
def disease_stem(word: str) -> str:
    """The part that a disease word shares with its derivatives.

    ``hypertension`` and ``hypertensive`` give ``hypertens``; ``cancers`` and
    ``tumour`` give the stem of neoplasm.
    """
    for british, american in _BRITISH:
        if british in word:
            word = word.replace(british, american)
    stem = _stripped(singular(word))
    same = _DISEASE_SYNONYMS.get(singular(word)) or _DISEASE_SYNONYMS.get(stem)
    return _stripped(same) if same else stem


def _stripped(word: str) -> str:
    for _ in range(2):
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 4:
                word = word[: -len(suffix)]
                break
        else:
            break
    return word


@lru_cache(maxsize=65536)
def stems(kind: str, name: str) -> tuple[str, ...]:
    """Comparable words of a name, in order, without words that carry no meaning.

    Args:
        kind: ``gene``, ``disease``, ``chemical``, ``species`` or ``cell``.
        name: any spelling.
    """
    folded = fold(name)
    if kind == "gene":
        kept = []
        for word in _RUN.findall(folded):
            if word in _GENE_STOP:
                continue
            kept.append(_GREEK_LETTERS.get(word) or _ROMAN.get(word) or singular(word))
        return tuple(kept)
    stop = _DISEASE_STOP if kind == "disease" else _STOP
    found = [_ROMAN.get(word, word) for word in _WORD.findall(folded) if word not in stop]
    if kind == "disease":
        return tuple(disease_stem(word) for word in found)
    if kind == "chemical":
        found = [word for word in found if word not in _SALTS] or found
    return tuple(singular(word) for word in found)


def loose(kind: str, name: str) -> str:
    """Stems of a name in alphabetical order; those of a gene in their own, as one word.

    ``"Carcinoma, Breast"`` meets ``"breast cancers"``, ``"TGF-beta1"`` meets
    ``"TGFB1 gene"``.
    """
    words = stems(kind, name)
    return "".join(words) if kind == "gene" else " ".join(sorted(words))
