"""Cross-validation: one model a fold, each resumable, in one process or in several."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.formats import read, write
from novelink.scoring import score
from novelink.training.folds import Folds
from novelink.training.loop import Trainer
from novelink.training.members import member_answer, voted_documents
from novelink.training.selection import read_notes, read_selection
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from novelink.document import Document
    from novelink.training.settings import TrainSettings

SUMMARY = "summary.json"
_DONE = "done.json"


class CrossValidation:
    """All folds of one corpus with one set of settings.

    Args:
        settings: of every fold; fold k has the seed ``optim.seed + k − 1``.
        documents: the corpus, all of it.
        output: folder of the folds.
        folds: how many.
        log: takes one line of progress at a time.
        progress: takes the steps done and the steps of the fold's run after each step.

    Raises:
        DataError: a document is there twice.
        SettingsError: too many folds, or the folder holds another
            cross-validation.
    """

    def __init__(
        self,
        settings: TrainSettings,
        documents: Sequence[Document],
        output: Path,
        *,
        folds: int = 10,
        log: Callable[[str], None] = print,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.settings = settings
        self._progress = progress
        self.documents = list(documents)
        self.output = output
        self.log = log
        self.schema = settings.data.vocabulary()
        self.folds = Folds.of(self.documents, folds, settings.optim.seed)
        fixed = asdict(settings)
        fixed.pop("output")
        for key in ("threads", "checkpoint_minutes"):
            fixed["optim"].pop(key)
        self.folds.keep(output, json.dumps(fixed, sort_keys=True))

    @property
    def numbers(self) -> range:
        """Numbers of the folds, from 1."""
        return range(1, len(self.folds.ids) + 1)

    def folder(self, number: int) -> Path:
        """A fold's run."""
        return self.output / f"fold-{number:02d}"

    def model(self, number: int) -> Path:
        """A fold's trained model."""
        return self.folder(number) / "best"

    def is_done(self, number: int) -> bool:
        """Whether a fold is trained to its end."""
        return (self.folder(number) / _DONE).exists()

    def run(self, number: int) -> None:
        """Train one fold to its end and answer for the documents held back from it.

        Going on where an earlier call was stopped; a finished fold is left as
        it is.
        """
        if self.is_done(number):
            return
        train, held = self.folds.split(self.documents, number - 1)
        folder = self.folder(number)
        settings = replace(
            self.settings,
            output=str(folder),
            name=f"{self.settings.name}-fold-{number:02d}",
            optim=replace(self.settings.optim, seed=self.settings.optim.seed + number - 1),
        )
        self.log(f"fold {number}: {len(train)} documents to learn from, {len(held)} held back")
        trainer = Trainer(
            settings,
            train,
            held,
            log=lambda line: self.log(f"fold {number}: {line}"),
            progress=self._progress,
        )
        trainer.run()
        if trainer.accelerator.is_main_process:
            self._answer(folder, held, trainer)
        trainer.accelerator.wait_for_everyone()  # the others look at what is done

    def _answer(self, folder: Path, held: Sequence[Document], trainer: Trainer) -> None:
        """Answer for the documents held back, and note that the fold is done."""
        precision = self.settings.optim.precision
        answer = member_answer(folder / "best", held, precision=precision)
        novelty = [answer] if "novelty" in trainer.tasks else []
        write(voted_documents(held, [answer], novelty, self.schema), folder / "found.jsonl")
        text = json.dumps(read_notes(folder / "best"), indent=2) + "\n"
        with whole_file(folder / _DONE) as fresh:
            fresh.write_text(text, encoding="utf-8")

    def summary(self) -> dict[str, Any]:
        """Scores over all documents, each answered by the model that has not seen it.

        Written to ``summary.json`` too. Epochs and thresholds were chosen on
        the same folds, so the scores lean to the good side.

        Raises:
            ModelError: a fold is not done.
        """
        missing = [number for number in self.numbers if not self.is_done(number)]
        if missing:
            raise ModelError(
                f"folds {', '.join(map(str, missing))} are not done",
                remedy="Give the same command again; finished folds are kept",
            )
        found = [
            document
            for number in self.numbers
            for document in read(self.folder(number) / "found.jsonl", schema=self.schema)
        ]
        place = {document.id: index for index, document in enumerate(self.documents)}
        found.sort(key=lambda document: place[document.id])
        scores = score(self.documents, found, schema=self.schema)
        chosen = {number: read_selection(self.model(number)) for number in self.numbers}
        levels = {level: counts.to_dict() for level, counts in scores.levels.items()}
        result = {
            "documents": len(self.documents),
            "folds": [
                {
                    "fold": number,
                    "seed": self.settings.optim.seed + number - 1,
                    "documents": len(self.folds.ids[number - 1]),
                    "level": selection.level,
                    "f1": selection.scores[selection.level]["f1"] if selection.level else None,
                    "decision": selection.decision.to_dict(),
                }
                for number, selection in chosen.items()
            ],
            "levels": levels,
            "intervals": {level: list(bounds) for level, bounds in scores.intervals.items()},
        }
        with whole_file(self.output / SUMMARY) as fresh:
            fresh.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        return result
