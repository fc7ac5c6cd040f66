"""What a run has finished, so that a killed one goes on where it was.

One JSON object a line (locally: appended and synced after every block; in an
object store: a few records an object, since objects cannot grow):

.. code-block:: text

    {"run": {…}}     first line: version, model, settings; a resumed run must have the same
    {"block": {…}}   a part was written
    {"end": {…}}     a file was read to its end, with what could not be read
    {"drop": {…}}    a block of a damaged file that the mended one no longer has

A part is written before its record. Killed between the two, a run does that
block again, to the same bytes under the same name; so nothing is lost or doubled.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError, SettingsError
from novelink.scale.parts import STATE, failures_name, part_name
from novelink.scale.record_log import json_line, open_log
from novelink.scale.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.blocks import FileEnd
    from novelink.scale.storage import Store
    from novelink.scale.worker import BlockDone

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Known:
    """A block that is done.

    Attributes:
        digest: of what was read.
        provisional: whether the file was damaged before its end.
        failed: documents in its dead letters.
    """

    digest: str
    provisional: bool
    failed: int


class Journal:
    """The journal of one shard of a run.

    Args:
        store: folder of the results.
        name: of :func:`journal_name`.
        settings: what a resumed run must have alike.

    Attributes:
        done: file → block number → what is known of it.
        closed: file → (size, stamp) of files read to their end without fault.
        faults: file → what could not be read of it.
        tally: all blocks together.
    """

    def __init__(self, store: Store, name: str, settings: dict[str, Any]) -> None:
        self.done: defaultdict[str, dict[int, Known]] = defaultdict(dict)
        self.closed: dict[str, tuple[int, str]] = {}
        self.faults: dict[str, list[dict[str, Any]]] = {}
        self.tally = Tally()
        self.settings = settings
        self._notes: dict[str, Tally] = {}
        self._provisional: dict[tuple[str, int], Tally] = {}
        self._store = store
        self._name = name
        self._log = open_log(store, name)

    def start(self, *, resume: bool) -> None:
        """Read what is there, or begin.

        Raises:
            SettingsError: there is a run already and ``resume`` is not set, or
                it had other settings.
            DataError: the journal is damaged or cannot be written.
        """
        self._check_siblings()
        records = self._log.read()
        first = next(records, None)
        if first is None:
            self._log.append({"run": {"format": FORMAT, **self.settings}})
            return
        if not resume:
            raise SettingsError(
                f"{self._store.place} already holds a run",
                remedy="Go on with it by adding --resume, or choose another folder",
            )
        self._compare(first.get("run") or {})
        for record in records:
            self._take(record)

    def _check_siblings(self) -> None:
        """Other shards in the same folder must divide the corpus alike and do the same with it."""
        division = self._name.rpartition("-of-")[2]
        for name in _journals(self._store) - {self._name}:
            if name.rpartition("-of-")[2] != division:
                raise SettingsError(
                    f"{self._store.place} holds a run that is divided otherwise ({name})",
                    remedy="Keep to one --shard …/n in a folder, or choose another folder",
                )
            first = next(open_log(self._store, name).read(), None)
            if first is not None:
                self._compare(first.get("run") or {})

    def _compare(self, found: dict[str, Any]) -> None:
        for key, value in {"format": FORMAT, **self.settings}.items():
            if found.get(key) != value:
                raise SettingsError(
                    f"the run in {self._store.place} has {key} {found.get(key)!r}, not {value!r}",
                    remedy="Resume it with the settings it was begun with, or choose another "
                    "folder",
                )

    def _take(self, record: dict[str, Any]) -> None:
        if block := record.get("block"):
            self._book(
                block["file"],
                block["number"],
                Known(block["digest"], block["provisional"], block["tally"].get("failed", 0)),
                Tally.from_dict(block["tally"]),
            )
        elif end := record.get("end"):
            self._close(end)
        elif drop := record.get("drop"):
            self._forget(drop["file"], drop["number"])

    def _book(self, file: str, number: int, known: Known, tally: Tally) -> None:
        before = self.done[file].get(number)
        if before is not None and before.digest == known.digest:
            # Done again because its part was gone: the counts are in already.
            return
        self._forget(file, number)
        self.done[file][number] = known
        self.tally.add(tally)
        if known.provisional:
            self._provisional[file, number] = tally

    def _forget(self, file: str, number: int) -> None:
        if self.done[file].pop(number, None) is not None:
            self.tally.subtract(self._provisional.pop((file, number)))

    def _close(self, end: dict[str, Any]) -> None:
        file = end["file"]
        if before := self._notes.pop(file, None):
            self.tally.subtract(before)
        notes = Tally.from_dict({"notes": end["notes"]})
        self._notes[file] = notes
        self.tally.add(notes)
        self.faults.pop(file, None)
        self.closed.pop(file, None)
        if end["faults"]:
            self.faults[file] = end["faults"]
        else:
            self.closed[file] = (end["size"], end["stamp"])

    def add_block(self, block: BlockDone) -> None:
        """Record a block whose part has been written."""
        known = Known(block.digest, block.provisional, block.tally.failed)
        record = {
            "file": block.file,
            "number": block.number,
            "digest": block.digest,
            "provisional": block.provisional,
            "spans": block.spans,
            "tally": block.tally.to_dict(),
        }
        self._log.append({"block": record})
        self._book(block.file, block.number, known, block.tally)

    def add_end(self, end: FileEnd, parts: str) -> None:
        """Record that all blocks of a file are done, and drop what it no longer has.

        Raises:
            DataError: the file has become shorter, though it was whole before.
        """
        for number, known in sorted(self.done[end.file].items()):
            if number < end.blocks:
                continue
            if not known.provisional:
                raise DataError(
                    f"the file has changed since the run began (block {number} is gone)",
                    source=end.file,
                    remedy="Put the old file back, or begin a new folder",
                )
            self._store.remove(part_name(end.file, number, parts))
            self._log.append({"drop": {"file": end.file, "number": number}})
            self._forget(end.file, number)
        record = {
            "file": end.file,
            "size": end.size,
            "stamp": end.stamp,
            "blocks": end.blocks,
            "faults": [asdict(fault) for fault in end.faults],
            "notes": dict(end.notes),
        }
        self._log.append({"end": record})
        self._close(record)

    def missing(self, parts: str) -> dict[str, frozenset[int]]:
        """Blocks that are done by the journal but whose part is no longer in the folder."""
        there = set(self._store.names())
        found = {
            file: frozenset(
                number for number in blocks if part_name(file, number, parts) not in there
            )
            for file, blocks in self.done.items()
        }
        return {file: numbers for file, numbers in found.items() if numbers}

    def dead_letters(self) -> Iterator[bytes]:
        """Lines of all dead letters: documents block by block, then files and members."""
        for file in sorted(self.done):
            for number, known in sorted(self.done[file].items()):
                if known.failed:
                    yield self._store.read(failures_name(file, number))
        for file in sorted(self.faults):
            for fault in self.faults[file]:
                letter = {
                    "source": file,
                    "member": fault["member"],
                    "number": None,
                    "document": None,
                    "line": fault["line"],
                    "reason": fault["reason"],
                }
                yield json_line(letter)

    def close(self) -> None:
        """Write out what is buffered."""
        self._log.close()


def journal_name(shard: tuple[int, int]) -> str:
    """Name of a shard's journal, without an ending."""
    return "journal" if shard == (1, 1) else f"journal-{shard[0]}-of-{shard[1]}"


def _journals(store: Store) -> set[str]:
    """Names of all journals in a folder of results."""
    found = (
        re.match(rf"{STATE}/(journal(?:-\d+-of-\d+)?)(?:\.jsonl$|/)", name)
        for name in store.names(STATE)
    )
    return {match[1] for match in found if match}
