"""How the command line is run in tests: here for speed, as a process where that matters."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from command_line import Outcome, run_command


@pytest.fixture
def novelink(capsys):
    """Run ``novelink ARGUMENTS`` and give exit code, stdout and stderr."""
    return partial(run_command, capsys)


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
