"""BioRED's relations with BioREDirect's subjects: what a model learns direction from.

    python recipes/subjects.py Train.PubTator --subjects train_dev.pubtator -o Train.subjects.pubtator

Documents, mentions and relations stay those of the first file; a relation gets
the subject that the second file gives the same pair. How many relations got one
is said on stderr, and a document that the second file lacks stops the run.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from novelink import formats
from novelink.errors import DataError, NovelinkError


def with_subjects(documents, subjects):
    """Documents with the subjects of others of the same ids.

    Args:
        documents: whose relations want subjects.
        subjects: document id → unordered pair of concept ids → subject.
    """
    for document in documents:
        if document.id not in subjects:
            raise DataError(f"document {document.id} is not in the file with subjects")
        known = subjects[document.id]
        yield document.with_relations(
            replace(relation, subject=known.get(frozenset((relation.id1, relation.id2))))
            for relation in document.relations
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("documents", help="BioRED Train, Dev or Test")
    parser.add_argument("--subjects", required=True, help="BioREDirect's file of these documents")
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args(arguments)
    subjects = {
        document.id: {
            frozenset((relation.id1, relation.id2)): relation.subject
            for relation in document.relations
        }
        for document in formats.read(options.subjects)
    }
    found = list(with_subjects(formats.read(options.documents), subjects))
    formats.write(found, options.output, "pubtator", subjects=True)
    relations = [relation for document in found for relation in document.relations]
    named = sum(relation.subject is not None for relation in relations)
    print(f"{named:,} of {len(relations):,} relations have a subject", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except NovelinkError as error:
        raise SystemExit(f"subjects: {error}") from error
