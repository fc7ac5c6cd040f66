"""``novelink models``: which models there are, what they are, whether they are whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import completion, options
from novelink.cli.model_description import description
from novelink.cli.verbosity import note
from novelink.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from novelink.runtime.bundle import Bundle


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
    from novelink.runtime.bundle import embedded_names, load_bundle

    bundles = [load_bundle(name) for name in embedded_names()]
    default = _default()
    if as_json:
        _print_json([_summary(bundle, default) for bundle in bundles])
        return
    for bundle in bundles:
        mark = "*" if bundle.name == default else " "
        click.echo(
            f"{mark} {bundle.name:<20} {bundle.size / 1e6:6.1f} MB  "
            f"{bundle.reading} reading, schema {bundle.schema.name}, "
            f"at most {bundle.max_length} tokens"
        )
    if not bundles:
        options.say(["this installation has no embedded model"])


@command.command("info")
@click.argument("model", required=False, shell_complete=completion.models)
@click.option("--json", "as_json", is_flag=True, help="The whole configuration, for machines.")
@click.option("--card", is_flag=True, help="Print the model card instead.")
def info(model: str | None, *, as_json: bool, card: bool) -> None:
    """What MODEL is: data, recipe, licence, scores with intervals, calibration.

    MODEL is a name of `novelink models list` or a model folder.
    """
    from novelink.runtime.bundle import CARD, find_bundle, load_bundle
    from novelink.runtime.model_set import is_model_set

    if is_model_set(find_bundle(model)):
        _print_set(find_bundle(model), as_json=as_json, card=card)
        return
    bundle = load_bundle(model)
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
    from novelink.runtime.bundle import find_bundle, load_bundle, unlisted_files
    from novelink.runtime.model_set import is_model_set

    if is_model_set(find_bundle(model)):
        return _verified_set(find_bundle(model))
    bundle = load_bundle(model)
    _open(bundle)
    unlisted = unlisted_files(bundle)
    return {"files": len(bundle.files), "size": bundle.size, "unlisted": unlisted}


def _verified_set(folder: Path) -> dict[str, Any]:
    """Check a set of models, its members included, and open each."""
    from novelink.runtime.model_set import load_model_set

    models = load_model_set(folder)
    bundles = {bundle.folder: bundle for bundle in (*models.relation, *models.novelty)}
    for bundle in bundles.values():
        _open(bundle)
    files = sum(len(bundle.files) for bundle in bundles.values())
    return {"files": files, "size": models.size, "members": len(bundles), "unlisted": []}


def _print_set(folder: Path, *, as_json: bool, card: bool) -> None:
    from novelink.runtime.bundle import CARD
    from novelink.runtime.model_set import load_model_set

    models = load_model_set(folder)
    if card:
        click.echo((folder / CARD).read_text(encoding="utf-8"), nl=False)
        return
    if as_json:
        _print_json({"name": models.name, "size": models.size, "config": models.config})
        return
    click.echo(f"{models.name}: a set of models, {models.size / 1e6:.1f} MB in {folder}")
    click.echo(f"  schema: {models.schema.name}")
    click.echo(f"  voting: {models.voting}")
    for role, bundles in (("relation", models.relation), ("novelty", models.novelty)):
        click.echo(f"  {role}: {', '.join(bundle.folder.name for bundle in bundles) or 'none'}")


def _open(bundle: Bundle) -> None:
    """Open all that a model consists of.

    Raises:
        ModelError: something cannot be opened or used.
    """
    from novelink.runtime.session import open_graph

    if bundle.reading in {"pair", "document"}:
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


def _summary(bundle: Bundle, default: str | None) -> dict[str, Any]:
    return {
        "name": bundle.name,
        "default": bundle.name == default,
        "folder": str(bundle.folder),
        "size": bundle.size,
        "reading": bundle.reading,
        "schema": bundle.schema.name,
        "max_length": bundle.max_length,
        "files": bundle.files,
    }


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))
