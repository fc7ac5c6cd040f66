"""Records one after another: appended to a local file, or as numbered objects of a store."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError
from novelink.scale.parts import STATE
from novelink.scale.storage import LocalStore, Store, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLUSH_RECORDS, _FLUSH_SECONDS = 16, 30.0  # of an object store: what a crash does again at most


def open_log(store: Store, name: str) -> FileLog | ObjectLog:
    """The records of that name in a folder of results; they need not exist."""
    if isinstance(store, LocalStore):
        return FileLog(store.root / STATE / f"{name}.jsonl")
    return ObjectLog(store, f"{STATE}/{name}")


class FileLog:
    """Appends lines to a local file and syncs each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: Any = None

    def read(self) -> Iterator[dict[str, Any]]:
        """Records so far; a last line that a crash cut off is cut away.

        Raises:
            DataError: another line is no record.
        """
        if not self.path.exists():
            return
        whole = 0
        with self.path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                try:
                    if not raw.endswith(b"\n"):
                        break
                    record = json.loads(raw)
                except ValueError as error:
                    raise DataError(
                        "the journal is damaged",
                        source=str(self.path),
                        line=number,
                        remedy="Delete this line and those after it: their blocks are done again",
                    ) from error
                whole += len(raw)
                yield record
        if whole < self.path.stat().st_size:
            os.truncate(self.path, whole)

    def append(self, record: dict[str, Any]) -> None:
        """Write a record; it is on the disk when this returns.

        Raises:
            DataError: that cannot be done.
        """
        line = json_line(record)
        try:
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.path.open("ab", buffering=0)
                sync_folder(self.path.parent)
            written = self._stream.write(line)
            while written < len(line):
                written += self._stream.write(line[written:])
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise DataError(
                f"cannot write: {error.strerror or error}",
                source=str(self.path),
                remedy="Once that is mended, the same command with --resume goes on",
            ) from error

    def close(self) -> None:
        """Close the file; a further record opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class ObjectLog:
    """Keeps records as numbered objects of a few each."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._number = 0
        self._waiting: list[dict[str, Any]] = []
        self._since = time.monotonic()

    def read(self) -> Iterator[dict[str, Any]]:
        """Records so far."""
        for name in self._store.names(self._prefix):
            self._number = int(name.rpartition("/")[2].partition(".")[0]) + 1
            yield from map(json.loads, self._store.read(name).splitlines())

    def append(self, record: dict[str, Any]) -> None:
        """Take a record; it is in the store some records or seconds later."""
        self._waiting.append(record)
        now = time.monotonic()
        if (
            not self._number
            or len(self._waiting) >= _FLUSH_RECORDS
            or now - self._since > _FLUSH_SECONDS
        ):
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._store.write(
                f"{self._prefix}/{self._number:08d}.jsonl", b"".join(map(json_line, self._waiting))
            )
            self._number += 1
            self._waiting = []
        self._since = time.monotonic()

    def close(self) -> None:
        """Write out what waits."""
        self._flush()


def json_line(record: dict[str, Any]) -> bytes:
    """A record as one line of JSON.

    Bytes in names of files that are no UTF-8, which Python holds as halves of
    surrogate pairs, become JSON's own escapes and are read back as they were.
    """
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
    return text.encode("utf-8", "backslashreplace")
