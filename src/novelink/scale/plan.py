"""Which blocks are still to be done, and by whom."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from novelink.errors import DataError
from novelink.scale.blocks import Block, Cutting, FileEnd, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scale.corpus import CorpusFile
    from novelink.scale.journal import Known

SMALL = 64 << 20
"""Plain files below this many bytes go to one shard whole, so that the others need not read
them."""

_ARCHIVES = (".tar", ".tgz", ".tar.gz")


@dataclass(frozen=True, slots=True)
class Skipped:
    """Part of a file that needs no work here.

    Attributes:
        weight: its bytes as stored.
    """

    weight: int


@dataclass(slots=True)
class FilePlan:
    """What is to be done of one file. Crosses processes.

    Attributes:
        file: the file.
        cutting: how it becomes blocks.
        shard: (i, n), counted from 1.
        known: blocks that are done.
        missing: of these, the ones whose part is gone.
        closed: whether the whole file is done.
    """

    file: CorpusFile
    cutting: Cutting
    shard: tuple[int, int] = (1, 1)
    known: dict[int, Known] = field(default_factory=dict)
    missing: frozenset[int] = frozenset()
    closed: bool = False

    def pending(self) -> Iterator[Block | Skipped | FileEnd]:
        """Blocks to do and weights to skip, in order; for a file that is read, its end.

        Raises:
            DataError: a block that is done is no longer the same.
        """
        mark = zlib.crc32(self.file.name.encode("utf-8", "surrogatepass"))
        share, shards = self.shard
        whole = self.file.size < SMALL and not self.file.name.lower().endswith(_ARCHIVES)
        if self.closed or (whole and mark % shards != share - 1):
            yield Skipped(self.file.size)
            return
        pending = 0
        for item in blocks_of(self.file, self.cutting):
            if isinstance(item, FileEnd):
                item.pending = pending
                yield item
            elif self._is_done(item) or (not whole and (mark + item.number) % shards != share - 1):
                yield Skipped(item.weight)
            else:
                pending += 1
                yield item

    def _is_done(self, block: Block) -> bool:
        known = self.known.get(block.number)
        if known is None:
            return False
        if known.digest == block.digest:
            return block.number not in self.missing
        if known.provisional:
            return False
        raise DataError(
            f"the file has changed since the run began (documents of block {block.number})",
            source=self.file.place,
            remedy="Put the old file back, or begin a new folder",
        )
