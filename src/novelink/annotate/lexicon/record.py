"""What every dump is read into, and how dump files are opened."""

from __future__ import annotations

import gzip
import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from novelink.errors import DataError
from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS: dict[str, str] = {
    GENE: "gene",
    DISEASE: "disease",
    CHEMICAL: "chemical",
    SPECIES: "species",
    CELL_LINE: "cell",
}
"""Entity type → kind of concept in the index. Variants need no lexicon."""

PREFERRED = 0
SYNONYM = 1
DESCRIPTION = 2


@dataclass(frozen=True, slots=True)
class Record:
    """One concept of a dump.

    Attributes:
        kind: ``gene``, ``disease``, ``chemical``, ``species`` or ``cell``.
        concept_id: as BioRED writes it: ``673``, ``D008545``, ``OMIM:613550``,
            ``9606``, ``CVCL_0030``.
        names: spelling and grade: :data:`PREFERRED` name, :data:`SYNONYM`, or
            :data:`DESCRIPTION` (a long name that others may share).
        taxon: NCBI Taxonomy id of the organism a gene or cell line is from.
        prior: how much likelier than its namesakes the concept is to be meant;
            0 where nothing is known, below 0 for pseudogenes and the like.
    """

    kind: str
    concept_id: str
    names: tuple[tuple[str, int], ...]
    taxon: int = 0
    prior: float = 0.0


@contextmanager
def open_dump(path: Path) -> Iterator[IO[bytes]]:
    """A dump's bytes, unpacked if it is gzipped (told by content).

    Raises:
        DataError: the file cannot be read, or is no whole gzip file.
    """
    try:
        with path.open("rb") as raw:
            if raw.peek(2)[:2] == b"\x1f\x8b":
                with gzip.open(raw) as unpacked:
                    # A wide buffer: line by line through gzip's own is three times slower.
                    yield io.BufferedReader(unpacked, 1 << 20)
            else:
                yield raw
    except (OSError, EOFError) as error:
        raise DataError(
            f"cannot read the dump: {error}",
            source=str(path),
            remedy="Check the path, and download the file again if it is cut short",
        ) from error


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and tab-separated fields of each line that is no comment or blank.

    Raises:
        DataError: a line is not UTF-8.
    """
    with open_dump(path) as file:
        for number, line in enumerate(file, 1):
            if line.startswith(b"#") or not line.strip():
                continue
            yield number, decode(line, path, number).split("\t")


def decode(line: bytes, path: Path, number: int) -> str:
    """A line's text without its end.

    Raises:
        DataError: it is not UTF-8.
    """
    try:
        return line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 text: {error.reason}",
            source=str(path),
            line=number,
            remedy="Give the dump as it was downloaded",
        ) from error


def head(path: Path, lines: int = 60) -> list[str]:
    """The first lines, comments included, to tell a dump's form by."""
    found = []
    with open_dump(path) as file:
        for number, line in enumerate(file, 1):
            found.append(line[:2000].decode(errors="replace").rstrip("\r\n"))
            if number >= lines:
                break
    return found


def unknown_form(path: Path, wanted: str) -> DataError:
    """The error for a file that has none of the known forms."""
    return DataError(
        "this file has none of the forms that are read here",
        source=str(path),
        line=1,
        remedy=f"Expected {wanted}",
    )
