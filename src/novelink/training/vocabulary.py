"""A WordPiece vocabulary for biomedical text, and embeddings carried over to it.

A vocabulary trained on the text it will read shortens every input; each new
token starts from the average of the old embeddings of its sub-words, so that
an encoder keeps what it knows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from novelink.reading.marking import END_MARKER, START_MARKER
from novelink.training.token_stream import read_lines
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MARKERS = (START_MARKER, END_MARKER)
RESERVED_TOKENS = 32
"""Unused entries behind the markers, for markers that later readings need."""


def train_vocabulary(texts: Iterable[str], size: int, *, min_frequency: int = 5) -> Tokenizer:
    """Train a lower-casing WordPiece tokenizer in BERT's layout.

    Args:
        texts: one document each.
        size: entries in all, special tokens and markers included.
        min_frequency: pairs rarer than this are never merged.

    Returns:
        A tokenizer that adds ``[CLS]`` and ``[SEP]``; its first entries are
        :data:`SPECIAL_TOKENS`, :data:`MARKERS` and reserved ones.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 (a token, not a password)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = [*SPECIAL_TOKENS, *MARKERS, *(f"[unused{i}]" for i in range(RESERVED_TOKENS))]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=special,
        limit_alphabet=400,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return finish_tokenizer(tokenizer)


def finish_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """Add BERT's ``[CLS] … [SEP]`` frame to a tokenizer and return it."""
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[
            ("[CLS]", tokenizer.token_to_id("[CLS]")),
            ("[SEP]", tokenizer.token_to_id("[SEP]")),
        ],
    )
    return tokenizer


def carry_embeddings(
    old: Tokenizer, old_embeddings: NDArray[np.float32], new: Tokenizer
) -> NDArray[np.float32]:
    """Embeddings for a new vocabulary from those of an old one.

    A token that the old vocabulary has keeps its vector; any other gets the
    mean of the vectors of the pieces the old tokenizer cuts it into (a
    continuation ``##x`` is cut as the continuation of a word). Tokens without
    any piece, markers among them, get the old mean with a little noise of the
    old spread, from a fixed seed.

    Args:
        old: tokenizer of the old embeddings.
        old_embeddings: ``[old vocabulary, hidden]``.
        new: tokenizer to make embeddings for.

    Returns:
        ``[new vocabulary, hidden]``, float32.
    """
    generator = np.random.default_rng(0)
    mean, spread = old_embeddings.mean(axis=0), old_embeddings.std(axis=0)
    unknown = old.token_to_id("[UNK]")
    result = np.empty((new.get_vocab_size(), old_embeddings.shape[1]), dtype=np.float32)
    # In the order of the ids: the library's own order changes from run to run, and with it noise.
    for token, index in sorted(new.get_vocab().items(), key=lambda item: item[1]):
        same = old.token_to_id(token)
        pieces = [same] if same is not None else _pieces(old, token)
        pieces = [piece for piece in pieces if piece != unknown or token == "[UNK]"]  # noqa: S105 (as above)
        if pieces:
            result[index] = old_embeddings[pieces].mean(axis=0)
        else:
            noise = generator.standard_normal(old_embeddings.shape[1])
            result[index] = mean + 0.1 * spread * noise
    return result


def _pieces(old: Tokenizer, token: str) -> list[int]:
    if token in MARKERS or (token.startswith("[") and token.endswith("]") and len(token) > 2):
        return []
    if not token.startswith("##"):
        return list(old.encode(token, add_special_tokens=False).ids)
    # 'a' before the continuation makes the old tokenizer cut it as the inside of a word; where
    # 'a' melts into the first piece, the pieces of the bare letters are the next best.
    inside = old.encode(f"a{token[2:]}", add_special_tokens=False)
    if inside.tokens and inside.tokens[0] == "a":
        return list(inside.ids[1:])
    return list(old.encode(token[2:], add_special_tokens=False).ids)


def ensure_vocabulary(path: str, files: Sequence[str], size: int) -> None:
    """Make ``path`` from text files unless it is there already.

    Args:
        path: the ``tokenizer.json`` to have.
        files: text files, one document a line.
        size: entries in all.

    Raises:
        DataError: a text file cannot be read.
    """
    target = Path(path)
    if target.exists():
        return
    texts = (line for file in files for line in read_lines(Path(file)))
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as fresh:
        train_vocabulary(texts, size).save(str(fresh))
