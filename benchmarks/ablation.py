"""What each part of the method is worth: one task, + CR, + EPT, + TNT, + FGM, a ten-fold vote.

    python benchmarks/ablation.py --data BioRED --encoder src/novelink/models/encoder \
        --work ../ablation --budget-minutes 60
    python benchmarks/ablation.py --render

Every row adds one thing to the row before it. Each model learns from Train; Dev chooses its epoch
and thresholds; Test is scored once. Rows without a novelty head take Novel / No from a one-task
novelty model of the same seed, so that the level "all" means the same in every row. The vote is
of ten models with the settings of "+ TNT", each trained on nine tenths of Train + Dev: it is
compared with the single model, and has the Dev documents to learn from besides. (Adversarial
steps would double the cost of ten models.) The vote of all runs costs no training: all models of
the other rows and seeds that are still in --work vote on relations, those with a novelty head on
novelty. It is the same for every seed, and compared with the single models of "+ TNT".

The table grows over many short calls. A run's figures are added to
benchmarks/results/ablation-READING.json as soon as it is done; a call trains what is missing, all
rows of seed 1 first, and stops when its minutes are over. Models stay in --work, where a run that
was stopped goes on; only figures go into the file. A file of another encoder, other data or other
settings is refused: rows would not compare. --render writes docs/ablation.md's tables and plots.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from ablation_results import LEVELS, ProtocolError, Results, sha256, text_of
from ablation_table import markdown, place_in_page, plot, summary

import novelink
from novelink import read, score
from novelink.ensemble import joint_decisions
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED
from novelink.training.crossval import CrossValidation
from novelink.training.loop import Trainer
from novelink.training.members import member_answer, voted_documents
from novelink.training.presets import ETAS
from novelink.training.selection import read_notes
from novelink.training.settings import (
    EncoderSettings,
    ModelSettings,
    OptimSettings,
    TaskSettings,
    TrainSettings,
)
from novelink.training.settings_file import override
from novelink.training.task_model import load_model
from novelink.wording import counted

ROOT = Path(__file__).resolve().parents[1]
READINGS = ("document", "pair")
NO_TASKS = {"coreference": 0.0, "pair_type": 0.0, "relation": 0.0, "novelty": 0.0}
_CR, _EPT = ({task: ETAS[0][task]} for task in ("coreference", "pair_type"))
_TNT = {"novelty": ETAS[0]["other"]}
ROWS = {
    "one task": {},
    "+ CR": _CR,
    "+ EPT": _CR | _EPT,
    "+ TNT": _CR | _EPT | _TNT,
    "+ FGM": _CR | _EPT | _TNT,
}
NOVELTY, VOTE, ALL = "one task, novelty", "ten-fold vote", "vote of all runs"
NAMES = {"one-task": "one task", "cr": "+ CR", "ept": "+ EPT", "tnt": "+ TNT", "fgm": "+ FGM"}
NAMES |= {"vote": VOTE, "all": ALL}
AGAINST = {
    "one task": None,
    "+ CR": "one task",
    "+ EPT": "+ CR",
    "+ TNT": "+ EPT",
    "+ FGM": "+ TNT",
    VOTE: "+ TNT",
    ALL: "+ TNT",
}


class TimeOverError(Exception):
    """The call's minutes are spent; what was trained is kept."""


def base_settings(given):
    """What all runs of a reading share: the recipes of the shipped models, with fewer epochs."""
    common = {"seed": 1, "head_rate": 5e-4, "threads": given.threads, "checkpoint_minutes": 1.0}
    if given.reading == "document":
        model = ModelSettings(reading="document", reading_layers=2)
        encoder = EncoderSettings(name=given.encoder, attention_dropout=0.0)
        optim = OptimSettings(epochs=4, rate=1e-4, batch_tokens=2048, evaluate_from=2, **common)
        tasks = TaskSettings()
    else:
        model = ModelSettings(reading="pair", pair_vector="cls+entities")
        encoder = EncoderSettings(name=given.encoder, dropout=0.0, attention_dropout=0.0)
        optim = OptimSettings(epochs=2, rate=1.2e-4, batch_tokens=6144, **common)
        tasks = TaskSettings(negatives_per_positive=1.5)
    settings = TrainSettings(encoder=encoder, model=model, optim=optim, tasks=tasks)
    return override(settings, given.set)


