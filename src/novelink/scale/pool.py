"""The engine for one machine: worker processes that are fed one block each.

Each worker loads the model once. No block is read ahead of more than one per
worker, so memory does not grow with the corpus. A worker that dies (killed for
memory, a crash in native code) costs its block one more try in a fresh process,
then that block becomes dead letters and the run goes on.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import sys
import time
import traceback
from collections import deque
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from novelink.errors import NovelinkError
from novelink.scale.blocks import Block, FileEnd
from novelink.scale.worker import BlockDone, BlockWorker, Recipe, fail_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from novelink.scale.plan import Skipped

_LOG = logging.getLogger(__name__)

TRIES = 2
_STOP_SECONDS = 20.0  # that a worker gets to finish what cannot be interrupted
_REPORT_SECONDS = 0.5  # between two messages about the progress inside a block


@dataclass(frozen=True, slots=True)
class Progressed:
    """Documents that a worker finished inside a block that goes on.

    Attributes:
        file: the block's file.
        number: the block's number.
        documents: how many since the last such message.
    """

    file: str
    number: int
    documents: int


Event = BlockDone | Progressed


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Any
    block: Block | None = None


def run_pool(
    items: Iterable[Block | Skipped | FileEnd], recipe: Recipe, workers: int
) -> Iterator[Event | Skipped | FileEnd]:
    """Do blocks in worker processes.

    Args:
        items: blocks to do; anything else is passed on.
        recipe: what to do with each.
        workers: how many processes.

    Yields:
        A :class:`BlockDone` per block, in the order in which they get done.

    Raises:
        NovelinkError: the model cannot be loaded or the output not written;
            the workers are stopped.
    """
    pool = _Pool(recipe, workers)
    try:
        yield from pool.run(iter(items))
    finally:
        pool.stop()


class _Pool:
    def __init__(self, recipe: Recipe, workers: int) -> None:
        # A fork would copy the threads' locks of the libraries loaded here.
        self._context = multiprocessing.get_context("spawn")
        self._recipe = recipe
        self._most = workers
        self._workers: list[_Worker] = []
        self._ready: deque[Block] = deque()
        self._tries: dict[tuple[str, int], int] = {}

    def run(
        self, items: Iterator[Block | Skipped | FileEnd]
    ) -> Iterator[Event | Skipped | FileEnd]:
        exhausted = False
        while True:
            while not exhausted and len(self._ready) < self._most:
                item = next(items, None)
                if item is None:
                    exhausted = True
                elif isinstance(item, Block):
                    self._ready.append(item)
                    # Idle workers first: they should not wait until all is read ahead.
                    self._hand_out()
                else:
                    yield item
            self._hand_out()
            busy = [worker for worker in self._workers if worker.block is not None]
            if not busy:
                return
            waiting = {worker.pipe: worker for worker in busy}
            for pipe in connection.wait(list(waiting)):
                yield from self._receive(waiting[pipe])

    def _hand_out(self) -> None:
        while self._ready:
            worker = next((one for one in self._workers if one.block is None), None)
            if worker is None:
                if len(self._workers) >= self._most:
                    return
                worker = self._start()
            worker.block = self._ready.popleft()
            # Where the worker is gone already, its pipe says so when it is next looked at.
            with contextlib.suppress(OSError):
                worker.pipe.send(worker.block)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve_blocks, args=(theirs, self._recipe), name="novelink-worker", daemon=True
        )
        process.start()
        _LOG.info("worker process %d started", len(self._workers) + 1)
        # With its only other end in the worker, the pipe tells when that is gone.
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _receive(self, worker: _Worker) -> Iterator[Event]:
        try:
            kind, content = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(worker)
            return
        if kind == "error":
            raise content
        if kind == "crash":
            raise RuntimeError(f"a worker failed:\n{content}")
        if kind == "done":
            worker.block = None
        yield content

    def _bury(self, worker: _Worker) -> list[BlockDone]:
        """Give a dead worker's block another try, or book it as failed."""
        block = worker.block
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        assert block is not None
        key = (block.file, block.number)
        self._tries[key] = self._tries.get(key, 0) + 1
        code = worker.process.exitcode
        how = f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code}"
        if self._tries[key] < TRIES:
            _LOG.warning("a worker process died (%s); its block is done again", how)
            self._ready.appendleft(block)
            return []
        reason = (
            f"the worker process died twice on this block of {block.documents} documents ({how}); "
            "fewer workers or a smaller --block-size need less memory"
        )
        return [fail_block(block, self._recipe, reason)]

    def stop(self) -> None:
        """End all workers; a half-done block leaves nothing behind."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_STOP_SECONDS)
            if worker.process.is_alive():  # it hangs in native code
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = []


def serve_blocks(pipe: Any, recipe: Recipe) -> None:
    """A worker process: takes blocks from a pipe until its other end is gone."""
    # Ctrl-C reaches the whole group; the parent decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As an exception, so that a file half-written is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        worker = None
        while True:
            block = pipe.recv()
            try:
                worker = worker or BlockWorker(recipe)
                pipe.send(("done", worker.work(block, _Reports(pipe, block))))
            except NovelinkError as error:
                pipe.send(("error", error))
            except BrokenPipeError:
                return
            except Exception:  # noqa: BLE001 (a fault of this program: shown whole by the parent)
                pipe.send(("crash", traceback.format_exc()))
    except (EOFError, OSError):
        # The parent is gone: what was begun is done again by a resumed run.
        return


class _Reports:
    """Tells the parent about progress, now and then."""

    def __init__(self, pipe: Any, block: Block) -> None:
        self._pipe = pipe
        self._block = block
        self._documents = 0
        self._told = time.monotonic()

    def __call__(self, documents: int) -> None:
        self._documents += documents
        now = time.monotonic()
        if now - self._told >= _REPORT_SECONDS:
            told = Progressed(self._block.file, self._block.number, self._documents)
            self._pipe.send(("progress", told))
            self._documents, self._told = 0, now
