"""Documents with relations, and a real browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from novelink.document import Document, Evidence, Mention, Passage, Relation
from novelink.schema import CHEMICAL, DISEASE, GENE

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No GPU, no sandbox (containers run as root), and nothing that the browser does by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HOSTILE = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"


def find_browser():
    """Path of an installed Chromium, or None."""
    named = os.environ.get("NOVELINK_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; module-wide, since its event loop must not outlive the module."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium installed (apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


class Watched:
    """A page of which every console error, fault and request is kept."""

    def __init__(self, page):
        self.page = page
        self.faults = []
        self.requests = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.faults.append(message.text) if message.type in {"error", "warning"} else None
            ),
        )
        page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def open_page(browser):
    """A function that opens an address at a window size and waits until it is ready."""
    contexts = []

    def open_at(address, *, width=1300, height=850, context=None, **options):
        if context is None:
            context = browser.new_context(
                viewport={"width": width, "height": height}, accept_downloads=True, **options
            )
            contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.set_default_timeout(15_000)
        watched.page.goto(address)
        watched.page.wait_for_selector("html[data-ready]")
        return watched

    yield open_at
    for context in contexts:
        context.close()


def article(doc_id="101"):
    """A document with overlapping mentions, five relations and evidence."""
    title = "Zelamine lowers ORFX1 in gutter disease"
    abstract = (
        "ORFX1-driven gutter disease is common. Zelamine and bexin were given to forty patients. "
        "ORFX2 did not change. Bexin binds ORFX2."
    )
    text = f"{title} {abstract}"

    def mention(words, kind, concept, nth=0):
        start = -1
        for _ in range(nth + 1):
            start = text.index(words, start + 1)
        return Mention(start, start + len(words), words, kind, (concept,))

    def sentence(words, weight):
        start = text.index(words)
        return Evidence(start, text.index(".", start) + 1, weight)

    mentions = (
        mention("Zelamine", CHEMICAL, "D990002"),
        mention("ORFX1", GENE, "9901"),
        mention("gutter disease", DISEASE, "D990001"),
        mention("ORFX1-driven gutter disease", DISEASE, "D990001"),
        mention("ORFX1", GENE, "9901", 1),
        mention("Zelamine", CHEMICAL, "D990002", 1),
        mention("bexin", CHEMICAL, "C990003"),
        mention("ORFX2", GENE, "9902"),
        mention("Bexin", CHEMICAL, "C990003"),
        mention("ORFX2", GENE, "9902", 1),
    )
    relations = (
        Relation(
            "D990002",
            "9901",
            "Negative_Correlation",
            "Novel",
            0.93,
            0.8,
            "D990002",
            (sentence("Zelamine and bexin", 0.7),),
        ),
        Relation("9901", "D990001", "Association", "No", 0.61, 0.9),
        Relation("D990002", "D990001", "Negative_Correlation", "Novel", 0.55, 0.7),
        Relation("C990003", "9902", "Bind", "Novel", 0.88, 0.6),
        Relation("D990002", "C990003", "Cotreatment", "No", 0.42, 0.6),
    )
    return Document.from_text(doc_id, title, abstract, mentions=mentions, relations=relations)


@pytest.fixture(scope="session")
def article_maker():
    return article


@pytest.fixture(scope="session")
def hostile_document():
    """Markup, right-to-left text and characters beyond the BMP, with mentions after them."""
    title = f"{HOSTILE} 🧬𝔊 علاج ORFX1"
    abstract = "</script><!-- \u202e \u2028 & <b>bold</b> 😀 bexin"
    text = f"{title} {abstract}"
    mentions = []
    for words, kind, concept in (
        ("ORFX1", GENE, "9901"),
        ("bexin", CHEMICAL, "C990003"),
        ("علاج", CHEMICAL, 'D"><i>'),
    ):
        start = text.index(words)
        mentions.append(Mention(start, start + len(words), words, kind, (concept,)))
    relations = (
        Relation(
            "9901",
            "C990003",
            "Association",
            "Novel",
            0.5,
            0.5,
            None,
            (Evidence(len(title) + 1, len(text), 1.0),),
        ),
    )
    return Document.from_text("<b>id</b>", title, abstract, mentions=mentions, relations=relations)


@pytest.fixture(scope="session")
def long_document():
    """One megabyte of text with a mention at its very end."""
    text = "A line of plain words that goes on. " * 29_000 + "ORFX1"
    return Document(
        "long",
        (Passage(0, text, ""),),
        (Mention(len(text) - 5, len(text), "ORFX1", GENE, ("9901",)),),
    )


@pytest.fixture
def page_file(tmp_path):
    """A function that writes a page of documents and gives its address."""
    from novelink.view.page import page_html

    def write(documents, name="page.html", **options):
        path = Path(tmp_path / name)
        path.write_text(page_html(documents, **options), encoding="utf-8")
        return path.as_uri()

    return write
