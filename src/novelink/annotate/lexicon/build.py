"""Official dumps → one SQLite index.

Rows are streamed into tables without indexes and sorted once at the end by
SQLite, on disk: memory stays at the page cache whatever the size of the dumps.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink import __version__
from novelink.annotate.lexicon.cellosaurus import read_cells
from novelink.annotate.lexicon.corpus import read_usage
from novelink.annotate.lexicon.ctd_diseases import read_diseases
from novelink.annotate.lexicon.gene_info import COMMON_TAXA, read_gene_info
from novelink.annotate.lexicon.mesh import read_mesh
from novelink.annotate.lexicon.names import loose, squash, stems
from novelink.annotate.lexicon.taxonomy import read_species
from novelink.errors import NovelinkError, SettingsError
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from novelink.annotate.lexicon.record import Record
    from novelink.schema import Schema

FORMAT = 1
INDEX_NAME = "lexicon.sqlite"
DESCRIPTION_NAME = "lexicon.json"
TOKEN_KINDS = frozenset({"disease", "chemical"})
"""Kinds whose names are also found by single words."""

_TABLES = """
CREATE TABLE name (
  id INTEGER PRIMARY KEY, kind TEXT, concept TEXT, text TEXT, grade INTEGER,
  taxon INTEGER, prior REAL, squashed TEXT, loose TEXT);
