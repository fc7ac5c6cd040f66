"""Sequence variants: from text to one form for each change."""

from __future__ import annotations

from novelink.annotate.variants.document import variant_ids
from novelink.annotate.variants.grammar import normal_form

__all__ = ["normal_form", "variant_ids"]
