"""Scores as text for a terminal: figures in percent, as papers give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.schema import short_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from novelink.scoring.counts import Counts
    from novelink.scoring.scores import Scores, Table


def percent(fraction: float) -> str:
    """``0.4715`` → ``47.2`` (half goes to the even tenth, as Python rounds)."""
    return f"{100 * fraction:.1f}"


def pair_name(row: str) -> str:
    """``"ChemicalEntity|DiseaseOrPhenotypicFeature"`` → ``"Chemical–Disease"``."""
    return "–".join(short_name(name) for name in row.split("|"))


def scores_text(scores: Scores) -> str:
    """All tables, ready to print; rows without any relation are left out."""
    return "\n".join(_lines(scores))


def _lines(scores: Scores) -> Iterator[str]:
    yield from _levels(scores)
    yield ""
    tally = scores.documents
    scored = f"{tally.gold} gold documents, {tally.predicted} predicted"
    if tally.missing:
        scored += f", {len(tally.missing)} missing"
    if tally.extra:
        scored += f", {len(tally.extra)} extra"
    yield scored
    outside = sum(scores.gold_outside_candidates.values())
    if outside:
        yield f"{outside} gold relations are covered by no candidate pair"
    if scores.unreachable:
        yield (
            f"{scores.unreachable} gold pairs are out of reach: the predicted document lacks "
            "an entity or gives it another type"
        )
    for level, ranking in scores.rankings.items():
        if level == strictest_level(scores):
            yield (
                f"scores at level {level}: average precision "
                f"{percent(ranking.average_precision)}, calibration error "
                f"{percent(ranking.calibration_error)}"
            )
    if scores.direction:
        one = scores.direction
        yield ""
        yield from _full("direction", {"pair + subject": one.counts})
        yield (
            f"of {one.judged} pairs found whose subject the gold names, {percent(one.accuracy)} % "
            "have the right one"
        )
    if scores.entities:
        for step, overall in scores.entities.overall.items():
            yield ""
            rows = {short_name(k): row[step] for k, row in scores.entities.by_type.items()}
            yield from _full(step, {**rows, "all": overall})
    yield from _grouped("relation type", scores.by_type, ("type", "all"))
    yield from _grouped("novelty", scores.by_novelty, ("novelty", "all"))
    yield from _grouped("pair type", scores.by_pair_type, tuple(scores.levels))


def strictest_level(scores: Scores) -> str:
    """The strictest level: ``all``, or ``type`` where there is no novelty."""
    return list(scores.levels)[-1]


def _levels(scores: Scores) -> Iterator[str]:
    return _full("level", scores.levels, scores.intervals)


def _full(
    title: str, rows: dict[str, Counts], intervals: dict[str, tuple[float, float]] | None = None
) -> Iterator[str]:
    """All figures of each row; with intervals of F1 where there are any."""
    width = max([len(title), *map(len, rows)]) + 3
    interval = f"{'95 % interval':>16}" if intervals else ""
    yield f"{title:<{width}}{'precision':>10}{'recall':>10}{'F1':>8}{interval}{_COUNT_HEAD}"
    for name, counts in rows.items():
        between = "–".join(map(percent, intervals[name])) if intervals else ""
        figures = (percent(counts.precision), percent(counts.recall), percent(counts.f1))
        yield (
            f"{name:<{width}}{figures[0]:>10}{figures[1]:>10}{figures[2]:>8}"
            f"{between:>{len(interval)}}{_counts(counts)}"
        )


_COUNT_HEAD = f"{'tp':>8}{'fp':>8}{'fn':>8}"


def _counts(counts: Counts) -> str:
    return f"{counts.tp:>8}{counts.fp:>8}{counts.fn:>8}"


def _grouped(title: str, table: Table, levels: Sequence[str]) -> Iterator[str]:
    """F1 at each level, and the counts of the first."""
    kept = [level for level in levels if any(level in row for row in table.values())]
    rows = [
        (pair_name(name), [row[level] for level in kept])
        for name, row in table.items()
        if any(row.values())
    ]
    if rows:
        yield ""
        yield from _table(title, rows, kept)


def _table(
    title: str, rows: list[tuple[str, list[Counts]]], levels: Sequence[str]
) -> Iterator[str]:
    width = max([len(title), *(len(name) for name, _ in rows)]) + 2
    heads = "".join(f"{f'F1 {level}'.strip():>12}" for level in levels)
    yield f"{title:<{width}}{heads}{_COUNT_HEAD}"
    for name, row in rows:
        figures = "".join(f"{percent(counts.f1):>12}" for counts in row)
        yield f"{name:<{width}}{figures}{_counts(row[0])}"
