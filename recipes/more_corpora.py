"""Other corpora with relations → one PubTator file for the middle training step.

    python recipes/more_corpora.py --bc5cdr CDR_TrainingSet.PubTator.txt \
        CDR_DevelopmentSet.PubTator.txt --drugprot dev.bioc.xml train.bioc.xml \
        --without Dev.PubTator Test.PubTator -o more.pubtator

Read the result with ``recipes/more-schema.toml``. Documents that are also in a
file given to ``--without`` are left out, so that nothing reported on those was
learned from. DrugProt has no concept ids: mentions of one surface form in a
document become one entity. ``--unrelated`` writes the documents without their
relations too, for ``novelink teach`` (see recipes/told.py). What was left out
is counted on stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from defusedxml import ElementTree

from novelink import formats
from novelink.document import Document, Mention, Relation
from novelink.schema import load_schema

SCHEMA = Path(__file__).with_name("more-schema.toml")
NO_ID = "-1"
"""BC5CDR's mark of a mention without a concept."""

TYPES = {
    "CHEMICAL": "ChemicalEntity",
    "GENE-Y": "GeneOrGeneProduct",
    "GENE-N": "GeneOrGeneProduct",
}


def bc5cdr(path, schema):
    """BC5CDR's documents, mentions without a concept kept as such."""
    for document in formats.read(path, "pubtator", schema=schema):
        mentions = (
            replace(
                mention,
                concept_ids=tuple(name for name in mention.concept_ids if name != NO_ID),
                source_id=None,
            )
            for mention in document.mentions
        )
        yield replace(document, mentions=tuple(mentions))


def drugprot(path, left_out):
    """DrugProt's documents; its files nest annotations and relations in sentences."""
    for element in ElementTree.parse(path).getroot().iter("document"):
        title, _, abstract = element.findtext("passage/text").partition("\t")
        document = Document.from_text(element.findtext("id"), title, abstract)
        text = document.text
        mentions, names = [], {}
        for annotation in element.iter("annotation"):
            location = annotation.find("location")
            start = int(location.get("offset"))
            end = start + int(location.get("length"))
            surface = text[start:end]
            if surface != annotation.findtext("text"):
                left_out["mentions whose offsets do not fit the text"] += 1
                continue
            concept = "text:" + "_".join(surface.lower().split()).replace(",", "_")
            names[annotation.get("id")] = concept
            kind = TYPES[infon(annotation, "type")]
            mentions.append(Mention(start, end, surface, kind, (concept,)))
        relations = {}
        for relation in element.iter("relation"):
            ends = [names.get(node.get("refid")) for node in relation.iter("node")]
            if None in ends or len(set(ends)) != 2:
                left_out["relations without two entities"] += 1
                continue
            key = tuple(sorted(ends))
            if key in relations:
                left_out["further relations of a pair"] += 1
                continue
            relations[key] = Relation(*ends, infon(relation, "type"))
        mentions.sort(key=lambda mention: (mention.start, mention.end))
        yield replace(document, mentions=tuple(mentions), relations=tuple(relations.values()))


def infon(element, key):
    """A BioC infon's text."""
    return next(item.text for item in element.iter("infon") if item.get("key") == key)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bc5cdr", nargs="*", default=[], help="PubTator files")
    parser.add_argument("--drugprot", nargs="*", default=[], help="BioC XML files")
    parser.add_argument(
        "--without", nargs="*", default=[], help="files whose documents are left out"
    )
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument(
        "--unrelated", help="a second file of the same documents, for teachers: no relations"
    )
    arguments = parser.parse_args()
    schema = load_schema(str(SCHEMA))
    held_out = {document.id for path in arguments.without for document in formats.read(path)}
    left_out, counts, kept = Counter(), Counter(), {}
    sources = [("BC5CDR", path, bc5cdr(path, schema)) for path in arguments.bc5cdr]
    sources += [("DrugProt", path, drugprot(path, left_out)) for path in arguments.drugprot]
    for name, _, documents in sources:
        for document in documents:
            if document.id in held_out:
                left_out["held-out documents"] += 1
            elif document.id in kept:
                left_out["documents seen before"] += 1
            elif document.relations:
                kept[document.id] = document
                counts[f"{name} documents"] += 1
                counts[f"{name} relations"] += len(document.relations)
            else:
                left_out["documents without a relation"] += 1
    formats.write(kept.values(), arguments.output, "pubtator")
    if arguments.unrelated:
        bare = (replace(document, relations=()) for document in kept.values())
        formats.write(bare, arguments.unrelated, "pubtator")
    for title, numbers in (("kept", counts), ("left out", left_out)):
        line = ", ".join(f"{number:,} {what}" for what, number in sorted(numbers.items()))
        print(f"{title}: {line or 'nothing'}", file=sys.stderr)


if __name__ == "__main__":
    main()
