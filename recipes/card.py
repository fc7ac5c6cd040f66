"""Write a model's card from what was measured: no figure in it is typed by hand.

    python recipes/card.py src/novelink/models/compact --recipe recipes/student.toml \
        --test benchmarks/results/quality-compact-biored-test.json

The model's config.json gives settings, calibration and Dev scores; the results
file gives Test scores with intervals and the reliability of scores. Both are
joined into `measured` of config.json, which `novelink models info` prints, and
into the card README.md; these and the manifest change together or not at all. The model's
answers for `novelink doctor` are recorded too.

What was done beside the recipe is said in lines of its own:

    --before "novelink train recipes/more.toml"      an earlier step, in order
    --data "BC5CDR train and dev (NCBI), middle step"  what else it learnt from
    --licence "DrugProt is CC BY 4.0"                 terms that come with it
    --limit "…"                                       something to know
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from novelink.decode import DecisionSettings
from novelink.runtime.model_set import is_model_set, load_model_set, revise_model_set
from novelink.runtime.revision import revise
from novelink.self_test import record

ROOT = Path(__file__).parents[1]
PRETRAINING = ROOT / "src" / "novelink" / "models" / "encoder" / "pretraining.json"
PUBLISHED = ROOT / "benchmarks" / "published.json"
LEVELS = ("pair", "type", "novelty", "all")
TEST_LINE = "BioRED Test (100) chose nothing and gave the figures below."

CARD = """---
name: {name}
library: novelink
license: apache-2.0
language: en
reading: {reading}
{facts}
---
# {name}
Relations between genes, diseases, chemicals and variants of a biomedical abstract whose entities are marked: whether two are related, how (8 BioRED types), and whether that is novel in the paper. {reading_line} It runs on onnxruntime.

## Made from
- **Encoder**: {encoder}
- **Training data**: {data}
- **Recipe**: {recipe}{run}.
- **Licence**: {licence}

## Scores
F1 in per cent, micro-averaged over relations as the BioCreative VIII track counts them; intervals are 95 % bootstraps over documents. "All novel associations" is the answer that calls every candidate pair a novel Association.

| level | Dev | Test | Test interval | Test precision | Test recall | all novel associations, Test |
|---|---|---|---|---|---|---|
{rows}

