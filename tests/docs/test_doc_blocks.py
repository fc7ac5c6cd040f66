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
    PageRun,
    blocks_of,
    check_text,
    check_unrun,
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