def row_settings(base, row, seed, epsilon):
    """The settings of one run."""
    if row == NOVELTY:
        tasks = replace(base.tasks, main="novelty", **NO_TASKS)
    else:
        weights = NO_TASKS | ROWS["+ TNT" if row == VOTE else row]
        tasks = replace(base.tasks, main="relation", **weights)
    fgm = epsilon if row == "+ FGM" else 0.0
    return replace(base, tasks=tasks, optim=replace(base.optim, seed=seed, fgm_epsilon=fgm))


def protocol_of(given, base):
    """What every run of a results file shares, in figures; no place on this machine is in it."""
    settings = base.to_dict()
    for key in ("output", "name", "data"):
        settings.pop(key)
    for key in ("seed", "threads", "checkpoint_minutes", "fgm_epsilon"):
        settings["optim"].pop(key)
    own = Path(novelink.__file__).parent / "models" / "encoder"
    folder = own if given.encoder == "embedded" else Path(given.encoder)
    weights = folder / "model.safetensors"
    settings["encoder"]["name"] = folder.name if folder.is_dir() else given.encoder
    return {
        "reading": given.reading,
        "settings": settings,
        "encoder_sha256": sha256(weights) if weights.exists() else None,
        "data_sha256": {name: sha256(given.files[name]) for name in given.files},
        "documents": given.documents,
        "rows": {row: NO_TASKS | weights for row, weights in ROWS.items()},
        "fgm_epsilon": given.epsilon,
        "folds": given.folds,
    }


class Clock:
    """Time of this call, and of each run over all calls, kept beside the run's model.

    Minutes, and minutes of cores, which other work on the machine does not stretch.
    """

    def __init__(self, budget):
        self.end = None if budget is None else time.monotonic() + 60 * budget
        self.file, self.before, self.begun = None, (0.0, 0.0), (0.0, 0.0)

    def begin(self, folder):
        """Start or go on with a run."""
        self.check()
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "time.txt"
        kept = self.file.read_text("ascii").split() if self.file.exists() else (0.0, 0.0)
        self.before = tuple(map(float, kept))
        self.begun = time.monotonic(), time.process_time()

    def tick(self, *_):
        """Once a step: note the time, and stop when it is over."""
        self.file.write_text(" ".join(map(str, self.times)), "ascii")
        self.check()

    def check(self):
        """Stop when the time is over."""
        if self.end is not None and time.monotonic() >= self.end:
            raise TimeOverError

    @property
    def times(self):
        """Minutes and core-minutes of the current run so far."""
        now = time.monotonic(), time.process_time()
        return tuple(
            before + (end - begun) / 60
            for before, end, begun in zip(self.before, now, self.begun, strict=True)
        )

    def figures(self):
        """The same, as a run's figures."""
        minutes, cores = self.times
        return {"minutes": round(minutes, 3), "core_minutes": round(cores, 3)}


