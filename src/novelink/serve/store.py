"""Jobs and decisions in SQLite: what a curator did outlives the server."""

from __future__ import annotations

import io
import json
import sqlite3
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from novelink.curation import Decision, from_record, to_record
from novelink.errors import DataError
from novelink.formats import read
from novelink.serve.answers import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from novelink.document import Document
    from novelink.schema import Schema

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL,
    count INTEGER NOT NULL, facts TEXT NOT NULL, documents BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS decisions (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
    document TEXT NOT NULL, id1 TEXT NOT NULL, id2 TEXT NOT NULL, predicted TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (job, document, id1, id2, predicted)
);
"""
_VERSION = 1


class Store:
    """Finished jobs with their documents, and the decisions on them.

    Args:
        path: of the SQLite file, or ``:memory:``.
        schema: vocabulary of the documents.

    Raises:
        DataError: the file cannot be opened, or is of another version.
    """

    def __init__(self, path: str | Path, schema: Schema) -> None:
        self._schema = schema
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path, check_same_thread=False)
            self._database.execute("PRAGMA foreign_keys = ON")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version not in {0, _VERSION}:
                raise DataError(
                    f"is of version {version}, and this program knows {_VERSION}",
                    source=str(path),
                    remedy="Update novelink, or name another file with --database",
                )
            # Readers do not wait for a writer, and a crash leaves the file whole.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(_TABLES)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            raise DataError(
                f"cannot be used as a database: {error}",
                source=str(path),
                remedy="Name another file with --database",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._database:
            yield self._database

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add_job(
        self,
        job_id: str,
        name: str,
        created: str,
        documents: list[Document],
        facts: dict[str, Any],
        *,
        keep: int,
    ) -> None:
        """Keep a finished job; the oldest ones without decisions beyond ``keep`` go."""
        packed = zlib.compress(written(documents, "jsonl"), 6)
        row = (job_id, name, created, len(documents), json.dumps(facts), packed)
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?)", row)
            database.execute(
                "DELETE FROM jobs WHERE id NOT IN (SELECT job FROM decisions) AND id NOT IN "
                "(SELECT id FROM jobs ORDER BY created DESC, rowid DESC LIMIT ?)",
                (keep,),
            )

    def jobs(self) -> list[dict[str, Any]]:
        """Finished jobs, the newest first."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT id, name, created, count, (SELECT COUNT(*) FROM decisions WHERE job = id) "
                "FROM jobs ORDER BY created DESC, rowid DESC"
            ).fetchall()
        keys = ("id", "name", "created", "documents", "decisions")
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def job(self, job_id: str) -> tuple[str, dict[str, Any]] | None:
        """Name and facts of a job."""
        with self._transaction() as database:
            row = database.execute(
                "SELECT name, facts FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
        return None if row is None else (row[0], json.loads(row[1]))

    def documents(self, job_id: str) -> Iterator[Document]:
        """Documents of a job."""
        with self._transaction() as database:
            row = database.execute("SELECT documents FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is not None:
            yield from read(io.BytesIO(zlib.decompress(row[0])), "jsonl", schema=self._schema)

    def forget_job(self, job_id: str) -> bool:
        """Forget a job with its decisions."""
        with self._transaction() as database:
            return database.execute("DELETE FROM jobs WHERE id = ?", (job_id,)).rowcount > 0

    def decide(self, job_id: str, decision: Decision) -> None:
        """Keep a decision in place of an earlier one on the same relation."""
        record = json.dumps(to_record(decision), ensure_ascii=False)
        with self._transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?)",
                (job_id, *decision.key, record),
            )

    def undo(self, job_id: str, decision: Decision | None = None) -> int:
        """Forget the decision on a relation, or all of a job; returns how many."""
        query = "DELETE FROM decisions WHERE job = ?"
        values: tuple[str, ...] = (job_id,)
        if decision is not None:
            query += " AND document = ? AND id1 = ? AND id2 = ? AND predicted = ?"
            values = (job_id, *decision.key)
        with self._transaction() as database:
            return database.execute(query, values).rowcount

    def decisions(self, job_id: str) -> list[Decision]:
        """Decisions of a job, in the order they were made."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT record FROM decisions WHERE job = ? ORDER BY rowid", (job_id,)
            ).fetchall()
        return [from_record(json.loads(row[0]), schema=self._schema) for row in rows]