{dev_line} Test figures are those of this very file.
{calibration}{acting}
## Use and limits
- English abstracts of biomedical papers with entities of the six BioRED types. On other text nothing was measured.
- Less than a fifth of the size of the encoders used in published systems: base-size ones reach {published} (BioRED paper, same Test).
- "Association" is over-represented in the training data; rare types (Bind, Conversion, Comparison, Drug_Interaction) are seldom found.
{limits}- A relation found here is a reading of a text, not a fact, and no basis for a medical decision.
"""

READING = {
    "pair": "It reads one marked copy of the text for every pair.",
    "entity": "It reads one marked copy of the text for every entity, for all its pairs, and says which sentences a relation rests on.",
    "document": "It reads the text once for all pairs and says which sentences a relation rests on.",
}
MEANING = {
    "related": "that a pair is related, over all candidate pairs",
    "novelty": "that a related pair is Novel, over the related pairs of the gold",
}


def measured(config, result, chosen):
    """What `novelink models info` prints of a model."""
    settings, training = config["training"]["settings"], config["training"]
    tokens = chosen.encoder_tokens or json.loads(PRETRAINING.read_text("utf-8"))["tokens_seen"]
    decision = DecisionSettings.from_dict(config["decision"])
    is_raw = (decision.relation_temperature, decision.relation_bias) == (1.0, 0.0)
    also = "" if is_raw else ", and calibrated the scores"
    return {
        "encoder": chosen.encoder
        or f"novelink's own 6-layer, 384-wide encoder after {tokens:,} tokens of masked-language "
        "training on biomedical text (models/encoder).",
        "data": [
            "BioRED Train (400 abstracts; Luo et al. 2022).",
            *chosen.data,
            f"BioRED Dev (100) chose the epoch and the thresholds{also}.",
            TEST_LINE,
        ],
        "recipe": {
            "steps": [*chosen.before, f"novelink train {chosen.recipe}"],
            "seed": settings["optim"]["seed"],
            "epoch": f"{training['epoch']} of {settings['optim']['epochs']}",
        },
        "licence": [
            "Weights: Apache-2.0.",
            "The encoder it goes back to, all-MiniLM-L6-v2, is Apache-2.0.",
            "BioRED is published by the NCBI for research use; the raw text for pretraining is named in the encoder's card.",
            *chosen.licence,
        ],
        **tested(result),
    }


def measured_set(config, members, result, chosen):
    """The same of a set of models whose own cards are written."""
    parts = [one.config["measured"] for one in members]
    names = " ".join(one.name for one in members)
    given = config.get("screen")
    screen = f" --screen {given['member']} --screen-below {given['below']}" if given else ""

    def joined(key):
        return list(dict.fromkeys(line for part in parts for line in part[key]))

    data = [line for line in joined("data") if line != TEST_LINE]
    dev = "Dev.subjects.PubTator" if "direction by rule" in result else "Dev.PubTator"
    return {
        "encoder": parts[0]["encoder"],
        "data": [
            *data,
            "BioRED Dev also chose the set's thresholds and calibrated its scores.",
            TEST_LINE,
        ],
        "recipe": {
            "steps": [
                *chosen.before,
                f"novelink ensemble {names} --voting average{screen} -o {chosen.model.name}",
                f"novelink calibrate {chosen.model.name} {dev}",
            ]
        },
        "licence": joined("licence"),
        **tested(result),
    }


def tested(result):
    """Scores of a results file, with intervals, and how well its scores are calibrated."""
    scores = result["scores"]
    levels = {}
    for level in LEVELS:
        low, high = scores["intervals"]["f1"][level]
        levels[level] = {
            "f1": scores[level]["f1"],
            "low": low,
            "high": high,
            "precision": scores[level]["precision"],
            "recall": scores[level]["recall"],
            "trivial": result["all pairs as novel associations"][level]["f1"],
        }
    reliable = result.get("reliability") or {}
    return {
        "test": {
            "data": result["data"],
            "documents": scores["documents"]["gold"],
            "scores": levels,
        },
        "calibration": {
            name: {key: value for key, value in one.items() if key != "bins"}
            for name, one in reliable.items()
            if one
        },
        **acting(result),
    }


def acting(result):
    """How well subjects are named, beside a rule; nothing of a model that names none."""
    rule = result.get("direction by rule")
    if rule is None:
        return {}
    found = result["scores"]["direction"]
    keys = ("judged", "named", "right", "precision", "recall", "f1")
    by_rule = {"by_rule": {key: rule[key] for key in ("right", "f1")}}
    return {"direction": {key: found[key] for key in keys} | by_rule}


def acting_lines(found):
    """The card's words on it."""
    one = found.get("direction")
    if one is None:
        return ""
    rule = one["by_rule"]
    return (
        f"\nWhich entity acts (BioREDirect's subjects of the same Test): of {one['judged']:,} pairs "
        f"that were found and have a subject it names one for {one['named']:,}, the right one in "
        f"{100 * one['right'] / max(1, one['named']):.1f} %. The rule that a variant acts on a "
        "chemical, that on a gene, that on a disease, and of two of one type the first named, is "
        f"right in {100 * rule['right'] / max(1, one['judged']):.1f} % of all of them. F1 of pairs "
        f"with their subject: {100 * one['f1']:.1f} %, by the rule {100 * rule['f1']:.1f} %.\n"
    )


