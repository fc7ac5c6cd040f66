"""A document as the tagger reads it: windows of tokens with their places and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.errors import ModelError
from novelink.sentences import document_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer

    from novelink.document import Document

SHAPES = 144
"""Number of shape ids: the word's form times the token's form."""
_FORMS = 12


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a document that is read at once.

    Attributes:
        ids: token ids with ``[CLS]`` and ``[SEP]``.
        shapes: form of each token and of the word it is in, see :func:`shape`;
            0 for the two special tokens.
        spans: place of each token in the document; ``(-1, -1)`` for the two
            special tokens.
        keep: tokens ``[first, last)`` whose answer counts; the others are
            context that another window answers for.
    """

    ids: tuple[int, ...]
    shapes: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    keep: tuple[int, int]


class TaggerReading:
    """Documents → windows.

    A document that fits is one window. A longer one is cut at sentence ends,
    and each window begins with up to ``overlap`` tokens of the one before it as
    context, so that every token is answered for exactly once.

    Args:
        tokenizer: without truncation and padding.
        max_length: most tokens of a window, special ones included.
        overlap: most tokens of context.

    Raises:
        ModelError: the tokenizer lacks ``[CLS]`` or ``[SEP]``.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int = 512, overlap: int = 96) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.overlap = min(overlap, max(0, (max_length - 2) // 4))
        self._begin = _special(tokenizer, "[CLS]")
        self._end = _special(tokenizer, "[SEP]")

    def spans(self, document: Document) -> list[tuple[int, int]]:
        """Places of a document's tokens, all windows together."""
        return list(self.tokenizer.encode(document.text, add_special_tokens=False).offsets)

    def encode(self, document: Document) -> list[Window]:
        """Windows in text order; none for a document without tokens."""
        text = document.text
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        ids, spans = encoding.ids, encoding.offsets
        if not ids:
            return []
        shapes = token_shapes(text, spans)
        room = self.max_length - 2
        if len(ids) <= room:
            return [self._window((0, 0, len(ids)), ids, shapes, spans)]
        borders = _sentence_borders(document, spans)
        return [
            self._window(cut, ids, shapes, spans)
            for cut in _cuts(borders, len(ids), room, self.overlap)
        ]

    def _window(
        self,
        cut: tuple[int, int, int],
        ids: Sequence[int],
        shapes: Sequence[int],
        spans: Sequence[tuple[int, int]],
    ) -> Window:
        begin, first, last = cut
        return Window(
            (self._begin, *ids[begin:last], self._end),
            (0, *shapes[begin:last], 0),
            ((-1, -1), *spans[begin:last], (-1, -1)),
            (first - begin + 1, last - begin + 1),
        )


def _special(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ModelError(f"the tokenizer has no {token}", remedy="Use a BERT-like encoder")
    return found


def _sentence_borders(document: Document, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Index of the first token of each sentence."""
    borders, token = [], 0
    for start, _ in document_sentences(document):
        while token < len(spans) and spans[token][0] < start:
            token += 1
        borders.append(token)
    return borders


def _cuts(
    borders: Sequence[int], count: int, room: int, overlap: int
) -> Iterator[tuple[int, int, int]]:
    """(first token read, first token answered for, last) of each window."""
    first = 0
    while first < count:
        earliest = max(0, first - overlap)
        # Context begins at a sentence if one begins there, and at any token otherwise.
        begin = min((border for border in borders if earliest <= border <= first), default=earliest)
        last = min(count, begin + room)
        if last < count:
            last = max((border for border in borders if first < border <= last), default=last)
        yield begin, first, last
        first = last


def token_shapes(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Shape of each token of a text, from its letters as they stand there.

    The tokenizer may have lower-cased them; whether a word is ``mice``, ``Tp53``
    or ``TNF`` says much about what it names.
    """
    shapes = []
    word_start = word_end = -1
    word_form = 0
    for start, end in spans:
        if not word_start <= start < word_end:
            word_start, word_end = _word(text, start, end)
            word_form = _form(text[word_start:word_end])
        form = word_form if (start, end) == (word_start, word_end) else _form(text[start:end])
        shapes.append(word_form * _FORMS + form)
    return shapes


def _word(text: str, start: int, end: int) -> tuple[int, int]:
    """The run of letters and digits around a token."""
    if not text[start : start + 1].isalnum():
        return start, end
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end


def _form(piece: str) -> int:  # noqa: PLR0911 (one return for each form)
    """Form of a piece of text, 1–11.

    >>> [_form(text) for text in ("mice", "Mice", "TNF", "mTOR", "42", "V600E", "Tp53", "p53")]
    [1, 2, 4, 5, 6, 7, 8, 9]
    """
    if piece.islower() and piece.isalpha():
        return 1 if piece.isascii() else 11
    if piece.isdigit():
        return 6
    letters = [char for char in piece if char.isalpha()]
    if not letters:
        return 10
    if len(letters) == len(piece):
        if piece.isupper():
            return 3 if len(piece) == 1 else 4
        return 2 if piece[0].isupper() and piece[1:].islower() else 5
    if all(char.isupper() for char in letters):
        return 7
    return 8 if any(char.isupper() for char in letters) else 9
