"""Quality of a model on gold documents, beside the trivial answer, in one run.

    python benchmarks/quality.py Test.PubTator --model compact --data "BioRED Test"

Writes benchmarks/results/quality-<model>-<data>.json: the four levels with
intervals, tables by type, how reliable the scores are (over all candidate
pairs, and over the related ones for novelty), the same levels for "every
candidate pair is an Association and Novel", size, seconds, machine, versions,
every prediction (ids only, no text), and the scores of every candidate pair in
the order of `novelink.pairs.candidate_pairs`, so that anyone who has the corpus
can score and draw it again.

Where the gold names subjects (recipes/subjects.py), who acts is judged too,
beside the rule that a variant acts on a chemical, that on a gene, that on a
disease, and of two entities of one type the one named first.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import time
from dataclasses import replace
from pathlib import Path

from novelink import Extractor, Relation, __version__, read, score
from novelink.document import NOVEL
from novelink.machine import has_int8_instructions
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import find_bundle
from novelink.runtime.model_set import AVERAGE, open_model
from novelink.schema import CHEMICAL, DISEASE, GENE, NO_RELATION, VARIANT
from novelink.scoring.calibration import reliability

RESULTS = Path(__file__).parent / "results"
LEVELS = ("pair", "type", "novelty", "all")
ACTING = (VARIANT, CHEMICAL, GENE, DISEASE)  # who acts on whom in most of BioRED Train


def everything(document):
    """The document with all of its candidate pairs as novel associations."""
    pairs = candidate_pairs(document)
    return document.with_relations(
        Relation(*pair.ids, "Association", novelty="Novel") for pair in pairs
    )


def acting_by_rule(document):
    """The document with subjects that follow from entity types and from what is named first."""
    types, first = {}, {}
    for mention in document.mentions:
        for concept in mention.concept_ids:
            types.setdefault(concept, mention.type)
            first[concept] = min(mention.start, first.get(concept, mention.start))

    def place(concept):
        kind = types.get(concept)
        return ACTING.index(kind) if kind in ACTING else len(ACTING), first.get(concept, 0)

    return document.with_relations(
        replace(relation, subject=min(relation.id1, relation.id2, key=place))
        for relation in document.relations
    )


def machine():
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
        processor = found.group(1) if found else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "int8_instructions": has_int8_instructions(),  # processors of one name differ in this
    }


def versions():
    names = ("numpy", "onnxruntime", "tokenizers")
    return {"novelink": __version__} | {name: importlib.metadata.version(name) for name in names}


def table(scores):
    kept = scores.to_dict()
    kept.pop("per_document", None)
    return kept


def extracted(extractor, gold, *, votes):
    """Documents with what the model says of all pairs, and with the relations it finds."""
    judged = list(extractor.extract(gold, min_score=0.0))
    if votes:  # whether a pair is related is put to a vote there, so a threshold tells nothing
        return judged, list(extractor.extract(gold))
    least = extractor.settings.threshold
    found = [
        document.with_relations(item for item in document.relations if item.score >= least)
        for document in judged
    ]
    return judged, found


def pair_scores(gold, judged, schema):
    """Document → probabilities that each candidate pair is related, and Novel if so."""
    scores, related, novel = {}, [], []
    for document, answer in zip(gold, judged, strict=True):
        said = {frozenset((item.id1, item.id2)): item for item in answer.relations}
        rows = {"related": [], "novel": []}
        for pair in candidate_pairs(document, schema):
            item = said.get(frozenset(pair.ids))
            sure = item.score if item else 0.0
            rows["related"].append(sure)
            related.append((sure, pair.relation != NO_RELATION))
            if item and item.novelty is not None:
                share = item.novelty_score if item.novelty == NOVEL else 1 - item.novelty_score
                rows["novel"].append(round(share, 4))
                if pair.novelty is not None:
                    novel.append((round(share, 4), pair.novelty == NOVEL))
        scores[document.id] = rows
    return scores, {"related": reliable(related), "novelty": reliable(novel)}


def prediction(item, *, says_who):
    """What is kept of a relation; the subject only where it can be judged."""
    kept = [item.id1, item.id2, item.type, item.novelty, item.score, item.novelty_score]
    return [*kept, item.subject] if says_who else kept


def reliable(cases):
    found = reliability([one for one, _ in cases], [right for _, right in cases])
    return found.to_dict() if found else None


def compact(result):
    """JSON with one line a list of plain values, so that a change shows as a line."""
    text = json.dumps(result, indent=1)
    # Strings hold no raw line break, so only blanks between values change.
    plain = re.compile(r"\[\n([^\[\]{}]*?)\n\s*\]")
    return plain.sub(lambda found: "[" + re.sub(r"\n *", " ", found[1]).strip() + "]", text) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gold")
    parser.add_argument("--model")
    parser.add_argument("--data", required=True, help="name of the data, e.g. 'BioRED Test'")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    chosen = parser.parse_args()

    gold = list(read(chosen.gold))
    folder = find_bundle(chosen.model)
    opened = open_model(folder)
    votes = getattr(opened, "voting", AVERAGE) != AVERAGE
    extractor = Extractor.load(folder, threads=chosen.threads)
    begun, worked = time.perf_counter(), time.process_time()
    judged, predicted = extracted(extractor, gold, votes=votes)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - worked
    found = score(gold, predicted, schema=extractor.schema)
    trivial = score(gold, map(everything, gold), schema=extractor.schema)
    scores, reliabilities = pair_scores(gold, judged, extractor.schema)
    says_who = found.direction is not None and "direction" in extractor.tasks
    if says_who:
        ruled = map(acting_by_rule, predicted)
        by_rule = score(gold, ruled, schema=extractor.schema, resamples=0).direction
    training = extractor.info.get("training", {})
    result = {
        "data": chosen.data,
        "model": extractor.name,
        "reading": opened.reading,
        "precision": extractor.info.get("precision"),
        "size": opened.size,
        "decision": extractor.info.get("decision"),
        "seed": training.get("settings", {}).get("optim", {}).get("seed"),
        "machine": machine(),
        "versions": versions(),
        "threads": extractor.threads,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "report": extractor.report.to_dict()
        | {"relations": sum(len(document.relations) for document in predicted)},
        "scores": table(found),
        "reliability": reliabilities,
        "all pairs as novel associations": {level: trivial[level].to_dict() for level in LEVELS},
        **({"direction by rule": by_rule.to_dict()} if says_who else {}),
        "predictions": {
            document.id: [prediction(item, says_who=says_who) for item in document.relations]
            for document in predicted
        },
        "pair_scores": scores,
    }
    chosen.output.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", f"{extractor.name} {chosen.data}").strip("-").lower()
    path = chosen.output / f"quality-{name}.json"
    path.write_text(compact(result), encoding="utf-8")
    for level in LEVELS:
        low, high = found.intervals[level]
        print(
            f"{level:8} F1 {100 * found[level].f1:5.1f} ({100 * low:.1f}–{100 * high:.1f})   "
            f"all pairs as novel associations {100 * trivial[level].f1:5.1f}"
        )
    if says_who:
        named, right = found.direction.named, found.direction.right
        print(
            f"subject  named for {named:,} of {found.direction.judged:,} pairs, right in "
            f"{100 * right / max(1, named):.1f} %; by rule {100 * by_rule.accuracy:.1f} %"
        )
    for name, one in reliabilities.items():
        if one:
            print(f"score of {name}: calibration error {100 * one['error']:.1f} %")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
