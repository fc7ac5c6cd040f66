"""``novelink lexicon``: an index of names from official dumps, and look-ups in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from novelink.cli import options
from novelink.errors import SettingsError
from novelink.schema import BIORED, VARIANT, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("lexicon")
def command() -> None:
    r"""Make and ask the index that gives entities their database ids.

    \b
    novelink lexicon build --genes gene_info.gz --mesh desc2025.xml --mesh supp2025.xml \
        --diseases CTD_diseases.tsv.gz --species taxdump.tar.gz --cells cellosaurus.txt -o lexicon
    novelink lexicon lookup lexicon "breast cancers"
    novelink extract notes.txt --lexicon lexicon
    """


def _dumps(name: str, help_text: str) -> Callable[[Any], Any]:
    return click.option(
        f"--{name}", multiple=True, type=_FILE, metavar="FILE", help=help_text + " Repeatable."
    )


def _taxa(_: click.Context, __: click.Parameter, text: str | None) -> frozenset[int] | None:
    from novelink.annotate.lexicon.gene_info import COMMON_TAXA

    if text is None:
        return frozenset(COMMON_TAXA)
    if text.strip().lower() == "all":
        return None
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter("give NCBI Taxonomy ids with commas between, or 'all'") from error


@command.command("build")
@_dumps("genes", "NCBI gene_info, of all organisms or one.")
@_dumps("mesh", "MeSH: desc….xml, supp….xml, d….bin, c….bin, CTD_chemicals.tsv or tables.")
@_dumps("diseases", "CTD_diseases.tsv (MEDIC), or a table of name and id.")
@_dumps("species", "NCBI Taxonomy: taxdump.tar.gz or names.dmp, or a table of name and id.")
@_dumps("cells", "cellosaurus.txt, or a table of name and CVCL_ id.")
@_dumps("corpus", "Annotated documents in any format: what names usually mean there.")
@click.option(
    "--taxa",
    callback=_taxa,
    metavar="IDS",
    help="Organisms whose genes are kept, as NCBI Taxonomy ids with commas between, or 'all'. "
    "Default: human and the usual laboratory organisms.",
)
@options.schema
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder.",
)
def build(
    *,
    genes: tuple[Path, ...],
    mesh: tuple[Path, ...],
    diseases: tuple[Path, ...],
    species: tuple[Path, ...],
    cells: tuple[Path, ...],
    corpus: tuple[Path, ...],
    taxa: frozenset[int] | None,
    schema: Schema | None,
    output: Path,
) -> None:
    r"""Index dumps, packed or not, as they are downloaded.

    Takes minutes and well under 2 GB of memory for the full dumps. An index
    already in the folder stays in use until the new one is whole.

    \b
    genes     https://ftp.ncbi.nlm.nih.gov/gene/DATA/gene_info.gz
    mesh      https://nlmpubs.nlm.nih.gov/projects/mesh/MESH_FILES/xmlmesh/
    diseases  https://ctdbase.org/reports/CTD_diseases.tsv.gz
    species   https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump.tar.gz
    cells     https://ftp.expasy.org/databases/cellosaurus/cellosaurus.txt
    """
    from novelink.annotate.lexicon import Sources, build_lexicon

    sources = Sources(genes, mesh, diseases, species, cells, corpus, taxa, schema or BIORED)
    if not list(sources.files()):
        raise click.UsageError("give at least one of --genes --mesh --diseases --species --cells")
    report = build_lexicon(sources, output, progress=lambda name: options.say([name]))
    options.say([*report.lines(), f"lexicon in {output}"])


@command.command("lookup")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, required=True)
@click.option("--type", "entity_type", metavar="TYPE", help="Entity type. Default: all of them.")
@click.option("--limit", default=5, show_default=True, help="Candidates shown of each type.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def lookup(
    folder: Path, names: tuple[str, ...], entity_type: str | None, limit: int, *, as_json: bool
) -> None:
    r"""What NAMES can mean, without the help of a document.

    \b
    novelink lexicon lookup lexicon LKB1 --type GeneOrGeneProduct
    novelink lexicon lookup lexicon "p.Val600Glu" aspirin
    """
    from novelink.annotate.lexicon import Lexicon
    from novelink.annotate.lexicon.record import KINDS
    from novelink.annotate.variants import normal_form

    types = _types(entity_type)
    lexicon = Lexicon.open(folder)
    rows = []
    for name in names:
        for kind in types:
            if kind == VARIANT:
                form = normal_form(name)
                if form:
                    rows.append((name, kind, form, name, "rule"))
                continue
            rows.extend(
                (name, kind, found.concept_id, found.name, found.way)
                for found in lexicon.candidates(KINDS[kind], name)[:limit]
            )
    if as_json:
        keys = ("query", "type", "id", "name", "way")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
        return
    for row in rows:
        click.echo("\t".join(row))
    if not rows:
        options.say(["nothing found"])


def _types(entity_type: str | None) -> tuple[str, ...]:
    if entity_type is None:
        return BIORED.entity_types
    known = BIORED.entity_type(entity_type)
    if known is None:
        raise click.UsageError(
            f"unknown entity type '{entity_type}'; types are: {', '.join(BIORED.entity_types)}"
        )
    return (known,)


@command.command("info")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def info(folder: Path, *, as_json: bool) -> None:
    """From which files, and when, a lexicon was made."""
    from novelink.annotate.lexicon import Lexicon
    from novelink.annotate.lexicon.build import INDEX_NAME

    lexicon = Lexicon.open(folder)
    if as_json:
        click.echo(json.dumps(lexicon.description, indent=2))
        return
    try:
        size = (folder / INDEX_NAME).stat().st_size
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", source=str(folder)) from error
    click.echo(f"{folder}: {size / 1e6:,.0f} MB")
    for kind, count in lexicon.description["names"].items():
        click.echo(f"  {kind}: {count:,} names")
    for source in lexicon.description["sources"]:
        click.echo(f"  {source['option']}: {source['file']} (sha256 {source['sha256'][:12]}…)")
