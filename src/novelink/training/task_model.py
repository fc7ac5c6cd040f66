"""A trained model as a folder: built, saved and loaded again.

.. code-block:: text

    settings.json       the run's settings and the schema
    encoder.json        the encoder's configuration
    model.safetensors   all weights
    tokenizer.json      with the markers
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import AddedToken, Tokenizer

from novelink.errors import ModelError, SettingsError
from novelink.model import attention
from novelink.model.document_model import DocumentModel
from novelink.model.encoder import is_trained_model, load_encoder, load_tokenizer
from novelink.model.joint_loss import TASKS, TaskWeights
from novelink.model.pair_model import PairModel
from novelink.reading.document import DocumentReading, type_markers, type_words
from novelink.reading.entity import EntityReading
from novelink.reading.marking import END_MARKER, START_MARKER
from novelink.reading.pair import PairReading
from novelink.reading.tokens import token_id
from novelink.schema import Schema
from novelink.training.document_samples import DocumentSamples, document_samples
from novelink.training.samples import PairSamples, pair_samples
from novelink.training.settings import TrainSettings
from novelink.training.settings_file import from_dict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedModel

    from novelink.document import Document
    from novelink.training.labels import Teaching

READINGS = (PairReading.kind, DocumentReading.kind, EntityReading.kind)


@dataclass
class TaskModel:
    """Everything a model consists of.

    Attributes:
        model: encoder and heads.
        reading: makes its inputs.
        schema: its vocabulary.
        settings: of the run that made it.
    """

    model: PairModel | DocumentModel
    reading: PairReading | DocumentReading | EntityReading
    schema: Schema
    settings: TrainSettings

    @property
    def tasks(self) -> frozenset[str]:
        """Tasks whose heads are trained: those with a weight in the joint loss."""
        weights = self.weights
        return frozenset(task for task in TASKS if weights.of(task) > 0)

    @property
    def weights(self) -> TaskWeights:
        """η of each task.

        Raises:
            SettingsError: novelty is the main task, and the schema has none.
        """
        tasks = self.settings.tasks
        if not self.schema.has_novelty and tasks.main == "novelty":
            raise SettingsError(
                "tasks.main is novelty, and the schema has none", remedy="Set tasks.main=relation"
            )
        return TaskWeights(
            main=tasks.main,
            coreference=tasks.coreference,
            pair_type=tasks.pair_type,
            relation=tasks.relation,
            novelty=tasks.novelty if self.schema.has_novelty else 0.0,
            direction=tasks.direction if self.schema.has_direction else 0.0,
        )

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer, markers included."""
        return self.reading.tokenizer

    @property
    def pad_id(self) -> int:
        """Id of ``[PAD]``."""
        return token_id(self.tokenizer, "[PAD]")

    def samples(
        self, documents: Sequence[Document], teaching: Teaching | None = None
    ) -> PairSamples | DocumentSamples:
        """Documents read and labelled for this model, with what teachers say of them."""
        over = self.settings.tasks.novelty_over
        if isinstance(self.reading, PairReading):
            return pair_samples(
                documents, self.reading, self.schema, novelty_over=over, teaching=teaching
            )
        return document_samples(
            documents, self.reading, self.schema, novelty_over=over, teaching=teaching
        )


def build_model(settings: TrainSettings) -> TaskModel:
    """A model to be trained: pretrained encoder, fresh heads.

    Raises:
        SettingsError: unknown reading, a length beyond the encoder's, or heads to go on with
            that are not there or of another kind.
        ModelError: the encoder cannot be loaded.
    """
    _check_reading(settings)
    schema = settings.data.vocabulary()
    chosen = settings.encoder
    tokenizer = load_tokenizer(chosen.name, revision=chosen.revision, offline=chosen.offline)
    encoder = load_encoder(
        chosen.name,
        revision=chosen.revision,
        offline=chosen.offline,
        dropout=chosen.dropout,
        attention_dropout=chosen.attention_dropout,
    )
    longest = longest_input(encoder)
    if longest is not None and settings.model.max_length > longest:
        raise SettingsError(
            f"model.max_length is {settings.model.max_length}, the encoder reads {longest} tokens",
            remedy=f"Set model.max_length to {longest} or less",
        )
    # Heads and new embeddings come from the run's seed, whatever was drawn before.
    torch.manual_seed(settings.optim.seed)
    add_markers(tokenizer, encoder, markers_of(settings, schema))
    model = _assemble(encoder, tokenizer, schema, settings)
    if chosen.with_heads:
        _take_heads(model, chosen.name)
    return model


def _take_heads(model: TaskModel, name: str) -> None:
    """Let a model go on from all weights of a trained one."""
    from safetensors.torch import load_file

    if not is_trained_model(name):
        raise SettingsError(
            f"encoder.with_heads is set, and '{name}' is no trained model with heads",
            remedy="Give the folder 'best' of a run of `novelink train`",
        )
    try:
        model.model.load_state_dict(load_file(Path(name) / "model.safetensors"))
    except RuntimeError as error:
        raise SettingsError(
            f"the heads of '{name}' are of another reading, of other classes or of other tasks",
            remedy="Set model.reading, the schema and tasks.direction as in its settings.json, or "
            "leave encoder.with_heads out",
        ) from error


