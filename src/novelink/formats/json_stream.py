"""A large JSON array, object by object, in a bounded buffer.

The standard library parses whole texts only. Here the frame around the
documents is walked by hand and each document goes through the library's
decoder, so speed is the library's and memory holds one document.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from novelink import limits
from novelink.formats.unpacking import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.errors import DataError
    from novelink.formats.source import Source

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODE = json.JSONDecoder().raw_decode

LONGEST = limits.DOCUMENT_BYTES
"""Characters of one document; more is a fault of the file, not a document."""

_REMEDY = "The file is damaged or was cut off: fetch or write it again"


class JsonStream:
    """A cursor over JSON text that arrives in pieces.

    Args:
        source: UTF-8 bytes.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._chunks = source.chunks()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer = ""
        self._position = 0
        self._lines = 1  # number of the line on which the buffer begins
        self._dropped = 0  # characters before the buffer
        self._ended = False
        self._not_utf8: CutOffError | None = None

    @property
    def line(self) -> int:
        """Line of the cursor."""
        return self._line_at(self._position)

    @property
    def place(self) -> int:
        """Characters before the cursor."""
        return self._dropped + self._position

    def _line_at(self, position: int) -> int:
        return self._lines + self._buffer.count("\n", 0, position)

    def _line_after(self, parts: list[str]) -> int:
        return self._lines + sum(part.count("\n") for part in parts)

    def _more(self, size: int) -> bool:
        """Append at least ``size`` characters if there are any; drop what is behind."""
        if self._ended:
            return False
        self._lines += self._buffer.count("\n", 0, self._position)
        self._dropped += self._position
        parts = [self._buffer[self._position :]]
        self._position = 0
        gained = 0
        while gained < size and not self._ended:
            if self._not_utf8 is not None:
                raise self._not_utf8
            try:
                piece = next(self._chunks, None)
                text = self._decoder.decode(piece or b"", final=piece is None)
            except UnicodeDecodeError as error:
                # What stands before the bad byte is handed on first.
                text = error.object[: error.start].decode("utf-8").removeprefix("\ufeff")
                self._not_utf8 = CutOffError(
                    f"not UTF-8 (byte 0x{error.object[error.start]:02x})",
                    source=self.source.name,
                    line=self._line_after([*parts, text]),
                    remedy="Save the file as UTF-8",
                )
            except CutOffError as error:
                error.line = self._line_after(parts)
                raise
            self._ended = piece is None
            parts.append(text)
            gained += len(text)
        self._buffer = "".join(parts)
        return gained > 0

    def peek(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while True:
            found = _SPACE.match(self._buffer, self._position)
            assert found is not None
            self._position = found.end()
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more(1):
                return ""

    def take(self, expected: str) -> str:
        """Step over one of these characters.

        Raises:
            DataError: something else stands there.
        """
        found = self.peek()
        if not found or found not in expected:
            raise self.fault(found, expected)
        self._position += 1
        return found

    def fault(self, found: str, expected: str) -> DataError:
        """An error about the character at the cursor."""
        wanted = " or ".join(f"'{char}'" for char in expected)
        if not found:
            return CutOffError(
                f"the JSON is cut off where {wanted} should follow",
                source=self.source.name,
                line=self.line,
                remedy=_REMEDY,
            )
        return CutOffError(
            f"not JSON: '{found}' where {wanted} should stand",
            source=self.source.name,
            line=self.line,
            remedy=_REMEDY,
        )

    def value(self) -> Any:
        """The next whole value.

        Raises:
            DataError: it is cut off or no JSON.
        """
        self.peek()
        while True:
            try:
                found, end = _DECODE(self._buffer, self._position)
            except json.JSONDecodeError as error:
                if not self._may_be_unfinished(error):
                    raise CutOffError(
                        f"not JSON: {error.msg}",
                        source=self.source.name,
                        line=self._line_at(error.pos),
                        remedy=_REMEDY,
                    ) from error
            except (RecursionError, ValueError) as error:
                deep = isinstance(error, RecursionError)
                raise CutOffError(
                    "the JSON is nested too deeply" if deep else f"not usable JSON ({error})",
                    source=self.source.name,
                    line=self.line,
                    remedy=_REMEDY,
                ) from error
            else:
                # A number or word that touches the end of the buffer may go on after it.
                if end < len(self._buffer) or self._buffer[end - 1] in '"]}' or self._ended:
                    self._position = end
                    return found
            if self._ended:
                raise CutOffError(
                    "the JSON is cut off inside a document"
                    if self._position < len(self._buffer)
                    else "the JSON is cut off",
                    source=self.source.name,
                    line=self.line,
                    remedy=_REMEDY,
                )
            if len(self._buffer) - self._position > LONGEST:
                raise self.too_long()
            # Doubling: a long document is parsed anew a few times only.
            self._more(max(65_536, len(self._buffer) - self._position))

    def too_long(self) -> DataError:
        """An error about what has no end."""
        return CutOffError(
            f"a document of more than {LONGEST:,} characters",
            source=self.source.name,
            line=self.line,
            remedy="A quotation mark or bracket may be missing",
        )

    def _may_be_unfinished(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could mend a fault: it lies at the end of what is there."""
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._buffer) - 16


def is_deep(value: Any, most: int) -> bool:
    """Whether parsed JSON has more levels than that."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def stream_objects(source: Source, arrays: frozenset[str]) -> Iterator[tuple[dict[str, Any], int]]:
    """The objects of a JSON text's document arrays.

    Args:
        source: one or several JSON values: an object that has one of the arrays,
            a list of such objects, or the wanted objects themselves.
        arrays: keys whose arrays hold the wanted objects.

    Yields:
        An object and the line on which it begins.

    Raises:
        DataError: the text is cut off or no JSON.
    """
    stream = JsonStream(source)
    if not stream.peek():
        raise stream.fault("", "[{")
    while first := stream.peek():
        if first not in "[{":
            raise stream.fault(first, "[{")
        yield from _walk(stream, arrays)


def _walk(stream: JsonStream, arrays: frozenset[str]) -> Iterator[tuple[dict[str, Any], int]]:
    if stream.peek() == "[":
        stream.take("[")
        if stream.peek() == "]":
            stream.take("]")
            return
        while True:
            yield from _walk_object(stream, arrays)
            if stream.take(",]") == "]":
                return
    yield from _walk_object(stream, arrays)


def _walk_object(
    stream: JsonStream, arrays: frozenset[str]
) -> Iterator[tuple[dict[str, Any], int]]:
    """An object: a frame around documents, or itself a document."""
    stream.peek()
    line = stream.line
    stream.take("{")
    own: dict[str, Any] = {}
    is_frame = False
    begin = stream.place
    if stream.peek() == "}":
        stream.take("}")
        yield own, line
        return
    while True:
        if stream.peek() != '"':
            raise stream.fault(stream.peek(), '"')
        key = stream.value()
        stream.take(":")
        if key in arrays and stream.peek() == "[":
            is_frame = True
            yield from _elements(stream)
            begin = stream.place
        else:
            own[key] = stream.value()
        # Around documents stands little; what has no end would fill the memory key by key.
        if stream.place - begin > LONGEST:
            raise stream.too_long()
        if stream.take(",}") == "}":
            break
    if not is_frame:
        yield own, line


def _elements(stream: JsonStream) -> Iterator[tuple[dict[str, Any], int]]:
    stream.take("[")
    if stream.peek() == "]":
        stream.take("]")
        return
    while True:
        stream.peek()
        line = stream.line
        yield stream.value(), line
        if stream.take(",]") == "]":
            return
