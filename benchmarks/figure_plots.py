"""Plots of the page of figures, as SVG that comes out the same each time."""

from __future__ import annotations

import io

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib import ticker

SETTINGS = {
    "svg.hashsalt": "novelink",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.constrained_layout.use": True,
}
COLOURS = ("#1b6ca8", "#c0561a", "#3f7d3a", "#7a4f9a", "#8a6d1a", "#555555")
MARKS = ("o", "s", "^", "D", "v", "P")


def draw(kind, data, note):
    """SVG text of a plot.

    Args:
        kind: one of the functions below.
        data: as that function takes it.
        note: kept in the file's description.
    """
    with mpl.rc_context(SETTINGS):
        figure = {"quality": quality, "reliability": reliability, "trade": trade, "bars": bars}[
            kind
        ](data)
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Description": note})
        plt.close(figure)
    lines = [line.rstrip() for line in target.getvalue().splitlines()]
    return "\n".join(lines) + "\n"


def quality(data):
    """Dots with intervals by level; published figures are hollow."""
    figure, axes = plt.subplots(figsize=(7.5, 4))
    models, published = data["models"], data["published"]
    step = 0.8 / max(1, len(models) + len(published))
    for place, one in enumerate(models):
        x = [level - 0.4 + (place + 0.5) * step for level in range(len(data["levels"]))]
        y = [100 * value for value in one["f1"]]
        spread = [
            [value - 100 * low for value, low in zip(y, one["low"], strict=True)],
            [100 * high - value for value, high in zip(y, one["high"], strict=True)],
        ]
        axes.errorbar(
            x,
            y,
            spread,
            fmt=MARKS[place % len(MARKS)],
            color=COLOURS[place % len(COLOURS)],
            capsize=3,
            label=one["name"],
        )
    for place, one in enumerate(published, start=len(models)):
        x = [
            level - 0.4 + (place + 0.5) * step
            for level, value in enumerate(one["f1"])
            if value is not None
        ]
        y = [value for value in one["f1"] if value is not None]
        axes.plot(
            x,
            y,
            MARKS[place % len(MARKS)],
            color="#333333",
            fillstyle="none",
            label=f"{one['name']} (published)",
        )
    axes.set_xticks(range(len(data["levels"])), data["levels"])
    axes.set_ylabel("F1, %")
    axes.set_ylim(0, 100)
    axes.set_title(data["title"])
    figure.legend(loc="outside lower center", fontsize=8, ncols=2)
    return figure


def reliability(data):
    """Share that is right over mean score; the size of a dot is its bin's count."""
    diagrams = data["diagrams"]
    figure, row = plt.subplots(1, len(diagrams), figsize=(4.2 * len(diagrams), 4), squeeze=False)
    for axes, (meaning, bins) in zip(row[0], diagrams.items(), strict=True):
        axes.plot([0, 1], [0, 1], ":", color="#777777")
        most = max(count for _, _, count in bins)
        x, y = [mean for mean, _, _ in bins], [share for _, share, _ in bins]
        axes.plot(x, y, color=COLOURS[0])
        axes.scatter(
            x,
            y,
            [12 + 140 * (count / most) ** 0.5 for _, _, count in bins],
            color=COLOURS[0],
            alpha=0.7,
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_aspect("equal")
        axes.set_xlabel(f"score: {meaning}")
        axes.set_ylabel("share that is so")
    figure.suptitle(data["title"])
    return figure


def trade(data):
    """F1 over a cost on a logarithmic axis; published systems are hollow."""
    figure, row = plt.subplots(1, len(data["levels"]), figsize=(8, 3.8), squeeze=False)
    seen = {}
    for place, one in enumerate(data["points"]):
        for axes, value in zip(row[0], one["y"], strict=True):
            if value is None:
                continue
            hollow = one.get("published")
            (line,) = axes.plot(
                [one["x"]],
                [100 * value],
                MARKS[place % len(MARKS)],
                color="#333333" if hollow else COLOURS[place % len(COLOURS)],
                fillstyle="none" if hollow else "full",
                markersize=8,
            )
            seen[one["name"] + (" (published)" if hollow else "")] = line
    for axes, level in zip(row[0], data["levels"], strict=True):
        logarithmic(axes, [one["x"] for one in data["points"]])
        axes.set_ylim(0, 100)
        axes.set_xlabel(data["axis"])
        axes.set_ylabel(f"F1 at level {level}, %")
    figure.legend(seen.values(), seen.keys(), loc="outside lower center", fontsize=8, ncols=2)
    return figure


def logarithmic(axes, values):
    """A logarithmic axis with room at both ends and plain numbers at powers of ten, 2 and 5."""
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2.5, max(values) * 2.5)
    wide = max(values) > 200 * min(values)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1,) if wide else (1, 2, 5)))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())


def bars(data):
    """Horizontal bars with their values."""
    names = [name for name, _ in data["bars"]][::-1]
    values = [value for _, value in data["bars"]][::-1]
    figure, axes = plt.subplots(figsize=(8, 0.6 + 0.45 * len(names)))
    drawn = axes.barh(names, values, color=COLOURS[0])
    axes.bar_label(drawn, [f"{value:.3g}" for value in values], padding=3)
    if data["log"]:
        logarithmic(axes, values)
    axes.set_xlabel(data["title"])
    return figure
