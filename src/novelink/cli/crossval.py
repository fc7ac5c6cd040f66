"""``novelink crossval``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.cli.verbosity import note
from novelink.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from novelink.training.crossval import CrossValidation


@click.command("crossval")
@options.config
@options.overrides
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the folds.",
)
@click.option(
    "--folds",
    default=10,
    show_default=True,
    type=click.IntRange(min=2),
    help="Parts that documents are dealt out to; one model is trained for each.",
)
@click.option(
    "--fold",
    "only",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="K",
    help="Train only this fold, counted from 1; repeatable. For one job a fold on a cluster.",
)
@click.option(
    "--parallel",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Folds side by side, each with its share of the cores, or a GPU of its own.",
)
@click.option(
    "--export",
    "precision",
    type=click.Choice(["fp32", "int8"]),
    help="Also export each fold's model, to OUTPUT/fold-NN/model.",
)
def command(
    config: str,
    *,
    overrides: tuple[str, ...],
    output: Path,
    folds: int,
    only: tuple[int, ...],
    parallel: int,
    precision: str | None,
) -> None:
    r"""Train one model a fold; documents, not pairs, are dealt out to the folds.

    \b
    novelink crossval recipes/pair.toml -o runs/folds --export int8 \
        --set data.train=Train.PubTator --set data.dev=Dev.PubTator
    novelink ensemble runs/folds/fold-*/model -o ten-fold

    The documents of data.train and data.dev are joined. Each fold is held back from one model,
    chooses its epoch and thresholds, and is answered by it; the scores over all of them are
    printed as JSON. OUTPUT/folds.json says which document was where. A stopped run goes on when
    the same command is given again, finished folds are kept.
    """
    try:
        from novelink.training.crossval import CrossValidation
        from novelink.training.launched import is_first_process, launched_processes
        from novelink.training.workers import run_workers
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    from novelink.cli.corpora import read_documents
    from novelink.training.settings import load_settings

    if parallel > 1 and launched_processes() > 1:
        raise SettingsError(
            "--parallel starts processes of its own, and this command runs in several already",
            remedy="Leave out --parallel, or the launcher",
        )
    settings = load_settings(config, overrides)
    files = [path for path in (settings.data.train, settings.data.dev) if path]
    if not files:
        raise SettingsError("no documents", remedy="Set data.train (and data.dev) to a file")
    schema = settings.data.vocabulary()
    documents = [document for path in files for document in read_documents(path, schema)]
    run = CrossValidation(
        settings,
        documents,
        output,
        folds=folds,
        log=note,
    )
    wanted = [number for number in (only or run.numbers) if not run.is_done(number)]
    for number in wanted:
        if number not in run.numbers:
            raise SettingsError(f"there is no fold {number}", remedy=f"Folds are 1 to {folds}")
    if parallel > 1 and len(wanted) > 1:
        shared = [*(part for change in overrides for part in ("--set", change))]
        shared += ["-o", str(output), "--folds", str(folds)]
        commands = [("crossval", config, *shared, "--fold", str(number)) for number in wanted]
        names = [f"fold {number}" for number in wanted]
        run_workers(list(zip(names, commands, strict=True)), parallel, log=note)
    else:
        for number in wanted:
            run.run(number)
    if is_first_process():
        _finish(run, only or tuple(run.numbers), precision)


def _finish(run: CrossValidation, numbers: tuple[int, ...], precision: str | None) -> None:
    """Export what was asked for; print the scores, where all folds are done."""
    if precision:
        for number in numbers:
            _export(run, number, precision)
    if all(map(run.is_done, run.numbers)):
        click.echo(json.dumps(run.summary(), indent=2))
    else:
        done = sum(map(run.is_done, run.numbers))
        options.say([f"{done} of {len(run.numbers)} folds are done; scores come with the last"])


def _export(run: CrossValidation, number: int, precision: str) -> None:
    from novelink.training.export import export_model
    from novelink.training.selection import read_notes
    from novelink.training.task_model import load_model

    target = run.folder(number) / "model"
    if target.exists():
        return
    notes = read_notes(run.model(number))
    from novelink.decode import DecisionSettings

    export_model(
        load_model(run.model(number)),
        target,
        DecisionSettings.from_dict(notes.pop("decision")),
        precision=precision,
        notes=notes,
    )
