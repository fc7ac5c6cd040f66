"""``novelink train-tagger``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from novelink.cli import options
from novelink.cli.verbosity import note
from novelink.errors import MissingExtraError


@click.command("train-tagger")
@options.config
@options.overrides
@click.option(
    "--precision",
    type=click.Choice(["int8", "fp32"]),
    default="int8",
    show_default=True,
    help="Of the exported model.",
)
def command(config: str, overrides: tuple[str, ...], precision: str) -> None:
    r"""Train a model that finds the entities of a text.

    CONFIG is a TOML file: an encoder, corpora with the entity types that each
    annotates, and the documents that choose the best epoch. The folder OUTPUT of
    the settings then holds the model, which needs no torch to tag:
    novelink.annotate.tagger.Tagger.load(OUTPUT).

    \b
    novelink train-tagger recipes/tagger.toml
    novelink train-tagger recipes/tagger.toml --set epochs=2 --set output=runs/quick
    """
    try:
        from novelink.training.tagger_export import export_tagger
        from novelink.training.tagger_loop import TaggerTrainer
        from novelink.training.tagger_settings import load_tagger_settings
    except ImportError as error:
        raise MissingExtraError("training a tagger", "train") from error

    loaded = load_tagger_settings(config, overrides)
    trainer = TaggerTrainer(loaded, log=note)
    trainer.run()
    thresholds, scores = trainer.thresholds()
    folder = Path(loaded.output)
    values = {
        name: {
            "precision": round(100 * score.precision, 2),
            "recall": round(100 * score.recall, 2),
            "f1": round(100 * score.f1, 2),
            "gold": score.gold,
        }
        for name, score in scores.items()
    }
    difference = export_tagger(
        trainer.model,
        trainer.tokenizer,
        folder,
        name=loaded.name,
        max_length=loaded.max_length,
        thresholds=thresholds,
        card=model_card(loaded.name, values),
        notes={"settings": _portable(loaded.to_dict()), "dev": values, "history": trainer.history},
        precision=precision,
    )
    options.say([f"exported to {folder}, logits within {difference:.1e}"])
    click.echo(json.dumps({"dev": values, "thresholds": thresholds}, indent=2))


def model_card(name: str, scores: dict[str, dict[str, float]]) -> str:
    """The card of a tagger with its scores on Dev."""
    rows = "\n".join(
        f"| {kind} | {row['precision']:.1f} | {row['recall']:.1f} | {row['f1']:.1f} "
        f"| {row['gold']} |"
        for kind, row in scores.items()
    )
    return (
        f"---\nname: {name}\nlibrary: novelink\ntask: token-classification\n---\n"
        f"# {name}\nFinds genes, diseases, chemicals, variants, organisms and cell lines in "
        "biomedical abstracts. Made by `novelink train-tagger`; settings are in config.json.\n\n"
        "Mentions on Dev, exact span and type; the same documents chose the thresholds:\n\n"
        f"| type | precision | recall | F1 | mentions |\n|---|---|---|---|---|\n{rows}\n"
    )


def _portable(settings: dict[str, object]) -> dict[str, object]:
    """Settings with file names in place of paths, which mean nothing on another machine."""

    def shorten(value: object) -> object:
        if isinstance(value, str) and "/" in value:
            return Path(value).name
        if isinstance(value, list):
            return [shorten(item) for item in value]
        if isinstance(value, dict):
            return {key: shorten(item) for key, item in value.items()}
        return value

    return {key: shorten(value) for key, value in settings.items() if key != "output"}
