"""``novelink`` run in this process: exit code, stdout and stderr."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from novelink.cli import main


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


def run_command(capture, *arguments):
    """Run ``novelink ARGUMENTS``.

    ``capture`` is pytest's ``capsys``, or ``capfd`` where libraries write past Python.
    """
    capture.readouterr()
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    captured = capture.readouterr()
    return Outcome(caught.value.code or 0, captured.out, captured.err)
