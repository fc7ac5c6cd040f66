"""The page on the readings: docs/readings.md and its plot, from benchmarks/results/*.json.

    python benchmarks/readings.py            writes the page
    python benchmarks/readings.py --check    exit code 1 where page or plot are out of date

Prose is here, every number comes from a results file: quality-*.json (BioRED Test), inference.json
and evidence*.json. A part whose file is not there is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also where it is loaded by its path

from figure_parts import LEVELS, machine, number, percent, table

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE, PLOT = "readings.md", "images/readings/cost.svg"
DRAWING = 1
"""Raised when the drawing changes, so that a plot of the same data is drawn anew."""

EVIDENCE = ("evidence-entity", "evidence")
MEASURED = ("compact-entity", "compact-pair", "compact")
READINGS = {
    "pair": "per pair",
    "entity": "per entity",
    "document": "whole document",
}
HEAD = """# Ways to read

<!-- Made by benchmarks/readings.py from benchmarks/results: edit those, not this. -->

A model finds relations in one of three ways. All take the same documents, judge the same pairs and give the same kind of answer; which one a model is of was settled when it was trained (`reading = "pair"`, `"entity"` or `"document"` in its [settings](settings.md)), so a model is chosen, not a switch:

```console
$ novelink extract abstracts.pubtator                    # the default reads a copy for every entity
$ novelink extract abstracts.pubtator --model compact    # reads each document once
```

**Per pair.** Every pair of entities gets a copy of the text in which its mentions alone are marked, and the encoder reads the copy. It sees from the first layer on which two entities the question is about. The price: as many passes over the text as there are pairs.

**Per entity.** Every entity gets a copy of the text in which all mentions are marked with their types and its own are set apart; the encoder reads the copy, and all pairs of the entity are read from it. Each pair is read from both of its entities' sides, and the mean counts. The price: as many passes as there are entities, 11 for an abstract of BioRED Dev that has 65 pairs, in the mean.

**Whole document.** All mentions are marked with their types, and the encoder reads the text once. Each pair is then a small query, made from its two entities' vectors, that reads the encoded text through two light layers, as it does per entity too. What a query attended to is the relation's evidence. The price: the encoder does not know which pair it reads for.

| | per pair | per entity | whole document |
|---|---|---|---|
| passes of the encoder | one a pair | one an entity | one a document |
| sentences as evidence | no | yes, with weights (`--no-evidence` leaves them out) | as per entity |
| texts longer than the model's window | the part around the two entities' closest mentions | all of it, in overlapping windows | as per entity |
| order of the two entities | that of the text | cannot matter, by construction | cannot matter, by construction |
| shipped as | `compact-pair`, with a clone of the repository only | `compact-entity` | `compact` |

## When to take which
- **Some papers, and each answer counts**: per entity (`compact-entity`, the default). On Dev and on Test it is ahead of the other two at every level. On Test the intervals of all three overlap; in finding pairs, reading once lies below the interval of reading per entity.
- **Many papers**, or a service that must answer at once: whole document.
- **Someone will check the relations**: per entity or whole document, for the evidence.
- **Articles in full**: whole document. A text of a hundred entities is read a hundred times per entity; per pair, thousands of pairs take hours, and only what is around a pair is seen.
- **A model of your own**: train per pair first, then per entity from its encoder, and compare on your Dev part; each pass over few documents teaches more where an entity or a pair has a copy of its own, and takes longer.
"""


def load(folder):
    """File name without ending → what the file holds."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def quality(results):
    """F1 on BioRED Test of the models that ship."""
    found = {
        one["model"]: one
        for name, one in results.items()
        if name.startswith("quality-") and one.get("data") == "BioRED Test"
    }
    rows = []
    for name in MEASURED:
        if name not in found:
            continue
        scores = found[name]["scores"]
        cells = []
        for level in LEVELS:
            low, high = scores["intervals"]["f1"][level]
            cells.append(f"{percent(scores[level]['f1'])} ({percent(low)}–{percent(high)})")
        reading = READINGS[found[name]["reading"]]
        rows.append([f"`{name}`", reading, *cells])
    if not rows:
        return []
    return [
        "## What they give",
        "F1 on BioRED Test in per cent, 95 % intervals over documents; no relation of Dev or Test learned from, thresholds from Dev ([how they were made](models.md)):",
        "",
        *table(["model", "reading", *LEVELS], rows),
        _source([f"quality-{name}-biored-test" for name in MEASURED]),
    ]


