"""Finding the entities of a text with the package's own model; needs no torch."""

from __future__ import annotations

from novelink.annotate.tagger.tagger import Tagger

__all__ = ["Tagger"]
