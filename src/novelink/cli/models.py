"""``novelink models``: which models there are, what they are, whether they are whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import completion, options
from novelink.cli.model_description import description, set_description
from novelink.cli.verbosity import note
from novelink.errors import ModelError

if TYPE_CHECKING:
    from novelink.runtime.bundle import Bundle
    from novelink.runtime.model_set import ModelSet


@click.group("models")
def command() -> None:
    r"""List, describe and check models.

    A model is a folder of open files: a graph (ONNX), a tokenizer, a
    configuration, a model card, and a manifest with the sha256 of each. Some
    come with the package and are called by name; any other by its folder.

    \b
    novelink models list
    novelink models info                 the one used by default
    novelink models verify runs/mine     check every file, then open it
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_models(*, as_json: bool) -> None:
    """The models that came with the package; * marks the default."""
    from novelink.runtime.bundle import embedded_names
    from novelink.runtime.model_set import open_model

    found = [open_model(name) for name in embedded_names()]
    default = _default()
    if as_json:
        _print_json([_summary(one, default) for one in found])
        return
    for one in found:
        mark = "*" if one.name == default else " "
        click.echo(
            f"{mark} {one.name:<20} {one.size / 1e6:6.1f} MB  "
            f"{one.reading} reading, schema {one.schema.name}, "
            f"at most {one.max_length} tokens"
        )
    if not found:
        options.say(["this installation has no embedded model"])


@command.command("info")
@click.argument("model", required=False, shell_complete=completion.models)
@click.option("--json", "as_json", is_flag=True, help="The whole configuration, for machines.")
@click.option("--card", is_flag=True, help="Print the model card instead.")
def info(model: str | None, *, as_json: bool, card: bool) -> None:
    """What MODEL is: data, recipe, licence, scores with intervals, calibration.

    MODEL is a name of `novelink models list` or a model folder.
    """
    from novelink.runtime.bundle import CARD
    from novelink.runtime.model_set import ModelSet, open_model

    bundle = open_model(model)
    if isinstance(bundle, ModelSet):
        _print_set(bundle, as_json=as_json, card=card)
        return
    if card:
        click.echo(bundle.contents[CARD].decode("utf-8", "replace"), nl=False)
        return
    if as_json:
        _print_json({**_summary(bundle, _default()), "config": bundle.config})
        return
    click.echo("\n".join(description(bundle)))


@command.command("verify")
@click.argument("models", nargs=-1, shell_complete=completion.models)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def verify(ctx: click.Context, models: tuple[str, ...], *, as_json: bool) -> None:
    """Check every file of MODELS against its manifest, then open them.

    Without MODELS, all that came with the package. Exit code 1 if any fails.
    """
    from novelink.runtime.bundle import embedded_names

    wanted = models or tuple(embedded_names())
    if not wanted:
        raise ModelError(
            "this installation has no embedded model", remedy="Give the folder of a model"
        )
    results: list[dict[str, Any]] = []
    for model in wanted:
        try:
            result = {"model": model, "ok": True, "error": None, **_verified(model)}
        except ModelError as error:
            result = {"model": model, "ok": False, "error": str(error)}
        results.append(result)
        if not as_json:
            _print_result(result)
    if as_json:
        _print_json(results)
    if not all(result["ok"] for result in results):
        ctx.exit(1)


def _verified(model: str) -> dict[str, Any]:
    """Check a model or a set of models and open all of it."""
    from novelink.runtime.bundle import unlisted_files
    from novelink.runtime.model_set import ModelSet, open_model

    bundle = open_model(model)
    if isinstance(bundle, ModelSet):
        return _verified_set(bundle)
    _open(bundle)
    unlisted = unlisted_files(bundle)
    return {"files": len(bundle.files), "size": bundle.size, "unlisted": unlisted}


def _verified_set(models: ModelSet) -> dict[str, Any]:
    """Open each member of a set of models."""
    bundles = models.members
    for bundle in bundles:
        _open(bundle)
    files = sum(len(bundle.files) for bundle in bundles)
    return {"files": files, "size": models.size, "members": len(bundles), "unlisted": []}


def _print_set(models: ModelSet, *, as_json: bool, card: bool) -> None:
    from novelink.runtime.bundle import CARD

    if card:
        click.echo((models.folder / CARD).read_text(encoding="utf-8"), nl=False)
        return
    if as_json:
        _print_json({"name": models.name, "size": models.size, "config": models.config})
        return
    click.echo("\n".join(set_description(models)))


def _open(bundle: Bundle) -> None:
    """Open all that a model consists of.

    Raises:
        ModelError: something cannot be opened or used.
    """
    from novelink.runtime.session import open_graph

    if bundle.reading != "tagger":
        from novelink.extractor import Extractor

        Extractor(bundle, threads=1)
    else:  # a model of another part, such as one that finds entities
        bundle.tokenizer()
        open_graph(bundle)


def _print_result(result: dict[str, Any]) -> None:
    if not result["ok"]:
        click.echo(f"novelink: {result['error']}", err=True)
        return
    click.echo(
        f"{result['model']}: {result['files']} files as the manifest says "
        f"({result['size'] / 1e6:.1f} MB), graph and tokenizer open"
    )
    for name in result["unlisted"]:
        note(f"  {name}: not in the manifest; it is not used")


def _default() -> str | None:
    from novelink.runtime.bundle import default_name

    try:
        return default_name()
    except ModelError:
        return None


def _summary(model: Bundle | ModelSet, default: str | None) -> dict[str, Any]:
    found = {
        "name": model.name,
        "default": model.name == default,
        "folder": str(model.folder),
        "size": model.size,
        "reading": model.reading,
        "schema": model.schema.name,
        "max_length": model.max_length,
    }
    if hasattr(model, "files"):
        return found | {"files": model.files}
    return found | {"members": [one.name for one in model.members]}


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
