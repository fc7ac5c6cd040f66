"""The encoder with BERT's prediction head, as pretraining starts from and trains it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Tokenizer
from torch import nn

from novelink.errors import ModelError
from novelink.model import attention
from novelink.model.encoder import encoder_name, load_tokenizer
from novelink.training.vocabulary import carry_embeddings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from transformers import PreTrainedModel

_DROPOUT = 0.1  # of an encoder in use: fine-tuning wants it


class MaskedLanguageModel(nn.Module):
    """An encoder with BERT's prediction head, evaluated at chosen tokens only.

    The output layer costs more than the six layers below it, so scoring one
    token in five instead of all saves about half of a step.

    Args:
        model: a ``BertForMaskedLM``.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.encoder: Callable[..., Any] = model.bert

    def forward(self, ids: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Logits ``[chosen.sum(), vocabulary]`` for ids ``[batch, length]``."""
        hidden = self.encoder(ids, attention_mask=torch.ones_like(ids))[0]
        logits: torch.Tensor = self.model.cls(hidden[chosen])
        return logits


def starting_point(
    encoder: str, vocabulary: str | Path | None
) -> tuple[PreTrainedModel, Tokenizer]:
    """A ``BertForMaskedLM`` in float32 without dropout, and its tokenizer.

    Args:
        encoder: hub name, folder, or ``embedded``.
        vocabulary: a ``tokenizer.json`` to move the encoder to; embeddings are
            carried over (:func:`~novelink.training.vocabulary.carry_embeddings`).

    Raises:
        ModelError: the encoder cannot be loaded.
    """
    from transformers import BertForMaskedLM

    try:
        model = BertForMaskedLM.from_pretrained(
            encoder_name(encoder),
            attn_implementation=attention.register(),
            # One pass over the text cannot overfit; without dropout it learns more per token.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            use_safetensors=True,
            trust_remote_code=False,
        ).float()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot load the encoder '{encoder}': {str(error).splitlines()[0]}",
            remedy="Give a BERT-style encoder by hub name or folder, with safetensors weights",
        ) from error
    tokenizer = load_tokenizer(encoder)
    if vocabulary is not None:
        new = Tokenizer.from_file(str(vocabulary))
        old = model.get_input_embeddings().weight.detach().numpy()
        carried = torch.from_numpy(carry_embeddings(tokenizer, old, new))
        model.resize_token_embeddings(new.get_vocab_size())
        model.get_input_embeddings().weight.data.copy_(carried)
        model.cls.predictions.bias.data.zero_()
        model.config.pad_token_id = new.token_to_id("[PAD]")
        tokenizer = new
    model.config.hidden_dropout_prob = _DROPOUT
    return model, tokenizer


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Groups for AdamW: matrices decay, biases and norms do not."""
    matrices = [value for value in model.parameters() if value.ndim > 1]
    others = [value for value in model.parameters() if value.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
