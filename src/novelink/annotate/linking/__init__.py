"""Which concept each mention means.

With a lexicon, names are looked up and ranked; without, the mentions of one
name in a document become one entity with a local id.
"""

from __future__ import annotations

from novelink.annotate.linking.linker import Linker, LinkReport, link
from novelink.annotate.linking.ranking import Choice

__all__ = ["Choice", "LinkReport", "Linker", "link"]
