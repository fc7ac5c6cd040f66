"""What a run of training will cost, before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.errors import NovelinkError
from novelink.model.encoder import encoder_config, load_tokenizer
from novelink.pairs import candidate_pairs
from novelink.training.presets import PAPER_ENCODER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novelink.document import Document
    from novelink.schema import Schema
    from novelink.training.settings import TrainSettings

_TOKENS_PER_WORD = 1.6  # of a biomedical WordPiece vocabulary on abstracts, roughly


# Layers and width of encoders whose cost can be told before they are downloaded.
_SIZES = {PAPER_ENCODER: (12, 768)}


@dataclass(frozen=True)
class Corpus:
    """How much there is to read.

    Attributes:
        documents: number.
        pairs: candidate pairs.
        tokens: tokens of all marked copies, one a pair, cut at the window.
        counted: whether tokens were counted with the encoder's tokenizer; they
            are estimated from words where it is not at hand.
    """

    documents: int
    pairs: int
    tokens: int
    counted: bool


def measure(documents: Sequence[Document], schema: Schema, settings: TrainSettings) -> Corpus:
    """Count pairs and tokens of per-pair reading.

    Each document is tokenised once; markers are added to its length per pair.
    """
    try:
        tokenizer = load_tokenizer(
            settings.encoder.name,
            revision=settings.encoder.revision,
            offline=True,
        )
    except NovelinkError:
        tokenizer = None
    room = settings.model.max_length
    pairs = tokens = 0
    for document in documents:
        text = document.text
        length = (
            len(tokenizer.encode(text, add_special_tokens=False).ids)
            if tokenizer
            else round(_TOKENS_PER_WORD * len(text.split()))
        )
        for pair in candidate_pairs(document, schema):
            marks = 2 * (len(pair.first.mentions) + len(pair.second.mentions))
            tokens += min(room, length + marks + 2)
            pairs += 1
    return Corpus(len(documents), pairs, tokens, tokenizer is not None)


def operations(settings: TrainSettings, tokens: int) -> float | None:
    """Floating-point operations to train on so many tokens; None where the encoder is unknown.

    Six a weight and token for forward and backward pass (Kaplan et al. 2020),
    over the weights of the layers (12 h² each); twice that with adversarial
    training.
    """
    try:
        config = encoder_config(
            settings.encoder.name, revision=settings.encoder.revision, offline=True
        )
        layers, width = int(config.num_hidden_layers), int(config.hidden_size)
    except (NovelinkError, AttributeError):
        if settings.encoder.name not in _SIZES:
            return None
        layers, width = _SIZES[settings.encoder.name]
    weights = 12.0 * layers * width**2
    passes = 2 if settings.optim.fgm_epsilon > 0 else 1
    return 6.0 * weights * tokens * passes
