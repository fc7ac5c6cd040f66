"""Pretrained encoders of the ``transformers`` library: by hub name or folder, safetensors only."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from novelink.errors import ModelError
from novelink.model import attention
from novelink.model.exported_encoder import exported_encoder, is_exported_model
from novelink.runtime.model_set import is_model_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

EMBEDDED_ENCODER = "embedded"
"""Name of the small encoder that comes along."""
TRAINED_CONFIG = "encoder.json"
"""The encoder's configuration in a trained model's folder."""
EMBEDDED_FOLDER = Path(__file__).resolve().parent.parent / "models" / "encoder"


def encoder_name(name: str) -> str:
    """``embedded`` → the folder of the encoder that ships; other names as they are.

    So too ``compact`` and the other models that ship: theirs are the encoders
    that learned relations already.

    Raises:
        ModelError: this installation ships no encoder, or the name is that of a set of models.
    """
    if name != EMBEDDED_ENCODER:
        shipped = EMBEDDED_FOLDER.parent / name
        ships = "/" not in name and not Path(name).is_dir()
        if is_model_set(shipped if ships else Path(name)):
            raise ModelError(
                f"'{name}' is a set of models, each with an encoder of its own",
                remedy=f"Give the name or the folder of one of them (novelink models info {name})",
            )
        return str(shipped) if ships and is_exported_model(str(shipped)) else name
    if not EMBEDDED_FOLDER.is_dir():
        raise ModelError(
            "this installation ships no encoder",
            remedy="Give a hub name or a folder in place of 'embedded'",
        )
    return str(EMBEDDED_FOLDER)


def load_tokenizer(name: str, *, revision: str | None = None, offline: bool = False) -> Tokenizer:
    """The fast tokenizer of an encoder, without truncation or padding.

    Args:
        name: hub name (``owner/model``), a folder, ``embedded``, or a model that ships.
        revision: branch, tag or commit on the hub.
        offline: use only what is on disk.

    Raises:
        ModelError: there is no such encoder, or it cannot be reached.
    """
    from transformers import AutoTokenizer

    name = encoder_name(name)
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
        name: hub name, folder, ``embedded`` or a model that ships; the folder may
            be a model that ``novelink train`` or ``novelink export`` made, whose
            encoder then learns on.
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

    name = encoder_name(name)
    if is_exported_model(name):
        return exported_encoder(Path(name), dropout=dropout, attention_dropout=attention_dropout)
    config = encoder_config(name, revision=revision, offline=offline)
    _set_dropout(config, dropout, ("hidden_dropout_prob", "dropout", "hidden_dropout"))
    _set_dropout(config, attention_dropout, ("attention_probs_dropout_prob", "attention_dropout"))
    if is_trained_model(name):
        return _trained_encoder(Path(name), config)
    model, report = _load(
        AutoModel,
        name,
        revision=revision,
        offline=offline,
        use_safetensors=True,
        attn_implementation=attention.register(),
        output_loading_info=True,
        config=config,
    )
    _warn_of_random_weights(name, model, report)
    encoder: PreTrainedModel = model.to(torch.float32)
    return encoder


def _set_dropout(config: Any, value: float | None, names: tuple[str, ...]) -> None:
    """Set a dropout by whichever name this kind of encoder has for it."""
    if value is None:
        return
    name = next((name for name in names if hasattr(config, name)), None)
    if name is not None:
        setattr(config, name, value)
    elif value:  # 0 is what an encoder without this dropout has anyway
        warnings.warn(f"a {config.model_type} encoder has no {names[0]} to set", stacklevel=3)


def encoder_config(name: str, *, revision: str | None = None, offline: bool = False) -> Any:
    """An encoder's configuration, without its weights.

    Raises:
        ModelError: there is no such encoder, or it cannot be reached.
    """
    from transformers import AutoConfig

    name = encoder_name(name)
    if is_exported_model(name):
        return exported_encoder(Path(name)).config
    if is_trained_model(name):
        values = json.loads((Path(name) / TRAINED_CONFIG).read_text(encoding="utf-8"))
        return AutoConfig.for_model(values.pop("model_type"), **values)
    return _load(AutoConfig, name, revision=revision, offline=offline)


def is_trained_model(name: str) -> bool:
    """Whether a name is the folder of a model with heads, as ``novelink train`` saves them."""
    return (Path(name) / TRAINED_CONFIG).is_file() and not (Path(name) / "config.json").exists()


def _trained_encoder(folder: Path, config: Any) -> PreTrainedModel:
    """The encoder of a trained model, its heads left behind."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoModel

    try:
        state = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise ModelError(f"cannot read the weights: {error}", source=str(folder)) from error
    prefix = "encoder."
    own = {
        key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)
    }
    encoder: PreTrainedModel = AutoModel.from_config(
        config, attn_implementation=attention.register(), dtype=torch.float32
    )
    try:
        encoder.load_state_dict(own)
    except RuntimeError as error:
        raise ModelError(
            f"the weights do not fit the {TRAINED_CONFIG} beside them", source=str(folder)
        ) from error
    return encoder


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep progress bars and load reports of the transformers library off stderr.

    What its reports could tell of importance, :func:`load_encoder` warns of
    itself.
    """
    from transformers.utils import logging

    level, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            logging.enable_progress_bar()


def _warn_of_random_weights(name: str, model: Any, report: dict[str, Any]) -> None:
    """Say so where weights that count are not in the file: the encoder would begin untrained."""
    # The pooler is used by no head here; language-model checkpoints lack it by design.
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        warnings.warn(
            f"encoder '{name}': {len(missing)} of {len(model.state_dict())} weights are not in "
            f"its file and begin at random ({missing[0]}, …)",
            stacklevel=3,
        )


def _load(kind: Any, name: str, *, revision: str | None, offline: bool, **settings: Any) -> Any:
    from safetensors import SafetensorError

    is_folder = Path(name).is_dir()
    looks_like_path = name.startswith((".", "/", "~")) or name.count("/") > 1
    if looks_like_path and not is_folder:
        raise ModelError(f"there is no encoder folder '{name}'", remedy="Check the path")
    offline = offline or os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
    try:
        with quiet_transformers():
            return kind.from_pretrained(
                str(Path(name)) if is_folder else name,
                revision=revision or "main",
                local_files_only=offline or is_folder,
                trust_remote_code=False,
                **settings,
            )
    except (OSError, ValueError, SafetensorError) as error:
        reason = _explain(name, revision, error, is_folder=is_folder, offline=offline)
        raise ModelError(reason) from error


def _explain(
    name: str, revision: str | None, error: Exception, *, is_folder: bool, offline: bool
) -> str:
    text = str(error)
    is_broken = type(error).__name__ == "SafetensorError"
    lacks_safetensors = "safetensors" in text and not is_broken
    if not is_folder:
        lacks_safetensors |= offline and _is_pickled(name, revision)
        name = f"{name}' at revision '{revision}" if revision else name
    if "trust_remote_code" in text:
        return f"encoder '{name}' wants to run code of its own, which is never done here"
    if lacks_safetensors:
        return (
            f"encoder '{name}' has no safetensors weights. Convert it, or choose a revision "
            "that has them (--set encoder.revision=…)"
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
        f"encoder '{name}' could not be had from the hub (no such name or revision, or no "
        "connection). Check the name, or give a folder; novelink's own small encoder is at hand as "
        "'embedded'"
    )


def _is_pickled(name: str, revision: str | None) -> bool:
    """Whether the disk's copy of a hub encoder has weights of the old format, which can hold code.

    Offline, the transformers library does not tell a missing file from a missing encoder.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "pytorch_model.bin", revision=revision or "main")
    except HFValidationError:
        return False
    return isinstance(found, str)
