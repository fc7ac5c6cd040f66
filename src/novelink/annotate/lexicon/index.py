"""Looking names up in an index."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from novelink.annotate.lexicon.build import DESCRIPTION_NAME, FORMAT, INDEX_NAME, TOKEN_KINDS
from novelink.annotate.lexicon.names import loose, squash, stems
from novelink.errors import SettingsError

# Page cache per thread in KiB; with it an index of any size needs tens of MB of memory.
_CACHE_KIB = 16_384
_REMEMBERED = 50_000
# Words that more names have than this tell nothing apart and cost time.
_COMMON_WORD = 2_000
_RARE_WORDS = 3
_MOST_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that a name may mean.

    Attributes:
        concept_id: its id.
        name: the name in the index that was met.
        grade: that name's grade: 0 preferred, 1 synonym, 2 description.
        taxon: NCBI Taxonomy id of the organism, 0 where there is none.
        prior: how much likelier than its namesakes the concept is.
        way: how it was met: ``squashed``, ``loose`` or ``words``.
        overlap: weighted share of words in common, 0–1; 1 unless met by words.
    """

    concept_id: str
    name: str
    grade: int
    taxon: int
    prior: float
    way: str
    overlap: float = 1.0


class Lexicon:
    """An index made by ``novelink lexicon build``, open for reading.

    Can be shared by threads, and pickled: the copy opens the same folder.

    Example:
        >>> lexicon = Lexicon.open("lexicon")          # doctest: +SKIP
        >>> lexicon.candidates("disease", "breast cancers")[0].concept_id  # doctest: +SKIP
        'D001943'
    """

    def __init__(self, folder: Path, description: dict[str, Any]) -> None:
        self.folder = folder
        self.description = description
        self._local = threading.local()
        self._candidates = lru_cache(maxsize=_REMEMBERED)(self._find)
        self._similar = lru_cache(maxsize=_REMEMBERED)(self._find_similar)
        self._usage = lru_cache(maxsize=_REMEMBERED)(self._find_usage)
        self._names = lru_cache(maxsize=_REMEMBERED)(self._find_names)
        self._counts = lru_cache(maxsize=_REMEMBERED)(self._find_count)
        self.totals: dict[str, int] = dict(description.get("names", {}))

    @classmethod
    def open(cls, folder: str | Path) -> Lexicon:
        """Open an index folder.

        Raises:
            SettingsError: there is none, or another version made it.
        """
        folder = Path(folder)
        path = folder / DESCRIPTION_NAME
        remedy = f"Build one with: novelink lexicon build … -o {folder}"
        try:
            description = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(
                f"no lexicon here: {error.strerror}", source=str(folder), remedy=remedy
            ) from error
        except ValueError as error:
            raise SettingsError(
                f"the lexicon's description is damaged: {error}", source=str(path), remedy=remedy
            ) from error
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            raise SettingsError(
                "this lexicon was made by another version", source=str(folder), remedy=remedy
            )
        if not (folder / INDEX_NAME).is_file():
            raise SettingsError(f"{INDEX_NAME} is missing", source=str(folder), remedy=remedy)
        return cls(folder, description)

    def __reduce__(self) -> tuple[object, ...]:
        return Lexicon.open, (self.folder,)

    def candidates(self, kind: str, name: str) -> tuple[Candidate, ...]:
        """Concepts that a name may mean, each once, by its best name.

        Exact spellings up to case, punctuation and Greek letters come alone if
        there are any; otherwise other word orders, plurals and derived forms.

        Args:
            kind: ``gene``, ``disease``, ``chemical``, ``species`` or ``cell``.
            name: as the text has it.
        """
        return self._candidates(kind, name)

    def similar(self, kind: str, name: str) -> tuple[Candidate, ...]:
        """Concepts with a name that shares rare words with this one, likest first.

        None for kinds whose names are not indexed by words.
        """
        return self._similar(kind, name) if kind in TOKEN_KINDS else ()

    def usage(self, kind: str, name: str) -> dict[str, int]:
        """How often annotated documents use a name for which concept."""
        return self._usage(kind, squash(name))

    def names(self, kind: str, concept_id: str) -> tuple[str, ...]:
        """All names of a concept, preferred ones first."""
        return self._names(kind, concept_id)

    def word_count(self, kind: str, word: str) -> int:
        """How many names of a kind have a word (a stem)."""
        return self._counts(kind, word)

    def _database(self) -> sqlite3.Connection:
        # One connection per thread: SQLite's cursors are not shared safely.
        found: sqlite3.Connection | None = getattr(self._local, "database", None)
        if found is None:
            uri = f"{(self.folder / INDEX_NAME).resolve().as_uri()}?mode=ro&immutable=1"
            found = sqlite3.connect(uri, uri=True)
            found.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._local.database = found
        return found

    def _find(self, kind: str, name: str) -> tuple[Candidate, ...]:
        columns = "SELECT concept, text, grade, taxon, prior FROM name WHERE kind = ? AND "
        database = self._database()
        key = squash(name)
        if not key:
            return ()
        rows = database.execute(columns + "squashed = ?", (kind, key)).fetchall()
        if rows:
            return _best(rows, "squashed", name)
        rows = database.execute(columns + "loose = ?", (kind, loose(kind, name))).fetchall()
        return _best(rows, "loose", name) if rows else ()

    def _find_similar(self, kind: str, name: str) -> tuple[Candidate, ...]:
        wanted = set(stems(kind, name))
        total = max(self.totals.get(kind, 1), 1)
        weights = {word: math.log(1 + total / (1 + self.word_count(kind, word))) for word in wanted}
        rare = sorted(
            (word for word in wanted if 0 < self.word_count(kind, word) <= _COMMON_WORD),
            key=lambda word: -weights[word],
        )[:_RARE_WORDS]
        if not rare:
            return ()
        marks = ",".join("?" * len(rare))
        rows = self._database().execute(
            # Only question marks are put in. Names are joined after the cut: most hits have
            # one word in common and are never looked at.
            "SELECT concept, text, grade, taxon, prior FROM "  # noqa: S608
            "(SELECT name AS found FROM token "
            f"WHERE kind = ? AND word IN ({marks}) GROUP BY name ORDER BY COUNT(*) DESC LIMIT ?) "
            "JOIN name ON name.id = found",
            (kind, *rare, _MOST_CANDIDATES),
        )
        best: dict[str, Candidate] = {}
        mass = sum(weights.values())
        for concept, text, grade, taxon, prior in rows:
            words = set(stems(kind, text))
            shared = sum(weights[word] for word in words & wanted)
            extra = sum(
                math.log(1 + total / (1 + self.word_count(kind, word))) for word in words - wanted
            )
            overlap = shared / (mass + extra)
            if concept not in best or overlap > best[concept].overlap:
                best[concept] = Candidate(concept, text, grade, taxon, prior, "words", overlap)
        ordered = sorted(best.values(), key=lambda candidate: -candidate.overlap)
        return tuple(ordered[:20])

    def _find_usage(self, kind: str, key: str) -> dict[str, int]:
        rows = self._database().execute(
            "SELECT concept, SUM(count) FROM usage WHERE kind = ? AND squashed = ? "
            "GROUP BY concept",
            (kind, key),
        )
        return dict(rows.fetchall())

    def _find_names(self, kind: str, concept_id: str) -> tuple[str, ...]:
        rows = self._database().execute(
            "SELECT DISTINCT text FROM name WHERE kind = ? AND concept = ? ORDER BY grade, id",
            (kind, concept_id),
        )
        return tuple(text for (text,) in rows)

    def _find_count(self, kind: str, word: str) -> int:
        row = (
            self._database()
            .execute("SELECT count FROM word WHERE kind = ? AND word = ?", (kind, word))
            .fetchone()
        )
        return int(row[0]) if row else 0


def _best(
    rows: list[tuple[str, str, int, int, float]], way: str, name: str
) -> tuple[Candidate, ...]:
    best: dict[str, tuple[tuple[float, ...], Candidate]] = {}
    for concept, text, grade, taxon, prior in rows:
        candidate = Candidate(concept, text, grade, taxon, prior, way)
        # A preferred name in another spelling says more than a synonym in this one.
        rank = (0.5 * grade - likeness(name, text), -prior)
        if concept not in best or rank < best[concept][0]:
            best[concept] = (rank, candidate)
    ordered = sorted(best.values(), key=lambda pair: (pair[0], pair[1].concept_id))
    return tuple(candidate for _, candidate in ordered)


def likeness(mention: str, name: str) -> float:
    """How like two spellings of one squashed key are, 0–1.

    1 the same; then in falling order: another case, other punctuation, other
    writing of Greek letters and accents.
    """
    if mention == name:
        return 1.0
    if mention.lower() == name.lower():
        return 0.9
    stripped = ["".join(char for char in text if char.isalnum()) for text in (mention, name)]
    if stripped[0] == stripped[1]:
        return 0.85
    if stripped[0].lower() == stripped[1].lower():
        return 0.75
    return 0.65
