"""Charts of the report as inline SVG: no script, colours from the page's variables."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from novelink.scoring.curves import Ranking

WIDTH, HEIGHT, MARGIN = 460, 340, 46
_POINTS_DRAWN = 240  # of a curve: more than the plot has distinguishable places
DASHES = {"pair": "", "type": "7 3", "novelty": "2 3", "all": "9 3 2 3"}
"""Lines differ in dash as well as in colour, for readers who see few colours."""


def _x(value: float) -> float:
    return MARGIN + value * (WIDTH - MARGIN - 14)


def _y(value: float) -> float:
    return HEIGHT - MARGIN - value * (HEIGHT - MARGIN - 14)


def _frame(title: str, described: str, x_name: str, y_name: str) -> Iterator[str]:
    yield (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(described)}</desc>"
    )
    for step in range(6):
        value = step / 5
        yield (
            f'<line class="grid" x1="{_x(value):.1f}" y1="{_y(0):.1f}" x2="{_x(value):.1f}" '
            f'y2="{_y(1):.1f}"/>'
            f'<line class="grid" x1="{_x(0):.1f}" y1="{_y(value):.1f}" x2="{_x(1):.1f}" '
            f'y2="{_y(value):.1f}"/>'
            f'<text x="{_x(value):.1f}" y="{_y(0) + 16:.1f}" text-anchor="middle">{value:.1f}'
            f'</text><text x="{_x(0) - 7:.1f}" y="{_y(value) + 4:.1f}" text-anchor="end">'
            f"{value:.1f}</text>"
        )
    middle = (_y(0) + _y(1)) / 2
    yield (
        f'<text x="{(_x(0) + _x(1)) / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(x_name)}</text>"
        f'<text x="13" y="{middle:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 13 {middle:.1f})">{escape(y_name)}</text>'
    )


def curves_svg(rankings: dict[str, Ranking]) -> str:
    """Precision over recall, one line a level, dots where all predictions are kept."""
    described = "; ".join(
        f"{level}: average precision {ranking.average_precision:.3f}, ends at precision "
        f"{ranking.precision[-1]:.3f} and recall {ranking.recall[-1]:.3f}"
        for level, ranking in rankings.items()
    )
    parts = list(_frame("Precision–recall curves", described, "recall", "precision"))
    for place, (level, ranking) in enumerate(rankings.items()):
        points = " ".join(
            f"{_x(recall):.1f},{_y(precision):.1f}"
            for recall, precision in _thinned(
                list(zip(ranking.recall, ranking.precision, strict=True))
            )
        )
        dash = f' stroke-dasharray="{DASHES[level]}"' if DASHES[level] else ""
        parts.append(f'<polyline class="line c{place}" points="{points}"{dash}/>')
        parts.append(
            f'<circle class="dot c{place}" cx="{_x(ranking.recall[-1]):.1f}" '
            f'cy="{_y(ranking.precision[-1]):.1f}" r="3.5"/>'
        )
        # The key stands at the lower left, where few curves pass.
        line = HEIGHT - MARGIN - 14 - 17 * (len(rankings) - 1 - place)
        parts.append(
            f'<line class="line c{place}" x1="{MARGIN + 24}" y1="{line}" x2="{MARGIN + 58}" '
            f'y2="{line}"{dash}/><text x="{MARGIN + 65}" y="{line + 4}">{escape(level)}</text>'
        )
    return "".join([*parts, "</svg>"])


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most :data:`_POINTS_DRAWN` points, the first and the last among them."""
    if len(points) <= _POINTS_DRAWN:
        return points
    step = (len(points) - 1) / (_POINTS_DRAWN - 1)
    return [points[round(place * step)] for place in range(_POINTS_DRAWN)]


def calibration_svg(ranking: Ranking, level: str) -> str:
    """Share of right predictions over their mean score; the diagonal is perfect."""
    described = "; ".join(
        f"scores around {one.mean_score:.2f}: {one.accuracy:.2f} right of {one.count}"
        for one in ranking.calibration
    )
    title = f"Reliability of scores, level {level}"
    parts = list(_frame(title, described, "mean score", "share that is right"))
    parts.append(
        f'<line class="ideal" x1="{_x(0):.1f}" y1="{_y(0):.1f}" x2="{_x(1):.1f}" y2="{_y(1):.1f}"/>'
    )
    largest = max(one.count for one in ranking.calibration)
    points = " ".join(
        f"{_x(one.mean_score):.1f},{_y(one.accuracy):.1f}" for one in ranking.calibration
    )
    parts.append(f'<polyline class="line c0" points="{points}"/>')
    parts.extend(
        f'<circle class="dot c0" cx="{_x(one.mean_score):.1f}" cy="{_y(one.accuracy):.1f}" '
        f'r="{3 + 7 * (one.count / largest) ** 0.5:.1f}"><title>{one.count} predictions, mean '
        f"score {one.mean_score:.3f}, {one.accuracy:.3f} right</title></circle>"
        for one in ranking.calibration
    )
    return "".join([*parts, "</svg>"])


def interval_svg(f1: float, bounds: tuple[float, float]) -> str:
    """A bar of F1 with its interval, small enough for a table cell."""
    low, high = bounds
    return (
        '<svg class="bar" viewBox="0 0 200 14" aria-hidden="true">'
        '<rect class="back" x="0" y="4" width="200" height="6"/>'
        f'<rect class="fill" x="0" y="4" width="{200 * f1:.1f}" height="6"/>'
        f'<line class="whisker" x1="{200 * low:.1f}" y1="7" x2="{200 * high:.1f}" y2="7"/>'
        f'<line class="whisker" x1="{200 * low:.1f}" y1="2" x2="{200 * low:.1f}" y2="12"/>'
        f'<line class="whisker" x1="{200 * high:.1f}" y1="2" x2="{200 * high:.1f}" y2="12"/>'
        "</svg>"
    )
