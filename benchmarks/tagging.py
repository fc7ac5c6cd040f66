"""How well the tagger finds mentions (exact span and type), and how fast.

    python benchmarks/tagging.py CORPUS [--model FOLDER] [--name TEXT]

Tags the corpus's texts and compares with its mentions. Prints a table and adds the result to
benchmarks/results/tagging.json under the corpus's name.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections import Counter
from pathlib import Path

from novelink.annotate.tagger import Tagger
from novelink.formats import read

RESULTS = Path(__file__).parent / "results" / "tagging.json"
WARM_UP = 3  # documents


def scores(gold, found):
    counts = {name: Counter() for name in ("gold", "found", "right")}
    for wanted, answer in zip(gold, found, strict=True):
        sets = {
            name: {(mention.start, mention.end, mention.type) for mention in document.mentions}
            for name, document in (("gold", wanted), ("found", answer))
        }
        for name, members in (*sets.items(), ("right", sets["gold"] & sets["found"])):
            counts[name].update(kind for _, _, kind in members)
            counts[name]["all"] += len(members)
    return {
        kind: {
            "precision": round(100 * counts["right"][kind] / max(1, counts["found"][kind]), 2),
            "recall": round(100 * counts["right"][kind] / max(1, counts["gold"][kind]), 2),
            "f1": round(
                200 * counts["right"][kind] / max(1, counts["found"][kind] + counts["gold"][kind]),
                2,
            ),
            "mentions": counts["gold"][kind],
        }
        for kind in sorted(counts["gold"], key=lambda kind: (kind == "all", -counts["gold"][kind]))
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
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
    result = {
        "model": tagger.bundle.name,
        "documents": len(gold),
        "scores": scores(gold, found),
        "without_second_look_f1": scores(gold, tagger.tag(gold))["all"]["f1"],
        "threads": 1,
        "documents_per_second": round(len(gold) / seconds, 1),
        "documents_per_cpu_second": round(len(gold) / cpu, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "machine": platform.processor() or platform.machine(),
        "model_mb": round(tagger.bundle.size / 1e6, 1),
    }
    for kind, values in result["scores"].items():
        print(f"{kind:<28}" + "  ".join(f"{key} {value}" for key, value in values.items()))
    print({key: value for key, value in result.items() if key != "scores"})
    known = (
        json.loads(arguments.output.read_text(encoding="utf-8"))
        if arguments.output.exists()
        else {}
    )
    known[arguments.corpus.name] = result
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
