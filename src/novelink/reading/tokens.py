"""Ids of the tokens that every reading needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a special token.

    Raises:
        ModelError: the vocabulary has no such token.
    """
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise ModelError(
            f"the tokenizer lacks the token '{token}'",
            remedy="Use a BERT-style encoder, or a model folder as `novelink train` wrote it",
        )
    return found
