"""Entities for documents that have none: from PubTator 3, or by the package's own tagger.

>>> from novelink.annotate import annotator
>>> from novelink.formats.article_ids import article_request
>>> with annotator("auto") as annotate:  # doctest: +SKIP
...     for document in annotate([article_request("24259561")]):
...         print(document.id, len(document.mentions))

Names are looked up when first used, so that importing a part of this package
loads no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.lazy_names import lazy_names

if TYPE_CHECKING:
    from novelink.annotate.abbreviations import find_abbreviations
    from novelink.annotate.chain import ANNOTATORS, Annotator, annotator
    from novelink.annotate.report import AnnotationReport
    from novelink.sentences import document_sentences, split_sentences

_HOMES = {
    "ANNOTATORS": "chain",
    "AnnotationReport": "report",
    "Annotator": "chain",
    "annotator": "chain",
    "document_sentences": ".sentences",
    "find_abbreviations": "abbreviations",
    "split_sentences": ".sentences",
}

__all__ = [
    "ANNOTATORS",
    "AnnotationReport",
    "Annotator",
    "annotator",
    "document_sentences",
    "find_abbreviations",
    "split_sentences",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
