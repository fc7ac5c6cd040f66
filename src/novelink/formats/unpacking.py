"""Gzip layers, streamed, with an end to what a small file may unpack to."""

from __future__ import annotations

import gzip
import io
from typing import IO, TYPE_CHECKING, Any, cast

from novelink import limits
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

GZIP = b"\x1f\x8b"
"""How gzip data begin."""

_BUFFER = 1 << 18


class CutOffError(DataError):
    """The container ends or breaks: nothing after this place can be read."""


class Passed(io.RawIOBase):
    """A stream as a raw one, so that it can be buffered and looked into; counts its bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        # One piece at a time: a longer read of a cut-off file would lose all that was unpacked.
        self._read = getattr(stream, "read1", stream.read)
        self.count = 0

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next piece."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class _Bounded(Passed):
    """What a packed stream unpacks to, as long as that is in proportion."""

    def __init__(self, stream: IO[bytes], packed: Callable[[], int], title: str) -> None:
        super().__init__(stream)
        self._packed = packed
        self._title = title

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer.

        Raises:
            CutOffError: this is a decompression bomb.
        """
        size = super().readinto(buffer)
        if self.count > limits.BOMB_FREE_BYTES and self.count > limits.BOMB_RATIO * max(
            1, self._packed()
        ):
            raise CutOffError(
                f"it unpacks to more than {limits.BOMB_RATIO} times its size, as only a "
                "decompression bomb does",
                source=self._title,
                remedy="If you trust it, unpack it first",
            )
        return size


def unpacked(
    stream: io.BufferedReader[Any], title: str, stored: Callable[[], int] | None = None
) -> io.BufferedReader[Any]:
    """A gzip stream without its gzip layer.

    Args:
        stream: begins with :data:`GZIP`.
        title: what messages call it.
        stored: how many bytes of the file on disk were read, where this layer is
            inside another one; by default what this layer itself has taken.

    Raises:
        CutOffError: when read, if it unpacks to a size out of proportion.
    """
    packed = Passed(cast("IO[bytes]", stream))
    # GzipFile's own line iteration is Python code; the buffer around it is C.
    plain = gzip.GzipFile(fileobj=cast("IO[bytes]", io.BufferedReader(packed, _BUFFER)))
    return io.BufferedReader(
        _Bounded(cast("IO[bytes]", plain), stored or (lambda: packed.count), title), _BUFFER
    )