class Ablation:
    """Trains, scores and stores what is missing."""

    def __init__(self, given, log):
        self.given, self.log = given, log
        self.base = base_settings(given)
        self.results = Results(given.output, protocol_of(given, self.base))
        self.clock = Clock(given.budget_minutes)
        self.work = given.work / given.reading
        parts = {name: list(read(path)) for name, path in given.files.items()}
        if given.documents:
            parts = {name: part[: given.documents] for name, part in parts.items()}
        self.train, self.dev, self.test = (parts[name] for name in ("train", "dev", "test"))

    def run(self):
        """All chosen rows, one seed after the other."""
        for seed in self.given.seeds:
            for row in self.given.rows:
                if not self.results.find(row, seed):
                    if row == VOTE:
                        self.vote(seed)
                    elif row != ALL:
                        self.single(row, seed)
        if ALL in self.given.rows:
            self.vote_of_all()

    def single(self, row, seed):
        """One model."""
        settings = row_settings(self.base, row, seed, self.given.epsilon)
        novel = None
        if row != NOVELTY and not settings.tasks.novelty:
            if not self.results.find(NOVELTY, seed):
                self.single(NOVELTY, seed)
            novel = self.results.find(NOVELTY, seed)["novel"]
        folder = self.folder(row, seed)
        title = f"{row}, seed {seed}"
        self.clock.begin(folder)
        trainer = Trainer(
            replace(settings, output=str(folder)),
            self.train,
            self.dev,
            log=lambda line: self.log(f"{title}: {line}"),
            progress=self.clock.tick,
        )
        trainer.run()
        best = folder / "best"
        run = {"row": row, "seed": seed, **self.facts(best, self.train)}
        for name, documents in (("dev", self.dev), ("test", self.test)):
            answer = member_answer(best, documents, precision=settings.optim.precision)
            if row == NOVELTY:
                run.setdefault("novel", {})[name] = novelty_votes(documents, answer)
            else:
                own = [answer] if settings.tasks.novelty else []
                found = voted_documents(documents, [answer], own, BIORED)
                if novel:
                    found = with_novelty(documents, found, novel[name])
                self.scored(run, name, documents, found)
        if row == NOVELTY:
            run["dev"] = read_notes(best)["dev"]
        self.store(run, title)

    def vote(self, seed):
        """Models of all folds, then their vote."""
        settings = row_settings(self.base, VOTE, 100 * seed, self.given.epsilon)
        cross = CrossValidation(
            settings,
            [*self.train, *self.dev],
            self.work / f"folds-{seed}",
            folds=self.given.folds,
            log=lambda line: self.log(f"{VOTE}, seed {seed}: {line}"),
            progress=self.clock.tick,
        )
        answers, parts = [], []
        for number in cross.numbers:
            self.clock.begin(cross.folder(number))
            cross.run(number)
            answers.append(member_answer(cross.model(number), self.test))
            stored = self.results.find(VOTE, seed, number)
            if not stored:
                train, _ = cross.folds.split(cross.documents, number - 1)
                stored = {"row": VOTE, "seed": seed, "fold": number}
                stored |= self.facts(cross.model(number), train)
                stored["held_out"] = read_notes(cross.model(number))["dev"]
                found = voted_documents(self.test, answers[-1:], answers[-1:], BIORED)
                self.scored(stored, "test", self.test, found)
                self.store(stored, f"{VOTE}, seed {seed}, fold {number}")
            parts.append(stored)
        run = {"row": VOTE, "seed": seed, **about()}
        for key in ("minutes", "core_minutes"):
            run[key] = round(sum(part[key] for part in parts), 3)
        run["held_out"] = cross.summary()["levels"]
        found = voted_documents(self.test, answers, answers, BIORED)
        self.scored(run, "test", self.test, found)
        self.store(run, f"{VOTE}, seed {seed}")

    def folder(self, row, seed):
        """Where a single model is trained."""
        return self.work / f"{re.sub('[^a-z]+', '-', row.lower()).strip('-')}-{seed}"

    def vote_of_all(self):
        """Let the models of all rows and seeds vote, once they are there; anew when there are more.

        The figures are stored once for each seed of "+ TNT", so that the gain is that over the
        mean single model.
        """
        singles = [
            run
            for run in self.results.runs
            if run["row"] in (*ROWS, NOVELTY) and not run.get("fold")
        ]
        named = [[run["row"], run["seed"]] for run in singles]
        kept = self.results.find(ALL, 1)
        if kept and kept["members"] == named:
            return
        folders = [self.folder(*one) / "best" for one in named]
        gone = [folder.parent.name for folder in folders if not folder.exists()]
        if gone or not self.results.seeds("+ TNT"):
            self.log(f"{ALL}: not made, {', '.join(gone) or 'no model of + TNT'} is not in --work")
            return
        # It trains nothing: the machine is that of the models.
        run = {"members": named, **{key: singles[0][key] for key in ("machine", "versions")}}
        for key in ("minutes", "core_minutes"):
            run[key] = round(sum(one[key] for one in singles), 3)
        for name, documents in (("dev", self.dev), ("test", self.test)):
            answers = [member_answer(folder, documents) for folder in folders]
            relation = [
                answer for answer, (row, _) in zip(answers, named, strict=True) if row != NOVELTY
            ]
            novelty = [
                answer
                for answer, (row, _) in zip(answers, named, strict=True)
                if row == NOVELTY or "novelty" in ROWS[row]
            ]
            self.scored(run, name, documents, voted_documents(documents, relation, novelty, BIORED))
        for seed in self.results.seeds("+ TNT"):
            self.store({"row": ALL, "seed": seed, **run}, f"{ALL} ({len(named)}), seed {seed}")

    def facts(self, best, train):
        """Epoch, thresholds, time, tokens and surroundings of a trained model."""
        notes, folder = read_notes(best), best.parent
        epochs = len((folder / "metrics.jsonl").read_text("utf-8").splitlines())
        model = load_model(best)
        samples, settings = model.samples(train), model.settings
        tokens = sum(
            int(samples.lengths[indices].sum())
            for indices in (
                samples.epoch(
                    negatives_per_positive=settings.tasks.negatives_per_positive,
                    seed=settings.optim.seed,
                    epoch=epoch,
                )
                for epoch in range(epochs)
            )
        )
        return {
            "epoch": notes["epoch"],
            "epochs": epochs,
            "decision": notes["decision"],
            **self.clock.figures(),
            "tokens": tokens * (2 if settings.optim.fgm_epsilon else 1),
            **about(settings),
        }

    def scored(self, run, name, documents, found):
        """Add the scores of Dev or Test to a run, for Test the counts of each document too."""
        scores = score(documents, found, resamples=0)
        run[name] = {
            level: {key: scores[level].to_dict()[key] for key in ("precision", "recall", "f1")}
            for level in LEVELS
        }
        if name == "test":
            rows = [one.levels for one in scores.per_document]
            run["hits"] = {level: text_of(row[level].tp for row in rows) for level in LEVELS}
            run["found"] = {
                level: text_of(row[level].predicted for row in rows) for level in LEVELS
            }

    def store(self, run, title):
        """Write a run to the results file."""
        nothing = [document.with_relations(()) for document in self.test]
        rows = [one.levels for one in score(self.test, nothing, resamples=0).per_document]
        gold = {level: text_of(row[level].gold for row in rows) for level in LEVELS}
        self.results.add(run, gold)
        figure = (
            f"Test all {100 * run['test']['all']['f1']:.2f}" if "test" in run else "no relations"
        )
        self.log(f"{title}: done in {run['minutes']:.1f} minutes, {figure}")


