"""``novelink train``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.cli.progress import step_bar
from novelink.errors import MissingExtraError, SettingsError

if TYPE_CHECKING:
    from novelink.document import Document
    from novelink.schema import Schema


@click.command("train")
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting; repeatable."
)
@click.option("--output", "-o", help="Folder of the run, in place of the file's `output`.")
def command(config: str, overrides: tuple[str, ...], output: str | None) -> None:
    r"""Train a model on a corpus with gold relations.

    \b
    novelink train recipes/pair.toml --set data.train=Train.PubTator --set data.dev=Dev.PubTator
    novelink export runs/pair/best -o my-model
    novelink extract abstracts.pubtator --model my-model

    A killed run goes on where it was when the same command is given again. The best epoch by
    Dev is kept in OUTPUT/best, the course in OUTPUT/metrics.jsonl. Several GPUs or processes
    share the work under `accelerate launch -m novelink train …`.
    """
    try:
        from novelink.training.loop import Trainer
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    from novelink.schema import BIORED, load_schema
    from novelink.training.settings import load_settings

    changes = [*overrides, *([f"output='{output}'"] if output else [])]
    settings = load_settings(config, changes)
    if not settings.data.train:
        raise SettingsError(
            "no training documents", remedy="Set data.train (and data.dev) to a file"
        )
    schema = load_schema(settings.data.schema) if settings.data.schema else BIORED
    train = read_documents(settings.data.train, schema)
    dev = read_documents(settings.data.dev, schema) if settings.data.dev else []
    warn_of_shared(train, dev)
    with step_bar() as bar:
        trainer = Trainer(settings, train, dev, log=bar.say, progress=bar.update)
        selection = trainer.run()
    if trainer.accelerator.is_main_process:
        result = {
            "model": str(trainer.output / "best"),
            "decision": selection.decision.to_dict(),
            "dev": selection.scores,
        }
        click.echo(json.dumps(result, indent=2))


def read_documents(path: str, schema: Schema) -> list[Document]:
    """All documents of a file; what was left out is said on stderr."""
    from novelink.formats import ReadReport, read

    report = ReadReport()
    documents = list(read(path, schema=schema, report=report))
    options.say_reading(report)
    return documents


def warn_of_shared(train: list[Document], dev: list[Document]) -> None:
    """Say so where documents are on both sides: their Dev scores would mean little."""
    shared = {document.id for document in train} & {document.id for document in dev}
    if shared:
        line = (
            f"{len(shared)} of {len(dev)} Dev documents are also among the training "
            f"documents ({min(shared)}, …): scores on them say nothing"
        )
        options.say([line])
