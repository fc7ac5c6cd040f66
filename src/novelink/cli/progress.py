"""A line on stderr that says how far a run is; nothing where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

import click

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
    if not sys.stderr.isatty():
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
