"""``novelink reproduce``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import options
from novelink.cli.verbosity import note
from novelink.errors import DataError, MissingExtraError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novelink.document import Document
    from novelink.training.reproduction import Reproduction

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_RATE = 1e14  # operations a second that hours are given for: what one recent GPU sustains in bf16

# F1 in per cent, BioCreative VIII BioRED track: the paper's best of its five runs, and the best
# of all teams at each level. On the track's 400 test abstracts, which are not the ones here.
_PAPER = {"S1": {"all": 44.41}, "S2": {"all": 23.34}}
_TRACK = {
    "S1": {"pair": 77.17, "type": 58.95, "novelty": 59.22, "all": 44.55},
    "S2": {"pair": 55.84, "type": 43.03, "novelty": 42.74, "all": 32.75},
}
_LEVELS = ("pair", "type", "novelty", "all")


@click.command("reproduce")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option("--encoder", required=True, help="Hub name or folder; the paper's is PubMedBERT.")
@click.option("--encoder-revision", help="Branch, tag or commit on the hub.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with BioRED's files Train, Dev and Test, as published.",
)
@click.option("--train", "train_file", type=_FILE, help="In place of Train in --data.")
@click.option("--dev", "dev_file", type=_FILE, help="In place of Dev in --data.")
@click.option("--test", "test_file", type=_FILE, help="In place of Test in --data.")
@click.option(
    "--entities",
    type=_FILE,
    help="Subtask 2: the test documents with PubTator's entities. Default: asked of PubTator 3, "
    "by PMID, and kept in OUTPUT.",
)
@click.option(
    "--output",
    "-o",
    default="runs/reproduce",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of models and results; runs share what they have in common.",
)
@options.overrides
@click.option("--epochs", type=click.IntRange(min=1), help="In place of the paper's 50 and 15.")
@click.option(
    "--folds",
    default=10,
    show_default=True,
    type=click.IntRange(min=2),
    help="Folds of the ten-fold sets.",
)
@click.option(
    "--members",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Of a “best five”, and seeds on Train + Dev.",
)
@click.option(
    "--voting",
    type=click.Choice(["majority", "mean"]),
    default="majority",
    show_default=True,
    help="How the members of a set are joined, as `novelink ensemble --voting`.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Plan or results for machines.")
def command(runs: tuple[str, ...], **given: Any) -> None:
    r"""Train and score the runs S1-1 … S2-4 of the BioRED track's best system (DUTIR-901).

    \b
    novelink reproduce S1-1 --data BioRED --dry-run \
        --encoder microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext
    novelink reproduce all --encoder my-small-encoder/ --data BioRED --set optim.fgm_epsilon=0

    The plan and its cost are printed first. Everything is kept in OUTPUT: a stopped command goes
    on where it was, and runs that share models train them once. At the end stands a table beside
    the paper's figures. Several GPUs share the work under `accelerate launch -m novelink …`.
    """
    try:
        from novelink.training.launched import is_first_process
        from novelink.training.presets import paper_settings, presets
        from novelink.training.reproduction import Data, Reproduction
    except ImportError as error:
        raise MissingExtraError("training", "train") from error
    from novelink.training.settings_file import override

    chosen = presets(runs)
    base = override(
        paper_settings(given["encoder"], revision=given["encoder_revision"]), given["overrides"]
    )
    train, dev, test = (
        _read(given[f"{name}_file"], given["data"], name) for name in ("train", "dev", "test")
    )
    entities = None
    speaks = is_first_process()
    if speaks and any(run.entities == "pubtator" for run in chosen) and not given["dry_run"]:
        entities = _entities(given["entities"], given["output"], test)
    run = Reproduction(
        chosen,
        base,
        Data(train, dev, test, entities),
        given["output"],
        folds=given["folds"],
        members=given["members"],
        epochs=given["epochs"],
        voting=given["voting"],
        log=note if speaks else _silent,
    )
    if not speaks:
        run.train()
        return
    plan = _plan(run)
    if given["dry_run"]:
        click.echo(json.dumps(plan, indent=2) if given["as_json"] else "\n".join(_plan_lines(plan)))
        return
    for line in _plan_lines(plan):
        note(line)
    run.train()
    results = run.results()
    click.echo(
        json.dumps(results, indent=2) if given["as_json"] else "\n".join(_result_lines(results))
    )


def _silent(_line: str) -> None:
    """Take the lines of processes that do not speak."""


def _read(file: Path | None, folder: Path | None, name: str) -> list[Document]:
    from novelink.cli.corpora import read_documents
    from novelink.schema import BIORED

    if file is None:
        if folder is None:
            raise SettingsError(
                f"no {name} documents", remedy=f"Give --data FOLDER, or --{name} FILE"
            )
        found = sorted(folder.glob(f"{name.title()}.*"), key=_preference)
        if not found:
            raise DataError(
                f"no file {name.title()}.PubTator, .BioC.JSON or .BioC.XML here",
                source=str(folder),
                remedy=f"Give the file with --{name}",
            )
        file = found[0]
    return read_documents(str(file), BIORED)


def _preference(path: Path) -> tuple[int, str]:
    order = (".pubtator", ".json", ".xml")
    suffix = path.suffix.lower()
    return (order.index(suffix) if suffix in order else len(order), path.name)


def _entities(file: Path | None, output: Path, test: Sequence[Document]) -> list[Document]:
    """The test documents with PubTator's entities: from a file, or from the service."""
    from novelink.cli.corpora import read_documents
    from novelink.schema import BIORED

    kept = output / "test-entities.jsonl"
    if file is None and kept.exists():
        file = kept
    if file is None:
        from novelink.annotate import annotator
        from novelink.formats import write
        from novelink.formats.article_ids import article_request

        options.say([f"asking PubTator 3 for the entities of {len(test)} test documents"])
        output.mkdir(parents=True, exist_ok=True)
        with annotator("pubtator3") as annotate:
            write(annotate(article_request(document.id) for document in test), kept)
            options.say(annotate.lines())
        file = kept
    found = {document.id: document for document in read_documents(str(file), BIORED)}
    missing = [document.id for document in test if document.id not in found]
    if missing:
        options.say([f"{len(missing)} test documents have no entities ({missing[0]}, …)"])
    return [found[document.id] for document in test if document.id in found]


