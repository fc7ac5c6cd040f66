"""Inputs that may lack entities, and the options that say where to get them from."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from novelink.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from novelink.annotate import Annotator
    from novelink.document import Document
    from novelink.formats import ReadReport
    from novelink.schema import Schema

_OPTIONS = (
    click.option(
        "--annotator",
        type=click.Choice(["auto", "pubtator3", "offline", "given"]),
        default="auto",
        show_default=True,
        help="Where entities come from. auto: those in the input; for papers named by PMID "
        "PubTator 3; for the rest the tagger that comes with the package (offline). pubtator3 "
        "and offline replace entities that are there already; given adds none.",
    ),
    click.option(
        "--lexicon",
        metavar="DIR",
        help="For offline: database ids from this lexicon (`novelink lexicon build`). "
        "Default: NOVELINK_LEXICON; without any, ids hold within one document.",
    ),
    click.option(
        "--known-only",
        is_flag=True,
        help="For offline, with a lexicon: leave entities that it does not surely know out of "
        "relations, in place of giving them ids that hold within one document.",
    ),
    click.option(
        "--full-text", is_flag=True, help="For PMIDs: the whole article where there is one."
    ),
    click.option("--refresh", is_flag=True, help="Ask PubTator 3 again for what the cache has."),
    click.option(
        "--cache",
        metavar="DIR|off",
        help="Where PubTator 3's answers are kept. Default: NOVELINK_CACHE, else this system's "
        "place for caches.",
    ),
)


def entity_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--annotator --lexicon --known-only --full-text --refresh --cache``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def open_annotator(
    name: str,
    *,
    lexicon: str | None,
    known_only: bool,
    full_text: bool,
    refresh: bool,
    cache: str | None,
    threads: int | None = None,
) -> Iterator[Annotator]:
    """The annotator that these options ask for.

    Raises:
        SettingsError: an address of a service in the environment is none.
    """
    from novelink.annotate import annotator
    from novelink.annotate.pubtator3.settings import PubTatorSettings

    values: dict[str, Any] = {"full_text": full_text, "refresh": refresh}
    if cache is not None:
        values["cache"] = None if cache == "off" else Path(cache)
    settings = PubTatorSettings.from_environment(**values)
    with annotator(
        name, pubtator=settings, lexicon=lexicon, known_only=known_only, threads=threads
    ) as opened:
        yield opened


def annotated(
    inputs: Iterable[str],
    from_format: str | None,
    annotate: Annotator,
    *,
    schema: Schema,
    lenient: bool,
    report: ReadReport,
) -> Iterator[Document]:
    """Documents with entities, of files and of PMIDs and PMCIDs, in the order given.

    What is the name of a file is a file, even if it looks like an id. Each file
    goes to the annotator by itself, so that one with entities and one without
    can be given together.
    """
    from novelink.formats.article_ids import article_id, article_request

    seen: set[str] = set()
    for are_ids, run in groupby(inputs, _is_id):
        if are_ids:
            names = [name for name in map(article_id, run) if name and name not in seen]
            seen.update(names)
            yield from annotate(map(article_request, names))
        else:
            documents = _with_places(run, from_format, schema, report, lenient=lenient)
            for _, part in groupby(documents, itemgetter(0)):
                yield from annotate(document for _, document in part)


def _with_places(
    files: Iterable[str],
    from_format: str | None,
    schema: Schema,
    report: ReadReport,
    *,
    lenient: bool,
) -> Iterator[tuple[str, Document]]:
    """Documents of files, each with the file it is from."""
    from novelink.formats import read_all
    from novelink.scale.members import open_members

    current = [""]

    def places() -> Iterator[str | IO[bytes]]:
        # Taken one by one, each only when the one before is read to its end.
        for place in files:
            for opened in open_members(place, report):
                current[0] = opened if isinstance(opened, str) else opened.name
                yield opened

    for document in read_all(places(), from_format, schema=schema, lenient=lenient, report=report):
        yield current[0], document


def say_annotation(annotate: Annotator) -> None:
    """Where entities came from, if from anywhere but the input, and what was left out."""
    from novelink.annotate.report import GIVEN

    report = annotate.report
    if set(report.sources) - {GIVEN} or report.failures or report.notes:
        options.say(annotate.lines())


def exit_code(annotate: Annotator) -> int:
    """1 if a document had to be left out: scripts must notice."""
    return 1 if annotate.report.failures else 0


def _is_id(text: str) -> bool:
    from novelink.formats.article_ids import article_id

    return article_id(text) is not None and not Path(text).exists()
