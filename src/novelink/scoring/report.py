"""Scores as one self-contained HTML page: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from novelink import __version__
from novelink.schema import short_name
from novelink.scoring.charts import calibration_svg, curves_svg, interval_svg
from novelink.scoring.table import pair_name, percent, strictest_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from novelink.scoring.confusion import Confusion
    from novelink.scoring.counts import Counts
    from novelink.scoring.curves import Ranking
    from novelink.scoring.scores import DocumentScore, Scores, Table

DOCUMENTS_SHOWN = 500
"""Documents with errors that the page lists; it says how many more there are."""


def report_html(scores: Scores, *, gold: str, predicted: str) -> str:
    """The page.

    Args:
        scores: from :func:`novelink.scoring.score`.
        gold: what the gold is called, usually its file name.
        predicted: likewise.
    """
    title = escape(f"Scores: {predicted} against {gold}")
    style = files("novelink.scoring").joinpath("report.css").read_text(encoding="utf-8")
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{style}</style></head><body><main>",
            *_head(scores, gold, predicted),
            *_levels(scores),
            *_entities(scores),
            *_curves(scores.rankings, strictest_level(scores)),
            *_breakdown(
                "Relation types",
                "F1 at the levels whose key has the type",
                scores.by_type,
            ),
            *_breakdown("Novelty", "F1 at the levels whose key has Novel / No", scores.by_novelty),
            *_breakdown("Pair types", "F1 at each level", scores.by_pair_type),
            *_matrix("Relation types, gold in rows, predicted in columns", scores.confusion),
            *(
                _matrix("Novelty, gold in rows, predicted in columns", scores.novelty_confusion)
                if scores.novelty_confusion
                else ()
            ),
            *_documents(scores),
            "</main></body></html>\n",
        ]
    )


def _head(scores: Scores, gold: str, predicted: str) -> Iterator[str]:
    tally = scores.documents
    yield f"<h1>Relations of {escape(predicted)}</h1>"
    yield (
        f'<p class="soft">Scored against {escape(gold)}: {tally.gold} gold documents, '
        f"{tally.predicted} predicted, {len(tally.missing)} missing, {len(tally.extra)} extra. "
        f"Schema {escape(scores.schema)}"
        f"{', missing documents cost nothing' if scores.options.get('compat') else ''}. "
        f"NoveLink {escape(__version__)}.</p>"
    )
    warnings = scores.warnings()
    if warnings:
        items = "".join(f"<li>{escape(line)}</li>" for line in warnings)
        yield '<section class="warn"><strong>Before you trust the figures</strong>'
        yield f"<ul>{items}</ul></section>"


def _table(
    caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], kind: str = ""
) -> str:
    """A table whose first column names the rows; cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>' for name, cells in rows
    )
    # A region that scrolls has to be reachable by keyboard.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="{kind}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(*values: object) -> list[str]:
    return [f"<td>{escape(str(value))}</td>" for value in values]


def _figures(counts: Counts) -> list[str]:
    return _cells(percent(counts.precision), percent(counts.recall), percent(counts.f1))


def _levels(scores: Scores) -> Iterator[str]:
    rows = []
    for level, counts in scores.levels.items():
        cells = _figures(counts)
        if level in scores.intervals:
            low, high = scores.intervals[level]
            bar = interval_svg(counts.f1, (low, high))
            cells.append(f"<td>{percent(low)}–{percent(high)} {bar}</td>")
        rows.append((level, cells + _cells(counts.tp, counts.fp, counts.fn)))
    heads = ["level", "precision", "recall", "F1"]
    heads += ["F1, 95 % interval"] if scores.intervals else []
    yield "<h2>Levels</h2>"
    yield _table(
        "Micro figures in percent; intervals by bootstrap over documents",
        [*heads, "right", "wrong", "missed"],
        rows,
    )
    outside = sum(scores.gold_outside_candidates.values())
    yield (
        f'<p class="soft">{outside} gold pairs are covered by no candidate pair; '
        f"{scores.unreachable} are out of reach because the predicted document lacks an entity "
        "or gives it another type.</p>"
    )


def _entities(scores: Scores) -> Iterator[str]:
    if scores.entities is None:
        return
    yield "<h2>Entities</h2>"
    for step, overall in scores.entities.overall.items():
        rows = [("all", overall)] + [
            (short_name(name), row[step])
            for name, row in scores.entities.by_type.items()
            if row[step]
        ]
        yield _table(
            f"{step.capitalize()}, percent",
            ["type", "precision", "recall", "F1", "right", "wrong", "missed"],
            [
                (name, _figures(counts) + _cells(counts.tp, counts.fp, counts.fn))
                for name, counts in rows
            ],
        )


