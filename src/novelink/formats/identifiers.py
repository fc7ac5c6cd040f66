"""Concept ids of other vocabularies → the form that BioRED uses, and back.

========================================  ===========================
read                                      becomes
========================================  ===========================
``MESH:D008545``                          ``D008545``
``CVCL:1452``                             ``CVCL_1452``
``OMIM:114480``                           ``OMIM:114480``
``tmVar:p|SUB|V|600|E;…;RS#:113488022``   ``rs113488022``
``tmVar:p|SUB|V|600|E;HGVS:p.V600E``      ``p|SUB|V|600|E``
``-``, ``-1`` (BC5CDR), nothing           no id
========================================  ===========================

Ids repeat a lot within a corpus, so each function remembers its answers (a
bounded number of them: memory stays flat).
"""

from __future__ import annotations

import re
from functools import lru_cache

from novelink.pairs import expand_ids

NO_ID = "-"
"""How files write that a mention has no id."""

_REMEMBERED = 16_384
_MESH = re.compile(r"\bmesh:", re.IGNORECASE)
_CELLOSAURUS = re.compile(r"\bcvcl:", re.IGNORECASE)
_VARIANT_FIELD = re.compile(
    r"^\s*tmvar:|(?:^|;)\s*(?:hgvs|rs#|variantgroup|correspondinggene):", re.IGNORECASE
)
_RS_NUMBER = re.compile(r"(?:^|;)\s*rs#:\s*(?:rs)?(\d+)", re.IGNORECASE)
_HGVS = re.compile(r"(?:^|;)\s*hgvs:([^;]+)", re.IGNORECASE)
_TMVAR = re.compile(r"^\s*tmvar:", re.IGNORECASE)
_MINUS_ONE = re.compile(r"(^|[,;])-1(?=$|[,;])")


@lru_cache(_REMEMBERED)
def normal_form(identifier: str) -> str:
    """An id column in BioRED's form; separators and blanks stay as they are.

    >>> normal_form("MESH:D003865;MESH:D003866")
    'D003865;D003866'
    >>> normal_form("tmVar:p|SUB|V|600|E;HGVS:p.V600E;RS#:113488022")
    'rs113488022'
    """
    if ":" in identifier:
        if _VARIANT_FIELD.search(identifier):
            return _variant(identifier)
        identifier = _MESH.sub("", identifier)
        identifier = _CELLOSAURUS.sub("CVCL_", identifier)
    if "-1" in identifier:
        identifier = _MINUS_ONE.sub(r"\1-", identifier)
    return identifier


def _variant(identifier: str) -> str:
    """A tmVar record: its dbSNP number if there is one, else its own notation."""
    number = _RS_NUMBER.search(identifier)
    if number:
        return f"rs{number[1]}"
    notation = _TMVAR.sub("", identifier).split(";", 1)[0].strip()
    if notation and ":" not in notation:
        return notation
    hgvs = _HGVS.search(identifier)
    return hgvs[1].strip() if hgvs else notation


@lru_cache(_REMEMBERED)
def read_ids(identifier: str) -> tuple[tuple[str, ...], str | None]:
    """The id column of a mention.

    Returns:
        The concept ids, and the column as it was where :func:`default_id`
        would write it in another way.

    >>> read_ids(" CVCL_1452")
    (('CVCL_1452',), ' CVCL_1452')
    >>> read_ids("3172,3651")
    (('3172', '3651'), None)
    """
    concept_ids = expand_ids(normal_form(identifier))
    return concept_ids, None if identifier == default_id(concept_ids) else identifier


def default_id(concept_ids: tuple[str, ...]) -> str:
    """How ids are written where no other spelling is known."""
    return ",".join(concept_ids) or NO_ID


@lru_cache(_REMEMBERED)
def written_id(concept_ids: tuple[str, ...], source_id: str | None) -> str:
    """The id column to write.

    The source's spelling, unless its ids only match after changing the
    vocabulary (``MESH:D008545``): relations are written with the changed ids,
    and a file must not name one entity in two ways.
    """
    if source_id is not None and expand_ids(source_id) == concept_ids:
        return source_id
    return default_id(concept_ids)


@lru_cache(_REMEMBERED)
def survives(concept_ids: tuple[str, ...]) -> bool:
    """Whether ids come back the same from a column where ``,`` and ``;`` separate."""
    return read_ids(default_id(concept_ids))[0] == concept_ids
