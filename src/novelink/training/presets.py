"""The runs of DUTIR-901 (BioCreative VIII BioRED track) by name: which models each is made of.

Where the paper is silent the choice is ours, and said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from novelink.errors import SettingsError
from novelink.training.settings import (
    EncoderSettings,
    ModelSettings,
    OptimSettings,
    TrainSettings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

PAPER_ENCODER = "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext"

# The epochs at which the paper stopped its models on Train + Dev; ours: also the length of the
# runs whose epoch Dev chooses.
EPOCHS = {"relation": 50, "novelty": 15}

# Two choices of η, as S1-4 joins two ten-fold sets with different ones. The paper gives no values.
ETAS = (
    {"coreference": 0.2, "pair_type": 0.2, "other": 0.5},
    {"coreference": 0.1, "pair_type": 0.1, "other": 0.3},
)


@dataclass(frozen=True)
class Ingredient:
    """Models that are trained together and may serve several runs.

    Attributes:
        key: name of its folder.
        main: ``relation`` (the paper's RE models) or ``novelty`` (TNT).
        multi_task: whether the other three tasks are trained too.
        data: ``train`` (Dev chooses epochs), ``folds`` (of Train + Dev), or
            ``all`` (Train + Dev, stopped at a fixed epoch).
        eta: which of :data:`ETAS`.
    """

    key: str
    main: str
    multi_task: bool = True
    data: str = "train"
    eta: int = 0


@dataclass(frozen=True)
class Part:
    """Members that a run takes from an ingredient.

    Attributes:
        ingredient: where from.
        single: only the best one; else the best epochs of ``train``, every
            fold of ``folds``, every seed of ``all``.
    """

    ingredient: Ingredient
    single: bool = False


@dataclass(frozen=True)
class Preset:
    """One of the paper's runs.

    Attributes:
        name: ``S1-1`` … ``S2-4``.
        relation: members that vote on relations.
        novelty: members that vote on novelty.
        entities: ``gold``, or ``pubtator`` (Subtask 2).
    """

    name: str
    relation: tuple[Part, ...]
    novelty: tuple[Part, ...]
    entities: str = "gold"

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """All that must be trained, each once."""
        return tuple(dict.fromkeys(part.ingredient for part in (*self.relation, *self.novelty)))


_RE = Ingredient("re", "relation")
_RE_ONE = Ingredient("re-one-task", "relation", multi_task=False)
_RE_FOLDS = Ingredient("re-folds", "relation", data="folds")
_RE_FOLDS_2 = Ingredient("re-folds-other-eta", "relation", data="folds", eta=1)
_RE_ALL = Ingredient("re-all", "relation", data="all")
_TNT = Ingredient("tnt", "novelty")
_TNT_ONE = Ingredient("tnt-one-task", "novelty", multi_task=False)
_TNT_FOLDS = Ingredient("tnt-folds", "novelty", data="folds")
_TNT_ALL = Ingredient("tnt-all", "novelty", data="all")

# Ours: a "one-task" part is the best epoch of one run on Train.
_ONE_RE, _ONE_TNT = Part(_RE_ONE, single=True), Part(_TNT_ONE, single=True)

PRESETS = {
    preset.name: preset
    for preset in (
        Preset("S1-1", (Part(_RE),), (Part(_TNT),)),
        Preset("S1-2", (Part(_RE_FOLDS),), (Part(_TNT),)),
        Preset("S1-3", (Part(_RE_FOLDS), _ONE_RE), (Part(_TNT),)),
        Preset("S1-4", (Part(_RE_FOLDS), Part(_RE_FOLDS_2), _ONE_RE), (Part(_TNT_FOLDS),)),
        Preset("S1-5", (Part(_RE),), (Part(_TNT_FOLDS), _ONE_TNT)),
        Preset("S2-1", (Part(_RE, single=True),), (Part(_TNT, single=True),), "pubtator"),
        Preset("S2-2", (Part(_RE),), (Part(_TNT),), "pubtator"),
        Preset("S2-3", (Part(_RE_ALL, single=True),), (Part(_TNT_ALL, single=True),), "pubtator"),
        Preset("S2-4", (Part(_RE_ALL),), (Part(_TNT_ALL),), "pubtator"),
    )
}


def presets(names: Iterable[str]) -> list[Preset]:
    """Presets by name; ``all`` stands for all nine.

    Raises:
        SettingsError: an unknown name.
    """
    chosen: dict[str, Preset] = {}
    for name in names:
        if name.lower() == "all":
            chosen |= PRESETS
        elif name.upper() in PRESETS:
            chosen[name.upper()] = PRESETS[name.upper()]
        else:
            raise SettingsError(
                f"there is no run '{name}'", remedy=f"Runs are: {', '.join(PRESETS)}, all"
            )
    return list(chosen.values())


def paper_settings(encoder: str, *, revision: str | None = None, seed: int = 1) -> TrainSettings:
    """What all of the paper's models have in common.

    512 tokens, v_cls, adversarial training. Rates, batch size and ε are ours:
    usual ones for fine-tuning a base-size encoder.
    """
    return TrainSettings(
        encoder=EncoderSettings(name=encoder, revision=revision, attention_dropout=None),
        model=ModelSettings(reading="pair", max_length=512, pair_vector="cls"),
        optim=OptimSettings(
            rate=2e-5, head_rate=1e-4, batch_tokens=16_384, fgm_epsilon=1.0, seed=seed
        ),
    )


def ingredient_settings(
    base: TrainSettings, ingredient: Ingredient, *, members: int, epochs: int | None = None
) -> TrainSettings:
    """The settings of one ingredient's models.

    Args:
        base: what all have in common.
        ingredient: which.
        members: how many of the best epochs to keep.
        epochs: in place of the paper's.
    """
    eta = dict.fromkeys(ETAS[0], 0.0) if not ingredient.multi_task else ETAS[ingredient.eta]
    tasks = replace(
        base.tasks,
        main=ingredient.main,
        coreference=eta["coreference"],
        pair_type=eta["pair_type"],
        relation=eta["other"],
        novelty=eta["other"],
    )
    optim = replace(
        base.optim,
        epochs=epochs or EPOCHS[ingredient.main],
        keep=members if ingredient.data == "train" and ingredient.multi_task else 1,
    )
    return replace(base, name=ingredient.key, tasks=tasks, optim=optim)
