"""The picture of docs/architecture.md, drawn from the imports of the source.

    python docs/generators/imports.py            writes docs/images/architecture.svg
    python docs/generators/imports.py --check    exit code 1 where it would differ

A box is a file or folder of ``src/novelink``; a line goes from a box up to what it imports.
Imports for type checkers are left out, since nothing is loaded by them. Lines that follow from
others are left out too. An import inside a function that goes against the order is dashed.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from html import escape
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src/novelink"
PICTURE = HERE.parent / "images/architecture.svg"

# Imported by nearly all others: they stand at the top, without lines.
FOUNDATION = ("errors", "schema", "document")
# Names only, or entry points without a life of their own.
LEFT_OUT = (
    "__init__",
    "__main__",
    "lazy_names",
    "limits",
    "toml_file",
    "machine",
    "wording",
    "whole_file",
)
PURPOSES = {
    "pairs": "which pairs exist",
    "sentences": "where sentences end",
    "formats": "files in and out",
    "reading": "model input",
    "decode": "logits → relations",
    "voting": "joins answers",
    "runtime": "onnxruntime",
    "evidence": "where it stands",
    "extraction_report": "counts",
    "scored_document": "pairs with scores",
    "extractor": "what users import",
    "ensemble": "sets of models",
    "annotate": "entities for texts",
    "exports": "tables and graphs",
    "scoring": "the track's scorer",
    "curation": "people's decisions",
    "tables": "for terminals",
    "self_test": "the same answers here?",
    "diagnosis": "does it work here?",
    "model": "encoder, heads (torch)",
    "training": "loop, export (torch)",
    "view": "the page",
    "serve": "application, REST",
    "scale": "corpus runs",
    "cli": "commands",
    "spacy_component": "in a pipeline",
}

BOX_WIDTH, BOX_HEIGHT, GAP, ROW = 150, 44, 18, 100
MARGIN, TOP = 20, 96
FONT = "font-family='system-ui, sans-serif'"


def part_of(module: str) -> str:
    """The box of a dotted module name below ``novelink``."""
    inner = module.removeprefix("novelink").lstrip(".")
    return inner.split(".")[0] or "__init__"


def imports() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Importing part → imported parts: of whole files, and inside functions only."""
    files = {module_name(path): path for path in SOURCE.rglob("*.py")}
    always, inside = defaultdict(set), defaultdict(set)
    for name, path in files.items():
        here = part_of(name)
        for node, in_function in nodes(ast.parse(path.read_text(encoding="utf-8")), inner=False):
            for target in targets(node, files):
                there = part_of(target)
                if there != here and here not in LEFT_OUT and there not in LEFT_OUT:
                    (inside if in_function else always)[here].add(there)
    only_inside = {here: there - always[here] for here, there in inside.items()}
    return dict(always), only_inside


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def nodes(tree: ast.AST, *, inner: bool):
    """All nodes that run, and whether they stand inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        within = inner or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield node, within
        yield from nodes(node, inner=within)


def targets(node: ast.AST, files: dict[str, Path]) -> list[str]:
    """Modules of the package that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [
            f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in files else node.module
            for alias in node.names
        ]
    else:
        names = []
    return [name for name in names if name.split(".")[0] == "novelink"]


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """All parts that a part needs, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for there in graph.get(waiting.pop(), ()):
            if there not in seen:
                seen.add(there)
                waiting.append(there)
    return seen


def ordered() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Lines to draw: those that keep an order, and the dashed ones that go against it.

    Raises:
        ValueError: parts import each other in a circle when they are loaded.
    """
    always, inside = imports()
    for here in always:
        if here in reachable(always, here):
            raise ValueError(f"'{here}' is part of a circle of imports")
    order = {here: set(there) for here, there in always.items()}
    against = defaultdict(set)
    for here in sorted(inside):
        for there in sorted(inside[here]):
            if here in reachable(order, there):
                against[here].add(there)
            else:
                order.setdefault(here, set()).add(there)
    return order, dict(against)


