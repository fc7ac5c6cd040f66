"""What a run is told to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.errors import SettingsError
from novelink.scale.blocks import BLOCK_DOCUMENTS
from novelink.scale.parts import SUFFIXES

if TYPE_CHECKING:
    from novelink.schema import Schema

ENGINES = ("local", "ray")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """A run.

    Attributes:
        inputs: paths, folders, globs, archives, URLs.
        output: folder or URL of the results.
        model: name or folder; None for the embedded default.
        min_score: least score of a relation; None for the model's own.
        evidence: also give the sentences a relation rests on; None where the
            model can.
        schema: which types are read; None for the model's.
        format: format of the inputs; None where each tells it.
        parts: format of the parts, ``"jsonl"`` or ``"parquet"``.
        block_documents: most documents of a block: what is done again after a
            crash, and what one part holds.
        workers: processes or actors; None for one per core.
        resume: go on with a run that the folder holds.
        shard: (i, n): do the i-th of n shares, counted from 1.
        engine: ``"local"`` or ``"ray"``.
        address: of a Ray cluster; None starts one on this machine.
        max_failed: share of failed documents, 0–1, beyond which a run is
            stopped because something is wrong with all of them.
    """

    inputs: tuple[str, ...]
    output: str
    model: str | None = None
    min_score: float | None = None
    evidence: bool | None = None
    schema: Schema | None = None
    format: str | None = None
    parts: str = "jsonl"
    block_documents: int = BLOCK_DOCUMENTS
    workers: int | None = None
    resume: bool = False
    shard: tuple[int, int] = (1, 1)
    engine: str = "local"
    address: str | None = None
    max_failed: float = 0.5


def check_settings(settings: RunSettings) -> None:
    """Refuse what cannot be, before anything is opened.

    Raises:
        SettingsError: a value is impossible, or two do not go together.
    """
    share, shards = settings.shard
    if not 1 <= share <= shards:
        raise SettingsError(
            f"the shard {share}/{shards} does not exist",
            remedy=f"Shards of {max(1, shards)} are 1/{max(1, shards)} to "
            f"{max(1, shards)}/{max(1, shards)}",
        )
    if settings.parts not in SUFFIXES:
        raise SettingsError(
            f"a run into a folder cannot write '{settings.parts}'",
            remedy=f"Choose --to {' or --to '.join(SUFFIXES)}",
        )
    if settings.engine not in ENGINES:
        raise SettingsError(f"there is no engine '{settings.engine}'")
    if settings.address is not None and settings.engine != "ray":
        raise SettingsError("an address is for the engine ray", remedy="Add --engine ray")
    if settings.block_documents < 1 or (settings.workers is not None and settings.workers < 1):
        raise SettingsError("the size of a block and the number of workers are 1 or more")
    if settings.min_score is not None and not 0 <= settings.min_score <= 1:
        raise SettingsError(f"the least score is {settings.min_score}, not within 0–1")
