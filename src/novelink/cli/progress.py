"""A line on stderr that says how far a run is; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from novelink.cli.verbosity import is_quiet, note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Item = TypeVar("Item")

_INTERVAL = 0.2  # seconds between two updates: often enough to look alive


def with_progress(items: Iterable[Item], noun: str) -> Iterator[Item]:
    """Pass items on and show how many there were, and the rate.

    The line is removed at the end, whatever the end is.

    Args:
        items: read as a stream.
        noun: what they are, in the plural.
    """
    if is_quiet() or not sys.stderr.isatty():
        yield from items
        return
    began = time.monotonic()
    shown = began
    click.echo(f"  reading {noun} …", nl=False, err=True)
    try:
        for count, item in enumerate(items, start=1):
            now = time.monotonic()
            if now - shown >= _INTERVAL:
                rate = count / (now - began)
                click.echo(f"\r\x1b[K  {count:,} {noun}, {rate:.1f} a second", nl=False, err=True)
                shown = now
            yield item
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


class StepBar:
    """A bar for work whose steps are known; drawn on a terminal only.

    Lines said meanwhile stand above it.

    Args:
        terminal: whether stderr is one.
    """

    _WIDTH = 30

    def __init__(self, *, terminal: bool) -> None:
        self._on = terminal and not is_quiet()
        self._first: tuple[float, int] | None = None
        self._shown = 0.0
        self._line = ""

    def say(self, line: str) -> None:
        """Write a line to stderr; none with ``-q``."""
        self._clear()
        note(line)
        if self._line:
            click.echo(self._line, nl=False, err=True)

    def update(self, done: int, total: int) -> None:
        """Draw the bar anew, at most a few times a second."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, done  # a resumed run begins in the middle
        if not self._on or (now - self._shown < _INTERVAL and done < total):
            return
        began, first = self._first
        left = (now - began) / max(1, done - first) * (total - done)
        filled = self._WIDTH * done // max(1, total)
        bar = "#" * filled + "-" * (self._WIDTH - filled)
        self._line = f"  [{bar}] {done:,} of {total:,} steps, {left / 60:.0f} min left"
        click.echo(f"\r\x1b[K{self._line}", nl=False, err=True)
        self._shown = now

    def close(self) -> None:
        """Remove the bar."""
        self._clear()
        self._line = ""

    def _clear(self) -> None:
        if self._line:
            click.echo("\r\x1b[K", nl=False, err=True)


@contextmanager
def step_bar(*, terminal: bool | None = None) -> Iterator[StepBar]:
    """A bar that is removed at the end, whatever the end is.

    Args:
        terminal: whether to draw; None looks whether stderr is a terminal.
    """
    bar = StepBar(terminal=sys.stderr.isatty() if terminal is None else terminal)
    try:
        yield bar
    finally:
        bar.close()
