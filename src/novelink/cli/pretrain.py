"""``novelink pretrain``."""

from __future__ import annotations

import json

import click

from novelink.cli.termination import TERMINATED
from novelink.cli.verbosity import note
from novelink.errors import MissingExtraError


@click.command("pretrain")
@click.argument("texts", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--encoder", required=True, help="Starting point: hub name, folder, or `embedded`.")
@click.option("--output", "-o", required=True, help="Folder for checkpoints and the encoder.")
@click.option(
    "--vocabulary",
    type=click.Path(dir_okay=False),
    help="tokenizer.json to move the encoder to; made from TEXTS if the file is not there.",
)
@click.option("--vocabulary-size", default=23_040, show_default=True, help="Of a vocabulary made.")
@click.option("--tokens", default=1_000_000_000, show_default=True, help="Budget over all runs.")
@click.option("--length", default=128, show_default=True, help="Tokens of a chunk.")
@click.option("--batch-size", default=32, show_default=True, help="Chunks of a step.")
@click.option("--rate", default=4e-4, show_default=True, help="Highest learning rate.")
@click.option(
    "--warmup-tokens", default=500_000, show_default=True, help="Tokens over which the rate rises."
)
@click.option(
    "--decay-tokens",
    default=2_000_000,
    show_default=True,
    help="Tokens at the end of the budget over which the rate falls to 0.",
)
@click.option("--mask-share", default=0.2, show_default=True, help="Share of words to guess.")
@click.option("--seed", default=1, show_default=True, help="Of masks and order.")
@click.option("--threads", type=int, help="CPU threads.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    default="auto",
    show_default=True,
    help="auto takes bf16 where the machine has it.",
)
@click.option("--compiled", is_flag=True, help="Compile the encoder (needs a C++ compiler).")
@click.option(
    "--checkpoint-minutes", default=10.0, show_default=True, help="Time between checkpoints."
)
def command(texts: tuple[str, ...], vocabulary_size: int, **options: object) -> None:
    r"""Masked-language training of an encoder on raw text, one document a line.

    \b
    novelink pretrain abstracts.txt.xz --encoder all-MiniLM-L6-v2/ \
        --vocabulary vocabulary.json -o runs/encoder --tokens 20000000

    Ctrl-C (or SIGTERM) writes a checkpoint; the same command goes on from it. The exit code
    then is 130 (or 143), so that a script knows that the budget is not used up.
    The encoder, in float16, is in OUTPUT/encoder, ready for `novelink train`.
    """
    try:
        from novelink.model.encoder import quiet_transformers
        from novelink.training.pretrain import PretrainSettings, pretrain
        from novelink.training.vocabulary import ensure_vocabulary
    except ImportError as error:
        raise MissingExtraError("pretraining", "train") from error

    if options["vocabulary"] is not None:
        ensure_vocabulary(str(options["vocabulary"]), texts, vocabulary_size)
    settings = PretrainSettings(texts=texts, **options)  # type: ignore[arg-type]
    with quiet_transformers():
        result = pretrain(settings, log=note)
    click.echo(json.dumps(result, indent=2))
    if result["stopped_by"] == "SIGINT":
        raise click.Abort
    if result["stopped_by"]:
        click.get_current_context().exit(TERMINATED)
