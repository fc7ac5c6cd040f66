"""Names of concepts, from the official dumps a user downloads.

:func:`~novelink.annotate.lexicon.build.build_lexicon` makes an index folder,
:class:`~novelink.annotate.lexicon.index.Lexicon` looks names up in it.
"""

from __future__ import annotations

from novelink.annotate.lexicon.build import BuildReport, Sources, build_lexicon
from novelink.annotate.lexicon.index import Candidate, Lexicon

__all__ = ["BuildReport", "Candidate", "Lexicon", "Sources", "build_lexicon"]
