"""Soft labels, told what another corpus's annotators said of the same pairs.

    python recipes/told.py more.soft.jsonl --told more.pubtator -o more.told.jsonl

``more.soft.jsonl`` is what ``novelink teach`` said of the documents of
``more.pubtator``. By Bayes' rule a pair's relation probabilities are multiplied
by how likely the corpus's label is for each BioRED class
(``recipes/more-likelihoods.toml``) and brought to a sum of 1 again; its novelty
probabilities keep their proportion to each other. Pairs of types that the corpus
does not annotate stay as they are. How many labels were told, and how many had
no pair, is counted on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import Counter
from pathlib import Path

from novelink import formats
from novelink.schema import load_schema
from novelink.whole_file import whole_file

HERE = Path(__file__).parent
SCHEMA = HERE / "more-schema.toml"
LIKELIHOODS = HERE / "more-likelihoods.toml"
UNLABELLED = "unlabelled"
DIGITS = 5


def likelihoods(path, classes):
    """Of each label: the types it is for, and its likelihood for every class."""
    found = {}
    for name, table in tomllib.loads(path.read_text("utf-8")).items():
        column = [table.get(one, table["other"]) for one in classes]
        for label in table.get("labels", [name]):
            found[label] = frozenset(table["types"]), column
    return found


def told(document, row, columns, counts):
    """A document's line with the labels' word in it."""
    labels = {frozenset((one.id1, one.id2)): one.type for one in document.relations}
    types = {name: one.type for one in document.mentions for name in one.concept_ids}
    for number, pair in enumerate(row["pairs"]):
        label = labels.pop(frozenset(pair), UNLABELLED)
        among, column = columns[label]
        if {types[name] for name in pair} != among:
            continue
        joint = [p * how for p, how in zip(row["relation"][number], column, strict=True)]
        total = sum(joint)
        row["relation"][number] = [round(p / total, DIGITS) for p in joint]
        _, *rest = row["novelty"][number]
        related = 1 - joint[0] / total
        share = related / max(sum(rest), 1e-9)
        row["novelty"][number] = [
            round(p, DIGITS) for p in (1 - related, *(p * share for p in rest))
        ]
        counts[label] += 1
    counts["labels without a pair"] += len(labels)
    return row


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("labels", type=Path, help="of novelink teach")
    parser.add_argument("--told", required=True, help="the same documents with their relations")
    parser.add_argument("--likelihoods", type=Path, default=LIKELIHOODS)
    parser.add_argument("-o", "--output", required=True, type=Path)
    arguments = parser.parse_args(argv)
    schema = load_schema(str(SCHEMA))
    documents = {one.id: one for one in formats.read(arguments.told, schema=schema)}
    counts = Counter()
    with arguments.labels.open(encoding="utf-8") as lines:
        head = json.loads(next(lines))
        columns = likelihoods(arguments.likelihoods, head["relation_labels"])
        rows = [head]
        for line in lines:
            row = json.loads(line)
            if row["id"] not in documents:
                sys.exit(
                    f"told.py: document {row['id']} of {arguments.labels} is not in "
                    f"{arguments.told}. Give the file that novelink teach read, with relations"
                )
            rows.append(told(documents[row["id"]], row, columns, counts))
    with whole_file(arguments.output) as place:
        place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, number in sorted(counts.items()):
        print(f"{number:7,} {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
