"""From plain text to relations, offline: how good, and how fast.

    python benchmarks/end_to_end.py Test.PubTator --data "BioRED Test" --lexicon NAME=FOLDER \
        --model compact --model compact-pair --threads 2

Of each document only title and abstract are kept. The tagger finds the mentions, the lexicon gives
them ids (`--known-only`: what it does not know takes no part in relations), the model relates them,
and all of it is scored against the corpus as `novelink evaluate --end-to-end` does: recognition
(span and type), normalisation (ids of each document) by entity type, and the four levels of
relations with 95 % bootstrap intervals.

Speed is that of the first model named, on the same texts in the same run, in turns, best of
several passes:

tag         the tagger alone
link        the lexicon alone, opened anew each time so that no name is remembered
relate      the model alone, entities found
end_to_end  all three, as `novelink extract` runs them, the lexicon opened anew
ratio       end_to_end against relate

Adds to benchmarks/results/end-to-end-<data>.json, for each lexicon and model: scores, speed,
machine, and every mention, id and relation found (no text), so that anyone who has the corpus can
score them again. `--only quality` and `--only speed` leave the other part as it was.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path

from quality import LEVELS, machine, versions
from tagging import compact

from novelink import Document, Extractor, read, score
from novelink.annotate.lexicon import Lexicon
from novelink.annotate.linking import Linker
from novelink.annotate.tagger import Tagger
from novelink.scoring.entities import STEPS

RESULTS = Path(__file__).parent / "results"
WARM_UP = 5  # documents


def bare(document):
    """Title and abstract, and nothing else."""
    return Document(document.id, document.passages)


def found_in(document, types):
    """Mentions and relations without text; ids of a mention share one string."""
    return {
        "mentions": [
            [one.start, one.end, types.index(one.type), ",".join(one.concept_ids)]
            for one in document.mentions
        ],
        "relations": [
            [one.id1, one.id2, one.type, one.novelty, one.score] for one in document.relations
        ],
    }


def quality(gold, annotated, extractor):
    """Scores of one model over documents whose entities were found."""
    found = list(extractor.extract(annotated))
    scores = score(gold, found, schema=extractor.schema, end_to_end=True)
    return {
        "relations": {
            level: scores[level].to_dict()
            | {"interval": [round(bound, 4) for bound in scores.intervals[level]]}
            for level in LEVELS
        },
        "unreachable": scores.unreachable,
        "entities": scores.entities.to_dict(),
        "report": extractor.report.to_dict(),
        "predictions": {
            document.id: found_in(document, extractor.schema.entity_types) for document in found
        },
    }


def seconds(step):
    """Wall and CPU seconds of running a step to its end."""
    began, began_cpu = time.perf_counter(), time.process_time()
    results = list(step())
    return time.perf_counter() - began, time.process_time() - began_cpu, results


def speed(texts, tagger, folder, extractor, repeats):
    """Documents a second of each step and of all together."""

    def end_to_end():
        linker = Linker(Lexicon.open(folder), known_only=True)
        return extractor.extract(tagger.tag(texts, linker.link_document))

    tagged = list(tagger.tag(texts))
    linked = list(Linker(Lexicon.open(folder), known_only=True).link(tagged))
    list(extractor.extract(linked[:WARM_UP]))
    steps = {
        "tag": lambda: tagger.tag(texts),
        "link": lambda: Linker(Lexicon.open(folder), known_only=True).link(tagged),
        "relate": lambda: extractor.extract(linked),
        "end_to_end": end_to_end,
    }
    times = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            times[name].append(seconds(step)[:2])
    table = {}
    for name, passes in times.items():
        wall, cpu = min(one for one, _ in passes), min(one for _, one in passes)
        table[name] = {
            "documents_per_second": round(len(texts) / wall, 1),
            "cpu_ms_per_document": round(1000 * cpu / len(texts), 1),
            "all_passes_seconds": [round(one, 2) for one, _ in passes],
        }
    rate = {name: one["documents_per_second"] for name, one in table.items()}
    return {
        "model": extractor.name,
        "threads": extractor.threads,
        "documents": len(texts),
        "ratio": round(rate["end_to_end"] / rate["relate"], 3),
        "steps": table,
        "machine": machine(),
        "versions": versions(),
    }


def show(name, result):
    """A table for people."""
    print(name)
    for step in STEPS:
        print(f"  {step:14} F1 {100 * result['entities'][step]['f1']:5.1f}")
    for level in LEVELS:
        one = result["relations"][level]
        low, high = one["interval"]
        print(f"  {level:14} F1 {100 * one['f1']:5.1f} ({100 * low:.1f}–{100 * high:.1f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--data", required=True, help="name of the data, e.g. 'BioRED Test'")
    parser.add_argument("--lexicon", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--model", action="append", default=[], help="repeatable")
    parser.add_argument("--tagger", type=Path, help="model folder; default: the shipped tagger")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("quality", "speed"))
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()

    gold = list(read(chosen.corpus))
    texts = [bare(document) for document in gold]
    tagger = Tagger.load(chosen.tagger, threads=chosen.threads)
    models = [Extractor.load(name, threads=chosen.threads) for name in chosen.model or ["compact"]]
    lexicons = {
        name or Path(folder).name: folder
        for name, _, folder in (text.rpartition("=") for text in chosen.lexicon)
    }
    name = re.sub(r"\W+", "-", f"end to end {chosen.data}").strip("-").lower()
    path = chosen.output / f"{name}.json"
    result = json.loads(path.read_text("utf-8")) if path.exists() else {}
    result |= {"data": chosen.data, "documents": len(gold), "tagger": tagger.bundle.name}
    result["types"] = list(models[0].schema.entity_types)
    if chosen.only != "speed":
        for lexicon, folder in lexicons.items():
            linker = Linker(Lexicon.open(folder), known_only=True)
            annotated = list(tagger.tag(texts, linker.link_document))
            for model in models:
                found = quality(gold, annotated, model)
                found["sources"] = [
                    item["file"] for item in Lexicon.open(folder).description["sources"]
                ]
                result.setdefault("quality", {}).setdefault(lexicon, {})[model.name] = found
                show(f"{lexicon}, {model.name}", found)
    if chosen.only != "quality":
        folder = next(iter(lexicons.values()))
        result["speed"] = speed(texts, tagger, folder, models[0], chosen.repeats)
        for step, one in result["speed"]["steps"].items():
            print(f"{step:10} {one['documents_per_second']:7.1f} documents a second")
        print(f"ratio      {result['speed']['ratio']:7.3f}")
    chosen.output.mkdir(parents=True, exist_ok=True)
    path.write_text(compact(result), encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
