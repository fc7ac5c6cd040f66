"""Write a model's card from what was measured: no figure in it is typed by hand.

    python recipes/card.py src/novelink/models/compact-pair \
        --test benchmarks/results/quality-compact-pair-biored-test.json \
        --recipe recipes/pair.toml --encoder-tokens 9000000

The model's config.json gives data, settings and Dev scores; the results file
gives Test scores with intervals. The folder's manifest is written anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from novelink.runtime.bundle import write_manifest

LEVELS = ("pair", "type", "novelty", "all")

CARD = """---
name: {name}
library: novelink
license: apache-2.0
language: en
reading: {reading}
precision: {precision}
seed: {seed}
---
# {name}
Relations between genes, diseases, chemicals and variants of a biomedical abstract whose entities are marked: whether two are related, how (8 BioRED types), and whether that is novel in the paper. {reading_line} It runs on onnxruntime.

## Made from
- **Encoder**: {encoder_line}
- **Training data**: BioRED Train (400 abstracts; Luo et al. 2022). BioRED Dev (100) chose the epoch and the thresholds. BioRED Test (100) was used once, for the figures below.
- **Recipe**: `{command}`, seed {seed}, epoch {epoch} of {epochs}.
- **Licence**: weights Apache-2.0. The encoder it goes back to, all-MiniLM-L6-v2, is Apache-2.0. BioRED is published by the NCBI for research use; the raw text for pretraining is named in the encoder's card.

## Scores
F1 in per cent, micro-averaged over relations as the BioCreative VIII track counts them; intervals are 95 % bootstraps over documents. "All novel associations" is the answer that calls every candidate pair a novel Association.

| level | Dev | Test | Test interval | Test precision | Test recall | all novel associations, Test |
|---|---|---|---|---|---|---|
{rows}

Dev figures are those of the trained model before export, at the thresholds chosen on the same documents; Test figures are those of this very file.

## Use and limits
- English abstracts of biomedical papers with entities of the six BioRED types. On other text nothing was measured.
- Less than a fifth of the size of the encoders used in published systems, and behind them in quality: base-size systems reach 72.9 / 58.9 / 47.7 (pair / type / all; BioRED paper, same Test).
- "Association" is over-represented in the training data; rare types (Bind, Conversion, Comparison, Drug_Interaction) are seldom found.
- A relation found here is a reading of a text, not a fact, and no basis for a medical decision.
"""

READING = {
    "pair": "It reads one marked copy of the text for every pair.",
    "document": "It reads the text once for all pairs and says which sentences a relation rests on.",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--encoder-tokens", type=int, required=True)
    chosen = parser.parse_args()

    config = json.loads((chosen.model / "config.json").read_text("utf-8"))
    result = json.loads(chosen.test.read_text("utf-8"))
    training, test = config["training"], result["scores"]
    settings = training["settings"]
    rows = []
    for level in LEVELS:
        low, high = test["intervals"]["f1"][level]
        trivial = result["all pairs as novel associations"][level]["f1"]
        rows.append(
            f"| {level} | {100 * training['dev'][level]['f1']:.1f} | {100 * test[level]['f1']:.1f} "
            f"| {100 * low:.1f}–{100 * high:.1f} | {100 * test[level]['precision']:.1f} "
            f"| {100 * test[level]['recall']:.1f} | {100 * trivial:.1f} |"
        )
    card = CARD.format(
        name=config["name"],
        reading=config["reading"],
        reading_line=READING[config["reading"]],
        precision=config["precision"],
        seed=settings["optim"]["seed"],
        encoder_line=(
            f"novelink's own 6-layer, 384-wide encoder after {chosen.encoder_tokens:,} tokens of "
            "masked-language training on biomedical text (models/encoder)."
        ),
        command=f"novelink train {chosen.recipe}",
        epoch=training["epoch"],
        epochs=settings["optim"]["epochs"],
        rows="\n".join(rows),
    )
    (chosen.model / "README.md").write_text(card, encoding="utf-8")
    write_manifest(chosen.model)
    print(card)


if __name__ == "__main__":
    main()
