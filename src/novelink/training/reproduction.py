"""The paper's runs from corpora to scores: plan, train what is missing, vote, compare."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from novelink.errors import SettingsError
from novelink.formats import write
from novelink.schema import BIORED
from novelink.scoring import score
from novelink.training.cost import measure, operations
from novelink.training.crossval import CrossValidation
from novelink.training.kept_models import kept_name
from novelink.training.launched import is_first_process
from novelink.training.loop import Trainer
from novelink.training.members import member_answer, voted_documents
from novelink.training.presets import ingredient_settings
from novelink.training.settings import completed
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from novelink.document import Document
    from novelink.ensemble import MemberAnswer
    from novelink.training.cost import Corpus
    from novelink.training.presets import Ingredient, Part, Preset
    from novelink.training.settings import TrainSettings


@dataclass(frozen=True)
class Data:
    """The corpora of a reproduction.

    Attributes:
        train: documents with gold relations.
        dev: likewise; chooses epochs and thresholds.
        test: likewise; scored once.
        entities: the test documents with entities of PubTator in place of the
            gold ones; None where no Subtask 2 run is asked for.
    """

    train: list[Document]
    dev: list[Document]
    test: list[Document]
    entities: list[Document] | None = None


@dataclass(frozen=True)
class Job:
    """One ingredient in the plan.

    Attributes:
        ingredient: what is trained.
        models: how many models.
        epochs: of each, at most.
        tokens: read in all, clean passes only.
        operations: floating-point operations, adversarial passes included;
            None where the encoder is not at hand.
        is_done: whether it is trained already.
    """

    ingredient: Ingredient
    models: int
    epochs: int
    tokens: int
    operations: float | None
    is_done: bool


class Reproduction:
    """Some of the paper's runs over one set of corpora.

    Args:
        chosen: which runs.
        base: settings that all models share.
        data: corpora.
        output: folder of all models and results; runs share what they have in
            common.
        folds: of Train + Dev; the paper's ten.
        members: best epochs and seeds; the paper's five.
        epochs: in place of the paper's.
        voting: one of :data:`novelink.voting.METHODS`.
        log: takes one line of progress at a time.

    Raises:
        SettingsError: a Subtask 2 run without entities for the test documents.
    """

    def __init__(
        self,
        chosen: Sequence[Preset],
        base: TrainSettings,
        data: Data,
        output: Path,
        *,
        folds: int = 10,
        members: int = 5,
        epochs: int | None = None,
        voting: str = "majority",
        log: Callable[[str], None] = print,
    ) -> None:
        self.chosen = list(chosen)
        self.base = base
        self.data = data
        self.output = output
        self.folds = folds
        self.members = members
        self.epochs = epochs
        self.voting = voting
        self.log = log
        self.schema = BIORED

    @property
    def ingredients(self) -> list[Ingredient]:
        """All that the chosen runs are made of, each once."""
        return list(dict.fromkeys(one for run in self.chosen for one in run.ingredients))

    def plan(self) -> tuple[Corpus, list[Job]]:
        """What will be trained and what it costs: the corpus Train + Dev, and one job each."""
        both = [*self.data.train, *self.data.dev]
        whole = measure(both, self.schema, self.base)
        train = measure(self.data.train, self.schema, self.base)
        jobs = []
        for ingredient in self.ingredients:
            settings = self._settings(ingredient)
            models = {
                "train": 1,
                "folds": self.folds,
                "all": max((self._taken(part) for part in self._parts(ingredient)), default=1),
            }[ingredient.data]
            share = {"train": train.tokens, "all": whole.tokens}.get(
                ingredient.data, whole.tokens * (self.folds - 1) // self.folds
            )
            tokens = models * settings.optim.epochs * share
            jobs.append(
                Job(
                    ingredient,
                    models,
                    settings.optim.epochs,
                    tokens,
                    operations(settings, tokens),
                    self._is_done(ingredient, models),
                )
            )
        return whole, jobs

    def train(self) -> None:
        """Train everything that is missing, going on where an earlier call was stopped."""
        for ingredient in self.ingredients:
            if ingredient.data == "folds":
                run = self.crossval(ingredient)
                for number in run.numbers:
                    run.run(number)
                if is_first_process():
                    run.summary()
            elif ingredient.data == "all":
                taken = max(self._taken(part) for part in self._parts(ingredient))
                for seed in range(taken):
                    self._train_all(ingredient, seed)
            else:
                settings = self._settings(ingredient)
                folder = self.output / ingredient.key
                self._fit(settings, folder, self.data.train, self.data.dev, ingredient.key)

    def crossval(self, ingredient: Ingredient) -> CrossValidation:
        """The folds of an ingredient."""
        return CrossValidation(
            self._settings(ingredient),
            [*self.data.train, *self.data.dev],
            self.output / ingredient.key,
            folds=self.folds,
            log=lambda line: self.log(f"{ingredient.key}: {line}"),
        )

    def results(self) -> list[dict[str, Any]]:
        """Vote and score; each run's documents and scores are written to its folder."""
        return [self._result(run) for run in self.chosen]

    def _result(self, run: Preset) -> dict[str, Any]:
        given = self.data.test
        if run.entities == "pubtator":
            if self.data.entities is None:
                raise SettingsError(
                    f"{run.name} needs the test documents with PubTator's entities",
                    remedy="Give them with --entities FILE",
                )
            given = self.data.entities
        relation = list(self._answers(run.relation, given))
        novelty = list(self._answers(run.novelty, given))
        found = voted_documents(given, relation, novelty, self.schema, method=self.voting)
        folder = self.output / run.name
        folder.mkdir(parents=True, exist_ok=True)
        write(found, folder / "found.jsonl")
        scores = score(self.data.test, found, schema=self.schema)
        result = {
            "run": run.name,
            "relation_members": len(relation),
            "novelty_members": len(novelty),
            "voting": self.voting,
            "encoder": self.base.encoder.name,
            **{level: counts.to_dict() for level, counts in scores.levels.items()},
            "intervals": {level: list(bounds) for level, bounds in scores.intervals.items()},
        }
        with whole_file(folder / "result.json") as fresh:
            fresh.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        return result

    def _answers(
        self, parts: Sequence[Part], documents: Sequence[Document]
    ) -> Iterator[MemberAnswer]:
        for part in parts:
            for folder in self.member_folders(part):
                yield member_answer(folder, documents, precision=self.base.optim.precision)

    def member_folders(self, part: Part) -> list[Path]:
        """The trained models that a part stands for, in a fixed order."""
        ingredient = part.ingredient
        folder = self.output / ingredient.key
        if ingredient.data == "folds":
            run = self.crossval(ingredient)
            return [run.model(number) for number in run.numbers]
        if ingredient.data == "all":
            return [
                self._seed_folder(ingredient, seed) / "best" for seed in range(self._taken(part))
            ]
        if part.single or self._settings(ingredient).optim.keep == 1:
            return [folder / "best"]
        notes = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        return [folder / kept_name(epoch) for epoch in notes["kept"]]

    def _settings(self, ingredient: Ingredient) -> TrainSettings:
        return ingredient_settings(self.base, ingredient, members=self.members, epochs=self.epochs)

    def _parts(self, ingredient: Ingredient) -> list[Part]:
        return [
            part
            for run in self.chosen
            for part in (*run.relation, *run.novelty)
            if part.ingredient == ingredient
        ]

    def _taken(self, part: Part) -> int:
        return 1 if part.single else self.members

    def _seed_folder(self, ingredient: Ingredient, seed: int) -> Path:
        return self.output / ingredient.key / f"seed-{seed + 1:02d}"

    def _train_all(self, ingredient: Ingredient, seed: int) -> None:
        settings = self._settings(ingredient)
        folder = self._seed_folder(ingredient, seed)
        settings = replace(settings, optim=replace(settings.optim, seed=settings.optim.seed + seed))
        both = [*self.data.train, *self.data.dev]
        self._fit(settings, folder, both, [], f"{ingredient.key}, seed {seed + 1}")

    def _fit(
        self,
        settings: TrainSettings,
        folder: Path,
        train: list[Document],
        dev: list[Document],
        title: str,
    ) -> None:
        if (folder / _DONE).exists():
            _check_done(folder, settings)
            return
        trainer = Trainer(
            replace(settings, output=str(folder)),
            train,
            dev,
            log=lambda line: self.log(f"{title}: {line}"),
        )
        trainer.run()
        if trainer.accelerator.is_main_process:
            kept = [epoch for _, epoch in trainer.position.kept]
            text = json.dumps({"kept": kept, "settings": settings.to_dict()}, indent=2) + "\n"
            with whole_file(folder / _DONE) as fresh:
                fresh.write_text(text, encoding="utf-8")

    def _is_done(self, ingredient: Ingredient, models: int) -> bool:
        folder = self.output / ingredient.key
        if ingredient.data == "train":
            return (folder / _DONE).exists()
        prefix = "fold" if ingredient.data == "folds" else "seed"
        return all((folder / f"{prefix}-{k + 1:02d}" / _DONE).exists() for k in range(models))


_DONE = "done.json"


def _check_done(folder: Path, settings: TrainSettings) -> None:
    """That what is trained already was trained with the settings wanted now.

    Raises:
        SettingsError: it was not.
    """
    notes = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    kept = completed(notes["settings"])
    for section, values in settings.to_dict().items():
        found = kept[section]
        if isinstance(values, dict) and section != "data":
            for key, value in values.items():
                if key not in _FREE and found.get(key) != value:
                    raise SettingsError(
                        f"{folder} was trained with {section}.{key} = {found.get(key)!r}, "
                        f"not {value!r}",
                        remedy="Give another output folder, or delete this one to train it anew",
                    )


_FREE = frozenset(("threads", "checkpoint_minutes", "keep"))
