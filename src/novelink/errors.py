"""What goes wrong, in words a user can act on.

Every error that input, settings or a model folder can cause is a
:class:`NovelinkError`. The command line prints it as one line on stderr and
exits with :attr:`NovelinkError.exit_code`.
"""

from __future__ import annotations

import re

LONGEST_LINE = 2_000
"""Characters of an error's line; of longer ones the middle is left out."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one_line(text: str) -> str:
    r"""Text that quotes foreign data, fit for a terminal: one line of bounded length.

    Line ends, terminal commands and what no file can hold are written as
    escapes (``\x1b``).
    """
    text = _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)
    if len(text) > LONGEST_LINE:
        text = f"{text[: LONGEST_LINE * 3 // 4]} … {text[-LONGEST_LINE // 5 :]}"
    return text


class NovelinkError(Exception):
    """An error with a place and a remedy.

    Args:
        message: what is wrong, without a final full stop.
        source: file name, URL or ``<stdin>``.
        line: line number in that source, counted from 1.
        remedy: what to do about it, as an instruction.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        line: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.line = line
        self.remedy = remedy

    def __str__(self) -> str:
        place = self.source or ""
        if self.line is not None:
            place = f"{place}:{self.line}" if place else f"line {self.line}"
        text = f"{place}: {self.message}" if place else self.message
        return one_line(f"{text}. {self.remedy}" if self.remedy else text)

    def __reduce__(self) -> tuple[object, ...]:
        # Exception's own pickling drops keyword-only arguments; errors cross processes here.
        return _rebuild, (type(self), self.message, self.source, self.line, self.remedy)


def _rebuild(
    kind: type[NovelinkError],
    message: str,
    source: str | None,
    line: int | None,
    remedy: str | None,
) -> NovelinkError:
    return kind(message, source=source, line=line, remedy=remedy)


class DataError(NovelinkError):
    """A document, file or stream does not hold what it should."""


class SettingsError(NovelinkError):
    """A setting, option or schema is unknown or has a value that cannot be."""

    exit_code = 2


class ModelError(NovelinkError):
    """A model folder is incomplete, changed, or made for another version."""


class MissingExtraError(NovelinkError):
    """A feature needs packages of an extra that is not installed.

    Args:
        feature: what the user wanted, e.g. ``"training"``.
        extra: the extra's name in this package, e.g. ``"train"``.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the extra '{extra}'",
            remedy=f"Install it with: pip install 'novelink[{extra}]'",
        )
        self.feature = feature
        self.extra = extra

    def __reduce__(self) -> tuple[object, ...]:
        return MissingExtraError, (self.feature, self.extra)