def rows(order: dict[str, set[str]]) -> list[dict[str, float]]:
    """Parts in rows: each right below what it imports; those that import none, above what does.

    A line over several rows gets a place of its own in each row between, ``importer>imported``,
    so that no line runs through a box.

    Returns:
        Rows from the top: place → x of its middle.
    """
    lines = lines_of(order)
    above, below = defaultdict(set), defaultdict(set)
    for here, there in lines:
        above[here].add(there)
        below[there].add(here)
    parts = {part for here, there in order.items() for part in (here, *there)} - set(FOUNDATION)
    depth = {part: _longest(part, above) for part in parts}
    for part in parts:
        if not above[part] and below[part]:
            depth[part] = min(depth[other] for other in below[part]) - 1
    table: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for part in sorted(parts):
        table[depth[part]].append(part)
    for here, there in lines:
        for level in range(depth[there] + 1, depth[here]):
            table[level].append(place_at(here, there, level))
    return arranged(table, joined_of(lines, depth))


def _longest(part: str, graph: dict[str, set[str]]) -> int:
    """Lines on the longest way from a part."""
    return 1 + max((_longest(other, graph) for other in graph[part]), default=-1)


def joined_of(lines: list[tuple[str, str]], depth: dict[str, int]) -> dict[str, set[str]]:
    """Places of neighbouring rows that a line joins."""
    joined: dict[str, set[str]] = defaultdict(set)
    for here, there in lines:
        between = [place_at(here, there, at) for at in range(depth[here] - 1, depth[there], -1)]
        for one, other in pairwise([here, *between, there]):
            joined[one].add(other)
            joined[other].add(one)
    return joined


def place_at(here: str, there: str, level: int) -> str:
    """Name of the place where a line passes a row."""
    return f"{here}>{there}>{level}"


def arranged(table: list[list[str]], joined: dict[str, set[str]]) -> list[dict[str, float]]:
    """Rows with the middle of each place: near what it is joined to, without overlaps."""
    xs = {place: 0.0 for row in table for place in row}
    for row in table:
        spread(row, xs)
    for _ in range(60):
        for row in (*table, *reversed(table)):
            for place in row:
                xs[place] = _mean([xs[other] for other in joined[place]], xs[place])
            row.sort(key=lambda place: (xs[place], place))
            spread(row, xs)
    return [{place: xs[place] for place in row} for row in table]


def spread(row: list[str], xs: dict[str, float]) -> None:
    """Push places of a row apart where they overlap, the row's mean kept."""
    wanted = [xs[place] for place in row]
    for one, other in pairwise(row):
        xs[other] = max(xs[other], xs[one] + (width_of(one) + width_of(other)) / 2)
    shift = (sum(wanted) - sum(xs[place] for place in row)) / len(row)
    for place in row:
        xs[place] = round(xs[place] + shift, 1)


def _mean(numbers: list[float], otherwise: float) -> float:
    return sum(sorted(numbers)) / len(numbers) if numbers else otherwise


