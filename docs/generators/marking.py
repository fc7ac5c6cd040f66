"""Texts of the program as Markdown."""

from __future__ import annotations

import re

# What stands in backticks already is taken whole, so that nothing in it is marked again.
_NAMES = re.compile(r"`[^`]*`|(?<![\w/-])--?[a-zA-Z][\w-]*|\bNOVELINK_[A-Z_]+|<")


def marked(text: str) -> str:
    """Options and environment variables as code, so that ``--x`` does not become a dash."""

    def mark(found: re.Match[str]) -> str:
        if found[0].startswith("`"):
            return found[0]
        return "\\<" if found[0] == "<" else f"`{found[0]}`"

    return _NAMES.sub(mark, text)
