"""One self-contained HTML page: no network, works from disk.

Its security policy allows only the scripts and styles that were put into it
(by their SHA-256), so that text in documents can never run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from novelink.schema import BIORED
from novelink.view.colours import PALETTE
from novelink.view.payload import page_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from novelink.document import Document
    from novelink.schema import Schema

SCRIPTS = (
    "model.js",
    "decisions.js",
    "rows.js",
    "text.js",
    "graph.js",
    "filters.js",
    "details.js",
    "reading.js",
    "app.js",
)
"""Scripts of the view, in the order they need each other."""


def asset(name: str) -> str:
    """Text of a file in ``view/assets``."""
    return (files("novelink.view") / "assets" / name).read_text(encoding="utf-8")


def palette_css() -> str:
    """Colours of entity types as CSS variables, for light and dark."""
    light = "".join(f"--g{i}:{c.light};--l{i}:{c.line};" for i, c in enumerate(PALETTE))
    dark = "".join(f"--g{i}:{c.dark};--l{i}:{c.dark_line};" for i, c in enumerate(PALETTE))
    types = "".join(
        f'[data-c="{i}"]{{--ground:var(--g{i});--line:var(--l{i})}}' for i in range(len(PALETTE))
    )
    return (
        f":root{{{light}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
        # Paper is light whatever the screen was.
        f"@media print{{:root,:root[data-theme=dark]{{{light}}}}}{types}"
    )


def style_sheet() -> str:
    """The whole style sheet."""
    return palette_css() + asset("page.css")


def embedded_json(data: Any) -> str:
    """JSON that is safe inside a ``<script>`` element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # "<" could begin </script> or <!--; in JSON it may only stand inside strings.
    return text.replace("<", "\\u003c")


def render(data: Mapping[str, Any]) -> str:
    """The page around the data of :func:`novelink.view.payload.page_data`."""
    style = style_sheet()
    scripts = [asset(name) for name in SCRIPTS]
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_hash(style)}; script-src {' '.join(_hash(text) for text in scripts)}"
    )
    element = f'<script type="application/json" id="data">{embedded_json(data)}</script>'
    # Data comes last: nothing in it can be taken for a place of the template.
    return _filled(
        {
            "policy": f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            "style": f"<style>{style}</style>",
            "scripts": "".join(f"<script>{text}</script>\n" for text in scripts),
            "intake": "",
            "title": escape(str(data["title"])),
            "data": element,
        }
    )


def shell(scripts: Sequence[str]) -> str:
    """The page of the web application: no data, its files from ``/assets``.

    Args:
        scripts: names of scripts, in order.
    """
    return _filled(
        {
            "policy": "",
            "style": '<link rel="stylesheet" href="/assets/page.css">',
            "scripts": "".join(f'<script src="/assets/{name}"></script>\n' for name in scripts),
            "intake": asset("intake.html"),
            "title": "NoveLink",
            "data": "",
        }
    )


def _filled(contents: Mapping[str, str]) -> str:
    page = asset("page.html")
    for place, content in contents.items():
        page = page.replace(f"<!--{place}-->", content)
    return page


def page_html(
    documents: Iterable[Document],
    *,
    title: str = "NoveLink",
    schema: Schema = BIORED,
    decisions: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Documents as one self-contained page.

    Args:
        documents: with or without relations.
        title: heading of the page.
        schema: vocabulary; says which relation types a pair takes.
        decisions: records of :func:`novelink.curation.to_records` to begin with.
    """
    return render(page_data(documents, title=title, schema=schema, decisions=decisions))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