def cost(results):
    """Time of either reading, and what it grows with."""
    found = results.get("inference")
    if not found:
        return []
    body = [
        "## What they cost",
        f"Measured in one run on {machine(found)}, {found['once']['int8']['threads']} threads, corpus {found['corpus']}.",
        "",
    ]
    shipped, later = found.get("shipped", {}), found.get("shipped_run")
    if shipped:
        body += [
            "The models that ship, `extract` on whole abstracts (with evidence where they give it)"
            + (f", in a run of their own on {machine(later)}:" if later else ":"),
            "",
            *table(
                [
                    "model",
                    "abstracts",
                    "pairs",
                    "seconds an abstract",
                    "abstracts a second",
                    "peak MB",
                ],
                [
                    [
                        f"`{name}`",
                        one["documents"],
                        number(one["pairs"]),
                        number(one["seconds_per_document"]),
                        number(one["documents_per_second"]),
                        number(one["peak_memory_mb"]),
                    ]
                    for name, one in shipped.items()
                ],
            ),
        ]
    if found.get("start"):
        start = found["start"]
        body += [
            f"A whole `novelink extract` of one abstract with the default model, from start to exit, takes {number(start['median_seconds'])} s (median of {start['runs']}).",
            "",
        ]
    base = found["per_pair_base_size"]["fp32"]
    rates = {
        "whole document, small encoder, int8": found["once"]["int8"]["documents_per_second"],
        "whole document, small encoder, float32": found["once"]["fp32"]["documents_per_second"],
        "per pair, same encoder, int8": found["per_pair"]["int8"]["documents_per_second"],
        "per pair, same encoder, float32": found["per_pair"]["fp32"]["documents_per_second"],
        "per pair, encoder of BERT-base's size, float32": base["documents_per_second"],
        "the same, every copy filled up to 512 tokens": base["padded_to_512_documents_per_second"],
    }
    first = next(iter(rates.values()))
    body += [
        f"Networks of these sizes with random heads, on the same threads. Per-pair rates are extrapolated from pairs drawn at random ({base['extrapolated']} for BERT-base's size). Published per-pair systems read with encoders of BERT-base's size, filled up to 512 tokens:",
        "",
        *table(
            ["reading", "abstracts a second", "the first is faster by"],
            [[name, number(rate), f"{number(first / rate)} ×"] for name, rate in rates.items()],
        ),
    ]
    if found.get("bound"):
        body += [
            "How near whole-document reading comes to what its encoder's matrix products take by themselves, at the same lengths and on one thread (the rest is all else: tokenising, attention's softmax, normalisation, the pairs):",
            "",
            *table(
                ["precision", "products, ms a document", "`extract`, ms a document", "share, %"],
                [
                    [
                        name,
                        number(one["products_ms_per_document"]),
                        number(one["extract_ms_per_document"]),
                        percent(one["share_of_bound"]),
                    ]
                    for name, one in found["bound"].items()
                ],
            ),
        ]
    if found.get("memory"):
        memory = found["memory"]
        body += [
            f"Memory: {number(memory['documents'])} abstracts of changing lengths with `{memory['model']}` took at most {number(memory['peak_memory_mb'])} MB; after the first tenth of them the peak rose by {number(memory['grown_after_first_tenth_mb'])} MB.",
            "",
        ]
    if found.get("curve"):
        body += [
            f"![Milliseconds for a document against its tokens and its pairs, for both readings]({PLOT})",
            "",
            "One document at a time, one thread, int8; the longest are abstracts joined to one document. Reading once grows with the tokens, and with the pairs where there are very many; reading per pair with the product of both.",
            "",
        ]
    return [*body, _source(["inference"])]


