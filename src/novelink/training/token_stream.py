"""Raw text → one long memory-mapped array of token ids, cut into chunks of one length."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import numpy as np

from novelink.errors import DataError
from novelink.reading.tokens import token_id
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_OPENERS: dict[str, Callable[..., IO[Any]]] = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
_BATCH = 512


def read_lines(path: Path) -> Iterator[str]:
    """Documents of a text file, one a line; ``.xz``, ``.gz`` and ``.bz2`` are unpacked.

    Raises:
        DataError: the file cannot be read or is not UTF-8.
    """
    opener = _OPENERS.get(path.suffix, Path.open)
    number = 0
    try:
        with cast("TextIO", opener(path, "rt", encoding="utf-8")) as lines:
            for number, line in enumerate(lines, start=1):  # noqa: B007 (named in the error)
                if text := line.strip():
                    yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 ({error.reason})", source=str(path), line=number + 1, remedy="Convert it"
        ) from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(f"cannot read: {error}", source=str(path), line=number + 1) from error


class TokenStream:
    """Token ids of a corpus on disk.

    Documents follow one another, each closed by ``[SEP]``; chunks cut the
    stream at fixed lengths and are framed by ``[CLS]`` and ``[SEP]``.

    Args:
        ids: the stream, uint16 or uint32.
        length: tokens of a chunk, frame included.
        cls_id: id of ``[CLS]``.
        sep_id: id of ``[SEP]``.
    """

    def __init__(
        self, ids: NDArray[np.unsignedinteger], length: int, cls_id: int, sep_id: int
    ) -> None:
        self.ids = ids
        self.length = length
        self.cls_id = cls_id
        self.sep_id = sep_id

    def __len__(self) -> int:
        """Number of whole chunks."""
        return len(self.ids) // (self.length - 2)

    def chunks(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Chunks by number: ``[len(indices), length]``."""
        body = self.length - 2
        rows = np.full((len(indices), self.length), self.cls_id, dtype=np.int64)
        for row, index in enumerate(indices):
            rows[row, 1:-1] = self.ids[index * body : (index + 1) * body]
        rows[:, -1] = self.sep_id
        return rows

    @classmethod
    def build(
        cls, files: Sequence[Path], tokenizer: Tokenizer, folder: Path, length: int
    ) -> TokenStream:
        """Tokenise files once; later calls with the same files and vocabulary reuse the result.

        Args:
            files: text files, one document a line.
            tokenizer: its ids must have ``[CLS]`` and ``[SEP]``.
            folder: where the array is kept.
            length: tokens of a chunk.

        Raises:
            DataError: a file is not there, cannot be read, or is not UTF-8.
        """
        cls_id, sep_id = token_id(tokenizer, "[CLS]"), token_id(tokenizer, "[SEP]")
        kind = np.dtype(np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.uint32)
        stamp = hashlib.sha256(tokenizer.to_str().encode())
        for file in files:
            if not file.is_file():
                raise DataError("there is no such text file", source=str(file))
            stamp.update(json.dumps([str(file.resolve()), file.stat().st_size]).encode())
        target = folder / f"tokens-{stamp.hexdigest()[:16]}.bin"
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as fresh, fresh.open("wb") as out:
                for file in files:
                    for batch in _batched(read_lines(file), _BATCH):
                        for encoding in tokenizer.encode_batch_fast(
                            batch, add_special_tokens=False
                        ):
                            out.write(np.asarray([*encoding.ids, sep_id], dtype=kind).tobytes())
        return cls(np.memmap(target, dtype=kind, mode="r"), length, cls_id, sep_id)


def _batched(lines: Iterator[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
