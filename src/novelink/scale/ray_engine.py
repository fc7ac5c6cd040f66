"""The engine for a cluster: Ray Data.

Files are read by one task each, cut into the same blocks as on one machine, and
handed to actors that have loaded the model. Ray Data streams: it holds back
readers while actors are busy, and does lost work again. A block done twice
writes the same bytes under the same name, and its record counts once.
"""

from __future__ import annotations

import logging
import os
import pickle
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from novelink.errors import DataError, MissingExtraError, NovelinkError
from novelink.scale.blocks import Block
from novelink.scale.parts import STATE, part_name
from novelink.scale.storage import open_store
from novelink.scale.worker import BlockDone, BlockWorker, Recipe, fail_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.blocks import FileEnd
    from novelink.scale.plan import FilePlan, Skipped

ACTORS_PER_READER = 8
"""Cutting is far cheaper than judging: one reader feeds many actors. Readers ask for no core, so
that actors that hold every core of what a lost node left cannot keep them out for ever. It also
keeps Ray from joining readers and actors, which would judge a file's blocks one after another."""

TRIES = 3
"""Lost nodes count as tries too, so there are more than on one machine."""

_TRIES = f"{STATE}/tries"
_ITEM = "item"
_KNOCK_SECONDS = 10.0


def run_ray(
    plans: list[FilePlan], recipe: Recipe, workers: int | None, address: str | None
) -> Iterator[BlockDone | Skipped | FileEnd]:
    """Do blocks on a Ray cluster.

    Args:
        plans: files to do.
        recipe: what to do with each block; its model and output must be
            reachable from every node.
        workers: most actors; None for one per core of the cluster.
        address: of a cluster (``auto``, ``host:6379``, ``ray://host:10001``);
            None for the one this process is in, else one of its own.

    Raises:
        MissingExtraError: Ray is not installed.
        DataError: the cluster cannot be reached.
        NovelinkError: a block failed as a whole, as in :func:`~novelink.scale.pool.run_pool`.
    """
    if not plans:
        return
    store = open_store(recipe.output)
    for left in store.names(_TRIES):
        # Of an earlier session that was stopped: no fault of the blocks.
        store.remove(left)
    with _connected(address) as ray:
        cores = int(ray.cluster_resources().get("CPU", 1))
        most = workers or max(1, cores)
        readers = min(len(plans), 1 + most // ACTORS_PER_READER)
        rows = [{_ITEM: pickle.dumps(plan)} for plan in plans]
        blocks = ray.data.from_items(rows, override_num_blocks=len(rows)).flat_map(
            _read, num_cpus=0, compute=ray.data.TaskPoolStrategy(size=readers)
        )
        # Ray Data restarts lost actors and repeats their tasks without being asked to.
        done = blocks.map_batches(
            _Actor,
            fn_constructor_args=(recipe,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
            num_cpus=1,
        )
        seen: set[tuple[str, int]] = set()
        for row in done.iter_rows():
            item = pickle.loads(row[_ITEM])  # noqa: S301 (made by our own tasks)
            if isinstance(item, NovelinkError):
                raise item
            if isinstance(item, BlockDone):
                if (item.file, item.number) in seen:
                    continue
                seen.add((item.file, item.number))
            yield item


def _read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A file's plan → its items, one row each."""
    plan: FilePlan = pickle.loads(row[_ITEM])  # noqa: S301 (made by the driver)
    try:
        for item in plan.pending():
            yield {_ITEM: pickle.dumps(item)}
    except NovelinkError as error:
        # As data, because Ray wraps exceptions of tasks in several layers.
        yield {_ITEM: pickle.dumps(error)}


class _Actor:
    """Holds a loaded model; rows that are no blocks pass through.

    Ray repeats the work of a lost actor without end, so a block that kills every
    actor that takes it (out of memory) would be tried for ever. Each try leaves a
    mark in the results; a block with :data:`TRIES` marks becomes dead letters.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._store = open_store(recipe.output)
        self._worker: BlockWorker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {_ITEM: [pickle.dumps(self._done(pickle.loads(row))) for row in batch[_ITEM]]}  # noqa: S301 (made by a reader)

    def _done(self, item: object) -> object:
        if not isinstance(item, Block):
            return item
        try:
            marks = f"{_TRIES}/{part_name(item.file, item.number, self._recipe.parts)}"
            tries = len(self._store.names(marks))
            if tries >= TRIES:
                reason = f"its worker process died {tries} times on this block; a smaller "
                reason += "--block-size needs less memory"
                return fail_block(item, self._recipe, reason)
            self._store.write(f"{marks}/{tries}", b"")
            self._worker = self._worker or BlockWorker(self._recipe)
            done = self._worker.work(item)
            for number in range(tries + 1):
                self._store.remove(f"{marks}/{number}")
        except NovelinkError as error:
            return error
        return done


def _knock(address: str | None) -> None:
    """Ray itself tries for minutes to reach a cluster that is not there."""
    found = re.fullmatch(r"(?:ray://)?([^/\s]+):(\d+)", address or "")
    if found is None:
        return
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), _KNOCK_SECONDS).close()
    except OSError as error:
        raise DataError(
            f"no Ray cluster answers at {address}: {error.strerror or error}",
            remedy="Check the address, or leave --address out to use this machine",
        ) from error


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    # Before Ray is imported: it reads these once.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("the engine ray", "scale") from error
    ours = not ray.is_initialized()
    if ours:
        _knock(address)
        try:
            ray.init(
                address=address,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:  # Ray raises several kinds for a cluster that is not there
            raise DataError(
                f"no Ray cluster answers at {address or 'this machine'}: {error}",
                remedy="Check the address, or leave --address out to use this machine",
            ) from error
    context = ray.data.DataContext.get_current()
    before = context.target_max_block_size, context.enable_progress_bars
    # One of our blocks to a block of Ray's, so that each can go to another actor.
    context.target_max_block_size = 1
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    try:
        yield ray
    finally:
        context.target_max_block_size, context.enable_progress_bars = before
        if ours:
            ray.shutdown()
