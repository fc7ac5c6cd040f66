"""Every code block of README and docs runs, or says why it cannot and is checked as it stands."""

from __future__ import annotations

import webbrowser

import click
import pytest
from doc_blocks import (
    MARKS,
    PAGES,
    ROOT,
    RUN,
    TEXT,
    Block,
    PageRun,
    blocks_of,
    check_text,
    check_unrun,
    commands_of,
    likeness,
    write_shell,
)
from doc_stand_ins import lay_out

from novelink.formats import registry

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
LIKE = 0.75
"""Least likeness of a shown output to the real one, numbers aside."""


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    """What pages register or open does not outlive them."""
    before = dict(registry.FORMATS)
    monkeypatch.setattr(webbrowser, "open", lambda *_args, **_kwargs: True)
    monkeypatch.setattr(click, "launch", lambda *_args, **_kwargs: 0)
    yield
    registry.FORMATS.clear()
    registry.FORMATS.update(before)


@pytest.fixture(scope="session")
def shell_path(tmp_path_factory):
    return write_shell(tmp_path_factory.mktemp("shell") / "bin")


def test_every_block_names_its_language_and_its_marks_are_known():
    for block in BLOCKS:
        assert block.language in RUN | TEXT, f"{block.place}: language '{block.language}'"
        assert set(block.marks) <= set(MARKS), f"{block.place}: {block.marks}"
        assert block.marks.get("not run") != "", f"{block.place}: say why it is not run"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page, tmp_path, shell_path):
    blocks = blocks_of(page)
    lay_out(tmp_path, page.read_text(encoding="utf-8"))
    write_files(blocks, tmp_path)
    run = PageRun(tmp_path, shell_path)
    for block in blocks:
        if "output of" in block.marks:
            outcome = run.command_here(block.marks["output of"])
            assert_like(block, [*block.text.splitlines(), "…"], outcome)
        elif block.runs:
            for command, outcome in run.run(block):
                if command.output:
                    assert_like(block, command.output, outcome)


def write_files(blocks, folder):
    """Blocks that show a file become that file."""
    for block in blocks:
        if "file" in block.marks:
            (folder / block.marks["file"]).write_text(block.text + "\n", encoding="utf-8")


def assert_like(block, shown, outcome):
    assert likeness(shown, outcome.output) >= LIKE, (
        f"{block.place} shows\n"
        + "\n".join(shown)
        + f"\nand this came out (python tests/docs/update_blocks.py writes it):\n{outcome.output}"
    )


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if not block.runs], ids=lambda block: block.place
)
def test_what_is_not_run_is_checked_as_it_stands(block, tmp_path, monkeypatch):
    """Commands and options exist, imports are there, JSON and TOML parse."""
    check_text(block)
    if "not run" in block.marks:
        (tmp_path / "recipes").symlink_to(ROOT / "recipes")
        write_files([other for other in BLOCKS if other.page == block.page], tmp_path)
        monkeypatch.chdir(tmp_path)
        check_unrun(block)


def console(text, language="console", **marks):
    return Block("page.md", 1, language, text, marks)


@pytest.mark.parametrize(
    "text",
    [
        "$ novelink extract a.xml --no-such-option",
        "$ novelink nosuch a.xml",
        "$ novelink convert a.xml --to nosuch",
        "$ novelink models nosuch",
        "$ pip install 'novelink[nosuch]'",
    ],
)
def test_wrong_commands_are_found_without_running_them(text):
    with pytest.raises(AssertionError, match=r"page\.md:1"):
        check_unrun(console(text))


def test_names_that_are_not_there_are_found_without_running_them():
    with pytest.raises(AssertionError, match="no nosuch"):
        check_unrun(console("from novelink import nosuch", "python"))


def test_commands_that_go_on_over_lines_are_one(tmp_path):
    text = "$ a --sql \"\n  SELECT 1\"\n$ cat > f <<'END'\n$ x\nEND\n$ b \\\n  c\nshown"
    found = commands_of(console(text))
    assert [len(command.text.splitlines()) for command in found] == [2, 3, 2]
    assert found[-1].output == ["shown"]


def test_a_command_that_ends_otherwise_than_the_page_says_is_found(tmp_path, shell_path):
    run = PageRun(tmp_path, shell_path)
    with pytest.raises(AssertionError, match="exit code 1 of: novelink show"):
        run.run(console("$ novelink show missing.jsonl"))
    run.run(console("$ novelink show missing.jsonl", **{"exit code": "1"}))


def test_outputs_are_alike_with_other_numbers_and_not_with_other_words():
    shown = ["EGFR  Gene  melanoma  Disease  Association  Novel  0.94", "38 relations"]
    assert likeness(shown, "EGFR Gene melanoma Disease Association Novel 0.91\n37 relations") == 1
    assert likeness(shown, "Usage: novelink [OPTIONS] COMMAND") < LIKE
    assert likeness([shown[0], "…"], "\n".join([shown[0], "and", "much", "more"])) == 1
