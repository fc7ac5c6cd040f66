"""A model in lines for people: what it was made from, what it is worth, what to mind."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.runtime.bundle import CARD, CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from novelink.runtime.bundle import Bundle
    from novelink.runtime.model_set import ModelSet

WIDTH = 100
_SCORES = {
    "related": "that a pair is related",
    "novelty": "that a related pair is Novel",
}


def description(bundle: Bundle) -> Iterator[str]:
    """Lines on an opened model.

    What was measured is shown where ``config.json`` has it, the bare training
    settings otherwise.

    Raises:
        ModelError: what was measured is not in the form that is expected.
    """
    config = bundle.config
    yield f"{bundle.name}: {bundle.size / 1e6:.1f} MB in {bundle.folder}"
    for key in ("reading", "max_length", "precision"):
        if key in config:
            yield f"  {key.replace('_', ' ')}: {config[key]}"
    schema = bundle.schema
    yield f"  schema: {schema.name}"
    yield from _wrapped(f"entity types: {', '.join(schema.entity_types)}")
    yield from _wrapped(f"relation types: {', '.join(schema.relation_types)}")
    yield from _measured(config, bundle.folder)
    hidden = () if "measured" in config else ("training", "versions")
    for key in ("decision", "tokenizer", *hidden):
        if config.get(key):
            yield f"  {key}:"
            yield from _tree(config[key], indent=4)
    if not hidden:
        yield "  training settings and versions: novelink models info --json"
    yield f"  card: {bundle.folder / CARD} (or: novelink models info {bundle.name} --card)"


def set_description(models: ModelSet) -> Iterator[str]:
    """Lines on an opened set of models.

    Raises:
        ModelError: what was measured is not in the form that is expected.
    """
    yield f"{models.name}: a set of models, {models.size / 1e6:.1f} MB in {models.folder}"
    yield f"  reading: {models.reading}"
    yield f"  schema: {models.schema.name}"
    yield f"  voting: {models.voting}"
    for role, bundles in (("relation", models.relation), ("novelty", models.novelty)):
        yield f"  {role}: {', '.join(bundle.folder.name for bundle in bundles) or 'none'}"
    if models.screen is not None:
        yield f"  screen: {models.screen.member.folder.name}, below {models.screen.below}"
    yield from _measured(models.config, models.folder)
    if models.decision:
        yield "  decision:"
        yield from _tree(models.decision, indent=4)


def _measured(config: dict[str, Any], folder: Path) -> list[str]:
    try:
        return list(_worth(config))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"'measured' or 'calibration' cannot be read ({error!r})",
            source=str(folder / CONFIG),
            remedy="Write them again with recipes/card.py and novelink calibrate",
        ) from error


def _worth(config: dict[str, Any]) -> Iterator[str]:
    found = config.get("measured")
    if found:
        yield "  made from:"
        yield from _wrapped(f"encoder: {found['encoder']}")
        yield from _wrapped(f"data: {' '.join(found['data'])}")
        recipe = found["recipe"]
        run = f" (seed {recipe['seed']}, epoch {recipe['epoch']})" if "seed" in recipe else ""
        yield from _wrapped(f"recipe: {'; then '.join(recipe['steps'])}{run}")
        yield "  licence:"
        yield from _wrapped(" ".join(found["licence"]))
        test = found["test"]
        yield f"  F1 in per cent on {test['data']} ({test['documents']:,} documents):"
        width = max(8, *map(len, test["scores"]))
        for level, one in test["scores"].items():
            interval = f"{100 * one['low']:.1f}–{100 * one['high']:.1f}"
            yield f"    {level:<{width}} {100 * one['f1']:5.1f}   95 % interval {interval}"
        who = found.get("direction")
        if who:
            yield (
                f"    who acts: named for {who['named']:,} of {who['judged']:,} pairs, right in "
                f"{100 * who['right'] / max(1, who['named']):.1f} %"
            )
    yield from _calibration(found, config.get("calibration"))


def _calibration(found: dict[str, Any] | None, fitted: dict[str, Any] | None) -> Iterator[str]:
    if not fitted and not (found and found["calibration"]):
        return
    yield "  calibration (mean distance between what scores promise and what is so):"
    if fitted:
        yield f"    fitted on {fitted['data']} ({fitted['documents']:,} documents):"
        for part, meaning in _SCORES.items():
            if part in fitted:
                raw, now = (100 * fitted[part][one]["error"] for one in ("raw", "calibrated"))
                yield f"      {meaning:<29} {now:4.1f} %, {raw:.1f} % before"
    if found and found["calibration"]:
        yield f"    measured on {found['test']['data']}:"
        for part, one in found["calibration"].items():
            yield f"      {_SCORES[part]:<29} {100 * one['error']:4.1f} % of {one['count']:,}"


def _wrapped(text: str, indent: int = 4) -> list[str]:
    blank = " " * indent
    return wrap(text, WIDTH, initial_indent=blank, subsequent_indent=blank + "  ")


def _tree(data: Any, indent: int) -> Iterator[str]:
    if not isinstance(data, dict):
        yield f"{' ' * indent}{data}"
        return
    for key, value in data.items():
        if isinstance(value, dict):
            yield f"{' ' * indent}{key}:"
            yield from _tree(value, indent + 2)
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"{' ' * indent}{key}: {shown}"
