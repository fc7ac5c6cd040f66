"""``novelink export``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from novelink.cli.verbosity import note
from novelink.errors import MissingExtraError


@click.command("export")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "int8"]),
    default="int8",
    show_default=True,
    help="Of the weights: int8 is a quarter of the size and faster on most processors.",
)
@click.option("--name", help="The model's name, if not the settings' one.")
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A model card (Markdown) in place of the short one that is made.",
)
def command(run: Path, output: Path, precision: str, name: str | None, card: Path | None) -> None:
    """Turn RUN (the folder `best` of a training run) into a model that needs no torch.

    The ONNX graph is compared with the trained model before it is quantised; a difference
    beyond 0.001 is an error.
    """
    try:
        from novelink.training.export import export_model
        from novelink.training.selection import read_notes, read_selection
        from novelink.training.task_model import load_model
    except ImportError as error:
        raise MissingExtraError("export", "train") from error

    selection = read_selection(run)
    model = load_model(run)
    if name:
        model.settings = replace(model.settings, name=name)
    difference = export_model(
        model,
        output,
        selection.decision,
        precision=precision,
        notes={key: value for key, value in read_notes(run).items() if key != "decision"},
        card=card.read_text(encoding="utf-8") if card else None,
    )
    note(f"{output}: {precision}, graph within {difference:.1e} of the trained model")
