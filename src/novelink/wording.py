"""Numbers in sentences for people."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things.

    >>> counted(1, "document"), counted(1200, "document"), counted(0, "entity", "entities")
    ('1 document', '1,200 documents', '0 entities')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
