"""``novelink ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.errors import SettingsError

if TYPE_CHECKING:
    from novelink.runtime.bundle import Bundle

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("ensemble")
@click.argument("models", nargs=-1, required=True, type=_FOLDER, metavar="MODEL…")
@click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path), help="New folder of the set."
)
@click.option(
    "--novelty",
    multiple=True,
    type=_FOLDER,
    metavar="MODEL",
    help="A model that votes on novelty, whatever it was mainly trained for; repeatable.",
)
@click.option(
    "--voting",
    type=click.Choice(["majority", "mean"]),
    default="majority",
    show_default=True,
    help="Most votes (of equally many the higher mean probability), or the highest mean "
    "probability.",
)
@click.option("--name", help="Of the set. Default: the folder's name.")
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Text file with the set's card.",
)
def command(
    models: tuple[Path, ...],
    *,
    output: Path,
    novelty: tuple[Path, ...],
    voting: str,
    name: str | None,
    card: Path | None,
) -> None:
    r"""Join exported MODELs into a set that votes.

    \b
    novelink crossval recipes/pair.toml -o runs/folds --export int8
    novelink ensemble runs/folds/fold-*/model -o ten-fold
    novelink extract abstracts.pubtator --model ten-fold

    Models trained mainly for relations vote on whether two entities are related and how; those
    trained mainly for novelty vote on Novel / No. Where there are none of the latter, the former
    vote on both. The set is a folder like any model's: `extract`, `models info` and `models
    verify` take it.
    """
    from novelink.runtime.bundle import load_bundle
    from novelink.runtime.model_set import write_model_set

    bundles = {path: load_bundle(path) for path in models}
    relation = [path for path in models if _main_task(bundles[path]) == "relation"]
    voters = [*(path for path in models if path not in relation), *novelty]
    if not relation:
        raise SettingsError(
            "every model was trained mainly for novelty",
            remedy="Add models of relations (tasks.main = relation)",
        )
    if not voters:
        voters = [path for path in relation if "novelty" in _tasks(bundles[path])]
    made = write_model_set(
        output,
        relation,
        voters,
        name=name or output.resolve().name,
        voting=voting,
        card=card.read_text(encoding="utf-8") if card else None,
    )
    options.say(
        [
            (
                f"{output}: {len(made.relation)} models vote on relations, {len(made.novelty)} on "
                f"novelty ({made.voting}, {made.size / 1e6:.1f} MB)"
            )
        ]
    )


def _main_task(bundle: Bundle) -> str:
    settings = bundle.config.get("training", {}).get("settings", {})
    return str(settings.get("tasks", {}).get("main", "relation"))


def _tasks(bundle: Bundle) -> list[str]:
    return list(bundle.config.get("tasks", ("relation", "novelty")))
