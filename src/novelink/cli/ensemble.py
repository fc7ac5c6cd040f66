"""``novelink ensemble``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import completion, options
from novelink.errors import SettingsError

if TYPE_CHECKING:
    from novelink.runtime.bundle import Bundle


@click.command("ensemble")
@click.argument(
    "models", nargs=-1, required=True, metavar="MODEL…", shell_complete=completion.models
)
@click.option(
    "--output", "-o", required=True, type=click.Path(path_type=Path), help="New folder of the set."
)
@click.option(
    "--novelty",
    multiple=True,
    metavar="MODEL",
    shell_complete=completion.models,
    help="A model that votes on novelty, whatever it was mainly trained for; repeatable.",
)
@click.option(
    "--voting",
    type=click.Choice(["majority", "mean", "average"]),
    default="majority",
    show_default=True,
    help="Most votes (of equally many the higher mean probability); or the highest mean "
    "probability; or mean probabilities against thresholds of the set's own, which `novelink "
    "calibrate` fits.",
)
@click.option(
    "--screen",
    metavar="MODEL",
    shell_complete=completion.models,
    help="With --voting average: the member that reads every pair first, and answers alone where "
    "it finds it clearly unrelated.",
)
@click.option(
    "--screen-below",
    metavar="S",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="The screen's score under which it does.",
)
@click.option("--name", help="Of the set. Default: the folder's name.")
@click.option(
    "--card",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Text file with the set's card.",
)
def command(
    models: tuple[str, ...],
    *,
    output: Path,
    novelty: tuple[str, ...],
    voting: str,
    screen: str | None,
    screen_below: float,
    name: str | None,
    card: Path | None,
) -> None:
    r"""Join exported MODELs into a set that votes.

    \b
    novelink crossval recipes/pair.toml -o runs/folds --export int8
    novelink ensemble runs/folds/fold-*/model -o ten-fold
    novelink extract abstracts.pubtator --model ten-fold

    MODEL is a folder, which is copied, or the name of a model that ships, which is referred to.
    Models trained mainly for relations vote on whether two entities are related and how; those
    trained mainly for novelty vote on Novel / No. Where there are none of the latter, the former
    vote on both. The set is a folder like any model's: `extract`, `models info` and `models
    verify` take it.
    """
    from novelink.runtime.bundle import find_bundle, load_bundle
    from novelink.runtime.model_set import AVERAGE, write_model_set

    folders = [find_bundle(model) for model in models]
    bundles = {path: load_bundle(path) for path in folders}
    relation = [path for path in folders if _main_task(bundles[path]) == "relation"]
    voters = [path for path in folders if path not in relation]
    voters += [find_bundle(model) for model in novelty]
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
        screen=None if screen is None else (find_bundle(screen), screen_below),
        card=card.read_text(encoding="utf-8") if card else None,
    )
    options.say(
        [
            (
                f"{output}: {len(made.relation)} models for relations, {len(made.novelty)} for "
                f"novelty ({made.voting}, {made.size / 1e6:.1f} MB)"
            )
        ]
    )
    if voting == AVERAGE:
        options.say([f"now fit its thresholds to gold data: novelink calibrate {output} GOLD"])


def _main_task(bundle: Bundle) -> str:
    settings = bundle.config.get("training", {}).get("settings", {})
    return str(settings.get("tasks", {}).get("main", "relation"))


def _tasks(bundle: Bundle) -> list[str]:
    return list(bundle.config.get("tasks", ("relation", "novelty")))
