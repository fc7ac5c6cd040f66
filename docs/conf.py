"""Sphinx settings: Markdown pages, and reference pages generated from the code at each build."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "src"))

from generators import cards, commands, failures, rest, settings  # noqa: E402 (found through the lines above)
from pygments.lexers import JsonLexer  # noqa: E402 (as above)

from novelink import __version__  # noqa: E402 (as above)

project = "NoveLink"
author = "The NoveLink developers"
copyright = "The NoveLink developers, Apache-2.0"  # noqa: A001 (Sphinx's name)
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "_generated"]
templates_path: list[str] = []
source_suffix = {".md": "markdown"}
nitpicky = False  # the pages of Python, click and numpy are not at hand offline

myst_enable_extensions = ["deflist", "attrs_inline", "attrs_block", "fieldlist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
# The pages must build where the extras are not installed; what is there is used.
autodoc_mock_imports = [
    name
    for name in (
        *("torch", "transformers", "accelerate", "safetensors", "onnx"),
        *("duckdb", "fsspec", "pyarrow", "ray"),
    )
    if importlib.util.find_spec(name) is None
]
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"NoveLink {release}"
html_baseurl = ""
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"

GENERATED = {
    "commands.md": commands.page,
    "settings.md": settings.page,
    "rest.md": rest.page,
    "cards.md": cards.page,
    "failures.md": failures.page,
}


def write_generated(*_) -> None:
    """The reference pages, from the code as it is now; the pages of docs/ include them."""
    folder = HERE / "_generated"
    folder.mkdir(exist_ok=True)
    for name, page in GENERATED.items():
        path, text = folder / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app) -> None:
    app.add_lexer("jsonl", JsonLexer)
    app.connect("builder-inited", write_generated)
