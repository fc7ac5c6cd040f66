"""Chemicals and other concepts of Medical Subject Headings.

Forms read, told by content: NLM's XML (``desc….xml``, ``supp….xml``), NLM's
ASCII (``d….bin``, ``c….bin``), and tables: ``id⇥name⇥synonym|synonym``,
``mesh_id⇥mesh_name⇥mesh_tree_number``, CTD's ``CTD_chemicals.tsv``, and mapping
tables ``MESH⇥id⇥name⇥database⇥id⇥name``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.record import (
    PREFERRED,
    SYNONYM,
    Record,
    decode,
    head,
    open_dump,
    rows,
    unknown_form,
)
from novelink.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

_ID = re.compile(r"[DC]\d{6,9}$")
_TREES = {
    "C": ("disease",),
    "F": ("disease",),
    "D": ("chemical",),
    "J": ("chemical",),
    "G": ("chemical", "disease"),
    "E": ("chemical", "disease"),
    "B": ("chemical",),
}
_CORE = {"C": "disease", "F": "disease", "D": "chemical"}
# Class of a supplementary record: 1 chemical, 2 protocol, 3 disease, 4 organism, 5 population,
# 6 anatomy. https://www.nlm.nih.gov/mesh/xml_data_elements.html
_SUPPLEMENTARY_CLASSES = {"1": "chemical", "2": "chemical", "3": "disease"}


@dataclass(frozen=True, slots=True)
class Heading:
    """A concept of MeSH before it is known what kind of thing it is.

    Attributes:
        concept_id: ``D…`` or ``C…``.
        names: spelling → grade.
        trees: tree numbers; none in supplementary records and plain tables.
        kinds: where the source itself says what it is.
    """

    concept_id: str
    names: dict[str, int]
    trees: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = None


def read_mesh(paths: Iterable[Path]) -> Iterator[Record]:
    """Chemicals and diseases of several MeSH files; a concept of two kinds comes twice.

    Tables without tree numbers do not say what their concepts are: these wait
    until all files are read, and take the kinds that another file gives them.

    Raises:
        DataError: a file has none of the forms above or is damaged.
    """
    known: dict[str, tuple[str, ...]] = {}
    waiting: list[Heading] = []
    for path in paths:
        for heading in read_headings(path):
            if heading.kinds is None and not heading.trees:
                waiting.append(heading)
                continue
            kinds = heading.kinds if heading.kinds is not None else kinds_of(heading.trees)
            known[heading.concept_id] = kinds
            yield from _records(heading, kinds)
    for heading in waiting:
        unknown = ("chemical",) if heading.concept_id[0] == "C" else ("chemical", "disease")
        yield from _records(heading, known.get(heading.concept_id, unknown))


def read_headings(path: Path) -> Iterator[Heading]:
    """Concepts of one MeSH file.

    Raises:
        DataError: the file has none of the forms above or is damaged.
    """
    lines = head(path)
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    fields = first.split("\t")
    if first.lstrip("\ufeff").startswith("<"):
        yield from _read_xml(path)
    elif first.startswith("*NEWRECORD"):
        yield from _read_ascii(path)
    elif any(line.startswith("# ChemicalName\t") for line in lines):
        yield from _read_ctd_chemicals(path)
    elif fields[0] == "mesh_id" and len(fields) == 3:
        yield from _read_trees(path)
    elif fields[0] == "MESH" and len(fields) >= 3:
        yield from _read_mappings(path)
    elif _ID.match(fields[0]) and len(fields) >= 2:
        yield from _read_table(path)
    else:
        raise unknown_form(
            path, "MeSH as XML, as ASCII (*NEWRECORD), or a table that begins with MeSH ids"
        )


def kinds_of(trees: Iterable[str]) -> tuple[str, ...]:
    """Kinds that tree numbers speak for.

    Trees C and F are diseases, disorders and behaviour; D and J chemicals and
    materials. Phenomena (G) and findings (E) can be either in a text, plants
    (B) are sources of chemicals; anatomy, places and the rest are neither.
    """
    kinds: set[str] = set()
    for tree in trees:
        kinds.update(_TREES.get(tree[:1], ()))
    return tuple(sorted(kinds))


def _records(heading: Heading, kinds: tuple[str, ...]) -> Iterator[Record]:
    names = tuple(heading.names.items())
    core = {_CORE.get(tree[:1]) for tree in heading.trees}
    for kind in kinds:
        # A kind shared with another is a guess: namesakes of that very kind come first.
        prior = 0.2 if kind in core or len(kinds) == 1 else -0.2
        yield Record(kind, heading.concept_id, names, prior=prior)


def _read_xml(path: Path) -> Iterator[Heading]:
    from xml.etree.ElementTree import ParseError

    from defusedxml.ElementTree import iterparse

    with open_dump(path) as file:
        try:
            root = None
            for event, element in iterparse(file, events=("start", "end")):
                if event == "start":
                    root = element if root is None else root
                elif element.tag in {"DescriptorRecord", "SupplementalRecord"}:
                    yield from _xml_record(element)
                    if root is not None:
                        root.clear()
        except ParseError as error:
            raise DataError(
                f"not well-formed XML: {error}",
                source=str(path),
                line=error.position[0],
                remedy="Download the file again",
            ) from error


def _xml_record(element: Element) -> Iterator[Heading]:
    descriptor = element.tag == "DescriptorRecord"
    prefix = "Descriptor" if descriptor else "SupplementalRecord"
    concept_id = (element.findtext(f"{prefix}UI") or "").strip()
    name = (element.findtext(f"{prefix}Name/String") or "").strip()
    if not concept_id or not name:
        return
    names = {name: PREFERRED}
    for term in element.iterfind("ConceptList/Concept/TermList/Term/String"):
        if term.text:
            names.setdefault(term.text.strip(), SYNONYM)
    if descriptor:
        trees = [tree.text or "" for tree in element.iterfind("TreeNumberList/TreeNumber")]
        yield Heading(concept_id, names, tuple(trees))
    else:
        kind = _SUPPLEMENTARY_CLASSES.get(element.get("SCRClass", "1"))
        yield Heading(concept_id, names, kinds=(kind,) if kind else ())


def _read_ascii(path: Path) -> Iterator[Heading]:
    names: dict[str, int] = {}
    trees: list[str] = []
    concept_id = ""
    with open_dump(path) as file:
        for number, raw in enumerate(file, 1):
            line = decode(raw, path, number)
            if line == "*NEWRECORD":
                if concept_id:
                    yield Heading(concept_id, names, tuple(trees))
                names, trees, concept_id = {}, [], ""
                continue
            key, equals, value = line.partition(" = ")
            if not equals:
                continue
            value = value.strip()
            if key in {"MH", "NM"}:
                names[value] = PREFERRED
            elif key in {"ENTRY", "PRINT ENTRY", "SY"}:
                names.setdefault(value.partition("|")[0], SYNONYM)
            elif key == "MN":
                trees.append(value)
            elif key == "UI":
                concept_id = value
    if concept_id:
        yield Heading(concept_id, names, tuple(trees))


def _read_table(path: Path) -> Iterator[Heading]:
    for number, fields in rows(path):
        if not _ID.match(fields[0]) or len(fields) < 2:
            raise DataError(
                f"'{fields[0]}' is no MeSH id",
                source=str(path),
                line=number,
                remedy="Each line is: id, name, synonyms separated by |",
            )
        names = {fields[1]: PREFERRED}
        for name in fields[2].split("|") if len(fields) > 2 else ():
            if name:
                names.setdefault(name, SYNONYM)
        yield Heading(fields[0], names)


def _read_trees(path: Path) -> Iterator[Heading]:
    """Names by tree: they say which kind an id is of, where a table of names does not."""
    trees: dict[tuple[str, str], list[str]] = {}
    for _, fields in rows(path):
        if fields[0] != "mesh_id" and len(fields) >= 3:
            trees.setdefault((fields[0], fields[1]), []).append(fields[2])
    for (concept_id, name), numbers in trees.items():
        yield Heading(concept_id, {name: PREFERRED}, tuple(numbers))


def _read_mappings(path: Path) -> Iterator[Heading]:
    for _, fields in rows(path):
        if len(fields) >= 3 and fields[0] == "MESH":
            names = {fields[2]: PREFERRED}
            if len(fields) > 5 and fields[5]:
                names.setdefault(fields[5], SYNONYM)
            yield Heading(fields[1], names)


def _read_ctd_chemicals(path: Path) -> Iterator[Heading]:
    for _, fields in rows(path):
        if len(fields) < 2:
            continue
        names = {fields[0]: PREFERRED}
        for name in fields[-1].split("|") if len(fields) > 7 else ():
            if name:
                names.setdefault(name, SYNONYM)
        yield Heading(fields[1].removeprefix("MESH:"), names, kinds=("chemical",))
