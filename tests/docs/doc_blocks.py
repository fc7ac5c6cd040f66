"""The code blocks of README and docs: found, run in a folder with example files, compared.

A block's language says what it is. ``console`` (lines with ``$``, output below them),
``bash``, ``python`` and ``sql`` are run, page by page, in order, in one folder; Python blocks
of a page share their names. ``json`` and ``toml`` are parsed. What cannot run says why in a
comment before the block; its commands and imports are checked all the same:

    <!-- not run: needs BioRED -->
    <!-- exit code 1 -->                     the last command fails, as the text says
    <!-- file: cdr.toml -->                  the block is a file that commands of the page read
    <!-- output of: novelink models list --> the block is what that command prints
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

import click

from novelink.cli import cli, main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = {"console", "bash", "python", "sql"}
TEXT = {"text", "xml", "jsonl", "json", "toml", "{include}", "{toctree}", "{image}", "{eval-rst}"}
MARKS = ("not run", "exit code", "file", "output of")
SHELL = re.compile(r"[|<>;&$*]")


@dataclass
class Block:
    """A fenced block.

    Attributes:
        page: file name, and line of its fence.
        language: as the fence has it.
        text: what stands between the fences.
        marks: the comments before it.
        span: lines of the page from fence to fence, for writing it anew.
    """

    page: str
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)
    span: tuple[int, int] = (0, 0)

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.language in RUN and "not run" not in self.marks and "file" not in self.marks


def blocks_of(path: Path) -> list[Block]:
    """All fenced blocks of a page."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found, index = [], 0
    while index < len(lines):
        fence = re.match(r"(`{3,})(.*)$", lines[index])
        if fence:
            end = next(i for i in range(index + 1, len(lines)) if lines[i].startswith(fence[1]))
            words = fence[2].split()
            found.append(
                Block(
                    path.name,
                    index + 1,
                    words[0] if words else "",
                    "\n".join(lines[index + 1 : end]),
                    marks_before(lines, index),
                    (index, end),
                )
            )
            index = end
        index += 1
    return found


def marks_before(lines: list[str], index: int) -> dict[str, str]:
    """Comments in the lines right above a fence."""
    marks = {}
    while index and (not lines[index - 1].strip() or lines[index - 1].startswith("<!--")):
        index -= 1
        comment = re.fullmatch(r"<!-- ([a-z ]+?)(?::| (?=\d)) ?(.*?) ?-->", lines[index])
        if comment:
            marks[comment[1]] = comment[2]
    return marks


@dataclass
class Command:
    """A line to type, and what the page shows below it."""

    text: str
    output: list[str] = field(default_factory=list)


def commands_of(block: Block) -> list[Command]:
    """Commands of a console or bash block; lines that go on are joined."""
    found: list[Command] = []
    is_open = False
    for line in block.text.splitlines():
        if is_open:
            found[-1].text += "\n" + line
        elif block.language == "console" and not line.startswith("$ "):
            if not found:
                raise AssertionError(f"{block.place}: output before the first command")
            found[-1].output.append(line)
            continue
        elif line.strip() and not line.startswith("#"):
            found.append(Command(line.removeprefix("$ ")))
        else:
            continue
        is_open = goes_on(found[-1].text)
    return found


def goes_on(text: str) -> bool:
    """Whether a command ends in a backslash, an open quote or an open here-document."""
    here = re.search(r"<<\s*'?(\w+)'?", text)
    if here:
        return not text.endswith(f"\n{here[1]}")
    if text.endswith("\\"):
        return True
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False


def words(text: str) -> list[str]:
    return shlex.split(text.replace("\\\n", " "), comments=True)


@dataclass
class Outcome:
    code: int
    output: str


