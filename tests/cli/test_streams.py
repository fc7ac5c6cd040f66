"""What stands between the program and a terminal: encodings, and readers that go away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from novelink import read, write

# No UTF-8 mode and no locale that knows more than ASCII.
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONIOENCODING": ""}


def run(*arguments, environment=ASCII, **options):
    return subprocess.run(
        [sys.executable, "-m", "novelink", *map(os.fsencode, arguments)],
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
        **options,
    )


@pytest.fixture
def source(tmp_path, document_maker):
    """A text with Greek letters, in a file whose name has some too."""
    path = tmp_path / "β-Katenin.pubtator"
    document = document_maker(
        "1",
        "Effect of TGF-β on κB – a study",
        "TGF-β raised κB.",
        {"TGF-β": ("GeneOrGeneProduct", "7040"), "κB": ("GeneOrGeneProduct", "4790")},
    )
    write([document], path)
    return path


def test_every_text_is_utf8_in_a_locale_that_knows_only_ascii(source, tiny_bundle, tmp_path):
    out = tmp_path / "gefunden-β.jsonl"
    done = run("extract", source, "-o", out, "-m", tiny_bundle, "--min-score", "0")
    assert done.returncode == 0, done.stderr
    [document] = read(out)
    assert document.passages[0].text == "Effect of TGF-β on κB – a study"
    for command in (("show", out), ("extract", source, "-m", tiny_bundle, "--min-score", "0")):
        done = run(*command)
        assert done.returncode == 0, done.stderr
        assert "1  Effect of TGF-β on κB – a study" in done.stdout.decode("utf-8")
    done = run("evaluate", source, out, "--report", tmp_path / "β.html", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pair"]
    assert "β-Katenin" in (tmp_path / "β.html").read_text(encoding="utf-8")
    done = run("view", out, "-o", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert "TGF-β" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are Unicode")
def test_a_file_name_that_is_no_utf8_is_no_obstacle(source, tiny_bundle, tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.pubtator"
    shutil.copy(source, odd)
    for environment in ({}, ASCII):
        done = run("extract", odd, "-m", tiny_bundle, environment=environment)
        assert done.returncode == 0, done.stderr
        folder = tmp_path / f"run-{len(environment)}"
        arguments = ("extract", odd, "-o", f"{folder}/", "--workers", "1", "-m", tiny_bundle)
        done = run(*arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        assert len(list(folder.rglob("*.jsonl"))) >= 1
        assert run(*arguments, "--resume", environment=environment).returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipes")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["extract", "--help"],
        ["show", "{source}"],
        ["convert", "{source}", "--to=jsonl"],
    ],
)
def test_a_reader_that_left_before_the_first_byte_is_no_fault(source, arguments):
    filled = [part.format(source=source) for part in arguments]
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "novelink", *filled],
            stdout=theirs,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(theirs)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell's pipes")
def test_the_work_is_done_although_nobody_reads_the_log(source, tmp_path):
    ours, theirs = os.pipe()
    os.close(ours)
    target = tmp_path / "out.jsonl"
    try:
        done = subprocess.run(
            [sys.executable, "-m", "novelink", "-vv", "convert", source, "-o", target],
            stderr=theirs,
            check=False,
            timeout=60,
        )
    finally:
        os.close(theirs)
    assert done.returncode == 0
    assert list(read(target)) == list(read(source))


def test_a_full_disk_is_one_line_and_exit_code_1(source):
    """Wherever it happens: here on standard output."""
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no device that is always full")
    with device.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "novelink", "convert", source, "--to", "jsonl"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["novelink: No space left on device"]


def test_text_is_never_opened_in_the_locales_encoding():
    """By the linter's rule, which is not among those that are on by default."""
    pytest.importorskip("ruff", reason="the linter is not installed")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--preview"]
    done = subprocess.run(
        [*command, "--select", "PLW1514", root / "src", root / "tests", root / "benchmarks"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