def lines_of(order: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Imports that do not follow from others, foundation left out."""
    kept = []
    for here in sorted(set(order) - set(FOUNDATION)):
        for there in sorted(order[here] - set(FOUNDATION)):
            others = order[here] - {there}
            if not any(there in reachable(order, other) for other in others):
                kept.append((here, there))
    return kept


def picture() -> str:
    """The SVG."""
    order, against = ordered()
    table = rows(order)
    left = min(x - width_of(place) / 2 for row in table for place, x in row.items())
    right = max(x + width_of(place) / 2 for row in table for place, x in row.items())
    width, height = 2 * MARGIN + right - left, TOP + (len(table) - 1) * ROW + BOX_HEIGHT + MARGIN
    places = {
        place: (x - left + MARGIN, TOP + level * ROW)
        for level, row in enumerate(table)
        for place, x in row.items()
    }
    depth = {place: level for level, row in enumerate(table) for place in row}
    boxes = {place: at for place, at in places.items() if ">" not in place}
    shapes = []
    for here, there in lines_of(order):
        levels = range(depth[here] - 1, depth[there], -1)
        between = [places[place_at(here, there, level)] for level in levels]
        shapes.append(line([boxes[here], *between, boxes[there]]))
    shapes += [
        dashed(boxes[here], boxes[there])
        for here in sorted(against)
        for there in sorted(against[here])
        if here in boxes and there in boxes
    ]
    shapes += [box(part, *place) for part, place in sorted(boxes.items())]
    size = f"viewBox='0 0 {width:g} {height:g}' width='{width:g}' height='{height:g}'"
    head = [
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' aria-labelledby='title'>",
        "<title id='title'>The parts of NoveLink, each below what it imports</title>",
        f"<rect width='{width:g}' height='{height:g}' fill='#ffffff'/>",
    ]
    return "\n".join([*head, foundation(width), *shapes, "</svg>", ""])


def width_of(place: str) -> int:
    """Room of a box, or of a line that passes a row."""
    return GAP if ">" in place else BOX_WIDTH + GAP


def foundation(width: float) -> str:
    """The bar at the top."""
    bar = (
        f"<rect x='{MARGIN}' y='16' width='{width - 2 * MARGIN:g}' height='{BOX_HEIGHT}' rx='6' "
        "fill='#e8eef7' stroke='#3a5a8c'/>"
    )
    names = text(width / 2, 35, 14, "#1d2b45", " · ".join(FOUNDATION), bold=True)
    return bar + names + text(width / 2, 51, 11, "#4a5568", "imported by nearly all below")


def text(x: float, y: float, size: int, colour: str, words: str, *, bold: bool = False) -> str:
    weight = " font-weight='600'" if bold else ""
    return (
        f"<text x='{x:.1f}' y='{y}' {FONT} font-size='{size}'{weight} text-anchor='middle' "
        f"fill='{colour}'>{escape(words)}</text>"
    )


def box(part: str, x: float, y: float) -> str:
    """A part, around the middle of its top."""
    needs_torch = part in ("model", "training")
    fill, stroke = ("#fdf1e3", "#a8622a") if needs_torch else ("#f4f6f9", "#5d6b82")
    name = f"{part}/" if (SOURCE / part).is_dir() else part
    frame = (
        f"<rect x='{x - BOX_WIDTH / 2:.1f}' y='{y}' width='{BOX_WIDTH}' height='{BOX_HEIGHT}' "
        f"rx='6' fill='{fill}' stroke='{stroke}'/>"
    )
    label = text(x, y + 19, 13, "#1a202c", name, bold=True)
    return frame + label + text(x, y + 35, 11, "#4a5568", PURPOSES.get(part, ""))


def line(points: list[tuple[float, float]]) -> str:
    """From the top of the importing box, past other rows, to the bottom of the imported one."""
    (x, y), *others = points
    path = f"M{x:.1f} {y}"
    for nth, (next_x, top) in enumerate(others):
        bottom = top + BOX_HEIGHT
        bend = (y - bottom) / 2
        path += f"C{x:.1f} {y - bend:g} {next_x:.1f} {bottom + bend:g} {next_x:.1f} {bottom}"
        x, y = next_x, top
        if nth < len(others) - 1:
            path += f"V{top}"
    return (
        f"<path d='{path}' fill='none' stroke='#7a869a' stroke-width='1.3'/>"
        f"<circle cx='{x:.1f}' cy='{y + BOX_HEIGHT}' r='3' fill='#5d6b82'/>"
    )


def dashed(start: tuple[float, float], end: tuple[float, float]) -> str:
    """An import inside a function, downwards."""
    x1, y1 = start[0] + BOX_WIDTH / 2 - 14, start[1] + BOX_HEIGHT
    x2, y2 = end[0] + BOX_WIDTH / 2 - 14, end[1]
    return (
        f"<path d='M{x1:.1f} {y1}C{x1:.1f} {y1 + 30} {x2:.1f} {y2 - 30} {x2:.1f} {y2}' "
        "fill='none' stroke='#b0404a' stroke-width='1.3' stroke-dasharray='5 4'/>"
        f"<circle cx='{x2:.1f}' cy='{y2}' r='3' fill='#b0404a'/>"
    )


def main() -> None:
    made = picture()
    if "--check" in sys.argv[1:]:
        if PICTURE.read_text(encoding="utf-8") != made:
            sys.exit(f"{PICTURE.name} is out of date: python docs/generators/imports.py")
        return
    PICTURE.write_text(made, encoding="utf-8")
    print(f"written: {PICTURE}")


if __name__ == "__main__":
    main()
