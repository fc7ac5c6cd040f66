"""NoveLink: typed, novelty-labelled, scored relations from biomedical abstracts.

>>> from novelink import Extractor, read, write
>>> write(Extractor.load().extract(read("abstracts.pubtator")), "relations.jsonl")  # doctest: +SKIP

Importing this package loads neither torch nor onnxruntime; names are looked up
when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.lazy_names import lazy_names

__version__ = "0.1.0"

if TYPE_CHECKING:
    from novelink.document import Document, Evidence, Mention, Passage, Relation
    from novelink.errors import DataError, ModelError, NovelinkError, SettingsError
    from novelink.extractor import Extractor
    from novelink.formats import read, write
    from novelink.schema import BIORED, Schema, load_schema
    from novelink.scoring import score

_HOMES = {
    "BIORED": "schema",
    "DataError": "errors",
    "Document": "document",
    "Evidence": "document",
    "Extractor": "extractor",
    "Mention": "document",
    "ModelError": "errors",
    "NovelinkError": "errors",
    "Passage": "document",
    "Relation": "document",
    "Schema": "schema",
    "SettingsError": "errors",
    "load_schema": "schema",
    "read": "formats",
    "score": "scoring",
    "write": "formats",
}

__all__ = [  # noqa: RUF022 (grouped by use)
    "Extractor",
    "read",
    "write",
    "score",
    "Document",
    "Passage",
    "Mention",
    "Relation",
    "Evidence",
    "Schema",
    "BIORED",
    "load_schema",
    "NovelinkError",
    "DataError",
    "ModelError",
    "SettingsError",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
