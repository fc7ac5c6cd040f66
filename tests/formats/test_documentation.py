"""docs/formats.md shows one document in four formats, and it is one."""

from __future__ import annotations

import io
import re
from pathlib import Path

from novelink.formats import FORMATS, read, write

PAGE = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
BLOCKS = {"text": "pubtator", "xml": "bioc-xml", "json": "bioc-json", "jsonl": "jsonl"}


def blocks():
    return {
        BLOCKS[language]: text.encode()
        for language, text in re.findall(r"```(text|xml|json|jsonl)\n(.*?)```", PAGE, re.DOTALL)
    }


def test_the_examples_are_the_same_document():
    found = {name: list(read(io.BytesIO(text))) for name, text in blocks().items()}
    assert set(found) == set(BLOCKS.values())
    (document,) = found["jsonl"]
    assert len(document.mentions) == 4
    assert len(document.relations) == 2
    assert all(documents == [document] for documents in found.values())


def test_the_examples_are_what_is_written():
    """BioC JSON is broken into shorter lines on the page."""
    for name in ("pubtator", "bioc-xml", "jsonl"):
        stream = io.BytesIO()
        write(read(io.BytesIO(blocks()[name])), stream, name)
        assert stream.getvalue().rstrip() == blocks()[name].rstrip()


def test_the_page_names_formats_that_exist():
    named = re.findall(r"^\| `([a-z-]+)` \| [^|]+\| ✓ \| ✓ \|", PAGE, re.MULTILINE)
    assert len(named) == 4
    assert all(FORMATS[name].readable and FORMATS[name].writable for name in named)
