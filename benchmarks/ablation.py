"""What each part of the method is worth: one-task, + CR, + EPT, + TNT, + FGM, and ten-fold votes.

    python benchmarks/ablation.py --train Train.PubTator --dev Dev.PubTator --test Test.PubTator \
        --encoder runs/encoder/encoder --reading document --seeds 3

Every row adds one thing to the row before it. Each model learns from Train; Dev chooses its epoch
and thresholds; Test is scored once. Rows without a novelty head take Novel / No from a one-task
novelty model of the same seed, so that the level "all" means the same in every row. The fold row
votes over models of the last setting, each trained on nine tenths of Train + Dev.

Everything is kept in --work and goes on where it was stopped. Writes
benchmarks/results/ablation-<reading>.json, a table (.md) and a plot (.svg) beside it. Intervals
are 95 % bootstraps over documents; a difference is between a row and the row before it, over the
same documents and the same seeds.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import sys
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np

from novelink import __version__, read, score
from novelink.schema import BIORED
from novelink.training.crossval import CrossValidation
from novelink.training.loop import Trainer
from novelink.training.members import member_answer, voted_documents
from novelink.training.selection import SELECTION
from novelink.training.settings import (
    EncoderSettings,
    ModelSettings,
    OptimSettings,
    TaskSettings,
    TrainSettings,
    override,
)

RESULTS = Path(__file__).parent / "results"
LEVELS = ("pair", "type", "novelty", "all")
RESAMPLES = 2000

OFF = {"coreference": 0.0, "pair_type": 0.0, "relation": 0.0, "novelty": 0.0}
ROWS = {
    "one task": {},
    "+ CR": {"coreference": 0.2},
    "+ EPT": {"coreference": 0.2, "pair_type": 0.2},
    "+ TNT": {"coreference": 0.2, "pair_type": 0.2, "novelty": 0.5},
    "+ FGM": {"coreference": 0.2, "pair_type": 0.2, "novelty": 0.5},
}
FOLD_ROW = "ten-fold vote"


def slug(row):
    return re.sub(r"[^a-z]+", "-", row.lower()).strip("-")


def base_settings(given):
    settings = TrainSettings(
        encoder=EncoderSettings(name=given.encoder),
        model=ModelSettings(reading=given.reading),
        optim=OptimSettings(
            epochs=given.epochs, rate=1e-4, head_rate=5e-4, threads=given.threads, evaluate_from=2
        ),
    )
    return override(settings, given.set)


def row_settings(base, row, seed, epsilon):
    tasks = replace(base.tasks, main="relation", **(OFF | ROWS[row]))
    fgm = epsilon if row == "+ FGM" else 0.0
    return replace(base, tasks=tasks, optim=replace(base.optim, seed=seed, fgm_epsilon=fgm))


def novelty_settings(base, seed):
    tasks: TaskSettings = replace(base.tasks, main="novelty", **OFF)
    return replace(base, tasks=tasks, optim=replace(base.optim, seed=seed))


def trained(settings, folder, train, dev, log):
    """The folder of a model, trained unless it is there."""
    if not (folder / "done").exists():
        settings = replace(settings, output=str(folder))
        Trainer(settings, train, dev, log=lambda line: log(f"{folder.name}: {line}")).run()
        (folder / "done").touch()
    return folder / "best"


def documents_counts(gold, found):
    """``[documents, levels, (tp, fp, fn)]`` and the scores."""
    scores = score(gold, found, resamples=RESAMPLES)
    rows = [
        [(one.levels[level].tp, one.levels[level].fp, one.levels[level].fn) for level in LEVELS]
        for one in scores.per_document
    ]
    return np.array(rows, dtype=np.int64), scores


def f1(counts):
    """F1 of summed counts ``[…, 3]``."""
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    return 2 * tp / np.maximum(1, 2 * tp + fp + fn)


def interval(tables, before=None):
    """95 % bootstrap interval of the mean F1 over seeds, or of its difference to another row's.

    Tables are ``[seeds, documents, levels, 3]``; documents are drawn once for all seeds and both
    rows.
    """
    generator = np.random.default_rng(0)
    documents = tables.shape[1]
    values = []
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, documents, documents)
        value = f1(tables[:, drawn].sum(1)).mean(0)
        if before is not None:
            value = value - f1(before[:, drawn].sum(1)).mean(0)
        values.append(value)
    return np.quantile(values, [0.025, 0.975], axis=0)


def measure(given, log):
    train, dev, test = (list(read(path)) for path in (given.train, given.dev, given.test))
    if given.documents:
        train, dev, test = (part[: given.documents] for part in (train, dev, test))
    base = base_settings(given)
    rows, counts, before = [], {}, None
    for row in [*ROWS, *([FOLD_ROW] if given.folds else [])]:
        tables, runs = [], []
        for seed in range(1, given.seeds + 1):
            novelty_folder = given.work / f"novelty-{seed}"
            novelty = trained(novelty_settings(base, seed), novelty_folder, train, dev, log)
            if row == FOLD_ROW:
                settings = row_settings(base, "+ FGM", seed * 100, given.epsilon)
                cross = CrossValidation(
                    settings,
                    [*train, *dev],
                    given.work / f"folds-{seed}",
                    folds=given.folds,
                    log=log,
                )
                for number in cross.numbers:
                    cross.run(number)
                members = [member_answer(cross.model(number), test) for number in cross.numbers]
                dev_scores = None
            else:
                settings = row_settings(base, row, seed, given.epsilon)
                folder = given.work / f"{slug(row)}-{seed}"
                best = trained(settings, folder, train, dev, log)
                members = [member_answer(best, test)]
                dev_scores = json.loads((best / SELECTION).read_text("utf-8"))["dev"]
            own_novelty = settings.tasks.novelty > 0
            voters = members if own_novelty else [member_answer(novelty, test)]
            found = voted_documents(test, members, voters, BIORED)
            table, scores = documents_counts(test, found)
            tables.append(table)
            runs.append(
                {
                    "seed": seed,
                    "test": {level: scores[level].to_dict() for level in LEVELS},
                    "dev": dev_scores,
                }
            )
            log(f"{row}, seed {seed}: all {100 * scores['all'].f1:.2f}")
        counts[row] = np.stack(tables)
        values = f1(counts[row].sum(1))
        bounds = interval(counts[row])
        entry = {"row": row, "runs": runs, "levels": {}}
        for place, level in enumerate(LEVELS):
            entry["levels"][level] = {
                "mean": float(values[:, place].mean()),
                "lowest": float(values[:, place].min()),
                "highest": float(values[:, place].max()),
                "interval": [float(bound) for bound in bounds[:, place]],
            }
        if before is not None:
            gains = interval(counts[row], counts[before])
            means = values.mean(0) - f1(counts[before].sum(1)).mean(0)
            for place, level in enumerate(LEVELS):
                entry["levels"][level] |= {
                    "gain": float(means[place]),
                    "gain_interval": [float(bound) for bound in gains[:, place]],
                }
        rows.append(entry)
        before = row
    return rows


def markdown(rows):
    """A table of means with intervals, and of gains over the row before."""
    lines = ["| row | pair | type | novelty | all | gain in all |", "|---|---|---|---|---|---|"]
    for entry in rows:
        cells = []
        for level in LEVELS:
            found = entry["levels"][level]
            low, high = found["interval"]
            cells.append(f"{100 * found['mean']:.1f} ({100 * low:.1f}–{100 * high:.1f})")
        gain = "–"
        if "gain" in entry["levels"]["all"]:
            found = entry["levels"]["all"]
            low, high = found["gain_interval"]
            gain = f"{100 * found['gain']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        lines.append(f"| {entry['row']} | {' | '.join(cells)} | {gain} |")
    return "\n".join(lines) + "\n"


def plot(rows, level="all"):
    """Dots of single runs, a bar for the interval of their mean."""
    values = [run["test"][level]["f1"] for entry in rows for run in entry["runs"]]
    bounds = [bound for entry in rows for bound in entry["levels"][level]["interval"]]
    low, high = min(values + bounds), max(values + bounds)
    span = max(1e-6, high - low)

    def across(value):
        return 130 + 420 * (value - low) / span

    height = 40 * len(rows) + 50
    frame = f'viewBox="0 0 600 {height}" font-size="13" font-family="sans-serif" role="img"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
        f"<title>F1 at the level {level}, Test</title>",
    ]
    for place, entry in enumerate(rows):
        line = 30 + 40 * place
        found = entry["levels"][level]
        left, right = map(across, found["interval"])
        parts.append(
            f'<text x="120" y="{line + 4}" text-anchor="end">{escape(entry["row"])}</text>'
        )
        parts.append(
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{line}" y2="{line}" stroke="#9bb" '
            'stroke-width="8"/>'
        )
        parts.extend(
            f'<circle cx="{across(run["test"][level]["f1"]):.1f}" cy="{line}" r="3.5" fill="#246"/>'
            for run in entry["runs"]
        )
        parts.append(
            f'<text x="{across(found["mean"]):.1f}" y="{line - 9}" text-anchor="middle">'
            f"{100 * found['mean']:.1f}</text>"
        )
    foot = f"F1 in %, level {level}: dots are runs, bars 95 % intervals of the mean"
    parts.append(f'<text x="130" y="{height - 12}" fill="#555">{foot}</text></svg>')
    return "\n".join(parts) + "\n"


def machine():
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"processor": platform.processor(), "cores": os.cpu_count(), "gpu": device}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "dev", "test"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--reading", choices=("pair", "document"), default="document")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folds", type=int, default=10, help="0 leaves the fold row out")
    parser.add_argument("--epsilon", type=float, default=1.0, help="of adversarial training")
    parser.add_argument("--documents", type=int, help="only the first so many of each file")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--work", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--output", type=Path, help="default: benchmarks/results")
    given = parser.parse_args()
    rows = measure(given, log=lambda line: print(line, file=sys.stderr))
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
    result = {
        "machine": machine(),
        "versions": {"novelink": __version__, **versions},
        "settings": {
            "encoder": Path(given.encoder).name,
            "reading": given.reading,
            "epochs": given.epochs,
            "epsilon": given.epsilon,
            "folds": given.folds,
            "documents": given.documents,
            "changes": given.set,
        },
        "rows": rows,
    }
    folder = given.output or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"ablation-{given.reading}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(markdown(rows), encoding="utf-8")
    stem.with_suffix(".svg").write_text(plot(rows), encoding="utf-8")
    print(markdown(rows), end="")


if __name__ == "__main__":
    main()
