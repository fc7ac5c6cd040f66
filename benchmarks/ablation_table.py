"""What the ablation's runs say: means, ranges, gains with intervals, a table and a plot."""

from __future__ import annotations

from html import escape

import numpy as np
from ablation_results import LEVELS

RESAMPLES = 2000
PLOTTED = ("type", "all")


def f1(counts):
    """F1 of summed counts ``[…, (hits, found, gold)]``."""
    hits, found, gold = counts[..., 0], counts[..., 1], counts[..., 2]
    return 2 * hits / np.maximum(1, found + gold)


def gain_interval(tables, before):
    """95 % bootstrap of the mean gain in F1 over seeds, per level: ``[2, levels]``.

    Documents are drawn anew, the same for both rows; where there are several seeds these are
    drawn too, the same for both rows, so that the interval also holds the chance of training.

    Args:
        tables: ``[seeds, documents, levels, 3]``.
        before: of the row before, same seeds and documents.
    """
    generator = np.random.default_rng(0)
    seeds, documents = tables.shape[:2]
    values = []
    for _ in range(RESAMPLES):
        # How often each document was drawn; multiplying is faster than copying rows.
        drawn = np.bincount(generator.integers(0, documents, documents), minlength=documents)
        chosen = generator.integers(0, seeds, seeds)
        after, earlier = (
            f1(np.einsum("d,sdlc->slc", drawn, side[chosen])) for side in (tables, before)
        )
        values.append((after - earlier).mean(0))
    return np.quantile(values, [0.025, 0.975], axis=0)


def summary(results, rows):
    """One entry a row: seeds, mean and range of each level, gain over the row it stands against.

    Args:
        results: of :class:`ablation_results.Results`.
        rows: row → the row it is compared with, or None.
    """
    entries = []
    for row, against in rows.items():
        seeds = results.seeds(row)
        entry = {"row": row, "seeds": seeds, "against": against, "levels": {}, "gain": {}}
        entry["folds"] = sum(run["row"] == row and bool(run.get("fold")) for run in results.runs)
        entries.append(entry)
        if not seeds:
            continue
        values = np.stack([f1(results.counts(row, seed).sum(0)) for seed in seeds])
        for place, level in enumerate(LEVELS):
            entry["levels"][level] = values[:, place].tolist()
        entry["minutes"] = float(np.mean([_minutes(results.find(row, seed)) for seed in seeds]))
        shared = [seed for seed in seeds if against and seed in results.seeds(against)]
        if shared:
            after, before = (
                np.stack([results.counts(name, seed) for seed in shared]) for name in (row, against)
            )
            means = (f1(after.sum(1)) - f1(before.sum(1))).mean(0)
            bounds = gain_interval(after, before)
            entry["gain"] = {
                level: (float(means[place]), *map(float, bounds[:, place]))
                for place, level in enumerate(LEVELS)
            }
    return entries


def _minutes(run):
    return run["minutes" if run["machine"]["gpu"] else "core_minutes"]


def markdown(entries):
    """A table: mean F1 in % with the lowest and highest of several runs, gains with intervals."""
    lines = [
        "| row | runs | pair | type | novelty | all | gain in type | gain in all | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for entry in entries:
        runs = str(len(entry["seeds"])) + (f" ({entry['folds']} folds)" if entry["folds"] else "")
        cells = [_range(entry["levels"].get(level)) for level in LEVELS]
        cells += [_gain(entry["gain"].get(level)) for level in PLOTTED]
        cells.append(f"{entry['minutes']:.0f}" if "minutes" in entry else "–")
        lines.append(f"| {entry['row']} | {runs} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _range(values):
    if not values:
        return "–"
    mean = f"{100 * np.mean(values):.1f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({100 * min(values):.1f}–{100 * max(values):.1f})"


def _gain(values):
    if not values:
        return "–"
    mean, low, high = (100 * value for value in values)
    return f"{mean:+.1f} ({low:+.1f} to {high:+.1f})".replace("-", "−")


def plot(entries):
    """An SVG with a panel a level: dots are runs, a bar spans them, a line marks their mean."""
    entries = [entry for entry in entries if entry["seeds"]]
    width, left, panel, step = 760, 130, 290, 34
    height = 58 + step * len(entries) + 24
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-size="13" font-family="sans-serif" role="img">'
        ),
        f"<title>F1 on Test at the levels {' and '.join(PLOTTED)}, by row</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for place, entry in enumerate(entries):
        parts.append(
            f'<text x="{left - 14}" y="{62 + step * place}" text-anchor="end">'
            f"{escape(entry['row'])}</text>"
        )
    for number, level in enumerate(PLOTTED):
        begin = left + number * (panel + 30)
        parts += _panel(entries, level, begin, panel, step)
    parts.append(
        f'<text x="{left}" y="{height - 10}" fill="#555">F1 in %: dots are single runs, '
        "the number is their mean</text></svg>"
    )
    return "\n".join(parts) + "\n"


def _panel(entries, level, begin, width, step):
    values = [value for entry in entries for value in entry["levels"][level]]
    low, high = min(values, default=0.0), max(values, default=1.0)
    span = max(0.01, high - low)

    def across(value):
        return begin + 24 + (width - 70) * (value - low) / span

    yield f'<text x="{begin + 24}" y="24" font-weight="bold">{level}</text>'
    for place, entry in enumerate(entries):
        line, found = 58 + step * place, entry["levels"][level]
        mean = float(np.mean(found))
        yield (
            f'<line x1="{across(min(found)):.1f}" x2="{across(max(found)):.1f}" y1="{line}" '
            f'y2="{line}" stroke="#9bc" stroke-width="7" stroke-linecap="round"/>'
        )
        for value in found:
            yield f'<circle cx="{across(value):.1f}" cy="{line}" r="3.5" fill="#246"/>'
        yield (
            f'<text x="{across(max(found)) + 10:.1f}" y="{line + 4}" fill="#333">'
            f"{100 * mean:.1f}</text>"
        )


def place_in_page(page, name, content):
    """Put content between ``<!-- name -->`` and ``<!-- /name -->`` of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no '{begin} … {end}'")
    head, rest = page.split(begin, 1)
    tail = rest.split(end, 1)[1]
    return f"{head}{begin}\n{content.strip()}\n{end}{tail}"
