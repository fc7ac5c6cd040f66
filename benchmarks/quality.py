"""Quality of a model on gold documents, beside the trivial answer, in one run.

    python benchmarks/quality.py Test.PubTator --model compact-pair --data "BioRED Test"

Writes benchmarks/results/quality-<model>-<data>.json: the four levels with
intervals, tables by type, calibration, the same for "every candidate pair is an
Association and Novel", machine, versions, and every prediction (ids only, no
text), so that anyone who has the corpus can score it again.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import time
from pathlib import Path

from novelink import Extractor, Relation, __version__, read, score
from novelink.pairs import candidate_pairs

RESULTS = Path(__file__).parent / "results"


def everything(document):
    """The document with all of its candidate pairs as novel associations."""
    pairs = candidate_pairs(document)
    return document.with_relations(
        Relation(*pair.ids, "Association", novelty="Novel") for pair in pairs
    )


def machine():
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
        processor = found.group(1) if found else processor
    return {"processor": processor, "cores": os.cpu_count(), "python": platform.python_version()}


def versions():
    names = ("numpy", "onnxruntime", "tokenizers")
    return {"novelink": __version__} | {name: importlib.metadata.version(name) for name in names}


def table(scores):
    kept = scores.to_dict()
    kept.pop("per_document", None)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gold")
    parser.add_argument("--model")
    parser.add_argument("--data", required=True, help="name of the data, e.g. 'BioRED Test'")
    parser.add_argument("--threads", type=int)
    chosen = parser.parse_args()

    gold = list(read(chosen.gold))
    extractor = Extractor.load(chosen.model, threads=chosen.threads)
    begun = time.perf_counter()
    predicted = list(extractor.extract(gold))
    seconds = time.perf_counter() - begun
    found = score(gold, predicted, schema=extractor.schema)
    trivial = score(gold, map(everything, gold), schema=extractor.schema)
    training = extractor.info.get("training", {})
    result = {
        "data": chosen.data,
        "model": extractor.name,
        "reading": extractor.info["reading"],
        "precision": extractor.info.get("precision"),
        "decision": extractor.info["decision"],
        "seed": training.get("settings", {}).get("optim", {}).get("seed"),
        "machine": machine(),
        "versions": versions(),
        "seconds": round(seconds, 1),
        "report": extractor.report.to_dict(),
        "scores": table(found),
        "all pairs as novel associations": {
            level: trivial[level].to_dict() for level in ("pair", "type", "novelty", "all")
        },
        "predictions": {
            document.id: [
                [item.id1, item.id2, item.type, item.novelty, item.score, item.novelty_score]
                for item in document.relations
            ]
            for document in predicted
        },
    }
    RESULTS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", f"{extractor.name} {chosen.data}").strip("-").lower()
    path = RESULTS / f"quality-{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for level in ("pair", "type", "novelty", "all"):
        low, high = found.intervals[level]
        print(
            f"{level:8} F1 {100 * found[level].f1:5.1f} ({100 * low:.1f}–{100 * high:.1f})   "
            f"all pairs as novel associations {100 * trivial[level].f1:5.1f}"
        )
    print(f"written to {path}")


if __name__ == "__main__":
    main()
