"""Pretrained encoders of the ``transformers`` library: by hub name or folder, safetensors only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from novelink.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Plain attention: on CPUs the fused kernel's backward pass took 43 % of a training step, and it
# gives no attention weights, which evidence needs.
_ATTENTION = "eager"


def load_tokenizer(name: str, *, revision: str | None = None, offline: bool = False) -> Tokenizer:
    """The fast tokenizer of an encoder, without truncation or padding.

    Args:
        name: hub name (``owner/model``) or a folder.
        revision: branch, tag or commit on the hub.
        offline: use only what is on disk.

    Raises:
        ModelError: there is no such encoder, or it cannot be reached.
    """
    from transformers import AutoTokenizer

    folder_file = Path(name) / "tokenizer.json"
    if folder_file.is_file():
        tokenizer = Tokenizer.from_file(str(folder_file))
    else:
        loaded = _load(AutoTokenizer, name, revision=revision, offline=offline)
        backend = getattr(loaded, "backend_tokenizer", None)
        if backend is None:
            raise ModelError(
                f"the tokenizer of '{name}' has no fast form",
                remedy="Choose an encoder with a tokenizer.json, or a BERT-style vocab.txt",
            )
        tokenizer = backend
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def load_encoder(
    name: str,
    *,
    revision: str | None = None,
    offline: bool = False,
    dropout: float | None = None,
    attention_dropout: float | None = None,
) -> PreTrainedModel:
    """An encoder without its language-model head, in float32.

    Args:
        name: hub name or folder.
        revision: branch, tag or commit on the hub.
        offline: use only what is on disk.
        dropout: replaces the configured dropout after each sub-layer.
        attention_dropout: replaces the dropout on attention weights; its
            random numbers take a third of a CPU training step.

    Raises:
        ModelError: there is no such encoder, it cannot be reached, has no
            safetensors weights, or asks to run code of its own.
    """
    import torch
    from transformers import AutoModel

    changes: dict[str, Any] = {}
    if dropout is not None:
        changes["hidden_dropout_prob"] = dropout
    if attention_dropout is not None:
        changes["attention_probs_dropout_prob"] = attention_dropout
    model: PreTrainedModel = _load(
        AutoModel,
        name,
        revision=revision,
        offline=offline,
        use_safetensors=True,
        attn_implementation=_ATTENTION,
        **changes,
    )
    return model.to(torch.float32)


def _load(kind: Any, name: str, *, revision: str | None, offline: bool, **settings: Any) -> Any:
    is_folder = Path(name).is_dir()
    looks_like_path = name.startswith((".", "/", "~")) or name.count("/") > 1
    if looks_like_path and not is_folder:
        raise ModelError(f"there is no encoder folder '{name}'", remedy="Check the path")
    offline = offline or os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
    try:
        return kind.from_pretrained(
            str(Path(name)) if is_folder else name,
            revision=revision or "main",
            local_files_only=offline or is_folder,
            trust_remote_code=False,
            **settings,
        )
    except (OSError, ValueError) as error:
        raise ModelError(_explain(name, error, is_folder=is_folder, offline=offline)) from error


def _explain(name: str, error: Exception, *, is_folder: bool, offline: bool) -> str:
    text = str(error)
    if "trust_remote_code" in text:
        return f"encoder '{name}' wants to run code of its own, which is never done here"
    if "safetensors" in text:
        return (
            f"encoder '{name}' has no safetensors weights. Convert it, or choose a revision "
            "that has them (--encoder-revision)"
        )
    if is_folder:
        first_line = text.strip().splitlines()[0] if text.strip() else type(error).__name__
        return f"the folder '{name}' holds no encoder of the transformers library: {first_line}"
    if offline:
        return (
            f"encoder '{name}' is not on this disk, and offline use was asked for. "
            "Download it once while online, or give a folder"
        )
    return (
        f"encoder '{name}' could not be had from the hub (no such name, or no connection). "
        "Check the name, or give a folder; novelink's own small encoder is at hand as "
        "'embedded'"
    )
