"""Relations as a table that people read in a terminal.

One block a document, so that a stream prints as it comes:

.. code-block:: text

    10000001  Loss of KCNQ2 and infantile epilepsy
      entity          type     entity              type      relation     novelty  score
      KCNQ2           Gene     infantile epilepsy  Disease   Association  Novel     0.93

Where it is known of a relation which entity acts, an arrow between the two
points to the other one.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from novelink.exports.rows import arrow, entity_name
from novelink.pairs import expand_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from novelink.document import Document, Entity, Relation
    from novelink.schema import Schema

_HEADER = ("entity", "type", "", "entity", "type", "relation", "novelty", "score")
_NAMES = (0, 3)  # columns that give way when the table is too wide
_NUMBERS = (7,)  # columns set flush right
_GAP = "  "
_NARROWEST = 8


def document_table(document: Document, schema: Schema, *, width: int | None = None) -> list[str]:
    """Lines of one document's block, likeliest relations first.

    Args:
        document: with relations; one without gives a line that says so.
        schema: gives the short names of types.
        width: columns to keep to, where there is a limit; long names are
            shortened with ``…`` then.
    """
    title = " ".join(document.passages[0].text.split()) if document.passages else ""
    heading = f"{document.id}{_GAP}{title}".rstrip()
    lines = [heading if width is None else _fit(heading, width)]
    if not document.relations:
        return [*lines, f"{_GAP}no relations"]
    entities = document.entities()
    ordered = sorted(
        document.relations,
        key=lambda relation: -1.0 if relation.score is None else -relation.score,
    )
    rows = [_row(relation, entities, schema) for relation in ordered]
    shown = [
        column
        for column in range(len(_HEADER))
        # Columns that a source does not have at all (who acts, novelty, scores) are left out.
        if any(row[column] for row in rows)
    ]
    return [*lines, *_aligned([_HEADER, *rows], shown, width)]


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none, so that nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _row(relation: Relation, entities: dict[str, Entity], schema: Schema) -> tuple[str, ...]:
    cells: list[str] = []
    for identifier in (relation.id1, relation.id2):
        found = [entities[part] for part in expand_ids(identifier) if part in entities]
        cells.append(", ".join(map(entity_name, found)) or identifier)
        cells.append(schema.short_name(found[0].type) if found else "")
    score = "" if relation.score is None else f"{relation.score:.2f}"
    return (*cells[:2], arrow(relation), *cells[2:], relation.type, relation.novelty or "", score)


def _aligned(rows: Iterable[Sequence[str]], shown: Sequence[int], width: int | None) -> list[str]:
    table = [[row[column] for column in shown] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    excess = 0 if width is None else len(_GAP) * len(shown) + sum(widths) - width
    names = [place for place, column in enumerate(shown) if column in _NAMES]
    while excess > 0:
        widest = max(names, key=lambda place: widths[place])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    lines = []
    for row in table:
        cells = [
            _fit(cell, size).rjust(size) if column in _NUMBERS else _fit(cell, size).ljust(size)
            for cell, size, column in zip(row, widths, shown, strict=True)
        ]
        lines.append((_GAP + _GAP.join(cells)).rstrip())
    return lines


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(1, width - 1)].rstrip() + "…"
