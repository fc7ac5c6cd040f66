"""Sections of the page of figures on cost: speed, memory, training, converting, runs, the page."""

from __future__ import annotations

from figure_parts import Section, machine, number, percent, plot, table

PADDED = "padded_to_512_documents_per_second"
MODELS = {
    "once": "small encoder, document read once",
    "per_pair": "small encoder, per pair",
    "per_pair_base_size": "BERT-base's size, per pair",
}


def speed(results, _):
    """Abstracts a second, start and the bound of arithmetic."""
    found = results.get("inference")
    if not found or not {"once", "shipped"} & set(found):
        return None
    rows, bars = [], []
    for key, label in MODELS.items():
        for precision, one in found.get(key, {}).items():
            columns = [(label, "documents_per_second")]
            if PADDED in one:
                columns.append((f"{label}, filled up to 512 tokens", PADDED))
            for name, column in columns:
                how = one.get("extrapolated", "measured")
                rate, peak = number(one[column]), number(one["peak_memory_mb"])
                rows.append([name, precision, one["threads"], rate, how, peak])
                bars.append([f"{name}, {precision}", one[column]])
    shipped = []
    for name, one in found.get("shipped", {}).items():
        rate, peak = number(one["documents_per_second"]), number(one["peak_memory_mb"])
        how = f"{one['documents']} abstracts" + (", with evidence" if one.get("evidence") else "")
        shipped.append([f"`{name}`, as shipped", "int8", one["threads"], rate, how, peak])
        if "shipped_run" not in found:  # on the machine of the others
            bars.append([f"{name}, as shipped", one["documents_per_second"]])
    heading = ["model", "precision", "threads", "abstracts a second", "how", "peak MB"]
    body = [
        f"Abstracts of {found['corpus']} a second on {machine(found)}. The networks have the sizes named and random heads, since time does not depend on weights: best of several passes.",
        "",
        *table(heading, rows),
        "{{speed.svg}}",
    ]
    if shipped:
        own = machine(found.get("shipped_run", found))
        body += [f"Models as shipped, on {own}:", "", *table(heading, shipped)]
    if found.get("start"):
        start = found["start"]
        body += [
            f"`novelink extract` of one abstract takes {number(start['median_seconds'])} s from start to end (median of {start['runs']}, after a first run of {number(start['first_seconds'])} s).",
            "",
        ]
    if found.get("ratios"):
        ratios = [
            [name.replace("_", " "), f"{value:,.1f} ×"] for name, value in found["ratios"].items()
        ]
        body += table(["times as fast", ""], ratios)
    rows = [
        [
            name,
            number(one["products_ms_per_document"]),
            number(one["extract_ms_per_document"]),
            percent(one["share_of_bound"]),
        ]
        for name, one in found.get("bound", {}).items()
    ]
    if rows:
        body += [
            "The encoder's matrix products alone, one thread, against all of reading a document once:",
            "",
        ]
        body += table(["precision", "products, ms", "extract, ms", "share, %"], rows)
    bar_data = {"title": "abstracts a second", "bars": bars, "log": True}
    plots = {"speed.svg": plot("bars", "Abstracts a second of each model", bar_data)}
    return Section("Speed", body, plots, ["inference"])


def memory(results, _):
    """Peaks of resident memory, wherever one was measured."""
    rows, files = [], []
    found = results.get("inference", {}).get("memory")
    if found:
        rows.append(
            [
                "extract, abstracts in a stream",
                found["documents"],
                found["peak_memory_mb"],
                found["grown_after_first_tenth_mb"],
            ]
        )
        files.append("inference")
    for name, what in (
        ("scale", "corpus run, short abstracts"),
        ("scale-long", "corpus run, long abstracts"),
    ):
        for one in results.get(name, {}).get("runs", []):
            workers = f"{one['workers']} worker{'s' if one['workers'] > 1 else ''}"
            rows.append(
                [
                    f"{what}, {workers}",
                    results[name]["documents"],
                    one["peak_memory_mb"],
                    one["growth_mb"],
                ]
            )
            files.append(name)
    for step in results.get("formats", {}).get("steps", []):
        rows.append(
            [
                f"convert {step['from']} to {step['to']}",
                results["formats"]["documents"],
                step["peak_memory_mb"],
                None,
            ]
        )
        files.append("formats")
    if not rows:
        return None
    shown = [
        [
            what,
            number(documents),
            number(float(peak)),
            "–" if growth is None else number(float(growth)),
        ]
        for what, documents, peak, growth in rows
    ]
    body = [
        "Peak resident memory in MB, of all processes together, and how much of it came after the first part of a run: what grows would not fit in the end.",
        "",
        *table(["what", "documents", "peak MB", "grown MB"], shown),
    ]
    return Section("Memory", body, {}, list(dict.fromkeys(files)))


