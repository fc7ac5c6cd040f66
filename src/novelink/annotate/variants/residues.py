"""Names of amino acids and nucleotides in one-letter form."""

from __future__ import annotations

AMINO_ACIDS: dict[str, tuple[str, ...]] = {
    "A": ("alanine", "ala"),
    "R": ("arginine", "arg"),
    "N": ("asparagine", "asn"),
    "D": ("aspartic acid", "aspartate", "asp"),
    "C": ("cysteine", "cystein", "cys"),
    "Q": ("glutamine", "gln"),
    "E": ("glutamic acid", "glutamate", "glu"),
    "G": ("glycine", "gly"),
    "H": ("histidine", "his"),
    "I": ("isoleucine", "ile"),
    "L": ("leucine", "leu"),
    "K": ("lysine", "lys"),
    "M": ("methionine", "met"),
    "F": ("phenylalanine", "phe"),
    "P": ("proline", "pro"),
    "S": ("serine", "ser"),
    "T": ("threonine", "thr"),
    "W": ("tryptophan", "trp"),
    "Y": ("tyrosine", "tyr"),
    "V": ("valine", "val"),
    "U": ("selenocysteine", "sec"),
    "X": (
        "stop codon",
        "premature stop codon",
        "premature stop",
        "termination codon",
        "stop",
        "ter",
    ),
}
NUCLEOTIDES: dict[str, tuple[str, ...]] = {
    "A": ("adenine", "adenosine"),
    "C": ("cytosine", "cytidine"),
    "G": ("guanine", "guanosine"),
    "T": ("thymine", "thymidine"),
    "U": ("uracil",),
}

_AMINO_NAMES = {name: letter for letter, names in AMINO_ACIDS.items() for name in names}
_NUCLEOTIDE_NAMES = {name: letter for letter, names in NUCLEOTIDES.items() for name in names}
# Longest first, so that "aspartic acid" is not read as "asp".
WORD_PATTERN = "|".join(
    sorted((*_AMINO_NAMES, *_NUCLEOTIDE_NAMES), key=lambda name: (-len(name), name))
)
THREE_PATTERN = "|".join(sorted(name for name in _AMINO_NAMES if len(name) == 3))


def residue(text: str) -> tuple[str, str] | None:
    """Alphabet and letter of a residue's name.

    >>> residue("Val"), residue("guanine"), residue("stop codon"), residue("*")
    (('p', 'V'), ('c', 'G'), ('p', 'X'), ('p', 'X'))
    """
    name = text.strip().lower()
    if name in _AMINO_NAMES:
        return "p", _AMINO_NAMES[name]
    if name in _NUCLEOTIDE_NAMES:
        return "c", _NUCLEOTIDE_NAMES[name]
    if name == "*":
        return "p", "X"
    return None
