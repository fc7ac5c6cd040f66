"""The formats: how each is recognised, read and written. Others add theirs here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from novelink.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Format:
    """One document format.

    Functions are named as ``"module:name"`` and imported when first used, so
    that a format costs nothing to those who do not use it.

    Attributes:
        name: as users give it.
        title: for help texts.
        suffixes: endings of file names, lower case, with the dot.
        reader: ``read(source, intake) -> Iterator[Document]``; nothing for a
            format that is only written.
        writer: a :class:`~novelink.formats.writer.Writer`; nothing for a format
            that is only read.
        opener: ``opener(target, **options) -> ContextManager[Writer]``, in place of
            ``writer`` for a format that is more than one stream of bytes.
        sniff: ``sniff(prefix: bytes) -> bool``; nothing for a format that
            content does not tell.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reader: str = ""
    writer: str = ""
    sniff: str = ""
    opener: str = ""

    @property
    def readable(self) -> bool:
        """Whether documents can be read from it."""
        return bool(self.reader)

    @property
    def writable(self) -> bool:
        """Whether documents can be written to it."""
        return bool(self.writer or self.opener)


FORMATS: dict[str, Format] = {}
"""Name → format, in the order in which content is tried."""


def register(new: Format) -> Format:
    """Add a format, or replace the one of the same name."""
    FORMATS[new.name] = new
    return new


def load(reference: str) -> Callable[..., Any]:
    """The function behind ``"module:name"``."""
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def names(*, readable: bool = False, writable: bool = False) -> list[str]:
    """Names of the formats that can be read, written or both."""
    return [
        name
        for name, entry in FORMATS.items()
        if (entry.readable or not readable) and (entry.writable or not writable)
    ]


def by_name(name: str, *, writing: bool = False) -> Format:
    """The format of that name.

    Raises:
        SettingsError: there is none, or it cannot be read or written.
    """
    known = names(readable=not writing, writable=writing)
    if name not in FORMATS:
        raise SettingsError(f"unknown format '{name}'", remedy=f"Formats are: {', '.join(known)}")
    if name not in known:
        way = "written" if writing else "read"
        raise SettingsError(
            f"the format '{name}' cannot be {way}",
            remedy=f"Formats that can be {way}: {', '.join(known)}",
        )
    return FORMATS[name]


def by_suffix(file_name: str, *, writing: bool = False) -> list[Format]:
    """Formats whose files end like this one (a final ``.gz`` apart)."""
    lower = file_name.lower().removesuffix(".gz")
    return [
        entry
        for entry in FORMATS.values()
        if lower.endswith(entry.suffixes) and (entry.writable if writing else entry.readable)
    ]


for _entry in (
    Format(
        "pubtator",
        "PubTator text",
        (".pubtator", ".pubtator.txt"),
        "novelink.formats.pubtator:read_pubtator",
        "novelink.formats.pubtator:PubTatorWriter",
        "novelink.formats.pubtator:sniff",
    ),
    Format(
        "bioc-xml",
        "BioC XML",
        (".xml", ".bioc"),
        "novelink.formats.bioc_xml:read_bioc_xml",
        "novelink.formats.bioc_xml:BioCXmlWriter",
        "novelink.formats.bioc_xml:sniff",
    ),
    Format(
        "jsonl",
        "JSON Lines, nothing lost",
        (".jsonl", ".ndjson"),
        "novelink.formats.jsonl:read_jsonl",
        "novelink.formats.jsonl:JsonlWriter",
        "novelink.formats.jsonl:sniff",
    ),
    Format(
        "bioc-json",
        "BioC JSON",
        (".json",),
        "novelink.formats.bioc_json:read_bioc_json",
        "novelink.formats.bioc_json:BioCJsonWriter",
        "novelink.formats.bioc_json:sniff",
    ),
    Format(
        "pubmed-xml",
        "PubMed XML: titles and abstracts",
        (".xml",),
        "novelink.formats.pubmed_xml:read_pubmed_xml",
        sniff="novelink.formats.pubmed_xml:sniff",
    ),
    Format(
        "medline",
        "MEDLINE text (nbib): titles and abstracts",
        (".nbib", ".medline"),
        "novelink.formats.medline:read_medline",
        sniff="novelink.formats.medline:sniff",
    ),
    Format(
        "text-tsv",
        "a table of texts: id, title, abstract",
        (".tsv", ".tab"),
        "novelink.formats.tsv_text:read_tsv_text",
        sniff="novelink.formats.tsv_text:sniff",
    ),
    Format(
        "ids",
        "PMIDs and PMCIDs, one a line, to be fetched",
        (),
        "novelink.formats.article_ids:read_article_ids",
        sniff="novelink.formats.article_ids:sniff",
    ),
    # Written only: relations without the text they came from.
    Format(
        "tsv",
        "a table, one row per relation",
        (".tsv",),
        writer="novelink.exports.table:TsvWriter",
    ),
    Format("csv", "the table with commas", (".csv",), writer="novelink.exports.table:CsvWriter"),
    Format(
        "parquet",
        "the table as Parquet",
        (".parquet",),
        writer="novelink.exports.table:ParquetWriter",
    ),
    Format(
        "kgx",
        "knowledge graph: nodes and edges by the Biolink model",
        (),
        opener="novelink.exports.kgx:open_kgx",
    ),
    Format("indra", "INDRA statements", (), writer="novelink.exports.indra:IndraWriter"),
    # Nearly everything is text, so it is tried last.
    Format(
        "text",
        "plain text, a blank line between documents",
        (".txt",),
        "novelink.formats.text:read_text",
        sniff="novelink.formats.text:sniff",
    ),
    Format(
        "text-whole",
        "plain text, one document a file",
        (),
        "novelink.formats.text:read_whole_text",
    ),
):
    register(_entry)