CREATE TABLE token (kind TEXT, word TEXT, name INTEGER);
CREATE TABLE usage (kind TEXT, squashed TEXT, concept TEXT, count INTEGER);
"""
_INDEXES = """
CREATE INDEX name_squashed ON name (kind, squashed);
CREATE INDEX name_loose ON name (kind, loose);
CREATE INDEX name_concept ON name (kind, concept);
CREATE INDEX token_word ON token (kind, word, name);
CREATE INDEX usage_squashed ON usage (kind, squashed);
CREATE TABLE word (kind TEXT, word TEXT, count INTEGER, PRIMARY KEY (kind, word)) WITHOUT ROWID;
INSERT INTO word SELECT kind, word, COUNT(*) FROM token GROUP BY kind, word;
"""
# Longer names are chemical formulae and descriptions of clones that no abstract writes out.
_LONGEST_NAME = 200
_BATCH = 20_000


@dataclass
class Sources:
    """Dump files by kind; at least one file in all.

    Attributes:
        genes: NCBI gene_info files.
        mesh: MeSH files.
        diseases: CTD or MEDIC files.
        species: NCBI Taxonomy files.
        cells: Cellosaurus files.
        corpora: annotated documents whose mentions say which concept a name
            usually means.
        taxa: organisms whose genes are kept; None keeps all.
        schema: vocabulary of the annotated documents.
    """

    genes: Sequence[Path] = ()
    mesh: Sequence[Path] = ()
    diseases: Sequence[Path] = ()
    species: Sequence[Path] = ()
    cells: Sequence[Path] = ()
    corpora: Sequence[Path] = ()
    taxa: frozenset[int] | None = frozenset(COMMON_TAXA)
    schema: Schema = BIORED

    def files(self) -> Iterator[tuple[str, Path]]:
        """Option name and path of every file."""
        for option in ("genes", "mesh", "diseases", "species", "cells", "corpora"):
            for path in getattr(self, option):
                yield option, path


@dataclass
class BuildReport:
    """What went into an index.

    Attributes:
        concepts: records by kind.
        names: names by kind.
        genes_left_out: genes of organisms that were not asked for.
        long_names_left_out: names over 200 characters.
        seconds: time taken.
        size: bytes of the index.
    """

    concepts: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    genes_left_out: int = 0
    long_names_left_out: int = 0
    seconds: float = 0.0
    size: int = 0

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for kind, count in sorted(self.names.items()):
            yield f"{kind}: {self.concepts[kind]:,} records, {count:,} names"
        if self.genes_left_out:
            yield (
                f"{self.genes_left_out:,} genes of other organisms left out (--taxa all keeps them)"
            )
        if self.long_names_left_out:
            yield f"{self.long_names_left_out:,} names over {_LONGEST_NAME} characters left out"
        yield f"{self.size / 1e6:,.0f} MB in {self.seconds:,.0f} s"


def build_lexicon(
    sources: Sources, target: Path, progress: Callable[[str], None] | None = None
) -> BuildReport:
    """Write an index folder; an older one there is replaced at the end, not before.

    Args:
        sources: the dump files.
        target: folder to write.
        progress: told each file's name when its turn comes.

    Raises:
        SettingsError: no file was given.
        DataError: a file is not what its option says.
    """
    started = time.monotonic()
    files = list(sources.files())
    if not files:
        raise SettingsError(
            "a lexicon needs at least one dump",
            remedy="Give --genes, --mesh, --diseases, --species or --cells",
        )
    _make_folder(target)
    report = BuildReport()
    handle, name = tempfile.mkstemp(prefix=".lexicon-", suffix=".part", dir=target)
    os.close(handle)
    part = Path(name)
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as database:
            _fill(database, sources, report, progress or (lambda _: None))
        description = _description(sources, files, report)
        report.seconds = time.monotonic() - started
        report.size = part.stat().st_size
        part.chmod(0o644)
        written = target / (DESCRIPTION_NAME + ".part")
        written.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        part.replace(target / INDEX_NAME)
        written.replace(target / DESCRIPTION_NAME)
    except sqlite3.Error as error:
        raise NovelinkError(
            f"cannot write the index: {error}",
            source=str(target),
            remedy="Check that the disk has room (about three times the dumps' packed size)",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return report


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot make this folder: {error.strerror}",
            source=str(target),
            remedy="Give a folder that can be written with -o",
        ) from error


def _fill(
    database: sqlite3.Connection,
    sources: Sources,
    report: BuildReport,
    progress: Callable[[str], None],
) -> None:
    # The file is thrown away if anything fails, so nothing needs a journal.
    database.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;"
        "PRAGMA temp_store = FILE; PRAGMA page_size = 4096;" + _TABLES
    )
    database.execute("BEGIN")
    writer = _Writer(database, report)
    writer.add(_records(sources, report, progress))
    for path in sources.corpora:
        progress(path.name)
        usage = read_usage(path, sources.schema)
        database.executemany(
            "INSERT INTO usage VALUES (?, ?, ?, ?)",
            ((kind, key, concept, count) for (kind, key, concept), count in usage.items()),
        )
        report.names["usage"] += len(usage)
        report.concepts["usage"] += len({(kind, concept) for kind, _, concept in usage})
    database.execute("COMMIT")
    progress("sorting")
    database.executescript(_INDEXES + "ANALYZE;")


def _records(
    sources: Sources, report: BuildReport, progress: Callable[[str], None]
) -> Iterator[Record]:
    for path in sources.genes:
        progress(path.name)
        for gene in read_gene_info(path, sources.taxa):
            if gene is None:
                report.genes_left_out += 1
            else:
                yield gene
    readers: tuple[tuple[Sequence[Path], Callable[[Path], Iterator[Record]]], ...] = (
        (sources.diseases, read_diseases),
        (sources.species, read_species),
        (sources.cells, read_cells),
    )
    for paths, reader in readers:
        for path in paths:
            progress(path.name)
            yield from reader(path)
    if sources.mesh:
        progress(", ".join(path.name for path in sources.mesh))
        yield from read_mesh(sources.mesh)


class _Writer:
    """Records into rows, in batches."""

    def __init__(self, database: sqlite3.Connection, report: BuildReport) -> None:
        self.database = database
        self.report = report
        self.next_id = 1
        self.names: list[tuple[Any, ...]] = []
        self.tokens: list[tuple[str, str, int]] = []

    def add(self, records: Iterable[Record]) -> None:
        for record in records:
            self._add(record)
            if len(self.names) >= _BATCH:
                self._flush()
        self._flush()

    def _add(self, record: Record) -> None:
        kind = sys.intern(record.kind)
        self.report.concepts[kind] += 1
        for text, grade in record.names:
            if len(text) > _LONGEST_NAME:
                self.report.long_names_left_out += 1
                continue
            key = squash(text)
            if not key:
                continue
            words = stems(kind, text)
            self.names.append(
                (
                    self.next_id,
                    kind,
                    record.concept_id,
                    text,
                    grade,
                    record.taxon,
                    record.prior,
                    key,
                    loose(kind, text),
                )
            )
            if kind in TOKEN_KINDS and len(words) > 1:
                self.tokens.extend(
                    (kind, word, self.next_id) for word in set(words) if len(word) > 1
                )
            self.next_id += 1
            self.report.names[kind] += 1

    def _flush(self) -> None:
        self.database.executemany("INSERT INTO name VALUES (?,?,?,?,?,?,?,?,?)", self.names)
        self.database.executemany("INSERT INTO token VALUES (?,?,?)", self.tokens)
        self.names.clear()
        self.tokens.clear()


def _description(
    sources: Sources, files: list[tuple[str, Path]], report: BuildReport
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "novelink": __version__,
        "names": dict(sorted(report.names.items())),
        "taxa": None if sources.taxa is None else sorted(sources.taxa),
        "sources": [
            {
                "option": option,
                "file": path.name,
                "bytes": path.stat().st_size,
                "sha256": _sha256(path),
            }
            for option, path in files
        ],
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
