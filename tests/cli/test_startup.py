"""Start-up stays light: heavy libraries load when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["torch", "transformers", "onnxruntime", "numpy", "tokenizers", "httpx"]

PROGRAM = """
import sys
{code}
print(*sorted(set({heavy!r}) & set(sys.modules)))
"""


def loaded(code):
    """Which heavy libraries a fresh interpreter holds after some code."""
    program = PROGRAM.format(code=code, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()


def test_import_novelink_loads_nothing_heavy():
    assert loaded("import novelink") == []


@pytest.mark.parametrize("command", ["", "extract", "show", "models", "models verify"])
def test_help_loads_nothing_heavy(command):
    code = (
        "from novelink.cli import main\n"
        f"try: main({[*command.split(), '--help']!r})\n"
        "except SystemExit as end: assert end.code == 0"
    )
    assert loaded(code) == []


def test_reading_and_showing_documents_needs_no_model_library():
    code = "from novelink import read, write, Document, BIORED, load_schema"
    assert loaded(code) == []


def test_extracting_loads_no_torch(tiny_bundle):
    code = (
        "from novelink import Document, Extractor\n"
        f"list(Extractor.load({str(tiny_bundle)!r}).extract([Document.from_text('1', 'a', 'b')]))"
    )
    found = loaded(code)
    assert "onnxruntime" in found
    assert not {"torch", "transformers"} & set(found)


def test_documents_that_name_their_entities_need_no_http_library(tiny_bundle, tmp_path):
    text = tmp_path / "one.pubtator"
    text.write_text("1|t|TP53\n1|a|\n1\t0\t4\tTP53\tGene\t7157\n\n", encoding="utf-8")
    arguments = ["extract", str(text), "-m", str(tiny_bundle), "-o", str(tmp_path / "out.jsonl")]
    code = (
        "from novelink.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert {"torch", "transformers", "httpx"}.isdisjoint(loaded(code))
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8")