def novelty_votes(documents, answer):
    """A novelty model's votes, one character a candidate pair: 1 is Novel, 0 is No.

    It is all that other rows need of the model, so these outlive its weights.
    """
    types = [pair.pair_type for document in documents for pair in candidate_pairs(document)]
    decisions = joint_decisions([answer], [answer], types, BIORED)
    return "".join("1" if one.novelty == "Novel" else "0" for one in decisions)


def with_novelty(documents, found, bits):
    """Found relations with the novelty that :func:`novelty_votes` wrote."""
    begin, joined = 0, []
    for document, answered in zip(documents, found, strict=True):
        pairs = candidate_pairs(document.with_relations(()))
        labels = {
            frozenset((pair.first.id, pair.second.id)): "Novel" if bit == "1" else "No"
            for pair, bit in zip(pairs, bits[begin : begin + len(pairs)], strict=True)
        }
        begin += len(pairs)
        joined.append(
            answered.with_relations(
                replace(one, novelty=labels[frozenset((one.id1, one.id2))])
                for one in answered.relations
            )
        )
    return joined


def about(settings=None):
    """The machine and the versions of what ran."""
    import torch

    from novelink.training.precision import use_bf16

    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
        processor = named.group(1) if named else processor
    has_gpu = torch.cuda.is_available()
    machine = {
        "processor": processor,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if has_gpu else None,
    }
    if settings:
        device = torch.device("cuda" if has_gpu else "cpu")
        machine["bf16"] = use_bf16(settings.optim.precision, device)
    names = ("novelink", "torch", "transformers", "accelerate")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"machine": machine, "versions": {"python": platform.python_version(), **versions}}


