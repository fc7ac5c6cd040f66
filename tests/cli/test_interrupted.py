"""Ctrl-C at any moment: exit code 130, one line, and no file half-written.

A command is run once to count the calls of this package's functions, then again and again with
the interrupt in another of these calls each time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from interruption import contents, run
from novelink import Extractor, read, write
from novelink.annotate.lexicon import Sources, build_lexicon

TIMES = 7
"""How many places of a command are interrupted, spread evenly."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, small_documents, tiny_bundle):
    """A folder with an input for every command; never write into it."""
    folder = tmp_path_factory.mktemp("shelf")
    write(small_documents, folder / "in.pubtator")
    found = Extractor.load(tiny_bundle, threads=1).extract(read(folder / "in.pubtator"))
    write(found, folder / "found.jsonl")
    (folder / "decisions.json").write_text(
        '{"format": "novelink-decisions", "version": 1, "decisions": []}', encoding="utf-8"
    )
    (folder / "species.tsv").write_text("mouse\t10090\nman\t9606\n", encoding="utf-8")
    build_lexicon(Sources(species=(folder / "species.tsv",)), folder / "lexicon")
    return folder


COMMANDS = {
    "extract": ["extract", "in.pubtator", "-m", "{model}", "--threads=1", "-o", "{out}/a.jsonl.gz"],
    "extract to stdout": ["extract", "in.pubtator", "-m", "{model}", "--threads", "1"],
    "annotate": ["annotate", "in.pubtator", "--annotator=given", "-o", "{out}/a.xml"],
    "show": ["show", "found.jsonl"],
    "convert": ["convert", "in.pubtator", "-o", "{out}/a.json"],
    "convert to kgx": ["convert", "found.jsonl", "--to", "kgx", "-o", "{out}/kgx.tar.gz"],
    "view": ["view", "found.jsonl", "-o", "{out}/a.html"],
    "curate": [
        *("curate", "found.jsonl", "--decisions", "decisions.json"),
        *("--incomplete", "keep", "-o", "{out}/gold.jsonl"),
    ],
    "evaluate": [
        *("evaluate", "found.jsonl", "found.jsonl", "--resamples=5"),
        *("--report", "{out}/r.html"),
    ],
    "query": ["query", "found.jsonl"],
    "aggregate": ["aggregate", "found.jsonl", "-o", "{out}/pairs.tsv"],
    "models list": ["models", "list"],
    "models info": ["models", "info", "{model}"],
    "models verify": ["models", "verify", "{model}"],
    "doctor": ["doctor", "-m", "{model}"],
    "completion": ["completion", "bash"],
    "ensemble": ["ensemble", "{model}", "-o", "{out}/set"],
    "lexicon build": ["lexicon", "build", "--species", "species.tsv", "-o", "{out}/lexicon"],
    "lexicon lookup": ["lexicon", "lookup", "lexicon", "mouse"],
    "lexicon info": ["lexicon", "info", "lexicon"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupt_leaves_nothing_half_written(
    name, shelf, tiny_bundle, tmp_path, capsys, monkeypatch
):
    if name in {"query", "aggregate"}:
        pytest.importorskip("duckdb", reason="needs the extra 'scale'")
    monkeypatch.chdir(shelf)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    out = tmp_path / "out"
    arguments = [part.format(model=tiny_bundle, out=out) for part in COMMANDS[name]]
    for _ in range(2):  # the first run also loads modules, which is done but once
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        code, whole, _, calls = run(arguments, capsys)
        assert code == 0
    result = contents(out)
    shutil.rmtree(out)
    out.mkdir()
    step = max(1, calls // TIMES)
    for at in range(1, calls + 1, step):
        code, text, err, _ = run(arguments, capsys, at)
        assert (code, err.splitlines()[-1:]) == (130, ["novelink: stopped"]), at
        assert "Traceback" not in err
        assert whole.startswith(text) or name in {"doctor", "extract to stdout"}
        # All or nothing: the interrupt may come after the last file was renamed into place.
        assert contents(out) in ({}, result), at
        shutil.rmtree(out)
        out.mkdir()
    before = dict.fromkeys(result, b"what was there before\n")
    if name not in {"ensemble", "lexicon build"}:
        for path, data in before.items():
            path.write_bytes(data)
        assert run(arguments, capsys, max(1, calls // 2))[0] == 130
        assert contents(out) == before


@pytest.fixture
def many(tmp_path):
    """A file that takes any machine some seconds."""
    path = tmp_path / "many.pubtator"
    path.write_text(
        "".join(
            f"{number}|t|g1 g2\n{number}|a|b\n"
            f"{number}\t0\t2\tg1\tGene\t1\n{number}\t3\t5\tg2\tGene\t2\n\n"
            for number in range(1, 20_001)
        ),
        encoding="utf-8",
    )
    return path


@pytest.mark.skipif(os.name != "posix", reason="sends the signal that Ctrl-C sends")
@pytest.mark.parametrize("target", ["out.jsonl", "results/"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_a_process_with_threads_and_workers(
    many, tiny_bundle, tmp_path, target, number, code
):
    """What was there before stays; Ctrl-C reaches the whole group, SIGTERM the process alone."""
    (tmp_path / "out.jsonl").write_text("before\n", encoding="utf-8")
    arguments = ["extract", many, "-m", tiny_bundle, "-o", f"{tmp_path}/{target}", "-v"]
    if target.endswith("/"):
        arguments += ["--workers", "1", "--block-size", "50"]
    with subprocess.Popen(
        [sys.executable, "-m", "novelink", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        # Work has begun once this is said.
        begun = "block 0: " if target.endswith("/") else "reading "
        said = []
        for line in process.stderr:
            said.append(line)
            if begun in line:
                break
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        said += process.stderr.readlines()
        assert process.wait(timeout=60) == code
    if number == signal.SIGINT:
        assert said[-1] == "novelink: stopped\n"
    assert not [line for line in said if "Traceback" in line]
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "before\n"
    assert not list(tmp_path.rglob("*.tmp"))
