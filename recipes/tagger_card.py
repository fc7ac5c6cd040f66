"""Write a tagger's card from what was measured: no figure in it is typed by hand.

    python recipes/tagger_card.py src/novelink/models/tagger --results benchmarks/results/tagging.json

The results file has Dev and Test as `benchmarks/tagging.py` measured them on this very folder. They
go into `measured` of config.json, which `novelink models info` prints, and into the card README.md;
these, the answers for `novelink doctor` and the manifest are written together.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from card import publish

ROOT = Path(__file__).parents[1]
PRETRAINING = ROOT / "src" / "novelink" / "models" / "encoder" / "pretraining.json"
OTHERS = (
    "With lower weight and in part: BC5CDR train and dev (chemicals, diseases), NCBI Disease train "
    "and dev (diseases), tmVar (variants), and 900 abstracts of the BioCreative VIII BioRED track "
    "whose entities were found by programs."
)
DEV, TEST = "BioRED Dev", "BioRED Test"
# Luo et al. 2022: all entity types, same Test.
PUBLISHED = 89.3

CARD = """---
name: {name}
library: novelink
license: apache-2.0
language: en
task: token-classification
precision: {precision}
seed: {seed}
---
# {name}
Finds the mentions of genes, diseases, chemicals, variants, organisms and cell lines in a biomedical abstract, as BioRED marks them. It reads the text once, in windows of at most {max_length} tokens; types do not exclude each other, so a mention may lie within another. Broken names are mended and a name is treated alike wherever it stands in the document. It runs on onnxruntime.

## Made from
- **Encoder**: {encoder}
- **Training data**: {data}
- **Recipe**: `{recipe}`, seed {seed}, epoch {epoch}.
- **Licence**: {licence}

## Scores
Exact span and type, in per cent, micro-averaged over mentions; intervals are 95 % bootstraps over documents.

| type | Dev F1 | Test precision | Test recall | Test F1 | interval | mentions, Test |
|---|---|---|---|---|---|---|
{rows}

Figures are those of this very file. Dev chose the epoch, the rules and the thresholds, so its figures flatter.

## Use and limits
- English titles and abstracts. On full text and on other kinds of text nothing was measured.
- A base-size encoder reaches {published} on the same Test (BioRED paper).
- Ids are not its work: see docs/lexicon.md.
- Where chemicals and genes are hard to tell apart (hormones, peptides, antigens), it errs most in type; long names are found in part more often than missed.
"""


def epoch(history):
    """The best epoch's number, of how many."""
    best = max(history, key=lambda one: one["dev_f1"])
    return f"{best['epoch']} of {history[-1]['epoch']}"


def measured(config, results, recipe):
    """What `novelink models info` prints of a model."""
    training = config["training"]
    tokens = json.loads(PRETRAINING.read_text("utf-8"))["tokens_seen"]
    return {
        "encoder": f"novelink's own 6-layer, 384-wide encoder after {tokens:,} tokens of "
        "masked-language training on biomedical text (models/encoder).",
        "data": [
            "BioRED Train (400 abstracts; Luo et al. 2022).",
            OTHERS,
            "Documents that are in BioRED Dev or Test, by id or title, were left out of all of them.",
            "BioRED Dev (100) chose the epoch, the rules and the thresholds.",
            "BioRED Test (100) chose nothing: it was used for the figures below only.",
        ],
        "recipe": {
            "steps": [f"novelink train-tagger {recipe}"],
            "seed": training["settings"]["seed"],
            "epoch": epoch(training["history"]),
        },
        "licence": [
            "Weights: Apache-2.0.",
            "The encoder it goes back to, all-MiniLM-L6-v2, is Apache-2.0.",
            "BioRED, BC5CDR, NCBI Disease and tmVar are published by the NCBI for research use.",
        ],
        "test": {
            "data": TEST,
            "documents": results[TEST]["documents"],
            "scores": {
                kind: {
                    "f1": one["f1"] / 100,
                    "low": one["interval"][0] / 100,
                    "high": one["interval"][1] / 100,
                    "precision": one["precision"] / 100,
                    "recall": one["recall"] / 100,
                }
                for kind, one in results[TEST]["scores"].items()
            },
        },
        "calibration": {},
    }


def card(config, found, results):
    """The text of README.md."""
    rows = []
    for kind, one in results[TEST]["scores"].items():
        low, high = one["interval"]
        rows.append(
            f"| {kind} | {results[DEV]['scores'][kind]['f1']:.1f} | {one['precision']:.1f} "
            f"| {one['recall']:.1f} | {one['f1']:.1f} | {low:.1f}–{high:.1f} | {one['mentions']:,} |"
        )
    return CARD.format(
        name=config["name"],
        precision=config["precision"],
        max_length=config["max_length"],
        seed=found["recipe"]["seed"],
        encoder=found["encoder"],
        data=" ".join(found["data"]),
        recipe=found["recipe"]["steps"][0],
        epoch=found["recipe"]["epoch"],
        licence=" ".join(found["licence"]),
        rows="\n".join(rows),
        published=PUBLISHED,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--recipe", default="recipes/tagger.toml")
    chosen = parser.parse_args()

    config = json.loads((chosen.model / "config.json").read_text("utf-8"))
    results = json.loads(chosen.results.read_text("utf-8"))
    config["measured"] = measured(config, results, chosen.recipe)
    publish(chosen.model, config, card(config, config["measured"], results))


if __name__ == "__main__":
    main()
