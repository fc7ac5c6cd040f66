"""One id for the variants of a document that are the same change."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from novelink.annotate.variants.grammar import normal_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from novelink.document import Mention

# What stands between two names of one variant: "rs6232 (N221D)", "rs5393:T>G".
_APPOSITION = re.compile(r"\s*(?:[(\[:,]|\bor\b|\bi\.e\.)?\s*(?:the\s+|p\.|c\.)?[(\[]?\s*$")
_APPOSED_WITHIN = 8
_NUMBER = re.compile(r"\d+")


def variant_ids(mentions: Sequence[Mention], text: str) -> dict[Mention, str | None]:
    """Identifiers of a document's variant mentions.

    A variant takes the rs number that the text gives it by apposition. Forms
    that name only one of the residues (``Cys326``, ``7488CC``) take the id of
    the full change at their position, if the document has exactly one.

    Args:
        mentions: variants only, in any order.
        text: the document's text.

    Returns:
        Mention → ``rs…`` or ``p|SUB|V|600|E`` form; None where its text names
        no definite change.
    """
    forms = {mention: normal_form(mention.text) for mention in mentions}
    aliases = _apposed(sorted(mentions, key=lambda mention: mention.start), forms, text)
    complete = {form for form in forms.values() if form and _is_complete(form)}
    ids: dict[Mention, str | None] = {}
    for mention, form in forms.items():
        if form is None:
            found = _only(
                full for full in complete if _position(full) in _NUMBER.findall(mention.text)
            )
        elif _is_complete(form):
            found = form
        else:
            found = _only(full for full in complete if _is_part_of(form, full)) or form
        ids[mention] = aliases.get(found, found) if found else None
    return ids


def _apposed(
    ordered: Sequence[Mention], forms: dict[Mention, str | None], text: str
) -> dict[str, str]:
    """Form → rs number that stands right beside it somewhere."""
    aliases: dict[str, str] = {}
    for left, right in pairwise(ordered):
        pair = [forms[left] or "", forms[right] or ""]
        between = text[left.end : right.start]
        numbers = [form for form in pair if form.startswith("rs")]
        others = [form for form in pair if form and not form.startswith("rs")]
        if (
            len(numbers) == len(others) == 1
            and len(between) <= _APPOSED_WITHIN
            and _APPOSITION.match(between)
            # "(rs2476601, R620W)" is one variant, "rs2476601, R620W" are two.
            and (not between.lstrip().startswith(",") or text[left.start - 1 : left.start] in "([")
        ):
            aliases.setdefault(others[0], numbers[0])
    return aliases


def _parts(form: str) -> list[str]:
    return form.split("|")


def _position(form: str) -> str:
    parts = _parts(form)
    if len(parts) < 3:
        return ""
    found = _NUMBER.search(parts[3] if parts[1] in {"SUB", "FS", "Allele"} else parts[2])
    return found[0] if found else ""


def _is_complete(form: str) -> bool:
    return form.startswith("rs") or (_parts(form)[1] != "Allele" and bool(_position(form)))


def _is_part_of(form: str, full: str) -> bool:
    """Whether an allele, or a change without a position, can be part of a full change."""
    if full.startswith("rs"):
        return False
    parts, whole = _parts(form), _parts(full)
    if parts[1] == "Allele":
        return _position(form) == _position(full) and parts[2] in {whole[2], whole[-1]}
    if parts[1] != whole[1]:
        return False
    if parts[1] == "SUB":
        return parts[2] == whole[2] and parts[-1] == whole[-1]
    return parts[3] == whole[3]


def _only(forms: Iterable[str]) -> str | None:
    found = sorted(set(forms))
    return found[0] if len(found) == 1 else None
