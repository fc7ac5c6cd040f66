"""Per-pair reading (DUTIR-901, BioCreative VIII): one marked copy of the document per pair."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from novelink.reading.marking import BOTH, END_MARKER, FIRST, SECOND, START_MARKER, mark, neutralise
from novelink.reading.tokens import token_id
from novelink.reading.window import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

    from novelink.document import Document
    from novelink.pairs import Pair

_BLOCK = 256  # marked copies in memory at a time: an abstract can have a thousand pairs


@dataclass(frozen=True, slots=True)
class PairInput:
    """What the encoder reads for one pair.

    Attributes:
        ids: token ids, ``[CLS] … [SEP]``, at most the reading's ``max_length``.
        starts: token position of each start marker in sight, discontinuous
            mentions counted once.
        owners: per start marker 1 (first entity), 2 (second) or 3 (both).
        cut_mentions: marked mentions out of sight.
        cut_tokens: tokens out of sight.
    """

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    owners: tuple[int, ...]
    cut_mentions: int = 0
    cut_tokens: int = 0


class PairReading:
    """Makes per-pair inputs; the same for training and prediction.

    Args:
        tokenizer: must have the two markers as special tokens.
        max_length: tokens of an input, ``[CLS]`` and ``[SEP]`` included.

    Raises:
        ModelError: the tokenizer lacks a marker or ``[CLS]`` / ``[SEP]``.
    """

    kind: ClassVar[str] = "pair"

    def __init__(self, tokenizer: Tokenizer, max_length: int = 512) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self._start_id = token_id(tokenizer, START_MARKER)
        self._cls_id = token_id(tokenizer, "[CLS]")
        self._sep_id = token_id(tokenizer, "[SEP]")
        token_id(tokenizer, END_MARKER)
        added = tokenizer.get_added_tokens_decoder().values()
        self._special = tuple(token.content for token in added)

    def encode(self, document: Document, pairs: Sequence[Pair]) -> list[PairInput]:
        """One input per pair, in the order of the pairs."""
        text = neutralise(document.text, self._special)
        inputs: list[PairInput] = []
        for begin in range(0, len(pairs), _BLOCK):
            marked = [
                mark(text, pair.first.mentions, pair.second.mentions)
                for pair in pairs[begin : begin + _BLOCK]
            ]
            encodings = self.tokenizer.encode_batch_fast(
                [copy.text for copy in marked], add_special_tokens=False
            )
            inputs.extend(
                self._frame(encoding.ids, copy.owners)
                for encoding, copy in zip(encodings, marked, strict=True)
            )
        return inputs

    def _frame(self, ids: list[int], owners: tuple[int, ...]) -> PairInput:
        positions = [index for index, token in enumerate(ids) if token == self._start_id]
        mentions = [
            (position, owner)
            for position, owner in zip(positions, owners, strict=True)
            if owner  # later parts of a discontinuous mention have none
        ]
        room = self.max_length - 2
        kept = keep(
            len(ids),
            room,
            [position for position, owner in mentions if owner in (FIRST, BOTH)],
            [position for position, owner in mentions if owner in (SECOND, BOTH)],
        )
        place: dict[int, int] = {}
        offset = 1  # [CLS]
        for stretch in kept:
            for position, _ in mentions:
                if position in stretch:
                    place[position] = offset + position - stretch.start
            offset += len(stretch)
        seen = [(place[position], owner) for position, owner in mentions if position in place]
        body = chain.from_iterable(ids[stretch.start : stretch.stop] for stretch in kept)
        return PairInput(
            ids=(self._cls_id, *body, self._sep_id),
            starts=tuple(position for position, _ in seen),
            owners=tuple(owner for _, owner in seen),
            cut_mentions=len(mentions) - len(seen),
            cut_tokens=len(ids) - sum(map(len, kept)),
        )