def _plan(run: Reproduction) -> dict[str, Any]:
    corpus, jobs = run.plan()
    return {
        "runs": [
            {
                "run": preset.name,
                "relation": [_part_text(run, part) for part in preset.relation],
                "novelty": [_part_text(run, part) for part in preset.novelty],
                "entities": preset.entities,
            }
            for preset in run.chosen
        ],
        "corpus": {
            "documents": corpus.documents,
            "pairs": corpus.pairs,
            "tokens_per_epoch": corpus.tokens,
            "tokens_counted": corpus.counted,
        },
        "jobs": [
            {
                "models": job.ingredient.key,
                "count": job.models,
                "main_task": job.ingredient.main,
                "multi_task": job.ingredient.multi_task,
                "data": job.ingredient.data,
                "epochs": job.epochs,
                "tokens": job.tokens,
                "operations": job.operations,
                "done": job.is_done,
            }
            for job in jobs
        ],
    }


def _part_text(run: Reproduction, part: Any) -> str:
    count = {"train": run.members, "folds": run.folds, "all": run.members}[part.ingredient.data]
    if part.single or (part.ingredient.data == "train" and not part.ingredient.multi_task):
        count = 1
    return f"{count} × {part.ingredient.key}"


def _plan_lines(plan: dict[str, Any]) -> list[str]:
    corpus = plan["corpus"]
    counted = "" if corpus["tokens_counted"] else " (estimated: the tokenizer is not at hand)"
    head = (
        f"Train + Dev: {corpus['documents']:,} documents, {corpus['pairs']:,} pairs, "
        f"{corpus['tokens_per_epoch'] / 1e6:.1f} million tokens an epoch{counted}"
    )
    lines = [head, ""]
    lines.extend(
        f"{entry['run']}: relation from {' + '.join(entry['relation'])}; "
        f"novelty from {' + '.join(entry['novelty'])}; {entry['entities']} entities"
        for entry in plan["runs"]
    )
    lines += ["", f"{'models':<20} {'count':>5} {'epochs':>6} {'G tokens':>9} {'GPU hours':>9}"]
    total = 0.0
    for job in plan["jobs"]:
        hours = None if job["operations"] is None else job["operations"] / _RATE / 3600
        total += 0.0 if job["done"] else hours or 0.0
        shown = "done" if job["done"] else "?" if hours is None else f"{hours:.2f}"
        lines.append(
            f"{job['models']:<20} {job['count']:>5} {job['epochs']:>6} "
            f"{job['tokens'] / 1e9:>9.3f} {shown:>9}"
        )
    lines.append(
        f"in all {total:.1f} GPU hours at {_RATE / 1e12:.0f} TFLOP/s sustained: six operations "
        "a weight and token, twice that with adversarial training"
    )
    return lines


def _result_lines(results: Sequence[dict[str, Any]]) -> list[str]:
    head = " ".join(f"{level:>8}" for level in _LEVELS)
    lines = [f"{'F1 in %':<30} {head}"]
    for result in results:
        row = " ".join(f"{100 * result[level]['f1']:>8.2f}" for level in _LEVELS)
        count = f"{result['relation_members']} + {result['novelty_members']} models"
        lines.append(f"{result['run'] + ' here, ' + count:<30} {row}")
        bounds = " ".join(
            f"{100 * low:>3.0f}–{100 * high:<4.0f}"
            for low, high in (result["intervals"][level] for level in _LEVELS)
        )
        lines.append(f"{'  95 % interval':<30} {bounds}")
    for subtask in dict.fromkeys(result["run"][:2] for result in results):
        for title, figures in (("paper's best run", _PAPER), ("best of all teams", _TRACK)):
            row = " ".join(
                f"{figures[subtask][level]:>8.2f}" if level in figures[subtask] else f"{'–':>8}"
                for level in _LEVELS
            )
            lines.append(f"{f'{subtask}, {title}':<30} {row}")
    lines.append(
        "The paper's and the teams' figures are of the track's own 400 test abstracts; rows are "
        "comparable only among those of one test set."
    )
    return lines
