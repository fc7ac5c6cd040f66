"""The command ``novelink``: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 the run failed (one line says why), 2 wrong usage,
130 stopped by Ctrl-C. Commands are imported when called, so that ``--help``
answers at once.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from novelink import __version__
from novelink.errors import NovelinkError

if TYPE_CHECKING:
    from collections.abc import Sequence

# name → (module in novelink.cli that holds `command`, line in `novelink --help`)
COMMANDS: dict[str, tuple[str, str]] = {
    "extract": ("extract", "Relations from documents."),
    "annotate": ("annotate", "Entities for texts and papers, without relations."),
    "show": ("show", "The relations of a file, to read."),
    "convert": ("convert", "One document format to another."),
    "view": ("view", "One page of documents and relations, to read and to curate."),
    "curate": ("curate", "Decisions made on a page, as gold data to train on."),
    "serve": ("serve", "The page as a web application, and a REST service."),
    "evaluate": ("evaluate", "Score predicted relations against gold ones."),
    "query": ("query", "Questions to the results of a run over a corpus."),
    "aggregate": ("aggregate", "Each pair of entities over all documents of a run."),
    "models": ("models", "List, describe and check models."),
    "lexicon": ("lexicon", "An index of names, for entities' database ids."),
    "train": ("train", "Train a model on a corpus."),
    "train-tagger": ("train_tagger", "Train a model that finds entities."),
    "crossval": ("crossval", "Train one model a fold, and score them together."),
    "export": ("export", "A trained model, ready to predict without torch."),
    "ensemble": ("ensemble", "Several models that vote, as one model folder."),
    "reproduce": ("reproduce", "The runs of the BioRED track's best system, by name."),
    "teach": ("teach", "What models say of documents, for another one to learn from."),
    "pretrain": ("pretrain", "Masked-language training of an encoder on raw text."),
}


def _as_written(command: click.Command) -> click.Command:
    r"""Let the ``\b`` of raw docstrings, which keeps lines apart, be click's own character."""
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")
    if isinstance(command, click.Group) and not isinstance(command, LazyGroup):
        for inner in command.commands.values():
            _as_written(inner)
    return command


class LazyGroup(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names in the order of :data:`COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command when it is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"novelink.cli.{COMMANDS[cmd_name][0]}")
        return _as_written(module.command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; that the reader of its output (head, less) has gone is no fault."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Here, because click itself would turn it into exit code 1.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="novelink")
def cli() -> None:
    r"""Relations between genes, diseases, chemicals and variants in biomedical abstracts.

    \b
    novelink extract abstracts.pubtator              a table of relations
    novelink extract abstracts.pubtator -o out.json  the same as BioC JSON
    novelink evaluate gold.pubtator out.pubtator     the BioRED track's four levels
    """


_as_written(cli)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: without the program's name; ``sys.argv`` by default.
    """
    try:
        code = cli.main(args=arguments, prog_name="novelink", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("novelink: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except NovelinkError as error:
        click.echo(f"novelink: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
