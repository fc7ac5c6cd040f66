"""Tables of docs/limits.md, from what ``benchmarks/failures.py`` measured."""

from __future__ import annotations

import json
from pathlib import Path

RESULT = Path(__file__).resolve().parents[2] / "benchmarks/results/failures-biored-dev.json"
PUBMED = "https://pubmed.ncbi.nlm.nih.gov"
NAMES = {
    "GeneOrGeneProduct": "gene",
    "DiseaseOrPhenotypicFeature": "disease",
    "ChemicalEntity": "chemical",
    "SequenceVariant": "variant",
}


def page() -> str:
    """All tables, each after a comment by which the page includes it."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    parts = {f"cases {kind}": cases(entries) for kind, entries in result["cases"].items()}
    models = result["models"]
    parts["pair types"] = rates({name: model["pair_types"] for name, model in models.items()})
    parts["distance"] = rates({name: model["distance"] for name, model in models.items()})
    parts["signs"] = counts(
        {name: model["signs"] for name, model in models.items()},
        {"right": "sign right", "turned": "sign turned"},
    )
    parts["novelty"] = counts(
        {name: model["novelty"] for name, model in models.items()},
        {
            "Novel as Novel": "Novel, called Novel",
            "Novel as No": "Novel, called No",
            "No as No": "No, called No",
            "No as Novel": "No, called Novel",
        },
    )
    parts["rare"] = counts(
        {name: model["rare_types"] for name, model in models.items()},
        {"gold": "relations of these types", "found": "found with their type"},
    )
    return "\n".join(
        line for name, lines in parts.items() for line in (f"<!-- {name} -->", "", *lines, "")
    )


def cases(entries: list[dict]) -> list[str]:
    """One row per case: what annotators say, what each model says."""
    models = list(entries[0]["answers"])
    lines = [
        f"| paper | entities | annotators | {' | '.join(f'`{name}`' for name in models)} |",
        "|---|---|---|" + "---|" * len(models),
    ]
    for entry in entries:
        link = f"[{entry['document']}]({PUBMED}/{entry['document']}/)"
        said = " | ".join(relation(entry["answers"][name]) for name in models)
        pair = f"{entry['first']}, {entry['second']}"
        lines.append(f"| {link} | {pair} | {relation(entry['gold'])} | {said} |")
    return lines


def relation(answer: list | None) -> str:
    """A relation in a cell."""
    if answer is None:
        return "not related"
    kind, novelty = answer
    return kind.replace("_", " ") + (f", {novelty}" if novelty else "")


def rates(models: dict[str, dict]) -> list[str]:
    """Precision and recall by name of row."""
    lines = [
        "| | gold | " + " | ".join(f"`{name}` precision | recall" for name in models) + " |",
        "|---|---|" + "---|---|" * len(models),
    ]
    for row in next(iter(models.values())):
        cells = [
            percent(table[row][figure])
            for table in models.values()
            for figure in ("precision", "recall")
        ]
        gold = next(iter(models.values()))[row]["gold"]
        lines.append(f"| {row_name(row)} | {gold:,} | {' | '.join(cells)} |")
    return lines


def row_name(row: str) -> str:
    return "–".join(NAMES.get(part, part) for part in row.split("|"))


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f}"


def counts(models: dict[str, dict], rows: dict[str, str]) -> list[str]:
    """Counts by name of row."""
    lines = [
        "| | " + " | ".join(f"`{name}`" for name in models) + " |",
        "|---|" + "---|" * len(models),
    ]
    for key, title in rows.items():
        cells = " | ".join(f"{model.get(key, 0):,}" for model in models.values())
        lines.append(f"| {title} | {cells} |")
    return lines
