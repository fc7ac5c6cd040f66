"""Standard output and error: UTF-8 in every locale, names of files as they are stored."""

from __future__ import annotations

import codecs
import io
import os
import sys

_ERRORS = "novelink.names"


def write_utf8() -> None:
    """Make stdout and stderr UTF-8, whatever the locale: texts have Greek letters and dashes."""
    codecs.register_error(_ERRORS, _as_stored)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=_ERRORS)


def shown_name(path: str | os.PathLike[str]) -> str:
    """A file's name without its folder, for texts that must be UTF-8.

    Python holds bytes of a name that the locale cannot decode as halves of
    surrogate pairs (PEP 383).
    """
    return os.fsencode(os.path.basename(path)).decode("utf-8", "backslashreplace")  # noqa: PTH119 (of any path-like)


def _as_stored(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes of a file's name come out as they were; other halves of pairs escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    for handler in ("surrogateescape", "backslashreplace"):
        try:
            return codecs.lookup_error(handler)(error)
        except UnicodeError:
            continue
    raise error
