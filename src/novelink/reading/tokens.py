"""Ids of the tokens that every reading needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


# BERT's names of special tokens → RoBERTa's for the same, which other encoders use too.
_OTHER_NAMES = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token, by BERT's name of it or by RoBERTa's.

    Raises:
        ModelError: the vocabulary has no such token.
    """
    for name in (token, _OTHER_NAMES.get(token)):
        found: int | None = None if name is None else tokenizer.token_to_id(name)
        if found is not None:
            return found
    raise ModelError(
        f"the tokenizer lacks the token '{token}'",
        remedy="Use an encoder in BERT's or RoBERTa's manner, or a model folder as "
        "`novelink train` wrote it",
    )
