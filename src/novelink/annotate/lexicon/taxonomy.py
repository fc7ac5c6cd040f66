"""Species from NCBI Taxonomy: ``names.dmp``, ``taxdump.tar.gz``, or ``name⇥id`` tables.

Form of names.dmp: https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt.
"""

from __future__ import annotations

import io
import tarfile
from itertools import groupby
from typing import IO, TYPE_CHECKING

from novelink.annotate.lexicon.record import (
    PREFERRED,
    SYNONYM,
    Record,
    decode,
    head,
    open_dump,
    rows,
    unknown_form,
)
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CLASSES = {
    "scientific name": PREFERRED,
    "synonym": SYNONYM,
    "equivalent name": SYNONYM,
    "common name": SYNONYM,
    "genbank common name": SYNONYM,
    "acronym": SYNONYM,
    "genbank acronym": SYNONYM,
    "blast name": SYNONYM,
}
# Taxa beyond this number were entered for single sequences; "E. coli" never means one of them,
# and shortened forms of all of them would double the index.
_ABBREVIATED_UP_TO = 60_000


def read_species(path: Path) -> Iterator[Record]:
    """Taxa with their names.

    Raises:
        DataError: the file has none of the forms above.
    """
    if _is_archive(path):
        try:
            with tarfile.open(path) as archive:
                member = archive.extractfile("names.dmp")
                # A folder of that name holds no lines: reading it fails as a missing file does.
                yield from _read_names(member or io.BytesIO(b"\n"), path)
        except (tarfile.TarError, KeyError, EOFError, OSError) as error:
            raise DataError(
                f"no names.dmp can be read from this archive: {error}",
                source=str(path),
                remedy="Give NCBI's taxdump.tar.gz or names.dmp",
            ) from error
        return
    first = next((line for line in head(path) if line.strip() and not line.startswith("#")), "")
    fields = first.split("\t")
    if "\t|\t" in first:
        with open_dump(path) as file:
            yield from _read_names(file, path)
    elif len(fields) >= 2 and fields[1].strip().isdigit():
        for number, row in rows(path):
            if len(row) < 2 or not row[1].strip().isdigit():
                raise DataError(
                    "expected a name and a taxon's number",
                    source=str(path),
                    line=number,
                    remedy="Each line is: name, NCBI Taxonomy id",
                )
            yield Record("species", row[1].strip(), ((row[0], SYNONYM),), prior=_prior(row[1]))
    else:
        raise unknown_form(path, "NCBI's names.dmp, taxdump.tar.gz or a table of name and id")


def _is_archive(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError:
        return False  # opening it as a table says what is wrong


def _prior(taxon: str) -> float:
    return 0.3 if int(taxon) <= _ABBREVIATED_UP_TO else 0.0


def _lines(file: IO[bytes], path: Path) -> Iterator[tuple[str, str, str]]:
    for number, raw in enumerate(file, 1):
        parts = decode(raw, path, number).removesuffix("\t|").split("\t|\t")
        if len(parts) < 4 or not parts[0].isdigit():
            raise DataError(
                "not a line of names.dmp",
                source=str(path),
                line=number,
                remedy="Give NCBI's names.dmp as it was downloaded",
            )
        yield parts[0], parts[1], parts[3]


def _read_names(file: IO[bytes], path: Path) -> Iterator[Record]:
    for taxon, group in groupby(_lines(file, path), key=lambda line: line[0]):
        names: dict[str, int] = {}
        for _, name, kind in group:
            grade = _CLASSES.get(kind)
            if grade is None or name.startswith("environmental sample"):
                continue
            names.setdefault(name, grade)
            short = abbreviated(name)
            if short and kind == "scientific name" and int(taxon) <= _ABBREVIATED_UP_TO:
                names.setdefault(short, SYNONYM)
        if names:
            yield Record("species", taxon, tuple(names.items()), prior=_prior(taxon))


def abbreviated(name: str) -> str | None:
    """``Escherichia coli`` → ``E. coli``; None unless the name has two words."""
    words = name.split()
    if len(words) == 2 and words[0][:1].isupper() and words[1].isalpha() and words[1].islower():
        return f"{words[0][0]}. {words[1]}"
    return None
