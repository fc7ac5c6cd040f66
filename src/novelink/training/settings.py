"""Typed settings of a training run, read from TOML; unknown keys are errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from novelink.errors import SettingsError
from novelink.schema import BIORED, load_schema
from novelink.training.settings_file import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from novelink.schema import Schema


def _within(name: str, value: float, least: float, most: float) -> None:
    # Written so that NaN, which TOML allows, fails too.
    if not least <= value <= most:
        raise SettingsError(f"'{name}' is {value:g}, not within {least:g} and {most:g}")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingsError(f"'{name}' is '{value}'", remedy=f"Choose one of: {', '.join(choices)}")


@dataclass(frozen=True)
class DataSettings:
    """Corpora.

    Attributes:
        train: documents with gold relations, in any format.
        dev: documents that choose the checkpoint and the decision thresholds.
        schema: TOML file of another schema; BioRED's by default.
    """

    train: str = ""
    dev: str = ""
    schema: str | None = None

    def vocabulary(self) -> Schema:
        """The schema that ``schema`` names, loaded.

        Raises:
            SettingsError: the file cannot be read or holds no schema.
        """
        return load_schema(self.schema) if self.schema else BIORED


@dataclass(frozen=True)
class EncoderSettings:
    """The pretrained encoder.

    Attributes:
        name: hub name, folder, ``embedded``, or a model that ships.
        revision: branch, tag or commit on the hub.
        offline: use only what is on disk.
        dropout: after each sub-layer; None keeps the encoder's own.
        attention_dropout: on attention weights; 0 saves a third of a CPU step.
        with_heads: where ``name`` is the folder of a trained model, as ``best`` of a run, its
            heads go on learning too; classes and tasks must be the same, and so must the reading,
            but that a per-entity model can become a whole-document one.
    """

    name: str = "embedded"
    revision: str | None = None
    offline: bool = False
    dropout: float | None = None
    attention_dropout: float | None = 0.0
    with_heads: bool = False


@dataclass(frozen=True)
class ModelSettings:
    """Reading and heads.

    Attributes:
        reading: ``pair`` (one marked copy a pair), ``entity`` (one marked copy
            an entity, for all its pairs) or ``document`` (all pairs from one reading).
        max_length: tokens of an input.
        pair_vector: ``cls`` (the paper's) or ``cls+entities``.
        reading_layers: of document and entity reading: layers in which pairs read the text.
        dropout: on the heads' inputs.
    """

    reading: str = "pair"
    max_length: int = 512
    pair_vector: str = "cls"
    reading_layers: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        # Windows need room for two mentions and something around them.
        _within("model.max_length", self.max_length, 32, 100_000)
        _within("model.reading_layers", self.reading_layers, 0, 100)
        _within("model.dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True)
class TaskSettings:
    """The joint loss.

    Attributes:
        main: ``relation`` or ``novelty``.
        coreference: η of coreference resolution.
        pair_type: η of entity-pair typing.
        relation: η of relation, where novelty is the main task.
        novelty: η of novelty, where relation is the main task.
        direction: η of which entity of a related pair acts on the other, where
            the corpus names subjects; 0 makes a model without that head.
        novelty_over: ``all`` pairs (unrelated ones are their own class) or
            only ``related`` ones.
        label_smoothing: in relation and novelty.
        negatives_per_positive: unrelated pairs drawn anew each epoch for every
            related one; None takes all.
    """

    main: str = "relation"
    coreference: float = 0.2
    pair_type: float = 0.2
    relation: float = 0.5
    novelty: float = 0.5
    direction: float = 0.0
    novelty_over: str = "all"
    label_smoothing: float = 0.0
    negatives_per_positive: float | None = None

    def __post_init__(self) -> None:
        _one_of("tasks.main", self.main, ("relation", "novelty"))
        _one_of("tasks.novelty_over", self.novelty_over, ("all", "related"))
        for task in ("coreference", "pair_type", "relation", "novelty", "direction"):
            _within(f"tasks.{task}", getattr(self, task), 0, 1000)
        _within("tasks.label_smoothing", self.label_smoothing, 0, 0.99)
        if self.negatives_per_positive is not None:
            _within("tasks.negatives_per_positive", self.negatives_per_positive, 0, 1e9)


@dataclass(frozen=True)
class TeacherSettings:
    """Soft labels of other models, as ``novelink teach`` writes them.

    Attributes:
        labels: file of soft labels; None trains on gold alone.
        documents: documents without gold relations that the file also covers,
            to learn from beside ``data.train``; their relations are not looked at.
        weight: of the soft loss beside the one with gold labels.
        temperature: above 1 flattens the teachers' distributions.
    """

    labels: str | None = None
    documents: str | None = None
    weight: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        _within("teacher.weight", self.weight, 0, 1000)
        _within("teacher.temperature", self.temperature, 0.01, 100)
        if self.documents and not self.labels:
            raise SettingsError(
                "teacher.documents without teacher.labels",
                remedy="Make soft labels of them with: novelink teach",
            )


@dataclass(frozen=True)
class AugmentSettings:
    """Training documents told otherwise each epoch, against learning them by heart; 0 is off.

    Attributes:
        swap_entities: share of a document's entities that get the names of others of their type.
        drop_sentences: share of the sentences that are left out, of those no label depends on.
        hide_words: share of the words behind ``[MASK]``, markers excepted.
    """

    swap_entities: float = 0.0
    drop_sentences: float = 0.0
    hide_words: float = 0.0

    def __post_init__(self) -> None:
        for name in ("swap_entities", "drop_sentences", "hide_words"):
            _within(f"augment.{name}", getattr(self, name), 0, 1)

    @property
    def changes_documents(self) -> bool:
        """Whether every epoch has texts of its own."""
        return self.swap_entities > 0 or self.drop_sentences > 0


@dataclass(frozen=True)
class OptimSettings:
    """Optimisation.

    Attributes:
        epochs: passes over the training pairs.
        rate: highest learning rate of the encoder.
        head_rate: of the heads; None takes ``rate``. Bilinear forms have less of it, by the square
            root of how many more products they add up than a linear head.
        warmup_share: share of all steps over which rates rise.
        weight_decay: of AdamW, on matrices.
        clip: largest gradient norm.
        batch_tokens: padded tokens of a micro-batch.
        accumulation: micro-batches of a step.
        fgm_epsilon: ε of adversarial training; 0 switches it off.
        patience: epochs without a better Dev score before stopping; None never.
        keep: this many of the best epochs' models are kept, the paper's "best
            five" being 5; 1 keeps only the best one.
        seed: of everything random.
        precision: ``auto``, ``fp32`` or ``bf16``.
        threads: CPU threads; None leaves torch's choice.
        layer_decay: rate of an encoder layer as a share of that of the layer above it; 1 gives
            all the same rate, 0.9 spares the lower ones (Howard and Ruder 2018).
        average_decay: decay d of a running mean of the weights, which then is what Dev scores
            and what is kept; 0 switches it off, 0.999 is usual.
        rdrop: α of R-Drop, two passes a step that must agree (Liang et al. 2021); 0 switches
            it off. It doubles the time of a step, and needs dropout.
        evaluate_from: first epoch (from 1) after which Dev is scored.
        checkpoint_minutes: time between checkpoints within an epoch.
    """

    epochs: int = 4
    rate: float = 5e-5
    head_rate: float | None = None
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    batch_tokens: int = 8192
    accumulation: int = 1
    fgm_epsilon: float = 0.0
    patience: int | None = None
    keep: int = 1
    seed: int = 1
    precision: str = "auto"
    threads: int | None = None
    layer_decay: float = 1.0
    average_decay: float = 0.0
    rdrop: float = 0.0
    evaluate_from: int = 1
    checkpoint_minutes: float = 10.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_tokens", "accumulation", "evaluate_from", "keep"):
            _within(f"optim.{name}", getattr(self, name), 1, 10**12)
        for name in ("rate", "clip"):
            _within(f"optim.{name}", getattr(self, name), 1e-12, 1e6)
        if self.head_rate is not None:
            _within("optim.head_rate", self.head_rate, 1e-12, 1e6)
        for name in ("weight_decay", "fgm_epsilon", "checkpoint_minutes", "rdrop"):
            _within(f"optim.{name}", getattr(self, name), 0, 1e6)
        _within("optim.warmup_share", self.warmup_share, 0, 1)
        _within("optim.layer_decay", self.layer_decay, 0.01, 1)
        _within("optim.average_decay", self.average_decay, 0, 0.999999)
        _within("optim.seed", self.seed, 0, 10**6)
        _one_of("optim.precision", self.precision, ("auto", "fp32", "bf16"))
        for name in ("patience", "threads"):
            if getattr(self, name) is not None:
                _within(f"optim.{name}", getattr(self, name), 1, 10**6)


@dataclass(frozen=True)
class TrainSettings:
    """All settings of a run; ``novelink train config.toml --set optim.rate=1e-4``.

    Attributes:
        output: folder of the run.
        name: name of the exported model.
    """

    output: str = "runs/model"
    name: str = "model"
    data: DataSettings = field(default_factory=DataSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    tasks: TaskSettings = field(default_factory=TaskSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
    teacher: TeacherSettings = field(default_factory=TeacherSettings)

    def __post_init__(self) -> None:
        dropouts = (self.encoder.dropout, self.encoder.attention_dropout, self.model.dropout)
        if self.optim.rdrop and not any(value is None or value > 0 for value in dropouts):
            raise SettingsError(
                "optim.rdrop compares two passes that differ by dropout, and all dropout is 0",
                remedy="Set model.dropout or encoder.dropout, or leave optim.rdrop out",
            )

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, as the TOML file has them."""
        return asdict(self)


def load_settings(path: str | Path, overrides: Iterable[str] = ()) -> TrainSettings:
    """Read a TOML file and apply ``section.key=value`` overrides.

    Paths in the file are taken relative to the folder the command runs in.

    Raises:
        SettingsError: unreadable file, unknown key, or a value of the wrong type.
    """
    return read_settings(TrainSettings, path, overrides)


def completed(values: dict[str, Any]) -> dict[str, Any]:
    """Nested values of settings that an older version wrote, with later settings at their defaults.

    What came later was not there, and every later setting is off by default.
    """
    known = TrainSettings().to_dict()
    sections = {key: own for key, own in known.items() if isinstance(own, dict)}
    return values | {key: own | values.get(key, {}) for key, own in sections.items()}
