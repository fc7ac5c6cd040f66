"""Concept ids as CURIEs and as links to the database that defines them."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT

LOCAL_PREFIX = "novelink"
"""CURIE prefix of ids that no database defines, such as variants without an rs number."""


class Identifier(NamedTuple):
    """An id in a database.

    Attributes:
        prefix: as Biolink spells it (``MESH``), or Bioregistry where Biolink
            has none (``cellosaurus``).
        local: the part after the colon.
        url: page of the entry; None for ids that no database defines.
        database: name to show.
    """

    prefix: str
    local: str
    url: str | None
    database: str

    @property
    def curie(self) -> str:
        """``prefix:local``."""
        return f"{self.prefix}:{self.local}"


class _Rule(NamedTuple):
    """Ids of one form; ``{}`` stands for the id in CURIE and URL."""

    form: re.Pattern[str]
    prefix: str
    local: str
    url: str
    database: str


def _rule(form: str, prefix: str, local: str, url: str, database: str) -> _Rule:
    return _Rule(re.compile(form, re.IGNORECASE), prefix, local, url, database)


_BARE_NUMBERS = {
    SPECIES: _rule(
        r"(?:NCBITaxon:|taxonomy:|taxid:|\*)?(\d+)",
        "NCBITaxon",
        "{}",
        "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id={}",
        "NCBI Taxonomy",
    ),
    GENE: _rule(
        r"(?:NCBIGene:|Gene:)?(\d+)",
        "NCBIGene",
        "{}",
        "https://www.ncbi.nlm.nih.gov/gene/{}",
        "NCBI Gene",
    ),
}
_BY_FORM = (
    _rule(
        r"(?:MESH:)?([CDQ]\d{6,9})",
        "MESH",
        "{}",
        "https://meshb.nlm.nih.gov/record/ui?ui={}",
        "MeSH",
    ),
    _rule(r"(?:dbSNP:)?rs(\d+)", "DBSNP", "rs{}", "https://www.ncbi.nlm.nih.gov/snp/rs{}", "dbSNP"),
    _rule(
        r"(?:cellosaurus:)?CVCL[_:]([A-Z0-9]{4,5})",
        "cellosaurus",
        "CVCL_{}",
        "https://www.cellosaurus.org/CVCL_{}",
        "Cellosaurus",
    ),
    _rule(r"O?MIM:(\d{6})", "OMIM", "{}", "https://omim.org/entry/{}", "OMIM"),
    _rule(r"CHEBI:(\d+)", "CHEBI", "{}", "https://www.ebi.ac.uk/chebi/CHEBI:{}", "ChEBI"),
)
_PMID = re.compile(r"(?:PMID:)?([1-9]\d{0,7})")
_PMCID = re.compile(r"(?:PMCID:)?(PMC\d+)", re.IGNORECASE)


def identify(entity_type: str, concept_id: str) -> Identifier:
    """Which database defines a concept id.

    Ids say what they are by their form; only bare numbers need the type (NCBI
    Gene or NCBI Taxonomy).

    Args:
        entity_type: in BioRED's vocabulary; other types fall back on the form.
        concept_id: as in the document.

    >>> identify("GeneOrGeneProduct", "672").curie
    'NCBIGene:672'
    >>> identify("SequenceVariant", "p|SUB|V|600|E").curie
    'novelink:p%7CSUB%7CV%7C600%7CE'
    """
    concept_id = concept_id.strip()
    rules = (*((_BARE_NUMBERS[entity_type],) if entity_type in _BARE_NUMBERS else ()), *_BY_FORM)
    for rule in rules:
        if found := rule.form.fullmatch(concept_id):
            number = found[1].upper()
            return Identifier(
                rule.prefix, rule.local.format(number), rule.url.format(number), rule.database
            )
    return Identifier(LOCAL_PREFIX, quote(concept_id, safe=""), None, "")


def identify_document(document_id: str) -> Identifier:
    """PubMed or PubMed Central entry of a document, by the form of its id."""
    if found := _PMID.fullmatch(document_id):
        return Identifier(
            "PMID", found[1], f"https://pubmed.ncbi.nlm.nih.gov/{found[1]}/", "PubMed"
        )
    if found := _PMCID.fullmatch(document_id):
        local = found[1].upper()
        url = f"https://pmc.ncbi.nlm.nih.gov/articles/{local}/"
        return Identifier("PMCID", local, url, "PubMed Central")
    return Identifier(LOCAL_PREFIX, quote(document_id, safe=""), None, "")


CATEGORIES = {
    GENE: "biolink:Gene",
    DISEASE: "biolink:DiseaseOrPhenotypicFeature",
    CHEMICAL: "biolink:ChemicalEntity",
    VARIANT: "biolink:SequenceVariant",
    SPECIES: "biolink:OrganismTaxon",
    CELL_LINE: "biolink:CellLine",
}
"""Entity type → Biolink class; other schemas' types become ``biolink:NamedThing``."""
