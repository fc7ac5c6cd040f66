"""What the models that come along get wrong, on the abstracts that chose their thresholds.

    python benchmarks/failures.py Dev.PubTator
    python benchmarks/failures.py Dev.PubTator --answers compact=found.pubtator

The second form takes what ``novelink extract Dev.PubTator --model compact`` wrote.
Writes benchmarks/results/failures-biored-dev.json: counts by the kind of pair, by distance, of
turned signs and of mistaken novelty, and what each model says about the cases that
docs/limits.md tells of (ids and answers only, no text). Never for Test: reading its errors would
spoil it.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from novelink import Extractor, __version__, read
from novelink.annotate import document_sentences
from novelink.document import NOT_NOVEL, NOVEL
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import (
    GRAPH,
    MANIFEST,
    default_name,
    embedded_names,
    find_bundle,
    load_bundle,
)
from novelink.runtime.model_set import is_model_set
from novelink.schema import NO_RELATION

RESULT = Path(__file__).parent / "results/failures-biored-dev.json"
SIGNS = {"Positive_Correlation", "Negative_Correlation"}
RARE = ("Bind", "Comparison", "Conversion", "Cotreatment", "Drug_Interaction")

# Kind of failure → document, a mention of either entity.
CASES = {
    "negation": [
        ("15867855", "T-cell immunoglobulin mucin 3", "asthma"),
        ("17968299", "aggressive periodontitis", "A at position -1082"),
        ("27509880", "depsipeptide", "MHC class I genes"),
    ],
    "sign": [
        ("20959502", "Daptomycin", "bacteremia"),
        ("27491646", "gartanin", "Beclin 1"),
        ("25080425", "betaine", "Bcl-2"),
    ],
    "novelty": [
        ("17549393", "IRF6", "Van der Woude syndrome"),
        ("16867246", "DRD2", "EPS"),
    ],
    "list": [
        ("24036311", "Ctr9", "Oct4"),
        ("24036311", "Ctr9", "Sox2"),
    ],
    "inside": [
        ("27509880", "histone deacetylase", "5-FU"),
        ("22711886", "JNK", "CD40"),
    ],
    "rare": [
        ("20801540", "iron", "deferasirox"),
        ("24036311", "CTR9", "PAF1c"),
    ],
    "apart": [
        ("24036311", "Ctr9", "Mest"),
        ("7811247", "ALD", "Addison"),
    ],
}


def answer(pair):
    """A pair's relation as a reader of the page wants it."""
    return None if pair.relation == NO_RELATION else [pair.relation, pair.novelty]


def is_called(entity, form):
    return any(mention.text.lower() == form.lower() for mention in entity.mentions)


def find_pair(pairs, first, second):
    """The pair of the entities that two names belong to."""
    for pair in pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if is_called(one, first) and is_called(other, second):
                return pair
    raise SystemExit(f"no pair of '{first}' and '{second}'; is this BioRED Dev?")


def share_a_sentence(pair, borders):
    def sentences(entity):
        return {
            index
            for mention in entity.mentions
            for index, (start, end) in enumerate(borders)
            if start <= mention.start < end
        }

    return not sentences(pair.first).isdisjoint(sentences(pair.second))


def tally(gold, predicted):
    """Counts over all pairs of all documents."""
    by_type, by_distance = Counter(), Counter()
    signs, novelty, rare = Counter(), Counter(), Counter()
    for document, answered in zip(gold, predicted, strict=True):
        borders = document_sentences(document)
        found = {pair.ids: pair for pair in candidate_pairs(answered)}
        for pair in candidate_pairs(document):
            said = found[pair.ids]
            is_gold, is_said = pair.relation != NO_RELATION, said.relation != NO_RELATION
            kind = {(True, True): "tp", (True, False): "fn", (False, True): "fp"}.get(
                (is_gold, is_said), "tn"
            )
            by_type["|".join(pair.pair_type), kind] += 1
            by_distance[
                "same sentence" if share_a_sentence(pair, borders) else "never in one sentence",
                kind,
            ] += 1
            if pair.relation in SIGNS and said.relation in SIGNS:
                signs["right" if pair.relation == said.relation else "turned"] += 1
            if is_gold and is_said and pair.novelty:
                novelty[f"{pair.novelty} as {said.novelty}"] += 1
            if pair.relation in RARE:
                rare["gold"] += 1
                rare["found"] += pair.relation == said.relation
    return {
        "pair_types": rows(by_type),
        "distance": rows(by_distance),
        "signs": dict(signs),
        "novelty": {
            f"{a} as {b}": novelty[f"{a} as {b}"]
            for a in (NOVEL, NOT_NOVEL)
            for b in (NOVEL, NOT_NOVEL)
        },
        "rare_types": dict(rare),
    }


def rows(counts):
    """Counts by name and kind of error, with precision and recall of the level "pair"."""
    table = {}
    for name in sorted({name for name, _ in counts}):
        right, wrong, missed = (counts[name, kind] for kind in ("tp", "fp", "fn"))
        table[name] = {
            "gold": right + missed,
            "found": right + wrong,
            "right": right,
            "precision": round(right / (right + wrong), 3) if right + wrong else None,
            "recall": round(right / (right + missed), 3) if right + missed else None,
        }
    return table


def relation_models():
    """Names of the models that find relations, the default first; sets and per-pair ones apart."""
    singles = [name for name in embedded_names() if not is_model_set(find_bundle(name))]
    readings = {name: load_bundle(name).reading for name in singles}
    names = [name for name in singles if readings[name] in ("entity", "document")]
    return sorted(names, key=lambda name: name != default_name())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dev", help="BioRED Dev")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--answers", action="append", default=[], metavar="MODEL=FILE")
    chosen = parser.parse_args()
    given = dict(entry.split("=", 1) for entry in chosen.answers)
    gold = list(read(chosen.dev))
    candidates = {document.id: candidate_pairs(document) for document in gold}
    result = {"data": "BioRED Dev", "novelink": __version__, "models": {}, "cases": {}}
    for kind, cases in CASES.items():
        result["cases"][kind] = [
            {
                "document": document,
                "first": first,
                "second": second,
                "gold": answer(find_pair(candidates[document], first, second)),
                "answers": {},
            }
            for document, first, second in cases
        ]
    for name in relation_models():
        manifest = json.loads((find_bundle(name) / MANIFEST).read_text(encoding="utf-8"))
        if name in given:
            predicted = list(read(given[name]))
        else:
            predicted = list(Extractor.load(name, threads=chosen.threads).extract(gold))
        result["models"][name] = {
            "sha256": manifest["files"][GRAPH]["sha256"],
            **tally(gold, predicted),
        }
        answered = {document.id: candidate_pairs(document) for document in predicted}
        for cases in result["cases"].values():
            for case in cases:
                pair = find_pair(answered[case["document"]], case["first"], case["second"])
                case["answers"][name] = answer(pair)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"written: {RESULT}")


if __name__ == "__main__":
    main()