def dev_scores(config):
    """Dev figures, and what they are figures of."""
    if "calibration" in config:
        line = "Dev figures are those of this file on the documents that its thresholds and its calibration were fitted to."
        return config["calibration"]["scores"], line
    line = "Dev figures are those of the trained model before export, at the thresholds chosen on the same documents."
    return config["training"]["dev"], line


def how_it_reads(config, reading):
    """A sentence on it; of a set, which models it joins."""
    if "members" not in config:
        return READING[reading]
    names = ", ".join(f"`{name}`" for name in config["members"]["relation"])
    return f"It is a set of models, of which it takes the mean: {names}."


def card(config, reading, found, limits):
    """The text of README.md."""
    dev, dev_line = dev_scores(config)
    rows = []
    for level, one in found["test"]["scores"].items():
        cells = [dev[level]["f1"], one["f1"], (one["low"], one["high"])]
        cells += [one["precision"], one["recall"], one["trivial"]]
        shown = [
            "–".join(f"{100 * end:.1f}" for end in cell)
            if isinstance(cell, tuple)
            else f"{100 * cell:.1f}"
            for cell in cells
        ]
        rows.append(f"| {level} | {' | '.join(shown)} |")
    calibration = ""
    if found["calibration"]:
        lines = [
            f"- {MEANING[name]}: {100 * one['error']:.1f} % ({one['count']:,} cases)"
            for name, one in found["calibration"].items()
        ]
        calibration = "\n".join(
            [
                "",
                "Expected calibration error of its scores on Test (mean distance between what scores promise and what is so, ten bins):",
                *lines,
                "",
            ]
        )
    systems = json.loads(PUBLISHED.read_text("utf-8"))["systems"]
    base = systems[0]["scores"]
    made = found["recipe"]
    run = f", seed {made['seed']}, epoch {made['epoch']}" if "seed" in made else ""
    facts = [f"{key}: {config[key]}" for key in ("precision", "voting") if key in config]
    facts += [f"seed: {made['seed']}"] if "seed" in made else []
    limits = [f"- {line}\n" for line in limits]
    return CARD.format(
        name=config["name"],
        reading=reading,
        reading_line=how_it_reads(config, reading),
        facts="\n".join(facts),
        encoder=found["encoder"],
        data=" ".join(found["data"]),
        recipe=", then ".join(f"`{step}`" for step in made["steps"]),
        run=run,
        licence=" ".join(found["licence"]),
        rows="\n".join(rows),
        dev_line=dev_line,
        calibration=calibration,
        acting=acting_lines(found),
        published=" / ".join(f"{value} ({level})" for level, value in base.items()),
        limits="".join(limits),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--recipe", help="needed but for sets")
    parser.add_argument("--encoder-tokens", type=int, help="default: what models/encoder says")
    parser.add_argument("--encoder", help="a sentence on the encoder, if it is another one")
    for name in ("before", "data", "licence", "limit"):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="LINE")
    chosen = parser.parse_args()

    config = json.loads((chosen.model / "config.json").read_text("utf-8"))
    result = json.loads(chosen.test.read_text("utf-8"))
    if DecisionSettings.from_dict(result["decision"]) != DecisionSettings.from_dict(
        config["decision"]
    ):
        parser.error(f"{chosen.test} was measured with other decision settings: measure again")
    if is_model_set(chosen.model):
        reading = result["reading"]
        config["measured"] = measured_set(
            config, load_model_set(chosen.model).members, result, chosen
        )
    elif chosen.recipe:
        reading = config["reading"]
        config["measured"] = measured(config, result, chosen)
    else:
        parser.error("--recipe is missing")
    publish(chosen.model, config, card(config, reading, config["measured"], chosen.limit))


def publish(model, config, text):
    """Write a model's config and card, and record its answers for `novelink doctor`."""
    contents = {
        "config.json": (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode(),
        "README.md": text.encode(),
    }
    if is_model_set(model):
        revise_model_set(model, contents)
    else:
        revise(model, contents)
        record(model)
    print(text)


if __name__ == "__main__":
    main()
