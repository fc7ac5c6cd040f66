"""Rows of a table on stdout: aligned to read, or TSV, CSV, JSON Lines for machines."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import completion, options

if TYPE_CHECKING:
    from novelink.scale.question import Answer

FORMS = ("table", "tsv", "csv", "jsonl")

results = click.argument("results", metavar="RESULTS", shell_complete=completion.files)
"""The folder, URL or file that a run wrote."""

min_score = click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    metavar="S",
    help="Leave out relations below this score, 0–1.",
)
"""``--min-score S``, None by default."""

limit = click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Most rows on standard output; 0 for all.",
)
"""``--limit N``."""

form = click.option(
    "--to",
    "form",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="table to read; tsv, csv, jsonl for machines.",
)
"""``--to table|tsv|csv|jsonl``."""

_WIDEST = 36  # characters of a column in a table to read
_NESTED = (list, dict, tuple)


def say_answer(answer: Answer, form_name: str) -> None:
    """Print an answer, and on stderr what of it is not shown."""
    if form_name == "jsonl":
        for row in answer.rows:
            click.echo(
                json.dumps(
                    dict(zip(answer.columns, row, strict=True)), ensure_ascii=False, default=str
                )
            )
    elif form_name == "table":
        _table(answer)
    else:
        text = io.StringIO()
        writer = csv.writer(
            text,
            lineterminator="\n",
            delimiter="\t" if form_name == "tsv" else ",",
            quoting=csv.QUOTE_NONE if form_name == "tsv" else csv.QUOTE_MINIMAL,
            escapechar="\\" if form_name == "tsv" else None,
        )
        writer.writerow(answer.columns)
        for row in answer.rows:
            writer.writerow([_plain(value, exact=True) for value in row])
        click.echo(text.getvalue(), nl=False)
    hidden = answer.total - len(answer.rows)
    if hidden:
        options.say([f"{len(answer.rows):,} of {answer.total:,} rows; all of them with --limit 0"])
    elif not answer.rows:
        options.say(["nothing found"])


def _table(answer: Answer) -> None:
    """Columns that are empty throughout, and nested ones, are left out."""
    shown = [
        place
        for place in range(len(answer.columns))
        if any(row[place] is not None for row in answer.rows)
        and not any(isinstance(row[place], _NESTED) for row in answer.rows)
    ]
    if not shown:
        return
    wide = not sys.stdout.isatty()
    lines = [[answer.columns[place] for place in shown]]
    lines += [[_cut(_plain(row[place]), wide=wide) for place in shown] for row in answer.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [any(isinstance(row[place], int | float) for row in answer.rows) for place in shown]
    for line in lines:
        cells = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(line, widths, numeric, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _cut(text: str, *, wide: bool) -> str:
    return text if wide or len(text) <= _WIDEST else text[: _WIDEST - 1].rstrip() + "…"


def _plain(value: Any, *, exact: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}" if exact else f"{value:.3f}"
    if isinstance(value, _NESTED):
        return json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(str(value).split())