def longest_input(encoder: PreTrainedModel) -> int | None:
    """Tokens that an encoder has positions for; None where there is no limit."""
    longest: int | None = getattr(encoder.config, "max_position_embeddings", None)
    embeddings = getattr(encoder, "embeddings", None)
    if longest and hasattr(embeddings, "create_position_ids_from_inputs_embeds"):
        # RoBERTa's positions begin behind the padding token's id.
        longest -= int(encoder.config.pad_token_id) + 1
    return longest if longest and longest > 0 else None


def add_markers(tokenizer: Tokenizer, encoder: PreTrainedModel, markers: Mapping[str, str]) -> None:
    """Give the tokenizer markers, and the encoder rows for them.

    Args:
        tokenizer: changed in place.
        encoder: changed in place.
        markers: marker → words whose mean embedding it starts from; an empty
            text leaves the encoder's own start, as does a marker that it knows
            already from a model it was part of.
    """
    known = {marker for marker in markers if tokenizer.token_to_id(marker) is not None}
    tokenizer.add_special_tokens(
        [AddedToken(marker, special=True, normalized=False) for marker in markers]
    )
    size = tokenizer.get_vocab_size()
    if size > encoder.get_input_embeddings().weight.shape[0]:
        encoder.resize_token_embeddings(size, mean_resizing=False)
    weight = encoder.get_input_embeddings().weight
    with torch.no_grad():
        for marker, words in markers.items():
            pieces = tokenizer.encode(words, add_special_tokens=False).ids if words else []
            if pieces and marker not in known:
                weight[token_id(tokenizer, marker)] = weight[pieces].mean(0)


def save_model(model: TaskModel, folder: Path) -> None:
    """Write a model folder (see the module's description)."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in model.model.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    model.model.encoder.config.to_json_file(folder / "encoder.json")
    model.tokenizer.save(str(folder / "tokenizer.json"))
    about = {"settings": model.settings.to_dict(), "schema": model.schema.to_dict()}
    (folder / "settings.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def markers_of(settings: TrainSettings, schema: Schema) -> dict[str, str]:
    """Marker → the words whose embeddings it starts from; no words for the pair's markers."""
    of_pairs = {START_MARKER: "", END_MARKER: ""}
    if settings.model.reading == PairReading.kind:
        return of_pairs
    of_types = {
        marker: type_words(entity_type)
        for entity_type in schema.entity_types
        for marker in type_markers(entity_type)
    }
    return of_types | of_pairs if settings.model.reading == EntityReading.kind else of_types


def load_model(folder: Path) -> TaskModel:
    """Read a model folder.

    Raises:
        ModelError: a file is missing or does not fit the others.
    """
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    try:
        about = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        configuration = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        state = load_file(folder / "model.safetensors")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        settings = from_dict(TrainSettings, about["settings"])
        schema = Schema.from_dict(about["schema"])
    except Exception as error:  # each library has its own; all mean the same here
        raise ModelError(
            f"not a trained model: {error}",
            source=str(folder),
            remedy="Give the folder 'best' of a run of `novelink train`",
        ) from error
    kind = configuration.pop("model_type")
    encoder = AutoModel.from_config(
        AutoConfig.for_model(kind, **configuration), attn_implementation=attention.register()
    )
    model = _assemble(encoder, tokenizer, schema, settings)
    try:
        model.model.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(
            "the weights do not fit the settings beside them", source=str(folder)
        ) from error
    return model


def _assemble(
    encoder: PreTrainedModel, tokenizer: Tokenizer, schema: Schema, settings: TrainSettings
) -> TaskModel:
    chosen = settings.model
    direction = settings.tasks.direction > 0 and schema.has_direction
    if chosen.reading != PairReading.kind:
        if not hasattr(getattr(encoder, "encoder", None), "layer"):
            raise SettingsError(
                f"{chosen.reading} reading copies layers in BERT's manner, and "
                f"{type(encoder).__name__} has none",
                remedy="Set model.reading=pair, or choose a BERT-style encoder",
            )
        of_documents = EntityReading if chosen.reading == EntityReading.kind else DocumentReading
        return TaskModel(
            DocumentModel(
                encoder,
                schema,
                layers=chosen.reading_layers,
                dropout=chosen.dropout,
                direction=direction,
            ),
            of_documents(tokenizer, schema, chosen.max_length),
            schema,
            settings,
        )
    return TaskModel(
        PairModel(
            encoder,
            schema,
            pair_vector=chosen.pair_vector,
            dropout=chosen.dropout,
            direction=direction,
        ),
        PairReading(tokenizer, chosen.max_length),
        schema,
        settings,
    )


def _check_reading(settings: TrainSettings) -> None:
    if settings.model.reading not in READINGS:
        raise SettingsError(
            f"unknown reading '{settings.model.reading}'",
            remedy=f"Choose one of: {', '.join(READINGS)}",
        )