class PageRun:
    """Runs the blocks of one page in one folder.

    Args:
        folder: current folder while it runs.
        shell_path: folder with a ``novelink`` for bash.
    """

    def __init__(self, folder: Path, shell_path: Path) -> None:
        self.folder = folder
        self.shell_path = shell_path
        self.names: dict = {"__name__": "docs"}

    def run(self, block: Block) -> list[tuple[Command, Outcome]]:
        """Run a block.

        Raises:
            AssertionError: something ends otherwise than the page says.
        """
        with contextlib.chdir(self.folder):
            if block.language == "python":
                self._python(block)
                return []
            if block.language == "sql":
                import duckdb

                duckdb.sql(block.text).fetchall()
                return []
            return self._commands(block)

    def _python(self, block: Block) -> None:
        code = compile(block.text, block.place, "exec")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(code, self.names)

    def _commands(self, block: Block) -> list[tuple[Command, Outcome]]:
        outcomes = []
        commands = commands_of(block)
        for command in commands:
            if is_installing(command.text):
                check_installing(block, command.text)
                continue
            outcome = self.command(command.text)
            last = command is commands[-1]
            wanted = int(block.marks.get("exit code", 0)) if last else 0
            assert outcome.code == wanted, (
                f"{block.place}: exit code {outcome.code} of: {command.text}\n{outcome.output}"
            )
            outcomes.append((command, outcome))
        return outcomes

    def command_here(self, text: str) -> Outcome:
        """Run one command in the page's folder."""
        with contextlib.chdir(self.folder):
            return self.command(text)

    def command(self, text: str) -> Outcome:
        """Run one command: in this process if it is ``novelink`` alone, else by bash."""
        bare = text.partition("  #")[0]
        if bare.startswith("novelink ") and not SHELL.search(bare):
            return here(words(text)[1:])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PATH": f"{self.shell_path}{os.pathsep}{os.environ['PATH']}"},
        )
        return Outcome(done.returncode, done.stdout)


def here(arguments: list[str]) -> Outcome:
    """``novelink ARGUMENTS`` in this process; both streams together, as a terminal shows them."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        try:
            main(arguments)
        except SystemExit as done:
            code = done.code
    stream.flush()
    return Outcome(code or 0, stream.buffer.getvalue().decode("utf-8"))


def is_installing(text: str) -> bool:
    return bool(re.match(r"(pip|pipx|uv tool) install ", text))


def check_installing(block: Block, text: str) -> None:
    """The extras that are named exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for names in re.findall(r"(?:novelink|\.)\[([\w,]+)\]", text):
        for name in names.split(","):
            assert name in project["optional-dependencies"], f"{block.place}: no extra '{name}'"


def check_unrun(block: Block) -> None:
    """What is not run still has commands, options and imports that exist."""
    if block.language == "python":
        check_imports(block)
    for command in commands_of(block) if block.language in ("console", "bash") else ():
        if is_installing(command.text):
            check_installing(block, command.text)
        elif command.text.startswith("novelink "):
            check_usage(block, command.text)


def check_usage(block: Block, text: str) -> None:
    """Click takes the arguments; nothing is run."""
    context, command = click.Context(cli, info_name="novelink"), cli
    rest = words(re.sub(r"\$[A-Z_]+", "1", text))[1:]
    rest = rest[: next((at for at, word in enumerate(rest) if SHELL.match(word)), None)]
    while isinstance(command, click.Group):
        name = rest.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"{block.place}: no command '{name}'"
    try:
        with without_files(command):
            command.make_context(command.name, rest, parent=context)
    except click.exceptions.Exit:  # --help
        pass
    except click.UsageError as error:
        raise AssertionError(f"{block.place}: {error.format_message()}\n{text}") from error


@contextlib.contextmanager
def without_files(command: click.Command):
    """Paths that a command wants to exist need not."""
    paths = [
        option.type
        for option in command.params
        if isinstance(option.type, click.Path) and option.type.exists
    ]
    for path in paths:
        path.exists = False
    try:
        yield
    finally:
        for path in paths:
            path.exists = True


def check_imports(block: Block) -> None:
    """The block compiles, and what it imports from novelink is there."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("novelink"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{block.place}: no {alias.name}"


def check_text(block: Block) -> None:
    """Blocks of data are data."""
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomllib.loads(block.text)


def likeness(shown: list[str], output: str) -> float:
    """How like the output is to what a page shows, 0–1.

    Numbers count as equal: scores differ a little from one kind of processor to another. A line
    that is only ``…`` stands for any lines.
    """
    ends = [line for line in shown if line.strip() not in ("…", "...")]
    wanted = tokens("\n".join(ends))
    got = tokens(output)
    matcher = SequenceMatcher(None, wanted, got, autojunk=False)
    if len(ends) < len(shown):  # only a part is shown
        return sum(block.size for block in matcher.get_matching_blocks()) / max(1, len(wanted))
    return matcher.ratio()


def tokens(text: str) -> list[str]:
    return re.sub(r"\d[\d.,]*", "#", text).split()


def rewritten(block: Block, outcomes: list[tuple[Command, Outcome]]) -> str:
    """A console block with the outputs of today where it shows any."""
    lines = []
    for command, outcome in outcomes:
        lines.append(f"$ {command.text}")
        if command.output:
            lines += outcome.output.rstrip("\n").splitlines()
    return "\n".join(lines)


def write_shell(folder: Path) -> Path:
    """A folder with the command ``novelink`` (and ``python``) of this interpreter."""
    folder.mkdir(parents=True)
    for name, arguments in (("novelink", " -m novelink"), ("python", "")):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    return folder
