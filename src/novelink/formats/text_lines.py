"""Lines of text files, decoded, with their numbers; titles told from abstracts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.sentences import split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_BLANK = re.compile(r"[^\S ]|  +")
_END_MARK = re.compile(r"[.?!:]['\"’”)\]]*$")


def text_lines(source: Source, intake: Intake) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and lines without their ends.

    Raises:
        DataError: a line is not UTF-8, or holds control characters.
    """
    for raw in source.lines():
        try:
            line = raw.decode("utf-8-sig" if source.line == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise intake.fault(
                f"not UTF-8 (byte 0x{raw[error.start]:02x} at column {error.start + 1})",
                line=source.line,
                remedy="Save the file as UTF-8",
            ) from error
        found = _CONTROL.search(line)
        if found:
            raise intake.fault(
                f"holds the control character U+{ord(found[0]):04X}",
                line=source.line,
                remedy="Text is wanted here; for other formats name one with --from",
            )
        yield source.line, line


def one_line(text: str) -> str:
    """Text with tabs and runs of blanks as one blank, none at the ends.

    PubTator files separate by tabs and line ends, so no text may hold them.
    """
    return _BLANK.sub(" ", text).strip()


def split_title(lines: list[str]) -> tuple[str, str]:
    """Title and abstract of a text.

    The first line is the title if it holds one sentence and either closes with
    an end mark or the next line begins anew (not in lower case). Otherwise the
    lines are one wrapped paragraph, whose first sentence is the title.

    Args:
        lines: not empty, no blank ones.
    """
    lines = [one_line(line) for line in lines]
    if len(lines) > 1 and _is_title(lines[0], lines[1]):
        return lines[0], " ".join(lines[1:])
    text = " ".join(lines)
    end = split_sentences(text)[0][1]
    return text[:end], text[end:].strip()


def _is_title(first: str, second: str) -> bool:
    if len(split_sentences(first)) != 1:
        return False
    return bool(_END_MARK.search(first)) or not second[0].islower()
