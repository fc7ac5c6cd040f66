"""``novelink completion``: Tab completes commands, options, formats, models and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_NOVELINK_COMPLETE"  # the name that click itself gives it


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    r"""Print what makes SHELL complete novelink's commands, options, models and files.

    \b
    eval "$(novelink completion bash)"            in ~/.bashrc
    eval "$(novelink completion zsh)"             in ~/.zshrc
    novelink completion fish > ~/.config/fish/completions/novelink.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from novelink.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None  # click knows all of SHELLS
    # The class's own method for bash would start one to ask for its version.
    click.echo(ShellComplete.source(kind(cli, {}, "novelink", _VARIABLE)))


def files(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of files, by the shell itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def models(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models that came along, and folders."""
    from click.shell_completion import CompletionItem

    from novelink.runtime.bundle import embedded_names

    named = [CompletionItem(name) for name in embedded_names() if name.startswith(incomplete)]
    return [*named, CompletionItem(incomplete, type="dir")]
