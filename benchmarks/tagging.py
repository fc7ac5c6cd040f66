"""How well the tagger finds mentions (exact span and type), and how fast.

    python benchmarks/tagging.py Test.PubTator --data "BioRED Test" [--model FOLDER]

Tags the corpus's texts and compares with its mentions. Prints a table and adds the result to
benchmarks/results/tagging.json under the data's name: precision, recall and F1 by entity type with
95 % bootstrap intervals over documents, the same without the second look at each document, speed
on one thread, and every mention found (places and types, no text), so that anyone who has the
corpus can score it again.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from pathlib import Path

import numpy as np
from quality import machine, versions

from novelink.annotate.tagger import Tagger
from novelink.formats import read
from novelink.schema import BIORED
from novelink.scoring.bootstrap import f1_intervals

RESULTS = Path(__file__).parent / "results" / "tagging.json"
WARM_UP = 3  # documents
TYPES = (*BIORED.entity_types, "all")


def counts(gold, found):
    """[documents, types, 3]: true positives, false positives, false negatives."""
    rows = []
    for wanted, answer in zip(gold, found, strict=True):
        sides = [
            {(one.start, one.end, one.type) for one in document.mentions}
            for document in (wanted, answer)
        ]
        cells = []
        for kind in TYPES:
            left, right = ({one for one in side if kind in {"all", one[2]}} for side in sides)
            cells.append([len(left & right), len(right - left), len(left - right)])
        rows.append(cells)
    return np.array(rows, dtype=np.int64)


def scores(gold, found):
    """Type → figures in per cent."""
    cells = counts(gold, found)
    table = {}
    bounds = f1_intervals(cells)
    for kind, (right, wrong, missed), (low, high) in zip(
        TYPES, cells.sum(0).tolist(), bounds.tolist(), strict=True
    ):
        table[kind] = {
            "precision": round(100 * right / max(1, right + wrong), 2),
            "recall": round(100 * right / max(1, right + missed), 2),
            "f1": round(200 * right / max(1, 2 * right + wrong + missed), 2),
            "interval": [round(100 * low, 2), round(100 * high, 2)],
            "mentions": right + missed,
        }
    return table


def compact(result):
    """JSON with one line a document, so that a change shows as a line."""
    text = json.dumps(result, indent=1)
    for inner in (r"[^\[\]{}]*?", r"(?:\[[^\[\]]*\],?\s*)+"):
        lists = re.compile(rf"\[\n\s*({inner})\n?\s*\]")
        text = lists.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    return text + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--data", required=True, help="name of the data, e.g. 'BioRED Test'")
    parser.add_argument("--model", type=Path, help="model folder; default: the shipped tagger")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    gold = list(read(arguments.corpus))
    tagger = Tagger.load(arguments.model)
    list(tagger.tag(gold[:WARM_UP]))
    began, began_cpu = time.perf_counter(), time.process_time()
    found = list(tagger.tag(gold))
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    tagger.second_look = False
    once = scores(gold, tagger.tag(gold))
    result = {
        "model": tagger.bundle.name,
        "model_mb": round(tagger.bundle.size / 1e6, 1),
        "documents": len(gold),
        "scores": scores(gold, found),
        "f1_without_second_look": once["all"]["f1"],
        "threads": 1,
        "documents_per_second": round(len(gold) / seconds, 1),
        "documents_per_cpu_second": round(len(gold) / cpu, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "machine": machine(),
        "versions": versions(),
        "types": list(BIORED.entity_types),
        "mentions": {
            document.id: [
                [one.start, one.end, BIORED.entity_types.index(one.type)]
                for one in document.mentions
            ]
            for document in found
        },
    }
    for kind, values in result["scores"].items():
        print(f"{kind:<28}" + "  ".join(f"{key} {value}" for key, value in values.items()))
    print({key: result[key] for key in ("f1_without_second_look", "documents_per_second")})
    known = (
        json.loads(arguments.output.read_text(encoding="utf-8"))
        if arguments.output.exists()
        else {}
    )
    known[arguments.data] = result
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(compact(known), encoding="utf-8")


if __name__ == "__main__":
    main()
