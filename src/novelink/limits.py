"""How large one document may be, wherever it comes from; docs/input-limits.md says why.

Files and archives have no limit: they stream. A document has to be held whole,
so its size is what bounds memory. These limits lie far above real articles, and
what exceeds one is refused with an error that names it, or counted under
``lenient``.
"""

from __future__ import annotations

DOCUMENT_BYTES = 32 << 20
"""Of a document as it stands in a file, and of a line: more is a damaged file."""

TEXT = 10_000_000
"""Characters of a document's text, gaps between its passages included."""

MENTIONS = 100_000
"""Mentions of a document."""

MENTION_LENGTH = 2_000
"""Characters that a mention may span, from its first to its last."""

MENTION_PARTS = 100
"""Parts of a discontinuous mention."""

RELATIONS = 100_000
"""Relations of a document."""

RELATION_PAIRS = 1_000_000
"""Pairs of ids that a document's relations state once compound ids are taken apart."""

ID_LENGTH = 1_000
"""Characters of a document's id."""

DEPTH = 100
"""Levels of nesting in JSON and XML; documents need fewer than ten."""

CANDIDATE_PAIRS = 1_000_000
"""Pairs of entities of a document that a model is asked about or trained on."""

BOMB_RATIO = 200
BOMB_FREE_BYTES = 256 << 20
"""A packed stream that unpacks to more than BOMB_FREE_BYTES and to more than BOMB_RATIO times its
size is refused. Annotated abstracts shrink by 8 to 20 times."""