def training(results, _):
    """Samples a second of training."""
    found = results.get("training")
    if not found:
        return None
    rows = [
        [arm, number(one["samples_per_second"]), number(one["peak_memory_bytes"] / 1e6)]
        for arm, one in found["arms"].items()
    ]
    body = [
        f"Samples of per-pair training a second on {machine(found)}, encoder `{found['settings']['encoder']}`. *plain* is the transformers library's own trainer on the same samples filled up to {found['settings']['padded_length']} tokens, *plain-fit* the same filled up to the longest of a batch; *novelink-more* holds several times the documents.",
        "",
        *table(["trainer", "samples a second", "peak MB"], rows),
    ]
    return Section("Training", body, {}, ["training"])


def formats(results, _):
    """Converting."""
    found = results.get("formats")
    if not found:
        return None
    rows = [
        [
            f"{step['from']} to {step['to']}",
            number(step["input_mb"]),
            number(step["documents_per_cpu_second"]),
            number(step["peak_memory_mb"]),
        ]
        for step in found["steps"]
    ]
    body = [
        f"{number(found['documents'])} documents through every format and back, on {machine(found)}.",
        "",
        *table(["step", "input MB", "documents a CPU second", "peak MB"], rows),
    ]
    return Section("Converting", body, {}, ["formats"])


def runs(results, _):
    """Corpus runs and the service."""
    rows, files = [], []
    for name in ("scale", "scale-long"):
        for one in results.get(name, {}).get("runs", []):
            found = results[name]
            rows.append(
                [
                    f"corpus run, {found['pairs'] / found['documents']:.0f} pairs a document",
                    f"`{found['model']}`",
                    one["workers"],
                    number(one["documents_per_second"]),
                    number(one["documents_per_cpu_second"]),
                    machine(found),
                ]
            )
            files.append(name)
    rest = results.get("rest")
    if rest:
        rows.append(
            [
                f"REST, {rest['clients']} clients",
                f"`{rest['model']}`",
                "–",
                number(rest["serve_documents_per_s"]),
                "–",
                f"{rest['cores']} cores",
            ]
        )
        files.append("rest")
    if not rows:
        return None
    columns = ["what", "model", "workers", "documents a second", "a CPU second", "machine"]
    body = [
        "More on [corpus runs](corpus-runs.md), [their cost](cost.md) and [the service](rest.md).",
        "",
        *table(columns, rows),
    ]
    if "scale-cluster" in results:
        files.append("scale-cluster")
    return Section("Corpus runs and service", body, {}, list(dict.fromkeys(files)))


def page(results, _):
    """The page of relations in a browser."""
    found = results.get("page")
    if not found:
        return None
    rows = [
        [name, *(one[key] for key in ("best", "median", "worst"))]
        for name, one in found["to_paint_ms"].items()
    ]
    body = [
        f"A page of {number(found['documents'])} documents and {number(found['relations'])} relations ({number(found['page_mb'])} MB, made in {number(found['made_s'])} s) opens in {found['open_ms']['median']} ms (median) in {found['browser']}. Milliseconds until what was asked for is painted:",
        "",
        *table(["action", "best", "median", "worst"], rows),
    ]
    return Section("The page", body, {}, ["page"])


SECTIONS = (speed, memory, training, formats, runs, page)
