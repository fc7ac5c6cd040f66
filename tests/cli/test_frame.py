"""The command as such: help, version, exit codes, one-line errors."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import novelink as package
from novelink.cli import COMMANDS


def test_help_names_every_command_with_one_line(novelink):
    outcome = novelink("--help")
    assert outcome.code == 0
    for name, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line[:40])}", outcome.out, re.MULTILINE)


def test_every_listed_command_has_help_of_its_own(novelink):
    for name in COMMANDS:
        outcome = novelink(name, "--help")
        assert outcome.code == 0
        assert outcome.out.startswith(f"Usage: novelink {name}")


def test_version_and_running_as_a_module(novelink, novelink_process):
    assert package.__version__ in novelink("--version").out
    assert package.__version__ in novelink_process("--version").out


@pytest.mark.parametrize("arguments", [["no-such"], ["extract"], ["extract", "x", "--no-such"]])
def test_wrong_usage_is_exit_code_2_and_leaves_stdout_empty(novelink, arguments):
    outcome = novelink(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Error" in outcome.err


def test_a_reader_that_goes_away_ends_the_run_without_a_fault(tiny_bundle, tmp_path):
    text = "".join(
        f"{number}|t|g1 g2\n{number}|a|b\n"
        f"{number}\t0\t2\tg1\tGene\t1\n{number}\t3\t5\tg2\tGene\t2\n\n"
        for number in range(1, 600)
    )
    path = tmp_path / "many.pubtator"
    path.write_text(text)
    command = [sys.executable, "-m", "novelink", "extract", path, "-m", tiny_bundle]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in errors
    assert "BrokenPipe" not in errors