def results_path(reading):
    """Where the figures of a reading are kept."""
    return ROOT / "benchmarks" / "results" / f"ablation-{reading}.json"


def render(page, paths, images):
    """Write tables and plots of all readings that have runs into a page and beside it."""
    text = page.read_text("utf-8")
    for reading, path in paths.items():
        results = Results(path)
        entries = summary(results, AGAINST)
        if not any(entry["seeds"] for entry in entries):
            text = place_in_page(text, f"ablation-{reading}", "Not run yet.")
            continue
        images.mkdir(parents=True, exist_ok=True)
        (images / f"ablation-{reading}.svg").write_text(plot(entries), "utf-8")
        picture = f"![F1 of each row, {reading} reading](images/ablation-{reading}.svg)"
        content = f"{markdown(entries)}\n{protocol_line(results)}\n\n{picture}"
        text = place_in_page(text, f"ablation-{reading}", content)
    page.write_text(text, "utf-8")


def protocol_line(results):
    """One sentence on what the runs of a file share, and where they ran."""
    kept = results.protocol
    optim = kept["settings"]["optim"]
    machines = {
        one["machine"]["gpu"]
        or f"{one['machine']['processor']}, {counted(one['machine']['threads'], 'thread')}"
        for one in results.runs
    }
    limit = f"; the first {kept['documents']} documents of each part" if kept["documents"] else ""
    encoder = f"`{kept['settings']['encoder']['name']}` (sha256 {str(kept['encoder_sha256'])[:12]})"
    return (
        f"{optim['epochs']} epochs, rate {optim['rate']:g}, {optim['batch_tokens']} tokens a "
        f"batch, ε = {kept['fgm_epsilon']:g} for FGM; encoder {encoder}{limit}. "
        f"On {'; '.join(sorted(machines))}."
    )


def arguments(given=None):
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of Train, Dev and Test .PubTator")
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--reading", choices=READINGS, default="document")
    parser.add_argument("--rows", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--budget-minutes", type=float, help="stop after so long; nothing is lost")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--epsilon", type=float, default=1.0, help="of adversarial training")
    parser.add_argument("--documents", type=int, help="only the first so many of each file")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--work", type=Path, default=Path("runs/ablation"), help="for models")
    parser.add_argument("--output", type=Path, help="results file, in place of the usual one")
    parser.add_argument("--render", action="store_true", help="write docs/ablation.md, and stop")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "ablation.md")
    found = parser.parse_args(given)
    if not found.render and not found.data:
        parser.error("--data is missing")
    found.rows = [NAMES[name] for name in NAMES if name in found.rows]
    if found.data:
        parts = ("train", "dev", "test")
        found.files = {name: found.data / f"{name.title()}.PubTator" for name in parts}
    return found


def main(given=None):
    given = arguments(given)
    if given.render:
        paths = {reading: results_path(reading) for reading in READINGS}
        if given.output:
            paths = {given.reading: given.output}
        render(given.page, paths, given.page.parent / "images")
        return 0
    given.output = given.output or results_path(given.reading)
    try:
        ablation = Ablation(given, log=lambda line: print(line, file=sys.stderr, flush=True))
    except ProtocolError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        ablation.run()
    except TimeOverError:
        print("the minutes of this call are over; the same command goes on", file=sys.stderr)
    entries = summary(ablation.results, AGAINST)
    print(markdown(entries), end="")
    left = {entry["row"]: [s for s in given.seeds if s not in entry["seeds"]] for entry in entries}
    missing = {row: seeds for row, seeds in left.items() if seeds and row in given.rows}
    print(json.dumps({"missing seeds": missing}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
