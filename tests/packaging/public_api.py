"""The public interface as lines of text: ``python tests/packaging/public_api.py`` writes them anew.

Public is what docs/python.md documents, and the commands with their options. One line is one name
with its parameters; annotations are left out, since they may be made more exact at any time.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).with_name("public_api.txt")
_ENTRY = re.compile(
    r"^\.\. auto(?:class|function|data|exception):: (\S+)\n((?:   :.*\n)*)", re.MULTILINE
)


class MissingExtra(Exception):  # noqa: N818 (no fault: the test that meets it passes over the name)
    """A documented name needs packages that are not installed."""


def found(path):
    """The object behind a dotted name."""
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            value = import_module(".".join(parts[:end]))
        except ModuleNotFoundError as error:
            if not str(error.name).startswith("novelink"):
                raise MissingExtra(error.name) from error
            continue
        for name in parts[end:]:
            value = getattr(value, name)
        return value
    raise AssertionError(f"docs/python.md documents {path}, which is not there")


def default_of(value):
    """A default in words that do not change with its contents.

    That there is one is part of the interface; which number of bytes or seconds it is, is not.
    """
    if value is None or isinstance(value, bool | str | tuple | frozenset):
        return repr(value)
    if isinstance(value, int | float):
        return "<number>"
    if "FACTORY" in type(value).__name__:
        return "<fresh>"
    return f"<{getattr(value, '__name__', type(value).__name__)}>"


def signature(value):
    """Parameters with their defaults."""
    parts, star = [], False
    for parameter in inspect.signature(value).parameters.values():
        text = parameter.name
        if parameter.default is not parameter.empty:
            text += f"={default_of(parameter.default)}"
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        elif parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        parts.append(text)
    return f"({', '.join(parts)})"


def lines_of(path, options):
    """A documented name and, where the page shows them, its members."""
    value = found(path)
    if not callable(value):
        return [path]
    lines = [path + signature(value)]
    if inspect.isclass(value) and ":members:" in options:
        for name in sorted(set(dir(value)) - set(dir(object)) - set(dir(Exception))):
            if name.startswith("_"):
                continue
            member = getattr(value, name)
            lines.append(
                f"{path}.{name}" + (signature(member) if inspect.isroutine(member) else "")
            )
    return lines


def python_lines(passed_over=None):
    """What docs/python.md documents, and all that ``import novelink`` offers.

    ``passed_over`` takes the names that need an extra which is not installed.
    """
    import novelink

    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    entries = dict(_ENTRY.findall(page))
    entries = {f"novelink.{name}": "" for name in novelink.__all__} | entries
    lines = set()
    for path, options in entries.items():
        try:
            lines.update(lines_of(path, options))
        except (MissingExtra, novelink.NovelinkError):
            if passed_over is None:
                raise
            passed_over.append(path)
    return sorted(lines)


def command_lines():
    """Commands with their arguments and options."""
    from novelink.cli import COMMANDS, cli

    lines = []

    def walk(command, path):
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                walk(command.get_command(context, name), f"{path} {name}")
        for parameter in command.params:
            if not getattr(parameter, "hidden", False):
                name = max(parameter.opts, key=len)
                lines.append(f"$ {path} {name.upper() if name[0] != '-' else name}")

    walk(cli, "novelink")
    assert COMMANDS
    return sorted(set(lines))


if __name__ == "__main__":
    PINNED.write_text("\n".join([*python_lines(), *command_lines()]) + "\n", encoding="utf-8")
    sys.stderr.write(f"written: {PINNED}\n")
