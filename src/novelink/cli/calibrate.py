"""``novelink calibrate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from novelink.cli.completion import files, models
from novelink.cli.options import say, schema, threads
from novelink.errors import DataError, ModelError
from novelink.wording import counted

if TYPE_CHECKING:
    from novelink.schema import Schema


@click.command("calibrate")
@click.argument("model", shell_complete=models)
@click.argument("gold", shell_complete=files)
@click.option("--data", metavar="NAME", help="What to call the data, if not by the file's name.")
@threads
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@schema
def command(
    model: str,
    gold: str,
    data: str | None,
    threads: int | None,
    *,
    dry_run: bool,
    schema: Schema | None,
) -> None:
    r"""Fit MODEL's scores and thresholds to GOLD, without training.

    GOLD is a file of documents with relations that the model has not learnt
    from, and that it will not be measured on: usually the Dev part of a
    corpus. Temperatures and biases are fitted, so that of relations with a
    score of 0.7 about seven in ten are real; then the thresholds with the best
    F1 are chosen. Both go into the model's config.json, and its manifest is
    written anew: all of it or none. `novelink train` does the same by itself
    at the end of each epoch; this is for a model as it was exported, with what
    quantisation changed, or for texts of another kind.

    \b
    novelink calibrate runs/mine/model Dev.PubTator
    novelink calibrate runs/mine/model Dev.PubTator --dry-run
    """
    from novelink.extractor import Extractor
    from novelink.formats import read
    from novelink.runtime.bundle import CONFIG, find_bundle
    from novelink.runtime.model_set import AVERAGE, revise_model_set
    from novelink.runtime.revision import revise
    from novelink.training.calibration import before_and_after
    from novelink.training.selection import choose, extracted_predictions

    folder = find_bundle(model)
    extractor = Extractor.load(folder, threads=threads)
    before = {key: value for key, value in extractor.info.items() if key != "configs"}
    is_set = "voting" in before
    if is_set and before["voting"] != AVERAGE:
        raise ModelError(
            f"'{model}' is a set of models, whose members decide by their own settings",
            remedy="Calibrate the members, then join them: novelink ensemble",
        )
    documents = list(read(gold, schema=schema or extractor.schema))
    if not any(document.relations for document in documents):
        raise DataError(
            "no document has relations, so there is nothing to fit to",
            source=gold,
            remedy="Give gold documents, such as a corpus's Dev part",
        )
    pairs, predictions = extracted_predictions(extractor, documents)
    settings = before.get("training", {}).get("settings", {})
    selection = choose(
        documents,
        predictions,
        extractor.schema,
        tasks=extractor.tasks,
        novelty_over=settings.get("tasks", {}).get("novelty_over", "all"),
    )
    figures = before_and_after(predictions, pairs, extractor.schema, selection.decision)
    name = data or ("standard input" if gold == "-" else Path(gold).name)
    config = dict(before)
    config["decision"] = selection.decision.to_dict()
    config["calibration"] = {
        "data": name,
        "documents": len(documents),
        **figures,
        "scores": selection.scores,
    }
    _print(extractor.name, config)
    if dry_run:
        say(["nothing was written (--dry-run)"])
        return
    outdated = config["decision"] != before["decision"] and "measured" in config
    if outdated:
        del config["measured"]
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    (revise_model_set if is_set else revise)(folder, {CONFIG: text.encode()})
    say([f"config.json and manifest.json written in {folder}"])
    if outdated:
        say(["the scores in the model's card were measured with other thresholds: measure again"])


def _print(name: str, config: dict[str, Any]) -> None:
    found = config["calibration"]
    documents = counted(found["documents"], "document")
    click.echo(f"{name}, calibrated on {found['data']} ({documents})")
    click.echo(f"  {'score of':<10}{'n':>8}  {'log loss':>15}  {'calibration error':>19}")
    for part in ("related", "novelty"):
        if part in found:
            raw, fitted = found[part]["raw"], found[part]["calibrated"]
            loss = f"{raw['log_loss']:.3f} → {fitted['log_loss']:.3f}"
            error = f"{100 * raw['error']:.1f} % → {100 * fitted['error']:.1f} %"
            click.echo(f"  {part:<10}{raw['count']:>8,}  {loss:>15}  {error:>19}")
    for key, value in config["decision"].items():
        click.echo(f"  {key.replace('_', ' ')}: {value}")
    scores = "  ".join(f"{level} {100 * one['f1']:.1f}" for level, one in found["scores"].items())
    click.echo(f"  F1 on these documents: {scores}")
