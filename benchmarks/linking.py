"""How often mentions get their gold concept id, by entity type, and how fast.

    python benchmarks/linking.py CORPUS --lexicon NAME=FOLDER [--lexicon NAME=FOLDER …]

Mentions and types are the corpus's own; their ids are taken away and given anew. For each lexicon:

- accuracy: mentions whose ids are exactly the gold ones, of those that have gold ids;
- any: mentions that share at least one id with gold;
- precision, recall, F1 of the sets of ids of each document, as the end-to-end evaluation counts;
- reachable: mentions of which a gold id is in the lexicon at all;
- milliseconds a mention, the first time a name is looked up and once it is remembered.

Prints a table and writes benchmarks/results/linking.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from novelink.annotate.lexicon import Lexicon
from novelink.annotate.lexicon.record import KINDS
from novelink.annotate.linking import Linker
from novelink.annotate.linking.local import PREFIX
from novelink.formats import read
from novelink.schema import BIORED, VARIANT

RESULTS = Path(__file__).parent / "results" / "linking.json"


def measure(documents, lexicon):
    bare = [
        document.with_mentions(
            replace(mention, concept_ids=(), source_id=None) for mention in document.mentions
        )
        for document in documents
    ]
    times = []
    for _ in range(2):
        began = time.process_time()
        linked = list(Linker(lexicon).link(bare))
        times.append(time.process_time() - began)
    mentions = sum(len(document.mentions) for document in documents)
    names = ("mentions", "exact", "any", "reachable", "local", "right", "found", "gold")
    counts = {name: Counter() for name in names}
    for gold, answer in zip(documents, linked, strict=True):
        sets = {"gold": set(), "found": set()}
        for one, other in zip(gold.mentions, answer.mentions, strict=True):
            if not one.concept_ids:
                continue
            kind = one.type
            wanted, given = set(one.concept_ids), set(other.concept_ids)
            counts["mentions"][kind] += 1
            counts["exact"][kind] += wanted == given
            counts["any"][kind] += bool(wanted & given)
            counts["local"][kind] += any(concept.startswith(PREFIX) for concept in given)
            counts["reachable"][kind] += reachable(lexicon, kind, wanted)
            sets["gold"] |= {(kind, concept) for concept in wanted}
            sets["found"] |= {(kind, item) for item in given if not item.startswith(PREFIX)}
        for name, members in (*sets.items(), ("right", sets["gold"] & sets["found"])):
            for kind, _ in members:
                counts[name][kind] += 1
    for counter in counts.values():
        counter["all"] = counter.total()
    return {
        "types": {kind: row(counts, kind) for kind in (*BIORED.entity_types, "all")},
        "ms_per_mention_first": round(1000 * times[0] / mentions, 3),
        "ms_per_mention_remembered": round(1000 * times[1] / mentions, 3),
    }


def reachable(lexicon, kind, concepts):
    if kind == VARIANT:
        return True
    return any(lexicon.names(KINDS[kind], concept) for concept in concepts)


def row(counts, kind):
    mentions = max(1, counts["mentions"][kind])
    right, found, gold = (counts[name][kind] for name in ("right", "found", "gold"))
    return {
        "mentions": counts["mentions"][kind],
        "accuracy": round(100 * counts["exact"][kind] / mentions, 1),
        "any": round(100 * counts["any"][kind] / mentions, 1),
        "reachable": round(100 * counts["reachable"][kind] / mentions, 1),
        "local": round(100 * counts["local"][kind] / mentions, 1),
        "precision": round(100 * right / max(1, found), 1),
        "recall": round(100 * right / max(1, gold), 1),
        "f1": round(200 * right / max(1, found + gold), 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--lexicon", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    documents = list(read(arguments.corpus))
    results = {}
    for text in arguments.lexicon:
        name, _, folder = text.rpartition("=")
        lexicon = Lexicon.open(folder)
        results[name or Path(folder).name] = {
            **measure(documents, lexicon),
            "index_mb": round((Path(folder) / "lexicon.sqlite").stat().st_size / 1e6),
            "sources": [item["file"] for item in lexicon.description["sources"]],
        }
    report = {
        "corpus": arguments.corpus.name,
        "documents": len(documents),
        "machine": platform.processor() or platform.machine(),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "lexicons": results,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, result in results.items():
        print(f"{name}: {result['ms_per_mention_first']} ms a mention the first time")
        for kind, values in result["types"].items():
            print(f"  {kind:<28}" + "  ".join(f"{key} {value}" for key, value in values.items()))


if __name__ == "__main__":
    main()
