"""Words hidden from an encoder: to be guessed in pretraining, to be done without in training.

Whole words are hidden, in pretraining as BERT does (Devlin et al. 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

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
        names = _names(tokenizer)
        self.share = share
        self.continues = _continues(names)
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


class WordHider:
    """Hides whole words of a batch behind ``[MASK]``; special tokens and markers stay.

    Args:
        tokenizer: its ids must have ``[MASK]``; ``##x`` goes on inside a word.
        share: of words to hide, 0–1.
    """

    def __init__(self, tokenizer: Tokenizer, share: float) -> None:
        names = _names(tokenizer)
        added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        self._share = share
        self._continues = _continues(names)
        self._stays = np.array([name in added or name in _NEVER_CHOSEN for name in names])
        self._mask_id = token_id(tokenizer, "[MASK]")

    def __call__(self, ids: torch.Tensor, seed: tuple[int, ...]) -> torch.Tensor:
        """Ids ``[…, length]`` with words hidden, on the same device; the same for the same seed."""
        rows = ids.cpu().numpy().reshape(-1, ids.shape[-1])
        generator = np.random.default_rng(seed)
        chosen = _chosen_words(rows, self._continues, self._stays, self._share, generator)
        hidden = np.where(chosen, self._mask_id, rows).reshape(ids.shape)
        return torch.from_numpy(hidden).to(ids.device)


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
    chosen = _chosen_words(ids, continues, special, share, generator)
    fate = generator.random(ids.shape)
    hidden = np.where(chosen & (fate < _REPLACED), mask_id, ids)
    randomised = chosen & (fate >= _REPLACED) & (fate < _REPLACED + _RANDOM)
    return np.where(randomised, generator.integers(0, len(special), ids.shape), hidden), chosen


def _chosen_words(
    ids: NDArray[np.int64],
    continues: NDArray[np.bool_],
    special: NDArray[np.bool_],
    share: float,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """Where words are chosen in ids ``[batch, length]``: all pieces of a word, or none."""
    word = np.cumsum(~continues[ids], axis=1)
    draws = generator.random(ids.shape)
    chosen: NDArray[np.bool_] = np.take_along_axis(draws, word - 1, axis=1) < share
    return chosen & ~special[ids]


def _names(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.id_to_token(index) or "" for index in range(tokenizer.get_vocab_size())]


def _continues(names: list[str]) -> NDArray[np.bool_]:
    return np.array([name.startswith("##") for name in names])
