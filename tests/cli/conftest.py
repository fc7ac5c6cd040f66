"""How the command line is run in tests: here for speed, as a process where that matters."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from novelink.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def novelink(capsys):
    """Run ``novelink ARGUMENTS`` and give exit code, stdout and stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(caught.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def novelink_process():
    """The same in a process of its own, with bytes for stdin."""

    def run(*arguments, stdin=b""):
        done = subprocess.run(
            [sys.executable, "-m", "novelink", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
