"""Ids for entities that no lexicon knows: one per name and document.

``text:insulin`` for every mention of insulin, Insulin or its abbreviation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.names import fold, stems
from novelink.annotate.lexicon.record import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "text:"
# These separate ids, columns or words in the formats that documents are written to.
_FORBIDDEN = re.compile(r"[\s,;|@\t]+")


def name_key(entity_type: str, text: str) -> str:
    """Under which two mentions of one type are the same name.

    >>> name_key("ChemicalEntity", "Nitric oxides") == name_key("ChemicalEntity", "nitric-oxide")
    True
    """
    kind = KINDS.get(entity_type, "cell")
    # Derived forms (hypertensive, hypertension) are for lexicons: here plurals are enough.
    return " ".join(stems("species" if kind == "disease" else kind, text)) or text


def local_id(text: str, taken: Mapping[str, str], entity_type: str) -> str:
    """An id made from the text, unlike those of other types in the document.

    Args:
        text: the name to show, preferably the long form.
        taken: local ids in the document → their entity type.
        entity_type: of the mention.

    >>> local_id("Nitric oxide", {}, "ChemicalEntity")
    'text:nitric_oxide'
    """
    plain = PREFIX + (_FORBIDDEN.sub("_", fold(text)).strip("_") or "unnamed")
    if taken.get(plain, entity_type) == entity_type:
        return plain
    # One id must have one type, or a document's pairs would be of the wrong types.
    return f"{plain}:{KINDS.get(entity_type, 'variant')}"
