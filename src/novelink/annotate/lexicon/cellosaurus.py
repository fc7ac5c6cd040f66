"""Cell lines from Cellosaurus: ``cellosaurus.txt``, or ``name⇥CVCL_…⇥species`` tables.

Form: https://ftp.expasy.org/databases/cellosaurus/cellosaurus.txt, its head.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.record import (
    PREFERRED,
    SYNONYM,
    Record,
    decode,
    head,
    open_dump,
    unknown_form,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TAXON = re.compile(r"NCBI_TaxID=(\d+)")
_SPECIES = {
    "homo sapiens": 9606,
    "mus musculus": 10090,
    "rattus norvegicus": 10116,
    "cricetulus griseus": 10029,
    "canis lupus familiaris": 9615,
    "bos taurus": 9913,
    "sus scrofa": 9823,
    "drosophila melanogaster": 7227,
    "danio rerio": 7955,
    "chlorocebus aethiops": 9534,
    "chlorocebus sabaeus": 60711,
    "gallus gallus": 9031,
    "oryctolagus cuniculus": 9986,
}


def read_cells(path: Path) -> Iterator[Record]:
    """Cell lines with their names and organism.

    Raises:
        DataError: the file has neither form.
    """
    lines = head(path, 400)
    if any(line.startswith("AC   CVCL_") for line in lines):
        yield from _read_text(path)
        return
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    fields = [*first.split("\t"), *(line.split("\t")[1] for line in lines[:9] if "\t" in line)]
    if not any(field.startswith("CVCL_") for field in fields):
        raise unknown_form(path, "cellosaurus.txt or a table of name, CVCL_ id and species")
    # Names that begin with '#' are no comments in these tables.
    with open_dump(path) as file:
        for number, raw in enumerate(file, 1):
            row = decode(raw, path, number).split("\t")
            if len(row) >= 2 and row[1].startswith("CVCL_"):
                species = row[2].strip().lower() if len(row) > 2 else ""
                yield Record("cell", row[1].strip(), ((row[0], SYNONYM),), _SPECIES.get(species, 0))


def _read_text(path: Path) -> Iterator[Record]:
    names: dict[str, int] = {}
    accession, taxon = "", 0
    with open_dump(path) as file:
        for number, raw in enumerate(file, 1):
            line = decode(raw, path, number)
            tag, value = line[:5], line[5:].strip()
            if tag == "ID   ":
                names[value] = PREFERRED
            elif tag == "AC   ":
                accession = value
            elif tag == "SY   ":
                for name in value.split("; "):
                    names.setdefault(name, SYNONYM)
            elif tag == "OX   ":
                found = _TAXON.search(value)
                taxon = int(found[1]) if found else taxon
            elif line.startswith("//"):
                if accession and names:
                    yield Record("cell", accession, tuple(names.items()), taxon)
                names, accession, taxon = {}, "", 0
