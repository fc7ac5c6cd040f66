"""Answers of web services on disk, bounded in size, shared by processes."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_LOG = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fetched REAL NOT NULL, used REAL NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_used ON answers (used);
"""
_KEYS_A_QUERY = 500
_KEPT_AFTER_EVICTION = 0.9
_WAIT_SECONDS = 30


class ResponseCache:
    """Key → bytes in one SQLite file.

    What was not used for longest goes first when the file would grow beyond its
    bound. A cache that cannot be read or written is left alone with one
    warning: it saves time, nothing depends on it.

    Args:
        path: the file; its folder is made when missing.
        megabytes: bound of the compressed answers' size.
    """

    def __init__(self, path: Path, megabytes: float) -> None:
        self.path = path
        self.limit_bytes = int(megabytes * 1_000_000)
        self._local = threading.local()
        self._usable = True

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The answers that are there."""
        keys = list(keys)
        found: dict[str, bytes] = {}
        with self._connection() as connection:
            if connection is None:
                return {}
            for begin in range(0, len(keys), _KEYS_A_QUERY):
                part = keys[begin : begin + _KEYS_A_QUERY]
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT key, body FROM answers WHERE key IN ({marks})",  # noqa: S608 (marks only)
                    part,
                ).fetchall()
                found.update((key, zlib.decompress(body)) for key, body in rows)
                connection.execute(
                    f"UPDATE answers SET used = ? WHERE key IN ({marks})",  # noqa: S608 (marks only)
                    [time.time(), *part],
                )
        return found

    def put(self, answers: Mapping[str, bytes]) -> None:
        """Keep answers, and drop the longest unused ones beyond the bound."""
        now = time.time()
        rows = []
        for key, body in answers.items():
            packed = zlib.compress(body, 6)
            rows.append((key, now, now, len(packed) + len(key), packed))
        with self._connection() as connection:
            if connection is not None:
                connection.executemany(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", rows
                )
                self._evict(connection)

    def drop(self, key: str) -> None:
        """Forget one answer."""
        with self._connection() as connection:
            if connection is not None:
                connection.execute("DELETE FROM answers WHERE key = ?", [key])

    def size_bytes(self) -> int:
        """Size of all answers, compressed."""
        total = 0
        with self._connection() as connection:
            if connection is not None:
                total = _total(connection)
        return total

    def close(self) -> None:
        """Close this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _evict(self, connection: sqlite3.Connection) -> None:
        total = _total(connection)
        if total <= self.limit_bytes:
            return
        gone = []
        for key, size in connection.execute("SELECT key, size FROM answers ORDER BY used, key"):
            if total <= self.limit_bytes * _KEPT_AFTER_EVICTION:
                break
            gone.append((key,))
            total -= size
        connection.executemany("DELETE FROM answers WHERE key = ?", gone)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        """A transaction, or None where the file cannot be used."""
        connection = self._open() if self._usable else None
        if connection is None:
            yield None
            return
        try:
            with connection:
                yield connection
        except (sqlite3.Error, zlib.error) as error:
            self._give_up(error)

    def _open(self) -> sqlite3.Connection | None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        # SQLite forbids to go on with a connection that a fork took along.
        if connection is None or self._local.process != os.getpid():
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS)
                _write_ahead(connection)
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(_TABLES)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
                return None
            self._local.connection = connection
            self._local.process = os.getpid()
        return connection

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        _LOG.warning(
            "going on without the cache %s (%s); delete it if it is broken", self.path, error
        )


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log, so that one can write while others read.

    A new file takes to it only while nobody else is at it, and SQLite's own waiting does not
    cover that: of several that begin together all but one would be refused.
    """
    last = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > last:
                raise
            time.sleep(0.02)
        else:
            return


def _total(connection: sqlite3.Connection) -> int:
    (total,) = connection.execute("SELECT COALESCE(SUM(size), 0) FROM answers").fetchone()
    return int(total)
