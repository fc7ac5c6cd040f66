"""Ctrl-C at a chosen moment of a command: in the n-th call of a function of this package."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

import novelink as package
from novelink.cli import main

SOURCE = str(Path(package.__file__).parent)
# Code that runs before and after the command itself; an interrupt there ends the program too.
FRAME = {
    str(Path(SOURCE, "cli", name))
    for name in ("__init__.py", "__main__.py", "verbosity.py", "termination.py")
} | {str(Path(SOURCE, "cli", "streams.py"))}


class Interrupt:
    """Raises KeyboardInterrupt in the n-th call of a function of this package."""

    def __init__(self, at=None):
        self.at = at
        self.calls = 0

    def __call__(self, frame, event, argument):
        name = frame.f_code.co_filename
        # A generator is also called when it is thrown away, where Python swallows exceptions.
        counts = event == "call" and not frame.f_code.co_flags & inspect.CO_GENERATOR
        if counts and name.startswith(SOURCE) and name not in FRAME:
            self.calls += 1
            if self.calls == self.at:
                sys.setprofile(None)
                raise KeyboardInterrupt

    def __enter__(self):
        sys.setprofile(self)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)


def run(arguments, capsys, at=None):
    """Exit code, stdout, stderr and the number of calls."""
    interrupt = Interrupt(at)
    with pytest.raises(SystemExit) as caught, interrupt:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return caught.value.code, captured.out, captured.err, interrupt.calls


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
