"""Per-entity reading: one copy of the document for every entity, all its pairs read from it.

Between the two others: a copy has one entity's mentions set apart, as a marked
copy of per-pair reading has those of two, and every mention marked with its
type, as in whole-document reading. A document of n entities is read n times
instead of up to n² / 2 times. Each pair is read twice, once from either side;
the mean of the two answers does not depend on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from novelink.reading.document import DocumentReading
from novelink.reading.marking import END_MARKER, START_MARKER
from novelink.reading.tokens import token_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenizers import Tokenizer

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.reading.document import DocumentInput
    from novelink.schema import Schema


@dataclass(frozen=True, slots=True)
class EntityInput:
    """What the encoder reads for one entity.

    Attributes:
        copy: the document with this entity's mentions set apart; its pairs are
            those that the entity is one of, each in its own order.
        rows: the number of each among the document's pairs.
    """

    copy: DocumentInput
    rows: tuple[int, ...]


class EntityReading:
    """Makes per-entity inputs; the same for training and prediction.

    Read for TNF, "TNF lowers insulin." becomes ``<GeneOrGeneProduct> @/E TNF E/@
    </GeneOrGeneProduct> lowers <GeneOrGeneProduct> insulin </GeneOrGeneProduct>.``

    Args:
        tokenizer: must have the schema's type markers and the markers of
            per-pair reading as special tokens.
        schema: its entity types are marked.
        max_length: tokens of a window, ``[CLS]`` and ``[SEP]`` included.

    Raises:
        ModelError: the tokenizer lacks a marker or ``[CLS]`` / ``[SEP]``.
        SettingsError: windows too short to overlap.
    """

    kind: ClassVar[str] = "entity"

    def __init__(self, tokenizer: Tokenizer, schema: Schema, max_length: int = 512) -> None:
        for marker in (START_MARKER, END_MARKER):
            token_id(tokenizer, marker)
        self._copies = DocumentReading(tokenizer, schema, max_length, even_windows=True)
        self.tokenizer = tokenizer
        self.max_length = max_length

    def encode(self, document: Document, pairs: Sequence[Pair]) -> Iterator[EntityInput]:
        """One input an entity of the pairs, entities in the order in which pairs name them."""
        rows: dict[str, list[int]] = {}
        for row, pair in enumerate(pairs):
            for concept_id in pair.ids:
                rows.setdefault(concept_id, []).append(row)
        for concept_id, own in rows.items():
            copy = self._copies.encode(document, [pairs[row] for row in own], marked=concept_id)
            yield EntityInput(copy, tuple(own))