def _curves(rankings: dict[str, Ranking], strictest: str) -> Iterator[str]:
    if not rankings:
        return
    yield '<h2>Scores</h2><div class="charts">'
    yield (
        f"<figure>{curves_svg(rankings)}<figcaption>Each line keeps the predictions above a "
        "falling threshold; the dot keeps all.</figcaption></figure>"
    )
    if strictest in rankings:
        yield (
            f"<figure>{calibration_svg(rankings[strictest], strictest)}<figcaption>On the dotted "
            "diagonal a score of 0.8 is right in 80 %. Larger dots hold more predictions."
            "</figcaption></figure>"
        )
    yield "</div>"
    yield _table(
        "Percent; the curve's area reaches to the recall of all predictions",
        ["level", "average precision", "calibration error", "scored", "without score"],
        [
            (
                level,
                _cells(
                    percent(ranking.average_precision),
                    percent(ranking.calibration_error),
                    ranking.scored,
                    ranking.unscored,
                ),
            )
            for level, ranking in rankings.items()
        ],
    )
    for level, ranking in rankings.items():
        yield f"<details><summary>Calibration bins, level {escape(level)}</summary>"
        yield _table(
            f"Predictions by score, level {level}",
            ["scores", "predictions", "mean score", "share right"],
            [
                (
                    f"{one.low:.1f}–{one.high:.1f}",
                    _cells(one.count, f"{one.mean_score:.3f}", f"{one.accuracy:.3f}"),
                )
                for one in ranking.calibration
            ],
        )
        yield "</details>"


def _breakdown(title: str, caption: str, table: Table) -> Iterator[str]:
    rows = {name: row for name, row in table.items() if any(row.values())}
    if not rows:
        return
    levels = list(next(iter(rows.values())))
    heads = [title.removesuffix("s").lower()]
    for level in levels:
        heads += [f"{level}: P", "R", "F1"]
    yield f"<h2>{escape(title)}</h2>"
    yield _table(
        f"{caption}, percent; right, wrong and missed at level {levels[0]}",
        [*heads, "right", "wrong", "missed"],
        [
            (
                pair_name(name),
                [
                    *(cell for level in levels for cell in _figures(row[level])),
                    *_cells(row[levels[0]].tp, row[levels[0]].fp, row[levels[0]].fn),
                ],
            )
            for name, row in rows.items()
        ],
    )


def _matrix(title: str, matrix: Confusion) -> Iterator[str]:
    kept = [
        place
        for place in range(len(matrix.labels))
        if any(matrix.counts[place]) or any(row[place] for row in matrix.counts)
    ]
    names = [matrix.labels[place] for place in kept]
    rows = []
    for place in kept:
        # Shade by share of the row's related pairs: the unrelated ones would outshine them all.
        total = sum(matrix.counts[place]) - (matrix.counts[0][0] if place == 0 else 0)
        cells = []
        for column in kept:
            count = matrix.counts[place][column]
            shaded = total and (place, column) != (0, 0)
            heat = f' style="--heat:{0.6 * count / total:.3f}"' if shaded else ""
            same = ' class="same"' if place == column else ""
            cells.append(f"<td{same}{heat}>{count}</td>")
        rows.append((matrix.labels[place], cells))
    yield f"<h2>{escape(title)}</h2>"
    yield _table(
        f"{title}: pairs; None is no relation",
        ["gold", *names],
        rows,
        kind="heat",
    )


def _documents(scores: Scores) -> Iterator[str]:
    level = strictest_level(scores)
    wrong = [row for row in scores.per_document if row.errors]
    wrong.sort(key=lambda row: (-row.levels[level].errors, row.id))
    yield "<h2>Documents by errors</h2>"
    yield (
        f'<p class="soft">{len(wrong)} of {len(scores.per_document)} documents have an error at '
        f"level {escape(level)}."
    )
    if len(wrong) > DOCUMENTS_SHOWN:
        yield f" The {DOCUMENTS_SHOWN} with most errors are listed."
    yield "</p>"
    for row in wrong[:DOCUMENTS_SHOWN]:
        yield from _document(row, row.levels[level])


def _document(row: DocumentScore, counts: Counts) -> Iterator[str]:
    yield (
        f"<details><summary>{escape(row.id)}: {counts.tp} right, {counts.fp} wrong, "
        f"{counts.fn} missed</summary>"
    )
    yield _table(
        f"Differences in {row.id}",
        ["pair", "ids", "gold", "predicted", "score"],
        [
            (
                f"{error.name1} – {error.name2}",
                [
                    f'<td class="left">{escape(error.id1)} – {escape(error.id2)}</td>',
                    f'<td class="left">{escape(error.gold or "None")}</td>',
                    f'<td class="left">{escape(error.predicted or "None")}</td>',
                    *_cells("" if error.score is None else f"{error.score:.3f}"),
                ],
            )
            for error in row.errors
        ],
    )
    yield "</details>"
