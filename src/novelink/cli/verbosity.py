"""``-v`` and ``-q``: how much is said on stderr; logs of the library by Python's own logging.

======  ======================================================================
``-q``  only errors
none    what was done and left out; warnings
``-v``  also what the library does, with milliseconds since the start
``-vv`` also each document and file, with the module that says it
======  ======================================================================
"""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = logging.getLogger("novelink")
_COMMANDS = logging.getLogger("novelink.cli")
_STATE = "novelink.verbosity"
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_FORMATS = (
    "{message}",
    "[{relativeCreated:.0f} ms] {message}",
    "[{relativeCreated:.0f} ms, {name}] {message}",
)


def is_quiet() -> bool:
    """Whether nothing but errors is to be said."""
    return _COMMANDS.level > logging.INFO


def note(line: str) -> None:
    """A line for people on stderr; none with ``-q``."""
    if not is_quiet():
        # Nobody may be reading any more: no reason to leave the work undone.
        with suppress(OSError, ValueError):
            click.echo(line, err=True)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Show the library's warnings, and more once :data:`OPTIONS` ask for it."""
    handler = _ToStderr()
    levels = _LIBRARY.level, _COMMANDS.level
    _LIBRARY.addHandler(handler)
    _set_level(0)
    try:
        yield
    finally:
        _LIBRARY.removeHandler(handler)
        _LIBRARY.setLevel(levels[0])
        _COMMANDS.setLevel(levels[1])


def add_options(command: click.Command) -> None:
    """Give a command ``-v`` and ``-q``, so that they may stand before or behind its name."""
    if not any(option in command.params for option in OPTIONS):
        command.params = [*command.params, *OPTIONS]


class _ToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # A line of progress may stand there.
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        with suppress(OSError, ValueError):
            click.echo(f"{clear}novelink: {self.format(record)}", err=True)


def _set_level(step: int) -> None:
    """Minus one for ``-q``, else how often ``-v`` was given."""
    shown = min(max(step, 0), len(_LEVELS) - 1)
    _LIBRARY.setLevel(logging.ERROR if step < 0 else _LEVELS[shown])
    _COMMANDS.setLevel(logging.ERROR if step < 0 else logging.NOTSET)
    for handler in _LIBRARY.handlers:
        if isinstance(handler, _ToStderr):
            handler.setFormatter(logging.Formatter(_FORMATS[shown], style="{"))


def _verbose(ctx: click.Context, _: click.Parameter, times: int) -> None:
    _count(ctx, "verbose", times)


def _quiet(ctx: click.Context, _: click.Parameter, times: int) -> None:
    _count(ctx, "quiet", times)


def _count(ctx: click.Context, name: str, times: int) -> None:
    # One count for the group's options and the command's.
    counts = ctx.meta.setdefault(_STATE, {"verbose": 0, "quiet": 0})
    counts[name] += times
    if counts["verbose"] and counts["quiet"]:
        raise click.UsageError("-v and -q contradict each other")
    _set_level(-1 if counts["quiet"] else counts["verbose"])


OPTIONS = (
    click.Option(
        ["-v", "--verbose"],
        count=True,
        is_eager=True,
        expose_value=False,
        callback=_verbose,
        help="Say more on stderr: what is done when; -vv each document.",
    ),
    click.Option(
        ["-q", "--quiet"],
        count=True,
        is_eager=True,
        expose_value=False,
        callback=_quiet,
        help="Say nothing on stderr but errors.",
    ),
)
"""``-v/--verbose`` and ``-q/--quiet`` of every command."""
