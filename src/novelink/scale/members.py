"""Files of folders, globs, archives and URLs one after another, for a run into one file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from novelink.formats.registry import by_suffix
from novelink.scale.container import open_container
from novelink.scale.corpus import find_files, is_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats import ReadReport


def open_members(place: str, report: ReadReport) -> Iterator[str | IO[bytes]]:
    """What an input stands for, each to be read before the next is asked for.

    Args:
        place: a plain file's path is given back as it is; of anything else come
            the streams of its files and members, front to back.
        report: counts what was left out.

    Raises:
        DataError: an input is missing, or an archive is damaged.
    """
    if place == "-" or not is_corpus(place):
        yield place
        return
    corpus = find_files((place,))
    report.notes.update(corpus.notes)
    for file in corpus.files:
        with open_container(file) as container:
            for member in container.members():
                if (member.name or not file.chosen) and not by_suffix(member.name or file.name):
                    report.notes["files of no known format, left out"] += 1
                    continue
                yield member.named()
            report.notes.update(container.notes)
