"""Sections of the page of figures on relations: quality, calibration, size and speed."""

from __future__ import annotations

from figure_parts import LEVELS, Section, machine, number, percent, plot, table

TEST = "BioRED Test"
FLOAT_BYTES = 4
READINGS = {
    "pair": "per pair",
    "entity": "per entity",
    "document": "once",
    "pair + document": "both, averaged",
    "entity + document": "both, averaged",
}
MEANING = {"related": "that a pair is related", "novelty": "that a related pair is Novel"}


def quality_results(results, data=None):
    """Results of benchmarks/quality.py by file name, best at the strictest level first."""
    found = {
        name: one
        for name, one in results.items()
        if name.startswith("quality-") and data in (None, one["data"])
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]["scores"]["all"]["f1"]))


def with_interval(result, level):
    low, high = result["scores"]["intervals"]["f1"][level]
    shown = percent(result["scores"][level]["f1"])
    return f"{shown} ({percent(low)}–{percent(high)})"


def quality(results, published):
    """F1 of every model, beside published systems and the trivial answer."""
    found = quality_results(results)
    if not found:
        return None
    body = [
        "F1 in per cent at the track's four levels, entities given. A model learns from BioRED Train; Dev chooses its epoch, thresholds and calibration; Test is scored once.",
        "",
    ]
    plots = {}
    for data in dict.fromkeys(one["data"] for one in found.values()):
        models = quality_results(results, data)
        rows = [
            [
                f"`{one['model']}`",
                READINGS.get(one["reading"], one["reading"]),
                one["precision"] or "–",
                one["seed"] if one["seed"] is not None else "–",
                *(with_interval(one, level) for level in LEVELS),
            ]
            for one in models.values()
        ]
        first = next(iter(models.values()))
        trivial = first["all pairs as novel associations"]
        rows.append(
            [
                "every candidate pair a novel Association",
                *("–", "–", "–"),
                *(percent(trivial[level]["f1"]) for level in LEVELS),
            ]
        )
        peers = [one for one in published if one["test"] == data]
        rows += [published_row(one, [one["name"], "–", "–", "–"]) for one in peers]
        documents = first["scores"]["documents"]["gold"]
        body += [f"### {data} ({documents} documents)", ""]
        body += table(["model", "reading", "precision", "seed", *LEVELS], rows)
        body += [f"- *Published*: {one['name']}: {one['note']}; {one['source']}." for one in peers]
        name = f"quality-{slug(data)}.svg"
        plots[name] = plot(
            "quality",
            f"F1 with intervals of each model at four levels on {data}",
            quality_points(models, peers, data),
        )
        body += ["", f"{{{{{name}}}}}"]
    others = [one for one in published if one["test"] not in {r["data"] for r in found.values()}]
    if others:
        body += ["### Published on other documents", ""]
        body += ["For orientation: other test documents, so not to be compared digit by digit.", ""]
        rows = [published_row(one, [one["name"], one["test"]]) for one in others]
        body += table(["system", "documents", *LEVELS], rows)
        body += [f"- {one['name']}: {one['note']}; {one['source']}." for one in others]
    return Section("Quality of relations", body, plots, list(found))


def published_row(one, first):
    cells = [str(one["scores"].get(level, "–")) for level in LEVELS]
    return [f"*{cell}*" if cell != "–" else cell for cell in [*first, *cells]]


def quality_points(models, peers, data):
    return {
        "title": f"F1 on {data}",
        "levels": list(LEVELS),
        "models": [
            {
                "name": one["model"],
                "f1": [one["scores"][level]["f1"] for level in LEVELS],
                "low": [one["scores"]["intervals"]["f1"][level][0] for level in LEVELS],
                "high": [one["scores"]["intervals"]["f1"][level][1] for level in LEVELS],
            }
            for one in models.values()
        ],
        "published": [
            {"name": one["name"], "f1": [one["scores"].get(level) for level in LEVELS]}
            for one in peers
        ],
    }


def calibration(results, _):
    """Reliability of the scores of every model."""
    found = {name: one for name, one in quality_results(results).items() if one.get("reliability")}
    if not found:
        return None
    body = [
        "A score is calibrated when of many answers with a score around 0.7 seven in ten are right. Temperature and bias were fitted to Dev; these figures are of the data named, which the fit has not seen. The calibration error is the mean distance between what scores promise and what is so, over ten bins weighted by their counts; log loss and Brier score also reward telling right from wrong. [What scores mean](models.md#scores-that-mean-what-they-say)",
        "",
    ]
    rows, plots = [], {}
    for one in found.values():
        diagrams = {}
        for part, meaning in MEANING.items():
            reliable = one["reliability"].get(part)
            if reliable:
                rows.append(
                    [
                        f"`{one['model']}`",
                        one["data"],
                        meaning,
                        number(reliable["count"]),
                        percent(reliable["error"]),
                        f"{reliable['log_loss']:.3f}",
                        f"{reliable['brier']:.3f}",
                    ]
                )
                diagrams[meaning] = [
                    [bin_["mean_score"], bin_["accuracy"], bin_["count"]]
                    for bin_ in reliable["bins"]
                ]
        name = f"reliability-{slug(one['model'])}-{slug(one['data'])}.svg"
        plots[name] = plot(
            "reliability",
            f"Reliability diagram of {one['model']} on {one['data']}",
            {"title": f"{one['model']} on {one['data']}", "diagrams": diagrams},
        )
    columns = ["model", "data", "score", "cases", "calibration error, %", "log loss", "Brier"]
    body += table(columns, rows)
    body += [f"{{{{{name}}}}}" for name in plots]
    return Section("Calibration", body, plots, list(found))


