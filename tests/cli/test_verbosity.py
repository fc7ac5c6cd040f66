"""``-v`` and ``-q``: results stay on stdout, and stderr says as much as was asked for."""

from __future__ import annotations

import logging
import subprocess
import sys

import click
import pytest

from novelink import write
from novelink.cli import EXIT_CODES, cli


@pytest.fixture
def source(tmp_path, small_documents):
    path = tmp_path / "abstracts.pubtator"
    write(small_documents, path)
    return path


@pytest.fixture
def extract(novelink, source, tiny_bundle):
    """Run ``novelink BEFORE extract FILE … BEHIND``."""

    def run(before=(), behind=()):
        return novelink(*before, "extract", source, "--to", "jsonl", "-m", tiny_bundle, *behind)

    return run


def test_without_options_only_what_was_done_and_left_out_is_said(extract):
    first, *others = extract().err.splitlines()
    assert first.startswith("novelink: 9 relations among 15 pairs")
    assert all(line.startswith("novelink: ") and " ms" not in line for line in others)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_verbose_tells_files_model_and_time(extract, source, place):
    outcome = extract(**{place: ["-v"]})
    assert f" ms] reading {source} as pubtator" in outcome.err
    assert "ms] model tiny: pair reading, windows of 128 tokens" in outcome.err
    assert "document 101" not in outcome.err


def test_twice_verbose_tells_documents_and_modules_but_no_text(extract):
    outcome = extract(["-v"], ["-v"])
    assert "ms, novelink.extractor] document 101: " in outcome.err
    assert "gutter disease" not in outcome.err


def test_results_are_the_same_however_much_is_said(extract):
    plain = extract()
    assert [extract(behind=[flag]).out for flag in ("-v", "-vv", "-q")] == [plain.out] * 3
    assert plain.out.count("\n") == 6


def test_quiet_says_nothing_but_errors(extract, novelink, source, tiny_bundle):
    for place in ("before", "behind"):
        assert extract(**{place: ["--quiet"]}).err == ""
    outcome = novelink("-q", "extract", f"{source}.none", "-m", tiny_bundle)
    assert outcome.code == 1
    assert outcome.err.endswith("no such file. Check the path\n")


def test_quiet_and_verbose_contradict_each_other(extract):
    outcome = extract(["-q"], ["-v"])
    assert outcome.code == 2
    assert "contradict" in outcome.err


def test_the_log_is_as_it_was_after_a_run(extract):
    logger = logging.getLogger("novelink")
    before = logger.level, list(logger.handlers)
    extract(["-vv"])
    assert (logger.level, logger.handlers) == before
    assert logging.getLogger("novelink.cli").level == logging.NOTSET


def every_command(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


def test_every_command_has_both_options_and_says_its_exit_codes():
    found = dict(every_command())
    assert ("models", "verify") in found
    for path, command in found.items():
        text = command.get_help(click.Context(command))
        assert "-v, --verbose" in text, path
        assert "-q, --quiet" in text, path
        assert EXIT_CODES.split()[-1] in text, path
        names = [name for param in command.params for name in param.opts]
        assert len(names) == len(set(names)), path


def test_the_library_says_nothing_by_itself(source, tiny_bundle):
    """A program that uses it hears of warnings only, through Python's logging."""
    code = (
        "from novelink import Extractor, read\n"
        f"list(Extractor.load({str(tiny_bundle)!r}).extract(read({str(source)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
