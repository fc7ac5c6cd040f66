"""Every command of ``novelink`` with its help and options, as Markdown."""

from __future__ import annotations

import inspect

import click

from generators.marking import marked
from novelink.cli import COMMANDS, cli


def page() -> str:
    """One section per command, in the order of ``novelink --help``."""
    context = click.Context(cli, info_name="novelink")
    parts = []
    for name in COMMANDS:
        command = cli.get_command(context, name)
        parts += section(command, click.Context(command, info_name=name, parent=context), "##")
    return "\n".join(parts) + "\n"


def section(command: click.Command, context: click.Context, heading: str) -> list[str]:
    """A command's heading, usage, help and options; commands below it follow."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"{heading} `{context.command_path}`", ""]
    lines += ["```text", usage, "```", ""]
    lines += paragraphs(command.help or "")
    shown = [option for option in command.params if isinstance(option, click.Option)]
    for option in shown:
        if not option.hidden:
            lines += [*described(option, context), ""]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            lines += section(
                inner, click.Context(inner, info_name=name, parent=context), heading + "#"
            )
    return lines


def paragraphs(help_text: str) -> list[str]:
    r"""A help text as Markdown; what ``\b`` keeps as it is becomes a block of its own."""
    lines = []
    for paragraph in inspect.cleandoc(help_text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += ["```text", paragraph.removeprefix("\b").strip("\n"), "```", ""]
        else:
            lines += [marked(paragraph), ""]
    return lines


def described(option: click.Option, context: click.Context) -> list[str]:
    """An option as an entry of a definition list."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    kind = "" if option.is_flag else f" {value_name(option, context)}"
    text = (option.help or "").strip()
    notes = []
    if option.show_default and option.default is not None:
        notes.append(f"Default: {option.default}.")
    if option.multiple:
        notes.append("Can be given several times.")
    if option.required:
        notes.append("Required.")
    if text and text[-1] not in ".:;`":
        text += "."
    return [f"{names}{kind}", f": {' '.join([marked(text), *notes]).strip()}"]


def value_name(option: click.Option, context: click.Context) -> str:
    """What stands for the option's value: its metavar, or its choices."""
    if option.metavar:
        return f"*{option.metavar}*"
    if isinstance(option.type, click.Choice):
        return " | ".join(f"`{choice}`" for choice in option.type.choices)
    return f"*{option.make_metavar(context)}*"
