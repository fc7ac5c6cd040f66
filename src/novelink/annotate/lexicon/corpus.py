"""What names usually mean, counted in annotated documents.

A dump says that ``MS`` may be multiple sclerosis or mitral stenosis; documents
annotated by people say which is meant how often, and hold names that no dump
has. Any annotated format will do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from novelink import formats
from novelink.annotate.lexicon.names import squash
from novelink.annotate.lexicon.record import KINDS
from novelink.schema import BIORED

if TYPE_CHECKING:
    from pathlib import Path

    from novelink.schema import Schema

Usage = Counter[tuple[str, str, str]]
"""(kind, squashed name, concept ids joined by ``,``) → mentions."""


def read_usage(path: Path, schema: Schema = BIORED) -> Usage:
    """Count the mentions of a file of annotated documents.

    A mention with several ids counts for all of them together: that is what
    its name means.

    Raises:
        DataError: the file is in no known format.
    """
    usage: Usage = Counter()
    for document in formats.read(path, schema=schema):
        for mention in document.mentions:
            kind = KINDS.get(mention.type)
            key = squash(mention.text)
            if kind and key and mention.concept_ids:
                usage[kind, key, ",".join(mention.concept_ids)] += 1
    return usage
