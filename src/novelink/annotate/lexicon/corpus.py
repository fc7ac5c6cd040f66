"""What names usually mean, counted in annotated documents.

A dump says that ``MS`` may be multiple sclerosis or mitral stenosis; documents
annotated by people say which is meant how often, and hold names that no dump
has. They also know the rs numbers of variants that texts give as V600E. Any
annotated format will do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from novelink import formats
from novelink.annotate.lexicon.names import squash
from novelink.annotate.lexicon.record import KINDS
from novelink.annotate.variants import normal_form
from novelink.schema import BIORED, VARIANT

if TYPE_CHECKING:
    from pathlib import Path

    from novelink.schema import Schema

VARIANT_USAGE = "variant"
"""Kind of the usage of variants, which are in no dump."""

Usage = Counter[tuple[str, str, str]]
"""(kind, squashed name, concept ids joined by ``,``) → mentions."""


def read_usage(path: Path, schema: Schema = BIORED) -> Usage:
    """Count the mentions of a file of annotated documents.

    A mention with several ids counts for all of them together: that is what
    its name means. Variants count under the form that their texts have in
    common, as kind ``variant``.

    Raises:
        DataError: the file is in no known format.
    """
    usage: Usage = Counter()
    for document in formats.read(path, schema=schema):
        for mention in document.mentions:
            kind, name = KINDS.get(mention.type), mention.text
            if mention.type == VARIANT:
                kind, name = VARIANT_USAGE, normal_form(name) or ""
            key = squash(name)
            if kind and key and mention.concept_ids:
                usage[kind, key, ",".join(mention.concept_ids)] += 1
    return usage
