"""The page of figures: docs/figures.md and its plots, from benchmarks/results/*.json alone.

    python benchmarks/figures.py            writes the page (make figures does the same)
    python benchmarks/figures.py --check    exit code 1 where page or plots are out of date

Nothing on the page is typed by hand: every number comes from a results file, or from
published.json, whose entries name their source. A section is there when its file is. Each plot
carries the digest of the data it was drawn from, so that a check needs no drawing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # also where it is loaded by its path

import figure_entities
import figure_sections
import figure_tables

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE, IMAGES = "figures.md", "images/figures"
SECTIONS = (*figure_sections.SECTIONS, *figure_entities.SECTIONS, *figure_tables.SECTIONS)
DRAWING = 1
"""Raised when the drawing changes, so that plots of the same data are drawn anew."""

HEAD = """# Figures

<!-- Made by benchmarks/figures.py (make figures) from benchmarks/results: edit those, not this. -->

All that has been measured, with the file each number comes from. Intervals are 95 % bootstraps over documents. Every figure of quality is of one trained file, scored once; published systems are marked as such, with their source, and were not run again here. Times depend on the machine that is named beside them.
"""


def load(folder):
    """File name without ending → what the file holds."""
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def build(results, published):
    """The page's text, and plot name → its kind and data."""
    plots, parts, used = {}, [HEAD], set()
    for section in SECTIONS:
        made = section(results, published)
        if made is not None:
            parts.append(made.text(IMAGES))
            plots |= made.plots
            used |= set(made.files)
    others = [name for name in results if name not in used]
    if others:
        listed = ", ".join(f"`{name}.json`" for name in others)
        parts.append(f"## Elsewhere\nShown on pages of their own: {listed}.\n")
    return "\n".join(parts), plots


def digest(plot):
    """What tells whether a plot was drawn from this data."""
    text = json.dumps([DRAWING, plot], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def drawn_from(path):
    """The digest that a plot carries, or None."""
    if not path.exists():
        return None
    found = re.search(r"data sha256 ([0-9a-f]{64})", path.read_text("utf-8"))
    return found[1] if found else None


def outdated(docs, text, plots):
    """Names of what does not show the results as they are."""
    page = docs / PAGE
    names = [] if page.exists() and page.read_text("utf-8") == text else [PAGE]
    names += [
        f"{IMAGES}/{name}"
        for name, plot in plots.items()
        if drawn_from(docs / IMAGES / name) != digest(plot)
    ]
    left = sorted(path.name for path in (docs / IMAGES).glob("*.svg") if path.name not in plots)
    return names + [f"{IMAGES}/{name}" for name in left]


def write(docs, text, plots):
    """The page, and those plots whose data changed; plots of nothing go."""
    import figure_plots

    folder = docs / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    (docs / PAGE).write_text(text, encoding="utf-8")
    for name, plot in plots.items():
        wanted = digest(plot)
        if drawn_from(folder / name) != wanted:
            svg = figure_plots.draw(plot["kind"], plot["data"], f"data sha256 {wanted}")
            (folder / name).write_text(svg, encoding="utf-8")
    for path in folder.glob("*.svg"):
        if path.name not in plots:
            path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    published = json.loads((HERE / "published.json").read_text("utf-8"))["systems"]
    text, plots = build(load(HERE / "results"), published)
    if chosen.check:
        names = outdated(DOCS, text, plots)
        if names:
            sys.exit(f"out of date: {', '.join(names)}; run: make figures")
        return
    write(DOCS, text, plots)
    print(f"{DOCS / PAGE} written, {len(plots)} plots")


if __name__ == "__main__":
    main()
