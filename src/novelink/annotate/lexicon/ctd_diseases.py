"""Diseases: CTD's table of MEDIC (MeSH diseases merged with OMIM), or ``name⇥id`` tables.

Columns: https://ctdbase.org/downloads/#alldiseases. MEDIC: Davis et al. 2012,
doi:10.1093/database/bar065.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.record import (
    PREFERRED,
    SYNONYM,
    Record,
    head,
    rows,
    unknown_form,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ID = re.compile(r"(?:MESH:)?([DC]\d{6,9})$|(OMIM:\d{6})$")


def disease_id(text: str) -> str | None:
    """BioRED's form of a disease id: ``MESH:D003920`` → ``D003920``; OMIM ids stay."""
    found = _ID.match(text.strip())
    return found[1] or found[2] if found else None


def read_diseases(path: Path) -> Iterator[Record]:
    """Diseases of ``CTD_diseases.tsv``, or of a table of names and ids.

    Raises:
        DataError: the file has neither form.
    """
    fields = next(
        (line.split("\t") for line in head(path) if line.strip() and not line.startswith("#")), []
    )
    if len(fields) == 2 and disease_id(fields[1]):
        for _, row in rows(path):
            found = disease_id(row[1]) if len(row) > 1 else None
            if found:
                yield Record("disease", found, ((row[0], SYNONYM),), prior=0.2)
        return
    if len(fields) < 8 or not disease_id(fields[1]):
        raise unknown_form(
            path, "CTD_diseases.tsv (DiseaseName, DiseaseID, …) or a table of name and id"
        )
    for _, row in rows(path):
        found = disease_id(row[1]) if len(row) > 1 else None
        if found is None:
            continue
        names = {row[0]: PREFERRED}
        for name in row[7].split("|") if len(row) > 7 else ():
            if name:
                names.setdefault(name, SYNONYM)
        # MeSH concepts are what annotators use first; OMIM ones are the single subtypes.
        prior = 0.0 if found.startswith("OMIM") else (0.3 if found.startswith("D") else 0.15)
        yield Record("disease", found, tuple(names.items()), prior=prior)
        for other in filter(None, map(disease_id, row[2].split("|"))):
            yield Record("disease", other, tuple(names.items()), prior=prior - 0.3)
