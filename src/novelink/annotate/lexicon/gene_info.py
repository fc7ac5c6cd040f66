"""Genes from NCBI's ``gene_info`` files (all organisms or one).

Columns: https://ftp.ncbi.nlm.nih.gov/gene/DATA/README.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.record import (
    DESCRIPTION,
    PREFERRED,
    SYNONYM,
    Record,
    decode,
    open_dump,
    unknown_form,
)
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMON_TAXA: dict[int, str] = {
    9606: "human",
    10090: "mouse",
    10116: "rat",
    7955: "zebrafish",
    7227: "fruit fly",
    6239: "C. elegans",
    559292: "yeast S288c",
    4932: "yeast",
    9913: "cattle",
    9823: "pig",
    9615: "dog",
    9031: "chicken",
    9986: "rabbit",
    9940: "sheep",
    9544: "rhesus monkey",
    10141: "guinea pig",
    10029: "Chinese hamster",
    8355: "Xenopus laevis",
    8364: "Xenopus tropicalis",
    3702: "Arabidopsis",
    511145: "E. coli K-12",
    11676: "HIV-1",
    10407: "hepatitis B virus",
    2697049: "SARS-CoV-2",
}
"""Organisms whose genes are indexed unless told otherwise: those that abstracts are about."""

_COLUMNS = 14


def read_gene_info(path: Path, taxa: frozenset[int] | None) -> Iterator[Record | None]:
    """Genes of the wanted organisms.

    Args:
        path: ``gene_info`` or a part of it, may be gzipped.
        taxa: NCBI Taxonomy ids to keep; None keeps all.

    Yields:
        A record per gene, None for a gene of another organism.

    Raises:
        DataError: the file is no gene_info file.
    """
    wanted = None if taxa is None else {str(taxon).encode() for taxon in taxa}
    seen = False
    with open_dump(path) as file:
        for number, line in enumerate(file, 1):
            if line.startswith(b"#") or not line.strip():
                continue
            # The whole dump has tens of millions of lines: leave out by bytes first.
            if wanted is not None and line[: line.find(b"\t")] not in wanted:
                if not seen:
                    _check(decode(line, path, number).split("\t"), path, number)
                    seen = True
                yield None
                continue
            fields = decode(line, path, number).split("\t")
            seen = True
            _check(fields, path, number)
            yield _record(fields)
    if not seen:
        raise unknown_form(path, "NCBI gene_info (tax_id, GeneID, Symbol, …)")


def _check(fields: list[str], path: Path, number: int) -> None:
    if len(fields) < _COLUMNS or not fields[0].isdigit() or not fields[1].isdigit():
        raise DataError(
            f"not a line of gene_info: {len(fields)} columns, the first two should be numbers",
            source=str(path),
            line=number,
            remedy="Give NCBI's gene_info file (tax_id, GeneID, Symbol, …)",
        )


def _record(fields: list[str]) -> Record:
    symbol, gene_type = fields[2], fields[9]
    # Placeholder entries ("NEWENTRY") name no gene.
    names: dict[str, int] = {}
    for text, grade in (
        (symbol, PREFERRED),
        (fields[10], PREFERRED),
        *((name, SYNONYM) for name in fields[4].split("|")),
        (fields[8], DESCRIPTION),
        (fields[11], DESCRIPTION),
        *((name, DESCRIPTION) for name in fields[13].split("|")),
    ):
        if text not in {"", "-", "NEWENTRY"}:
            names.setdefault(text, grade)
    number = int(fields[1])
    # Genes with low numbers were entered first and are the much-studied ones; so are genes
    # with many cross-references and synonyms.
    prior = -0.08 * math.log10(number + 1) + 0.015 * min(len(names), 20)
    if gene_type != "protein-coding":
        prior -= 0.6 if gene_type in {"pseudo", "biological-region"} else 0.25
    return Record("gene", fields[1], tuple(names.items()), int(fields[0]), prior)
