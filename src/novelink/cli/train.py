"""``novelink train``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.cli.corpora import read_documents, warn_of_shared
from novelink.cli.progress import step_bar
from novelink.errors import DataError, MissingExtraError, SettingsError

if TYPE_CHECKING:
    from novelink.document import Document
    from novelink.schema import Schema
    from novelink.training.labels import Teaching
    from novelink.training.settings import TeacherSettings


@click.command("train")
@options.config
@options.overrides
@click.option("--output", "-o", help="Folder of the run, in place of the file's `output`.")
def command(config: str, overrides: tuple[str, ...], output: str | None) -> None:
    r"""Train a model on a corpus with gold relations.

    \b
    novelink train recipes/pair.toml --set data.train=Train.PubTator --set data.dev=Dev.PubTator
    novelink export runs/pair/best -o my-model
    novelink extract abstracts.pubtator --model my-model

    A killed run goes on where it was when the same command is given again. The best epoch by
    Dev is kept in OUTPUT/best, the course in OUTPUT/metrics.jsonl. Several GPUs or processes
    share the work under `accelerate launch -m novelink train …`. With teacher.labels the model
    also learns from what other models said of the documents (novelink teach).
    """
    try:
        from novelink.training.loop import Trainer
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    from novelink.training.settings import load_settings

    changes = [*overrides, *([f"output='{output}'"] if output else [])]
    settings = load_settings(config, changes)
    if not settings.data.train:
        raise SettingsError(
            "no training documents", remedy="Set data.train (and data.dev) to a file"
        )
    schema = settings.data.vocabulary()
    train = read_documents(settings.data.train, schema)
    dev = read_documents(settings.data.dev, schema) if settings.data.dev else []
    train, teaching = with_teachers(train, settings.teacher, schema)
    warn_of_shared(train, dev)
    with step_bar() as bar:
        trainer = Trainer(settings, train, dev, log=bar.say, progress=bar.update, teaching=teaching)
        selection = trainer.run()
    if trainer.accelerator.is_main_process:
        result = {
            "model": str(trainer.output / "best"),
            "decision": selection.decision.to_dict(),
            "dev": selection.scores,
        }
        click.echo(json.dumps(result, indent=2))


def with_teachers(
    train: list[Document], teacher: TeacherSettings, schema: Schema
) -> tuple[list[Document], Teaching | None]:
    """Training documents, those that only teachers have labelled, and what they said.

    Raises:
        DataError: unreadable labels, or labels of none of the documents.
    """
    from novelink.training.labels import Teaching
    from novelink.training.soft_labels import read_soft_labels

    if teacher.labels is None:
        return train, None
    labels = read_soft_labels(teacher.labels, schema, temperature=teacher.temperature)
    annotated = {document.id for document in train}
    unlabelled: dict[str, Document] = {}
    dropped = 0
    if teacher.documents:
        for document in read_documents(teacher.documents, schema):
            if document.id in annotated or document.id not in labels:
                dropped += 1
            else:
                unlabelled[document.id] = document.with_relations(())
    taught = sum(document.id in labels for document in train)
    if not unlabelled and not taught:
        raise DataError(
            "its soft labels belong to none of the documents",
            source=teacher.labels,
            remedy="Make them from the same files with: novelink teach",
        )
    line = (
        f"soft labels by {', '.join(labels.models)}: {taught:,} of {len(train):,} training "
        f"documents, {len(unlabelled):,} without gold"
    )
    if dropped:
        line += f"; left out {dropped:,} that are training documents or have no soft labels"
    options.say([line])
    return [*train, *unlabelled.values()], Teaching(labels, frozenset(unlabelled))
