"""Which tokens are to be guessed: whole words, hidden as BERT does (Devlin et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from novelink.reading.tokens import token_id

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_REPLACED, _RANDOM = 0.8, 0.1  # shares of chosen tokens that become [MASK] / a random token
_NEVER_CHOSEN = ("[CLS]", "[SEP]", "[PAD]")


class WordMasker:
    """Hides whole words of a vocabulary.

    Args:
        tokenizer: its ids must have ``[MASK]``; ``##x`` goes on inside a word.
        share: of words to hide, 0–1.
    """

    def __init__(self, tokenizer: Tokenizer, share: float) -> None:
        size = tokenizer.get_vocab_size()
        names = [tokenizer.id_to_token(index) or "" for index in range(size)]
        self.share = share
        self.continues = np.array([name.startswith("##") for name in names])
        self.special = np.array([name in _NEVER_CHOSEN for name in names])
        self.mask_id = token_id(tokenizer, "[MASK]")

    def __call__(
        self, ids: NDArray[np.int64], seed: tuple[int, ...]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Ids ``[batch, length]`` with words hidden, and where; the same for the same seed."""
        return mask_words(
            ids,
            self.continues,
            self.special,
            share=self.share,
            mask_id=self.mask_id,
            generator=np.random.default_rng(seed),
        )


def mask_words(
    ids: NDArray[np.int64],
    continues: NDArray[np.bool_],
    special: NDArray[np.bool_],
    *,
    share: float,
    mask_id: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Choose whole words and hide them.

    Args:
        ids: ``[batch, length]``.
        continues: per vocabulary entry, whether it goes on inside a word (``##x``).
        special: per vocabulary entry, whether it is never chosen.
        share: of words to choose.
        mask_id: id of ``[MASK]``.
        generator: source of chance.

    Returns:
        Ids with chosen tokens hidden, and where they are; 80 % become
        ``[MASK]``, 10 % a random token, 10 % stay.
    """
    word = np.cumsum(~continues[ids], axis=1)
    draws = generator.random(ids.shape)
    chosen = np.take_along_axis(draws, word - 1, axis=1) < share
    chosen &= ~special[ids]
    fate = generator.random(ids.shape)
    hidden = np.where(chosen & (fate < _REPLACED), mask_id, ids)
    randomised = chosen & (fate >= _REPLACED) & (fate < _REPLACED + _RANDOM)
    return np.where(randomised, generator.integers(0, len(special), ids.shape), hidden), chosen
