"""The files that pages name: the project's own examples under those names, made when asked for."""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
from pathlib import Path

from novelink import Extractor, read, write
from novelink.curation import curated, read_decisions
from novelink.document import Document, Mention

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DECIDED = ROOT / "docs/images/decided.json"

# The answers that pages ask results for are about these.
BRCA1 = (
    "Tamoxifen lowers BRCA1 in breast cancer",
    "Breast cancer cells were given tamoxifen. BRCA1 fell by half, and BRCA1 binds BARD1.",
    {
        "Tamoxifen": ("ChemicalEntity", "D013629"),
        "tamoxifen": ("ChemicalEntity", "D013629"),
        "BRCA1": ("GeneOrGeneProduct", "672"),
        "BARD1": ("GeneOrGeneProduct", "580"),
        "breast cancer": ("DiseaseOrPhenotypicFeature", "D001943"),
        "Breast cancer": ("DiseaseOrPhenotypicFeature", "D001943"),
    },
)


def short_document(number: int = 1) -> Document:
    """An abstract of two sentences."""
    title, abstract, forms = BRCA1
    document = Document.from_text(str(20000000 + number), title, abstract)
    mentions = [
        Mention(found.start(), found.end(), found[0], forms[found[0]][0], (forms[found[0]][1],))
        for found in re.finditer("|".join(forms), document.text)
    ]
    return document.with_mentions(mentions)


def gold() -> list[Document]:
    """The examples with the relations that people decided on."""
    documents = read(EXAMPLES / "abstracts.pubtator")
    return list(curated(documents, read_decisions(DECIDED), incomplete="drop"))


def extracted(model: str | None = None) -> list[Document]:
    return list(Extractor.load(model, threads=1).extract([short_document()]))


def _documents(path: Path) -> None:
    write([short_document()], path)


def _gold(path: Path) -> None:
    write(gold(), path, "pubtator")


def _found(path: Path) -> None:
    write(extracted("compact"), path)


def _archive(path: Path) -> None:
    inner = path.parent / "0.BioC.XML"
    write([short_document()], inner, "bioc-xml")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(inner, "output/BioCXML/0.BioC.XML")
    inner.unlink()


def _model(path: Path) -> None:
    shutil.copytree(ROOT / "src/novelink/models/compact", path)


def _bad_offsets(path: Path) -> None:
    path.write_text(
        "1|t|TP53 binds MDM2.\n1|a|\n1\t0\t4\tTP53\tGene\t7157\n\n"
        "2|t|TP53 again.\n2|a|\n2\t1\t5\tTP53\tGene\t7157\n",
        encoding="utf-8",
    )


def _packed(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        write([short_document(2)], file, "bioc-json")


STAND_INS = {
    "abstracts.pubtator": _documents,
    "a.pubtator": _documents,
    "a.PubTator": lambda path: write([short_document()], path, "pubtator"),
    "a.xml": _documents,
    "b.json.gz": _packed,
    "found.jsonl": _found,
    "decisions.json": lambda path: path.write_text(
        '{"format": "novelink-decisions", "version": 1, "decisions": []}', encoding="utf-8"
    ),
    "Train.PubTator": _gold,
    "Dev.PubTator": _gold,
    "Test.PubTator": _gold,
    "gold.pubtator": _gold,
    "predicted.pubtator": _gold,
    "BioCXML.0.tar.gz": _archive,
    "notes.pubtator": _bad_offsets,
    "notes.txt": lambda path: shutil.copy(EXAMPLES / "notes.txt", path),
    "my-model": _model,
}
"""Name → what makes it."""

ALSO = {"BioCXML.*": "BioCXML.0.tar.gz"}
"""Patterns of pages → the stand-in that they find."""


def lay_out(folder: Path, page: str) -> None:
    """Put into a folder what a page's text names: examples, recipes and stand-ins.

    What a command of the page makes itself may be here before it.
    """
    for name in ("examples", "recipes", "benchmarks"):
        if f"{name}/" in page:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("results"))
    if "src/novelink/models/" in page:
        (folder / "src/novelink").mkdir(parents=True)
        (folder / "src/novelink/models").symlink_to(ROOT / "src/novelink/models")
    for pattern, name in ALSO.items():
        if pattern in page:
            page += f" {name} "
    for name, make in STAND_INS.items():
        if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", page):
            make(folder / name)
