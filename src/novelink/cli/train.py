"""``novelink train``."""

from __future__ import annotations

import json

import click

from novelink.errors import MissingExtraError, SettingsError


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
    Dev is kept in OUTPUT/best, the course in OUTPUT/metrics.jsonl.
    """
    try:
        from novelink.training.loop import Trainer
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    from novelink.formats import read
    from novelink.schema import BIORED, load_schema
    from novelink.training.settings import load_settings

    changes = [*overrides, *([f"output='{output}'"] if output else [])]
    settings = load_settings(config, changes)
    if not settings.data.train:
        raise SettingsError(
            "no training documents", remedy="Set data.train (and data.dev) to a file"
        )
    schema = load_schema(settings.data.schema) if settings.data.schema else BIORED
    train = list(read(settings.data.train, schema=schema))
    dev = list(read(settings.data.dev, schema=schema)) if settings.data.dev else []
    trainer = Trainer(settings, train, dev, log=lambda line: click.echo(line, err=True))
    selection = trainer.run()
    result = {
        "model": str(trainer.output / "best"),
        "decision": selection.decision.to_dict(),
        "dev": selection.scores,
    }
    click.echo(json.dumps(result, indent=2))
