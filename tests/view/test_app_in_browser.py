"""The web application as a person uses it: paste, watch, read, correct, come back."""

from __future__ import annotations

import socket
import threading
import time

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

import uvicorn
from playwright.sync_api import expect

from novelink.document import Mention
from novelink.extractor import Extractor
from novelink.formats import read, write
from novelink.schema import CHEMICAL, DISEASE, GENE
from novelink.serve.app import create_app
from novelink.serve.server import Server
from novelink.serve.settings import ServeSettings

KNOWN = {"ORFX1": (GENE, "9901"), "Zelamine": (CHEMICAL, "D990002"), "fever": (DISEASE, "D990009")}
TEXT = "Zelamine lowers ORFX1 in fever\nForty patients with fever took Zelamine. ORFX1 fell. 🧬"


class WordAnnotator:
    """Knows three words and no paper."""

    def __init__(self):
        self.report = self
        self.failures = {}

    def __call__(self, documents):
        for document in documents:
            if not document.passages:
                self.failures[document.id] = "PubTator does not know this id"
                continue
            mentions = []
            for word, (kind, concept) in KNOWN.items():
                place = document.text.find(word)
                while place >= 0:
                    mentions.append(Mention(place, place + len(word), word, kind, (concept,)))
                    place = document.text.find(word, place + 1)
            yield document.with_mentions(sorted(mentions, key=lambda m: m.start))


@pytest.fixture(scope="module")
def address(tiny_bundle, tmp_path_factory):
    """A running server; its model finds every pair related in some way."""
    database = tmp_path_factory.mktemp("app") / "kept.sqlite"
    extractor = Extractor.load(tiny_bundle, threads=1)
    settings = ServeSettings(database=database, max_body=2_000_000)
    app = create_app(extractor, settings, make_annotator=lambda _: WordAnnotator())
    probe = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [probe]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{probe.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def start_text(page, text):
    if not page.locator("#intake-text").is_visible():
        page.click("#intake-box summary")
    page.fill("#intake-text", text)
    page.click("#start")


def test_paste_read_correct_download_and_come_back(open_page, address, tmp_path):
    watched = open_page(address)
    page = watched.page
    start_text(page, TEXT)
    page.wait_for_selector("#text .m")
    assert page.inner_text("#text h2").startswith("Zelamine")
    assert page.locator("#text .m").count() == 6
    assert page.locator("#table .row").count() >= 1
    total = page.locator("#table .row").count()

    page.locator("#table .row").first.click()
    assert page.locator("#text .m.first").count() >= 1
    kinds = page.locator("#correct-type option").all_inner_texts()
    now = page.locator("#correct-type option:checked").inner_text()
    wanted = next(kind for kind in kinds if kind != now)
    page.select_option("#correct-type", label=wanted)
    assert page.inner_text("#decision") == "Corrected."
    for _ in range(total - 1):
        page.click("#next-open")
        page.keyboard.press("a")

    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#decision-count") == str(total)
    first = page.locator("#table .row").first
    assert wanted in first.inner_text()
    assert first.locator(".state-correct").count() == 1

    page.click("#show-decisions")
    assert "this server's database" in page.inner_text("#decisions-kept")
    with page.expect_download() as download:
        page.get_by_role("link", name="PubTator").first.click()
    gold = tmp_path / download.value.suggested_filename
    download.value.save_as(gold)
    (found,) = read(gold)
    assert len(found.relations) == total
    assert wanted.replace(" ", "_").lower() in {r.type.lower() for r in found.relations}
    page.locator("#decisions-dialog .close").click()

    # A new visit finds the job again by its name.
    other = open_page(address)
    expect(other.page.locator("#earlier option")).not_to_have_count(1)
    other.page.select_option("#earlier", index=1)
    other.page.wait_for_selector("#text .m")
    assert other.page.inner_text("#decision-count") == str(total)
    assert watched.faults == other.faults == []
    assert {url.split("/")[2] for url in watched.requests if url.startswith("http")} == {
        address.split("/")[2]
    }


def test_a_file_of_many_documents_shows_progress(open_page, address, tmp_path, small_documents):
    file = tmp_path / "many.pubtator"
    many = [
        type(one)(f"{one.id}{number:03}", one.passages, one.mentions)
        for number in range(60)
        for one in small_documents
    ]
    write(many, file)
    watched = open_page(address)
    page = watched.page
    page.evaluate(
        """() => {
            window.stages = [];
            const note = () => window.stages.push(document.getElementById('stage').textContent);
            const stage = document.getElementById('stage');
            new MutationObserver(note).observe(stage, { childList: true });
        }"""
    )
    page.set_input_files("#intake-file", file)
    page.wait_for_selector("#text .m")
    assert page.inner_text("#title") == "many.pubtator"
    assert "in 360 documents" in page.inner_text("#counts")
    stages = page.evaluate("window.stages")
    assert any("of 360 documents" in stage for stage in stages), stages
    assert watched.faults == []


def test_the_example_works_without_a_tagger(open_page, address):
    watched = open_page(address)
    watched.page.click("#example")
    watched.page.click("#start")
    expect(watched.page.locator("#text .m")).to_have_count(6)
    assert watched.page.locator("#table .row").count() >= 1
    assert watched.faults == []


def test_faults_of_the_input_are_said_on_the_page(open_page, address):
    watched = open_page(address)
    page = watched.page
    page.click("#start")
    assert "Paste text" in page.inner_text("#intake-error")
    start_text(page, "1|t|A b\n1|a|\n1\t0\t9\tA b\tGene\t1\n")
    expect(page.locator("#intake-error")).to_contain_text("offsets")
    page.fill("#intake-text", "x" * 2_000_001)
    page.click("#start")
    expect(page.locator("#intake-error")).to_contain_text("large")
    page.fill("#intake-text", "")
    page.fill("#intake-ids", "24259561")
    page.click("#start")
    expect(page.locator("#intake-error")).to_contain_text("does not know this id")
    # The browser itself reports refused requests on its console; nothing else may be there.
    assert all("Failed to load resource" in fault for fault in watched.faults)


def test_hostile_text_pasted_on_a_phone_without_accessibility_findings(open_page, address):
    from test_page_in_browser import serious

    watched = open_page(address, width=375, height=740)
    page = watched.page
    assert serious(page) == []
    start_text(
        page, "<script>window.hacked = true</script> ORFX1 and fever علاج 😀 " + "y " * 400_000
    )
    page.wait_for_selector("#text .m")
    assert "<script>window.hacked" in page.locator("#text").evaluate("e => e.textContent")
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert watched.faults == []
    start_text(page, TEXT)
    expect(page.locator("#text .m")).to_have_count(6)
    page.locator("#table .row").first.click()
    page.click("#show-decisions")
    assert serious(page) == []
