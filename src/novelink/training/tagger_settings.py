"""Settings of a tagger's training, read from TOML."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from novelink.errors import SettingsError
from novelink.schema import BIORED
from novelink.training.settings_file import from_dict, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class CorpusSettings:
    """One corpus to learn from.

    Attributes:
        path: a file of annotated documents in any format.
        types: entity types that it annotates everywhere; tokens teach nothing
            about the others.
        aliases: its names of entity types → names of the schema.
        relations: its relation types, which are passed over.
        share: part of its documents read in an epoch, drawn anew each time.
        weight: of its documents in the loss.
    """

    path: str
    types: list[str] = field(default_factory=lambda: list(BIORED.entity_types))
    aliases: dict[str, str] = field(default_factory=dict)
    relations: list[str] = field(default_factory=list)
    share: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True)
class TaggerSettings:
    """Everything that makes a tagger.

    Attributes:
        name: of the model.
        output: folder for the result.
        encoder: hub name, folder, or ``embedded``.
        weights: ``best.safetensors`` of an earlier run with this encoder, to go
            on from; empty to begin with the encoder alone.
        corpora: tables as in :class:`CorpusSettings`.
        dev: documents that choose the epoch and thresholds; in no training.
        held_out: files of documents that must not be trained on, told by id
            and by title.
        max_length: tokens of a window.
        epochs: passes over the first corpus.
        rate: highest learning rate of the encoder.
        head_rate: the same for the heads and shapes.
        batch_tokens: tokens of a step, padding included.
        warmup: part of the steps with a rising rate.
        dropout: in encoder and heads.
        weight_decay: of matrices.
        seed: of everything drawn.
        threads: CPU threads; all if None.
        precision: ``auto``, ``fp32`` or ``bf16``.
        dev_every: epochs between two scores on Dev.
    """

    name: str = "tagger"
    output: str = "runs/tagger"
    encoder: str = "embedded"
    weights: str = ""
    corpora: list[dict[str, Any]] = field(default_factory=list)
    dev: str = ""
    held_out: list[str] = field(default_factory=list)
    max_length: int = 512
    epochs: int = 8
    rate: float = 2e-4
    head_rate: float = 1e-3
    batch_tokens: int = 4096
    warmup: float = 0.1
    dropout: float = 0.1
    weight_decay: float = 0.01
    seed: int = 1
    threads: int | None = None
    precision: str = "auto"
    dev_every: int = 1

    @property
    def sources(self) -> list[CorpusSettings]:
        """The corpora, checked.

        Raises:
            SettingsError: there is none, or one has an unknown key or type.
        """
        if not self.corpora:
            raise SettingsError("no corpus to train on", remedy="Add a [[corpora]] table")
        sources = [
            from_dict(CorpusSettings, dict(table), at=f"corpora[{index}].")
            for index, table in enumerate(self.corpora)
        ]
        for source in sources:
            for name in [*source.types, *source.aliases.values()]:
                if name not in BIORED.entity_types:
                    raise SettingsError(
                        f"corpus {source.path}: unknown entity type '{name}'",
                        remedy=f"Entity types are: {', '.join(BIORED.entity_types)}",
                    )
        return sources

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the TOML file has them."""
        return asdict(self)


def load_tagger_settings(path: str | Path, overrides: Iterable[str] = ()) -> TaggerSettings:
    """Read a TOML file and apply ``key=value`` overrides.

    Raises:
        SettingsError: unreadable file, unknown key, or a value of the wrong type.
    """
    return read_settings(TaggerSettings, path, overrides)
