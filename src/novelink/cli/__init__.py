"""The command ``novelink``: results on stdout, everything else on stderr.

Exit codes: 0 done, 1 the run failed (one line says why), 2 wrong usage,
130 stopped by Ctrl-C. Commands are imported when called, so that ``--help``
answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from novelink import __version__
from novelink.cli import verbosity
from novelink.cli.streams import write_utf8
from novelink.cli.termination import orderly_termination
from novelink.errors import NovelinkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXIT_CODES = (
    "Exit codes: 0 done; 1 failed, a line on stderr says why; 2 wrong usage; 130 stopped by Ctrl-C."
)
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
# What a full disk, a missing permission or a lost drive gives wherever a file is opened.
_OF_THE_SYSTEM = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENODEV,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}

# heading → name → (module in novelink.cli that holds `command`, line in `novelink --help`)
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Documents and relations": {
        "extract": ("extract", "Relations from documents."),
        "annotate": ("annotate", "Entities for texts and papers, without relations."),
        "show": ("show", "The relations of a file, to read."),
        "convert": ("convert", "One document format to another."),
        "view": ("view", "One page of documents and relations, to read and to curate."),
        "curate": ("curate", "Decisions made on a page, as gold data to train on."),
        "serve": ("serve", "The page as a web application, and a REST service."),
    },
    "Scores and results": {
        "evaluate": ("evaluate", "Score predicted relations against gold ones."),
        "query": ("query", "Questions to the results of a run over a corpus."),
        "aggregate": ("aggregate", "Each pair of entities over all documents of a run."),
    },
    "This installation": {
        "models": ("models", "List, describe and check models."),
        "lexicon": ("lexicon", "An index of names, for entities' database ids."),
        "doctor": ("doctor", "Whether this installation works, and what it has."),
        "completion": ("completion", "Completion by Tab, for bash, zsh and fish."),
    },
    "Training": {
        "train": ("train", "Train a model on a corpus."),
        "train-tagger": ("train_tagger", "Train a model that finds entities."),
        "crossval": ("crossval", "Train one model a fold, and score them together."),
        "export": ("export", "A trained model, ready to predict without torch."),
        "calibrate": ("calibrate", "A model's scores and thresholds, fitted to gold documents."),
        "ensemble": ("ensemble", "Several models that vote, as one model folder."),
        "reproduce": ("reproduce", "The runs of the BioRED track's best system, by name."),
        "teach": ("teach", "What models say of documents, for another one to learn from."),
        "pretrain": ("pretrain", "Masked-language training of an encoder on raw text."),
    },
}

COMMANDS = {name: entry for commands in SECTIONS.values() for name, entry in commands.items()}
"""All commands, in the order of :data:`SECTIONS`."""


def _finished(command: click.Command) -> click.Command:
    r"""A command with what all have in common: ``-v``, ``-q`` and exit codes in its help.

    The ``\b`` of raw docstrings, which keeps lines apart, becomes click's own character.
    """
    if command.help:
        command.help = command.help.replace("\\b\n", "\b\n")
    command.epilog = command.epilog or EXIT_CODES
    verbosity.add_options(command)
    if isinstance(command, click.Group) and not isinstance(command, LazyGroup):
        for inner in command.commands.values():
            _finished(inner)
    return command


@contextmanager
def _plain_ends(ctx: click.Context | None = None) -> Iterator[None]:
    """Ends that are no faults: Ctrl-C, and a reader of the output (head, less) that has gone.

    Here, because click itself would make them a blank line and exit code 1.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        if sys.stderr.isatty():
            click.echo(err=True)  # ends the line on which the terminal shows ^C
        raise click.Abort from error
    except BrokenPipeError as error:
        # What is still in the buffer would fail once more when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if ctx is None:
            raise click.exceptions.Exit(0) from error
        ctx.exit(0)


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
        return _finished(module.command)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse; ``--help`` prints here."""
        with _plain_ends():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _plain_ends(ctx):
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing any command."""
        widest = max(map(len, COMMANDS))
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(name.ljust(widest), line) for name, (_, line) in commands.items()]
                )


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="novelink")
def cli() -> None:
    r"""Relations between genes, diseases, chemicals and variants in biomedical abstracts.

    \b
    novelink extract abstracts.pubtator              a table of relations
    novelink extract abstracts.pubtator -o out.json  the same as BioC JSON
    novelink evaluate gold.pubtator out.pubtator     the BioRED track's four levels

    Results go to standard output, everything else to standard error.
    """


_finished(cli)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: without the program's name; ``sys.argv`` by default.
    """
    write_utf8()
    with verbosity.log_to_stderr(), orderly_termination():
        code = _run(arguments)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = cli.main(args=arguments, prog_name="novelink", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _say("stopped")
        return _INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except NovelinkError as error:
        _say(str(error))
        return error.exit_code
    except OSError as error:
        if error.errno not in _OF_THE_SYSTEM:
            raise
        place = f"{error.filename}: " if error.filename else ""
        _say(f"{place}{error.strerror}")
        return 1
    return result if isinstance(result, int) else 0


def _say(line: str) -> None:
    with suppress(OSError):  # nobody reads; the exit code still says it
        click.echo(f"novelink: {line}", err=True)