def direction(results, _):
    """Which entity acts, beside what types and order alone say."""
    found = {
        name: one for name, one in quality_results(results).items() if "direction by rule" in one
    }
    if not found:
        return None
    body = [
        "Which entity of a relation acts on the other, where the gold says so (BioREDirect's subjects of the same documents). *Pairs* are those that were found and have a subject; *named* are those of them for which the model is sure enough to name one, and *right* is the share of these with the right one. The rule names one for all. F1 counts pairs with their subject. The rule: a variant acts on a chemical, that on a gene, that on a disease, and of two entities of one type the one named first. [Direction](train.md#which-entity-acts)",
        "",
    ]
    rows = []
    for one in found.values():
        scores, rule = one["scores"]["direction"], one["direction by rule"]
        rows.append(
            [
                f"`{one['model']}`",
                one["data"],
                number(scores["judged"]),
                number(scores["named"]),
                percent(scores["right"] / max(1, scores["named"])),
                percent(rule["accuracy"]),
                percent(scores["f1"]),
                percent(rule["f1"]),
            ]
        )
    columns = ["model", "data", "pairs", "named", "right, %", "by rule, %", "F1", "F1 by rule"]
    return Section("Direction", [*body, *table(columns, rows)], {}, list(found))


def trade(results, published):
    """Quality against size, and against speed, of every model."""
    found = quality_results(results, TEST)
    if not found:
        return None
    sizes, speeds, rows = [], [], []
    for one in found.values():
        documents = one["scores"]["documents"]["gold"]
        rate = documents / one["cpu_seconds"] if one.get("cpu_seconds") else None
        values = [one["scores"][level]["f1"] for level in ("pair", "all")]
        if one.get("size"):
            sizes.append({"name": one["model"], "x": one["size"] / 1e6, "y": values})
        if rate:
            speeds.append({"name": one["model"], "x": rate, "y": values})
        rows.append(
            [
                f"`{one['model']}`",
                *(percent(value) for value in values),
                number(one["size"] / 1e6) if one.get("size") else "–",
                number(rate) if rate else "–",
                number(documents / one["seconds"]),
                machine(one),
            ]
        )
    base = base_speed(results)
    for one in published:
        if one["test"] != TEST or not one["parameters"]:
            continue
        megabytes = one["parameters"] * FLOAT_BYTES / 1e6
        values = [
            one["scores"][level] / 100 if level in one["scores"] else None
            for level in ("pair", "all")
        ]
        peer = {"name": one["name"], "y": values, "published": True}
        sizes.append(peer | {"x": megabytes})
        if base:
            speeds.append(peer | {"x": base})
        cells = [
            f"{one['scores'][key]:.1f}" if key in one["scores"] else "–" for key in ("pair", "all")
        ]
        rows.append(
            [
                f"*{one['name']}*",
                *(f"*{cell}*" if cell != "–" else cell for cell in cells),
                f"*{number(megabytes)}*",
                f"*{number(base)}*" if base else "–",
                "–",
                "*published*",
            ]
        )
    columns = [
        "model",
        "pair",
        "all",
        "MB",
        "abstracts a CPU second",
        "abstracts a second",
        "machine",
    ]
    body = [
        f"F1 in per cent on {TEST}. Sizes are of the whole model folder; those of published systems are their parameters in float32. Seconds are those of the run that measured the quality, on whatever else the machine did, so CPU seconds tell more.",
        "",
        *table(columns, rows),
    ]
    if base:
        body += [
            "The speed of published systems is that of a network of their size with random weights, read per pair with every copy filled up to 512 tokens, on one of our machines ([speed](#speed)).",
            "",
        ]
    plots = {}
    for name, points, axis in (
        ("quality-size.svg", sizes, "megabytes"),
        ("quality-speed.svg", speeds, "abstracts a CPU second"),
    ):
        if any(not point.get("published") for point in points):
            plots[name] = plot(
                "trade",
                f"F1 of every model against {axis}",
                {"axis": axis, "levels": ["pair", "all"], "points": points},
            )
            body.append(f"{{{{{name}}}}}")
    return Section("Quality against size and speed", body, plots, list(found))


def base_speed(results):
    """Abstracts a CPU second of a network of BERT-base's size, or None."""
    found = results.get("inference", {}).get("per_pair_base_size", {}).get("fp32", {})
    rate = found.get("padded_to_512_documents_per_second")
    return rate / found["threads"] if rate else None


def slug(text):
    """A file name's part."""
    return "-".join("".join(char if char.isalnum() else " " for char in text).lower().split())


SECTIONS = (quality, calibration, direction, trade)
