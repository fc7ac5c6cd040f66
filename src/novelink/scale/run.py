"""A corpus run from beginning to end: find files, do blocks, keep the journal, sum up."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from novelink import __version__
from novelink.errors import DataError, SettingsError
from novelink.machine import available_cores
from novelink.runtime.bundle import MANIFEST
from novelink.runtime.model_set import open_model
from novelink.scale.blocks import Cutting, FileEnd
from novelink.scale.corpus import Corpus, find_files
from novelink.scale.journal import Journal, journal_name
from novelink.scale.parts import STATE, new_part
from novelink.scale.plan import FilePlan, Skipped
from novelink.scale.pool import Progressed, run_pool
from novelink.scale.progress import Progress
from novelink.scale.settings import RunSettings, check_settings
from novelink.scale.storage import LocalStore, Store, open_store
from novelink.scale.worker import BlockDone, Recipe
from novelink.schema import schema_for_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.tally import Tally
    from novelink.schema import Schema

__all__ = ["RunReport", "RunSettings", "run"]

_LOG = logging.getLogger(__name__)

_JUDGED_FROM = 1_000  # documents after which the share of failed ones is looked at


@dataclass(slots=True)
class RunReport:
    """What a run has done, earlier sessions of it included.

    Attributes:
        tally: all counts.
        faults: files and members that could not be read to their end.
        notes: what was left out before any file was read.
        place: folder or URL of the results.
        dead_letters: name of the dead-letter file in it; None without any.
        summary: name of the summary in it.
        resumed_blocks: blocks that an earlier session had done.
    """

    tally: Tally
    faults: list[str]
    notes: Counter[str]
    place: str
    dead_letters: str | None
    summary: str
    resumed_blocks: int = 0

    def lines(self) -> list[str]:
        """The summary for people."""
        lines = self.tally.lines()
        lines += [f"{note}: {count:,}" for note, count in sorted(self.notes.items())]
        if self.dead_letters:
            lines.append(f"dead letters with their reasons: {self.place}/{self.dead_letters}")
        lines += [f"not read to its end: {fault}" for fault in self.faults]
        return lines


def run(settings: RunSettings, progress: Progress | None = None) -> RunReport:
    """Find the relations of a corpus and write them into a folder.

    Whatever happens, parts that were written stay whole, and the same settings
    with ``resume`` go on from there.

    Args:
        settings: what to do.
        progress: shows how far it is; on stderr by default.

    Raises:
        SettingsError: settings that cannot be, or that a resumed run did not
            have.
        DataError: an input is missing, the output cannot be written, or more
            documents than ``max_failed`` failed.
        ModelError: the model cannot be loaded.
    """
    check_settings(settings)
    store = open_store(settings.output)
    bundle = open_model(settings.model)
    schema = schema_for_model(settings.schema, bundle.schema, bundle.name)
    recipe = Recipe(
        store.place,
        settings.parts,
        schema,
        settings.model,
        settings.min_score,
        settings.evidence,
    )
    new_part(settings.parts, bundle.name)  # tells a missing extra before anything is done
    corpus = find_files(settings.inputs, output=settings.output)
    store.make()
    if isinstance(store, LocalStore):
        store.clear_leftovers()
    with _locked(store, settings.shard):
        journal = Journal(
            store, journal_name(settings.shard), _identity(settings, bundle.folder, schema)
        )
        journal.start(resume=settings.resume)
        resumed = sum(map(len, journal.done.values()))
        plans = _plans(settings, corpus, journal, schema)
        progress = Progress(corpus.size) if progress is None else progress
        try:
            _do(settings, plans, recipe, journal, progress)
        except BaseException:
            progress.finish()
            # What stopped the run is what the user must know, not that its summary failed too.
            with suppress(DataError):
                _close(settings, store, journal, corpus, resumed)
            raise
        progress.finish()
        return _close(settings, store, journal, corpus, resumed)


def _identity(settings: RunSettings, model: Any, schema: Schema) -> dict[str, Any]:
    """What must be alike for parts of two sessions to belong together."""
    manifest = (model / MANIFEST).read_bytes()
    types = json.dumps(schema.to_dict(), sort_keys=True).encode()
    return {
        "version": __version__,
        "model": hashlib.sha256(manifest).hexdigest()[:16],
        "schema": hashlib.sha256(types).hexdigest()[:16],
        "min_score": settings.min_score,
        "evidence": settings.evidence,
        "from": settings.format,
        "to": settings.parts,
        "block_size": settings.block_documents,
    }


def _plans(
    settings: RunSettings, corpus: Corpus, journal: Journal, schema: Schema
) -> list[FilePlan]:
    cutting = Cutting(schema, settings.format, settings.block_documents)
    missing = journal.missing(settings.parts)
    return [
        FilePlan(
            file,
            cutting,
            settings.shard,
            dict(journal.done.get(file.name, {})),
            missing.get(file.name, frozenset()),
            closed=journal.closed.get(file.name) == (file.size, file.stamp)
            and file.name not in missing,
        )
        for file in corpus.files
    ]


def _do(
    settings: RunSettings,
    plans: list[FilePlan],
    recipe: Recipe,
    journal: Journal,
    progress: Progress,
) -> None:
    """Do what is pending and keep the journal."""
    open_files = _OpenFiles(journal, settings.parts)
    for event in _events(settings, plans, recipe):
        if isinstance(event, BlockDone):
            journal.add_block(event)
            _LOG.info("%s, block %d: %d documents", event.file, event.number, event.tally.documents)
            progress.done(event)
            open_files.done(event)
            _stop_if_hopeless(journal.tally, settings.max_failed)
        elif isinstance(event, Progressed):
            progress.progressed(event.file, event.number, event.documents)
        elif isinstance(event, FileEnd):
            progress.skipped(event.weight)
            open_files.end(event)
        else:
            progress.skipped(event.weight)
    _stop_if_hopeless(journal.tally, settings.max_failed, at_end=True)


def _events(
    settings: RunSettings, plans: list[FilePlan], recipe: Recipe
) -> Iterator[BlockDone | Progressed | Skipped | FileEnd]:
    if settings.engine == "ray":
        from novelink.scale.ray_engine import run_ray

        return run_ray(plans, recipe, settings.workers, settings.address)
    items = (item for plan in plans for item in plan.pending())
    return run_pool(items, recipe, settings.workers or available_cores())


@dataclass(slots=True)
class _OpenFiles:
    """Writes a file's end into the journal once its last block is in."""

    journal: Journal
    parts: str
    _finished: Counter[str] = field(default_factory=Counter)
    _ends: dict[str, FileEnd] = field(default_factory=dict)

    def done(self, block: BlockDone) -> None:
        self._finished[block.file] += 1
        self._settle(block.file)

    def end(self, end: FileEnd) -> None:
        self._ends[end.file] = end
        self._settle(end.file)

    def _settle(self, file: str) -> None:
        end = self._ends.get(file)
        if end is not None and self._finished[file] == end.pending:
            self.journal.add_end(end, self.parts)
            del self._ends[file], self._finished[file]


