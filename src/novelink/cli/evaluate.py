"""``novelink evaluate``: predicted relations against gold ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from novelink.cli import options
from novelink.cli.streams import shown_name
from novelink.schema import BIORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document
    from novelink.formats import ReadReport
    from novelink.schema import Schema
    from novelink.scoring import Scores


@click.command("evaluate")
@click.argument("gold", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("predicted", metavar="PRED", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON, fractions in 0–1.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write one self-contained HTML page: tables, confusion matrix, precision–recall "
    "curves, reliability of scores, documents by errors.",
)
@click.option(
    "--compat",
    is_flag=True,
    help="Gold documents missing from PRED cost nothing, as in the track's own scripts. By "
    "default their relations count as missed.",
)
@click.option(
    "--end-to-end",
    is_flag=True,
    help="For entities that were predicted too: score their recognition (span and type) and "
    "normalisation (ids per document) before the relations.",
)
@options.schema
@options.lenient
@click.option(
    "--resamples",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="Bootstrap resamples behind the 95 % intervals; 0 for none.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
def command(
    gold: Path,
    predicted: Path,
    *,
    as_json: bool,
    report: Path | None,
    compat: bool,
    end_to_end: bool,
    schema: Schema | None,
    lenient: bool,
    resamples: int,
    seed: int,
) -> None:
    r"""Score predicted relations against gold ones.

    GOLD and PRED are files of the same documents in any format that novelink
    reads, matched by document id; one of them can be - for standard input.
    Four levels, micro precision, recall and F1: pair, type (pair + relation
    type), novelty (pair + Novel/No) and all (pair + type + Novel/No), by the
    rules of the BioCreative VIII BioRED track. What published tables call
    "novelty F1" is the level all.

    \b
    novelink evaluate gold.pubtator predicted.pubtator
    novelink evaluate gold.pubtator predicted.json --report report.html
    novelink evaluate gold.pubtator predicted.jsonl --json | jq .all.f1
    """
    if str(gold) == "-" and str(predicted) == "-":
        raise click.UsageError("only one of GOLD and PRED can be standard input")
    from novelink.scoring import score

    schema = schema or BIORED
    sides = [_Side(gold, schema, lenient=lenient), _Side(predicted, schema, lenient=lenient)]
    scores = score(
        sides[0].documents(),
        sides[1].documents(),
        schema=schema,
        compat=compat,
        end_to_end=end_to_end,
        resamples=resamples,
        seed=seed,
    )
    if report:
        _write_report(scores, report, *(side.name for side in sides))
    if as_json:
        click.echo(json.dumps(scores.to_dict(), ensure_ascii=False, indent=2))
    else:
        from novelink.scoring.table import scores_text

        click.echo(scores_text(scores))
    options.say([*sides[0].notes(), *sides[1].notes(), *scores.warnings()])
    if report:
        options.say([f"report written to {report}"])


class _Side:
    """One input, and what reading it left out."""

    def __init__(self, path: Path, schema: Schema, *, lenient: bool) -> None:
        self.path = path
        self.name = "standard input" if str(path) == "-" else shown_name(path)
        self._schema = schema
        self._lenient = lenient
        self._report: ReadReport | None = None

    def documents(self) -> Iterator[Document]:
        """Read them one at a time."""
        from novelink.formats import ReadReport, read

        self._report = ReadReport()
        yield from read(
            self.path,
            schema=self._schema,
            lenient=self._lenient,
            report=self._report,
        )

    def notes(self) -> list[str]:
        """What was left out, one line each."""
        return [f"{self.name}: {line}" for line in self._report.lines()] if self._report else []


def _write_report(scores: Scores, path: Path, gold: str, predicted: str) -> None:
    from novelink.formats.target import open_target
    from novelink.scoring.report import report_html

    page = report_html(scores, gold=gold, predicted=predicted)
    with open_target(path) as stream:
        stream.write(page.encode("utf-8", "backslashreplace"))
