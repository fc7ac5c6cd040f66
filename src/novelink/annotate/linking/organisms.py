"""Everyday words for organisms, and the organism that a text is about.

The words are common English and need no lexicon; the taxa are those of NCBI
Taxonomy.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.names import fold
from novelink.annotate.linking.weights import WEIGHTS, Weights
from novelink.schema import CELL_LINE, GENE, SPECIES
from novelink.sentences import document_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from novelink.document import Document, Mention

HUMAN = 9606

_WORDS: dict[int, str] = {
    HUMAN: "adolescent adolescents adult adults boy boys carriers child children daughter "
    "daughters families family father girl girls human humans individual individuals infant "
    "infants inpatient inpatients man men mother mothers newborn newborns outpatient outpatients "
    "participant participants patient patients people person persons proband son sons subject "
    "subjects volunteer volunteers woman women",
    10090: "mouse mice murine mus",
    10116: "rat rats rattus",
    7955: "zebrafish",
    7227: "drosophila",
    6239: "caenorhabditis elegans",
    4932: "yeast",
    9615: "dog dogs canine",
    9685: "cat cats feline",
    9823: "pig pigs piglet piglets porcine swine",
    9913: "bovine calf calves cattle cow cows",
    9940: "ovine sheep",
    9796: "equine horse horses",
    9986: "rabbit rabbits",
    9031: "avian chick chicken chickens",
    10141: "guinea-pig guinea-pigs",
    9544: "rhesus",
    10036: "hamster hamsters",
    8355: "xenopus",
    3702: "arabidopsis",
    2: "bacteria bacterium",
}
ORGANISM_WORDS: dict[str, int] = {
    word: taxon for taxon, words in _WORDS.items() for word in words.split()
}
# Genomes of one organism under two numbers: the strain whose genes NCBI lists, and the species.
_GENOME_OF = {4932: 559292, 562: 511145}
_MOUSE = 10090
_USUAL = {HUMAN, _MOUSE, 10116}
_FEW = 3  # names from which a manner of spelling is told
_NEAR = 24  # characters between an organism and the gene it qualifies
_LETTERS = {"h": HUMAN, "m": 10090, "r": 10116, "z": 7955, "d": 7227}
_SYMBOL = re.compile(r"[A-Z][a-z]{1,5}[\w-]*\d*$")


def organism_word(text: str) -> int | None:
    """The taxon of an everyday word, or of a phrase that ends in one.

    >>> organism_word("Patients"), organism_word("nude mice"), organism_word("HIV-1")
    (9606, 10090, None)
    """
    words = fold(text).split()
    if not words:
        return None
    return ORGANISM_WORDS.get("-".join(words[-2:])) or ORGANISM_WORDS.get(words[-1])


@dataclass
class OrganismView:
    """Which organisms a document names, where, and how much.

    Attributes:
        places: (start, taxon) of each organism or cell line, in text order.
        share: taxon → its share of all of them, those in the title counted more.
        sentences: spans of the sentences.
        settings: how much each sign counts.
    """

    places: list[tuple[int, int]] = field(default_factory=list)
    share: dict[int, float] = field(default_factory=dict)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    settings: Weights = WEIGHTS

    @classmethod
    def of(
        cls, document: Document, taxa: Mapping[Mention, int], weights: Weights = WEIGHTS
    ) -> OrganismView:
        """A view from mentions whose taxon is known.

        Args:
            document: whose text and passages are looked at.
            taxa: organism and cell line mentions → taxon.
            weights: how much each sign counts.
        """
        title_end = document.passages[0].end if document.passages else 0
        counts: dict[int, float] = defaultdict(float)
        places = []
        for mention in document.mentions:
            taxon = taxa.get(mention)
            if not taxon or mention.type not in {SPECIES, CELL_LINE}:
                continue
            places.append((mention.start, taxon))
            counts[taxon] += weights.title if mention.start < title_end else 1.0
        total = sum(counts.values())
        if not counts.keys() & _USUAL and _looks_like_mouse(document):
            counts[_MOUSE] = max(total, 1.0)
            total += counts[_MOUSE]
        return cls(
            sorted(places),
            {taxon: count / total for taxon, count in counts.items()} if total else {},
            document_sentences(document),
            weights,
        )

    def weights(self, mentions: Sequence[Mention], text: str) -> dict[int, float]:
        """Evidence for each organism that a gene's mentions are of.

        Args:
            mentions: of one name in this document.
            text: the document's text.

        Returns:
            Taxon → weight; about 1 where the document leaves no doubt. Organisms
            that nothing speaks for are absent.
        """
        found = dict(self.share)
        for mention in mentions:
            for taxon, weight in self._nearby(mention, text):
                found[taxon] = found.get(taxon, 0.0) + weight / len(mentions)
        for taxon, weight in _spelling(mentions[0].text, found, self.settings):
            found[taxon] = found.get(taxon, 0.0) + weight
        found[HUMAN] = found.get(HUMAN, 0.0) + self.settings.human
        return {_GENOME_OF.get(taxon, taxon): weight for taxon, weight in found.items()}

    def _nearby(self, mention: Mention, text: str) -> list[tuple[int, float]]:
        """Organisms in the mention's sentence, those right before it most of all."""
        index = bisect_right(self.sentences, (mention.start, len(text) + 1)) - 1
        start, end = self.sentences[index] if index >= 0 else (0, len(text))
        near = []
        for place, taxon in self.places:
            if place >= end:
                break
            if place < start:
                continue
            distance = mention.start - place
            if 0 <= distance <= _NEAR and "," not in text[place : mention.start]:
                near.append((taxon, self.settings.near))
            else:
                near.append((taxon, self.settings.sentence))
        return near


def _looks_like_mouse(document: Document) -> bool:
    """Whether genes are spelled as those of mice: Sox2, Gata6 and hardly any SOX2."""
    names = {mention.text for mention in document.mentions if mention.type == GENE}
    capitalised = sum(bool(_SYMBOL.match(name)) and any(map(str.isdigit, name)) for name in names)
    capitals = sum(name.isupper() and len(name) > 2 for name in names)
    return capitalised >= _FEW and capitalised > 2 * capitals


def _spelling(name: str, present: Mapping[int, float], weights: Weights) -> list[tuple[int, float]]:
    """What the spelling of a gene's name says: hTERT, Pkd2, PKD2."""
    found = []
    if len(name) > 2 and name[0] in _LETTERS and name[1].isupper():
        taxon = _LETTERS[name[0]]
        if taxon in present:
            found.append((taxon, weights.letter))
    if _SYMBOL.match(name) and " " not in name and any(char.isdigit() for char in name):
        found.extend((taxon, weights.capitalised) for taxon in (10090, 10116) if taxon in present)
    elif name.isupper() and len(name) > 2:
        found.append((HUMAN, weights.capitals))
    return found