def _stop_if_hopeless(tally: Tally, most: float, *, at_end: bool = False) -> None:
    total = tally.documents + tally.failed
    if (total >= _JUDGED_FROM or at_end) and tally.failed > most * total:
        reason, count = tally.reasons.most_common(1)[0]
        raise DataError(
            f"{tally.failed:,} of {total:,} documents failed, most for this reason ({count:,}): "
            f"{reason}",
            remedy="See the dead letters; if so many are to be expected, raise --max-failed and "
            "go on with --resume",
        )


@contextmanager
def _locked(store: Store, shard: tuple[int, int]) -> Iterator[None]:
    """Keep a second run of the same shard out, where the folder is local."""
    if not isinstance(store, LocalStore):
        yield
        return
    from filelock import FileLock, Timeout

    folder = store.root / STATE
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / f"{journal_name(shard)}.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise SettingsError(
            f"another run is writing to {store.place}",
            remedy="Wait for it, or stop it and add --resume",
        ) from error
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror}", source=str(folder)) from error
    try:
        yield
    finally:
        lock.release()


def _close(
    settings: RunSettings, store: Store, journal: Journal, corpus: Corpus, resumed: int
) -> RunReport:
    """Write dead letters and summary, also where the run was stopped."""
    mark = "" if settings.shard == (1, 1) else "-{}-of-{}".format(*settings.shard)
    letters = f"_dead-letters{mark}.jsonl"
    summary = f"_summary{mark}.json"
    faults = [fault["reason"] for file in sorted(journal.faults) for fault in journal.faults[file]]
    report = RunReport(
        journal.tally,
        faults,
        corpus.notes,
        store.place,
        letters if journal.tally.failed or faults else None,
        summary,
        resumed,
    )
    journal.close()
    if report.dead_letters:
        store.write(letters, b"".join(journal.dead_letters()))
    else:
        store.remove(letters)
    data = {
        "version": __version__,
        "files": len(corpus.files),
        "files_done": sum(file.name in journal.closed for file in corpus.files),
        **journal.tally.to_dict(),
        "not_read_to_the_end": faults,
    }
    store.write(
        summary,
        (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace"),
    )
    return report