def evidence(results):
    """What a score loses without its top sentence."""
    found = {name: results[name] for name in EVIDENCE if name in results}
    if not found:
        return []
    counts = "; ".join(
        f"of `{one['model']}`, {number(one['relations_compared'])} of {number(one['relations'])} in {one['documents']} documents"
        for one in found.values()
    )
    return [
        "## Does the evidence hold?",
        f"Every sentence of documents of {next(iter(found.values()))['corpus']} was taken out in turn, mentions and all, and the relations scored again. If a relation rests on the sentence named first, its score must fall more without it than without another. Compared with all other sentences, and, harder, with those others that name one of the two entities or both, which matter by themselves. Not every relation can be compared ({counts}): without the top sentence of the rest one entity is gone, and with it the pair. 95 % intervals over documents.",
        "",
        *table(
            [
                "the score falls by",
                "without the top sentence",
                "without another",
                "difference",
                "falls more, % of relations",
            ],
            [row for one in found.values() for row in fallen(one)],
        ),
        "A sentence's weight is its share of what the pair's query attended to, counted in proportion to how many of the two entities it names. In many relations the text says the same more than once, and then no single sentence is missed much.",
        "",
        _source(found),
    ]


def fallen(found):
    """Rows of one model: against any other sentence, and against those that name the pair."""

    def cell(name, *, share=False):
        one = found[name]
        show = percent if share else (lambda value: f"{value:.3f}")
        low, high = one["interval"]
        return f"{show(one['value'])} ({show(low)}–{show(high)})"

    name = f"`{found['model']}`"
    return [
        [
            f"{name}, {number(found['relations_compared'])} relations, any other sentence",
            cell("top_loss"),
            cell("other_loss"),
            cell("top_minus_other"),
            cell("top_above_other_share", share=True),
        ],
        [
            f"{name}, {number(found['relations_compared_with_rivals'])} relations, others that name one of the two or both",
            cell("top_loss_with_rivals"),
            cell("rival_loss"),
            cell("top_minus_rival"),
            cell("top_above_rival_share", share=True),
        ],
    ]


def _source(names):
    listed = ", ".join(f"`{name}.json`" for name in names)
    return f"*From {listed}.*\n"


def build(results):
    """The page's text, and the plot's data or None."""
    body = [*quality(results), *cost(results), *evidence(results)]
    return "\n".join([HEAD, *body]), results.get("inference", {}).get("curve")


def draw(curve, note):
    """SVG text of milliseconds against tokens and pairs; the same each time."""
    import matplotlib as mpl
    from figure_plots import COLOURS, MARKS, SETTINGS
    from matplotlib import pyplot as plt

    names = {"document": "whole document", "pair": "per pair"}
    with mpl.rc_context(SETTINGS):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
        for place, (key, found) in enumerate(curve.items()):
            tokens, pairs, times = zip(*found["points"], strict=True)
            for axis, values in zip(axes, (tokens, pairs), strict=True):
                axis.plot(
                    values,
                    times,
                    MARKS[place],
                    color=COLOURS[place],
                    markersize=4,
                    alpha=0.7,
                    label=names[key],
                )
        for axis, label in zip(
            axes, ("tokens of the document", "pairs of the document"), strict=True
        ):
            axis.set(xscale="log", yscale="log", xlabel=label)
        axes[0].set_ylabel("milliseconds")
        axes[0].legend(frameon=False)
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Description": note})
        plt.close(figure)
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"


def digest(curve):
    """What tells whether a plot was drawn from this data."""
    return hashlib.sha256(json.dumps([DRAWING, curve], sort_keys=True).encode()).hexdigest()


def outdated(docs, text, curve):
    """Names of what does not show the results as they are."""
    page, plot = docs / PAGE, docs / PLOT
    names = [] if page.exists() and page.read_text("utf-8") == text else [PAGE]
    drawn = plot.read_text("utf-8") if plot.exists() else ""
    found = re.search(r"data sha256 ([0-9a-f]{64})", drawn)
    wanted = digest(curve) if curve else None
    return names if (found[1] if found else None) == wanted else [*names, PLOT]


def write(docs, text, curve):
    """The page and its plot."""
    (docs / PAGE).write_text(text, encoding="utf-8")
    plot = docs / PLOT
    if curve:
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(draw(curve, f"data sha256 {digest(curve)}"), encoding="utf-8")
    else:
        plot.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    text, curve = build(load(HERE / "results"))
    if chosen.check:
        names = outdated(DOCS, text, curve)
        if names:
            sys.exit(f"out of date: {', '.join(names)}; run: python benchmarks/readings.py")
        return
    write(DOCS, text, curve)
    print(f"{DOCS / PAGE} written")


if __name__ == "__main__":
    main()
