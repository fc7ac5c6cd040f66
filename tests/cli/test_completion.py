"""Tab completes commands, options, formats, models and files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from novelink.cli.completion import SHELLS
from novelink.runtime.bundle import embedded_names


@pytest.fixture
def complete(novelink, monkeypatch):
    """What is offered for the last word of a line, as ``kind,value``."""

    def run(*words):
        monkeypatch.setenv("_NOVELINK_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["novelink", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return novelink().out.split()

    return run


def test_commands_and_those_below_them(complete):
    assert complete("ext") == ["plain,extract"]
    assert complete("models", "v") == ["plain,verify"]


def test_options_and_their_values(complete):
    assert complete("extract", "--min") == ["plain,--min-score"]
    assert complete("extract", "--to", "json") == ["plain,jsonl"]
    assert "plain,--verbose" in complete("show", "--v")


def test_models_by_name_and_folder(complete):
    named = [f"plain,{name}" for name in embedded_names()]
    assert complete("extract", "--model", "") == [*named, "dir,"]
    assert complete("models", "info", "no-such") == ["dir,no-such"]


@pytest.mark.parametrize(
    "words",
    [
        ("extract", "ab"),
        ("extract", "a.pubtator", "ab"),
        ("extract", "-o", "ab"),
        ("evaluate", "ab"),
        ("train", "ab"),
        ("query", "ab"),
        ("view", "a.json", "--decisions", "ab"),
        ("convert", "a", "--schema", "ab"),
    ],
)
def test_files_are_left_to_the_shell(complete, words):
    assert complete(*words) == ["file,ab"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_right_for_its_shell(novelink, shell, tmp_path):
    outcome = novelink("completion", shell)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"_NOVELINK_COMPLETE={shell}_complete" in outcome.out
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed, so its own check of the script is left out")
    script = tmp_path / "script"
    script.write_text(outcome.out, encoding="utf-8")
    subprocess.run([shell, "-n", script], check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_offers_what_the_program_says(novelink):
    script = novelink("completion", "bash").out
    program = Path(sys.executable).with_name("novelink")
    if not program.exists():
        pytest.skip("novelink is not installed beside this Python")
    lines = [
        script,
        'COMP_WORDS=(novelink mod); COMP_CWORD=1; _novelink_completion novelink; echo "$COMPREPLY"',
    ]
    done = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.stdout.strip() == "models"


def test_an_unknown_shell_is_wrong_usage(novelink):
    assert novelink("completion", "klingon").code == 2
