"""The page as a curator uses it, in a real Chromium, from disk."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from click.testing import CliRunner

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import expect

from novelink.cli.curate import command as curate
from novelink.document import Relation
from novelink.formats import read, write
from novelink.schema import BIORED, Schema

ROWS = "#table .row"


def serious(page):
    """Serious and critical findings of axe."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def row_of(page, *words):
    """The table row that holds all of these words."""
    rows = page.locator(ROWS)
    for word in words:
        rows = rows.filter(has_text=word)
    return rows.first


def test_reading_choosing_and_filtering(open_page, page_file, article_maker):
    documents = [article_maker("101"), article_maker("24259561")]
    watched = open_page(page_file(documents, title="Two papers"))
    page = watched.page
    assert page.inner_text("#counts") == "10 relations in 2 documents"

    # Entities are coloured by type; the overlapping mention keeps a bar of the outer one.
    colours = page.eval_on_selector_all(
        "#text .m", "all => [...new Set(all.map((m) => getComputedStyle(m).backgroundColor))]"
    )
    assert len(colours) == 3
    inner = page.locator("#text p .m", has_text="ORFX1").first
    assert inner.evaluate("m => m.style.getPropertyValue('--bar1')") == "var(--l1)"

    # A chosen relation shows its mentions and its evidence sentence.
    row_of(page, "Negative correlation", "ORFX1").click()
    assert page.inner_text("#text .ev").startswith("Zelamine and bexin were given")
    assert page.locator("#text .m.first").all_inner_texts() == ["Zelamine", "Zelamine"]
    assert set(page.locator("#text .m.second").all_inner_texts()) == {"ORFX1"}
    details = page.locator("#details")
    assert "Zelamine and bexin were given to forty patients." in details.inner_text()
    assert "0.93" in details.inner_text()
    links = details.locator("a").evaluate_all("all => all.map((a) => a.href)")
    assert "https://www.ncbi.nlm.nih.gov/gene/9901" in links
    assert "https://meshb.nlm.nih.gov/record/ui?ui=D990002" in links

    # Without evidence, sentences that name both are shown as that.
    row_of(page, "Bind").click()
    assert "Sentences that name both" in details.inner_text()
    assert page.inner_text("#text .ev") == "Bexin binds ORFX2."

    # Filters: type, novelty, score, entity; counts follow.
    page.get_by_label("Association", exact=False).first.uncheck()
    assert page.inner_text("#counts") == "8 of 10 relations in 2 of 2 documents"
    page.locator(".of-novelty label", has_text="known").locator("input").uncheck()
    assert page.inner_text("#counts") == "6 of 10 relations in 2 of 2 documents"
    page.locator("#score-filter").fill("0.6")
    assert page.inner_text("#counts") == "4 of 10 relations in 2 of 2 documents"
    page.locator("#entity-filter").fill("orfx2")
    assert page.inner_text("#counts") == "2 of 10 relations in 2 of 2 documents"
    assert page.locator(ROWS).count() == 1
    page.click("#clear-filters")
    assert page.inner_text("#counts") == "10 relations in 2 documents"

    # Choosing a mention filters by its entity.
    page.locator("#text .m", has_text="bexin").first.click()
    assert page.input_value("#entity-filter") == "C990003"
    page.click("#clear-filters")

    # Both documents together; a relation of the other one opens it, with its link to PubMed.
    page.get_by_label("All documents").check()
    assert page.locator(ROWS).count() == 10
    page.get_by_role("button", name="Score").click()
    assert page.locator(f"{ROWS} .score").first.inner_text() == "0.93"
    page.locator(ROWS).nth(1).click()
    link = page.locator("#document-link a")
    assert link.get_attribute("href") == "https://pubmed.ncbi.nlm.nih.gov/24259561/"

    # The graph has a node per entity and an edge per relation.
    assert page.locator("#graph circle").count() == 5
    assert page.locator("#graph .edge").count() == 5

    # The address names what is open.
    address = page.url
    again = open_page(address, context=page.context).page
    assert again.inner_text("#position") == "2 of 2"
    assert again.locator("#text .ev").count() > 0

    assert watched.faults == []
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []


def test_who_acts_is_shown_by_arrows(open_page, page_file, article_maker):
    document = article_maker()
    turned = replace(document.relations[1], subject="D990001")
    relations = (document.relations[0], turned, *document.relations[2:])
    watched = open_page(page_file([document.with_relations(relations)]))
    page = watched.page
    kinds = page.locator(f"{ROWS} .type").all_inner_texts()
    assert sorted(kinds) == [
        "Bind",
        "Cotreatment",
        "Negative correlation",
        "Negative correlation →",
        "← Association",
    ]
    row_of(page, "← Association").click()
    assert page.inner_text("#details h2") == "ORFX1 – ← Association – gutter disease"
    # Each head touches the node of the entity that is acted on: here ORFX1 both times.
    page.wait_for_selector("#graph .arrow")
    middle = page.locator("#graph circle", has_text="ORFX1").evaluate(
        "node => [node.cx.baseVal.value, node.cy.baseVal.value]"
    )
    tips = page.locator("#graph .arrow").evaluate_all(
        "heads => heads.map((head) => [head.points[0].x, head.points[0].y])"
    )
    assert len(tips) == 2
    for tip in tips:
        assert math.dist(tip, middle) == pytest.approx(12, abs=0.1)
    assert "arrow: acts on" in page.inner_text("#graph")
    assert watched.faults == []


def test_decisions_are_kept_downloaded_loaded_and_become_gold(
    open_page, page_file, article_maker, tmp_path
):
    document = article_maker()
    address = page_file([document])
    watched = open_page(address)
    page = watched.page

    row_of(page, "Cotreatment").click()
    page.click("#reject")
    row_of(page, "Association").click()
    page.select_option("#correct-type", label="Positive correlation")
    page.select_option("#correct-novelty", label="novel")
    assert page.inner_text("#decision") == "Corrected."
    row_of(page, "Bind").click()
    page.keyboard.press("a")
    page.click("#next-open")
    page.keyboard.press("a")
    page.keyboard.press("u")
    assert page.inner_text("#decision") == "Not decided yet."
    page.keyboard.press("a")
    page.click("#next-open")
    page.keyboard.press("a")
    page.click("#next-open")
    assert "Every relation that passes the filters is decided" in page.inner_text("#notice")

    # What the reading missed can be added, but not twice.
    page.click("#add-box summary")
    form = page.locator("#add-form")
    form.locator("select").nth(0).select_option(label="bexin (Chemical C990003)")
    form.locator("select").nth(2).select_option(label="ORFX1 (Gene 9901)")
    form.get_by_role("button", name="Add").click()
    assert page.locator(ROWS).count() == 6
    form.get_by_role("button", name="Add").click()
    assert "related already" in page.inner_text("#notice")
    assert page.locator(ROWS).count() == 6

    # Reload: all is still there.
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#decision-count") == "6"
    assert page.locator(ROWS).count() == 6
    assert page.locator(f"{ROWS}.rejected").count() == 1
    assert row_of(page, "Positive correlation").locator(".state-correct").count() == 1

    page.click("#show-decisions")
    assert "3 accepted, 1 rejected, 1 corrected, 1 added; 0 undecided" in page.inner_text(
        "#decisions-summary"
    )
    page.fill("#curator", "Ada")
    with page.expect_download() as download:
        page.click("#download-decisions")
    file = tmp_path / "decisions.json"
    download.value.save_as(file)
    assert len(json.loads(file.read_text())["decisions"]) == 6

    # Another browser that knows nothing takes the file in.
    other = open_page(address)
    assert other.page.inner_text("#decision-count") == "0"
    other.page.set_input_files("#load-decisions", file)
    expect(other.page.locator("#decision-count")).to_have_text("6")

    # The file and the documents make gold data.
    source, gold = tmp_path / "in.jsonl", tmp_path / "gold.pubtator"
    write([document], source)
    result = CliRunner().invoke(curate, [str(source), "--decisions", str(file), "-o", str(gold)])
    assert result.exit_code == 0, result.output
    (found,) = read(gold)
    assert {(r.id1, r.id2, r.type, r.novelty) for r in found.relations} == {
        ("D990002", "9901", "Negative_Correlation", "Novel"),
        ("9901", "D990001", "Positive_Correlation", "Novel"),
        ("D990002", "D990001", "Negative_Correlation", "Novel"),
        ("C990003", "9902", "Bind", "Novel"),
        ("C990003", "9901", "Association", "Novel"),
    }
    assert watched.faults == other.faults == []


def test_the_page_works_by_keyboard_alone(open_page, page_file, article_maker):
    watched = open_page(page_file([article_maker("1"), article_maker("2")]))
    page = watched.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert "ORFX1 – Association – " in page.inner_text("#details h2")
    page.locator("#table [role=grid]").focus()
    page.keyboard.press("End")
    assert "Cotreatment" in page.inner_text("#details h2")
    active = page.get_attribute("#table [role=grid]", "aria-activedescendant")
    assert page.get_attribute(f"#{active}", "aria-selected") == "true"
    page.keyboard.press("n")
    assert page.inner_text("#position") == "2 of 2"
    page.keyboard.press("/")
    page.keyboard.type("bexin")
    assert page.locator(ROWS).count() == 2, "keys typed into a field are no commands"
    # Mentions are one stop of Tab, walked by arrows.
    page.locator("#text .m[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "ORFX1"
    page.keyboard.press("?")
    assert page.locator("#help-dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#help-dialog").is_visible()
    assert watched.faults == []


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1300, 850, "light"), (1300, 850, "dark"), (375, 740, "light")]
)
def test_no_serious_accessibility_finding_and_no_sideways_scrolling(
    open_page, page_file, article_maker, width, height, scheme
):
    watched = open_page(
        page_file([article_maker("1"), article_maker("2")]),
        width=width,
        height=height,
        color_scheme=scheme,
    )
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row_of(page, "Association").click()
    page.click("#accept")
    if width < 500:
        page.click("#filter-box summary")
        page.click("#document-box summary")
    page.click("#add-box summary")
    assert serious(page) == []
    page.click("#show-decisions")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.faults == []


def test_hostile_text_is_shown_as_text(open_page, page_file, hostile_document, long_document):
    watched = open_page(
        page_file([hostile_document, long_document], title="<img src=x onerror=alert(1)>")
    )
    page = watched.page
    assert page.inner_text("#title") == "<img src=x onerror=alert(1)>"
    shown = page.locator("#text").evaluate("e => e.textContent")
    assert "<script>window.hacked = true</script>" in shown
    assert "</script><!--" in shown
    # Offsets hold behind emoji and right-to-left text.
    assert page.locator("#text .m").all_inner_texts() == ["علاج", "ORFX1", "bexin"]
    assert page.get_attribute("#text p", "dir") == "auto"
    page.locator(ROWS).first.click()
    assert page.locator("#text .ev").first.inner_text().startswith("</script>")
    # One megabyte in one document.
    page.click("#next-document")
    assert page.locator("#text").evaluate("e => e.textContent.length") == 36 * 29_000 + 5
    assert page.locator("#text .m").all_inner_texts() == ["ORFX1"]
    assert page.evaluate("window.hacked") is None
    assert watched.faults == []


def test_lists_draw_only_the_rows_in_sight(open_page, page_file, article_maker):
    documents = [article_maker(str(number)) for number in range(1000)]
    watched = open_page(page_file(documents))
    page = watched.page
    page.get_by_label("All documents").check()
    assert page.inner_text("#scope-all") == "5,000"
    assert page.get_attribute("#table [role=grid]", "aria-rowcount") == "5001"
    assert page.locator(ROWS).count() < 60
    assert page.locator("#documents .row").count() < 60
    page.locator("#table").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_selector(f"{ROWS}[data-i='4999']")
    assert page.locator(ROWS).count() < 60
    page.locator("#entity-filter").fill("bexin")
    assert page.inner_text("#counts") == "2,000 of 5,000 relations in 1,000 of 1,000 documents"
    names = {entry["name"] for entry in page.evaluate("performance.getEntriesByType('measure')")}
    assert {"novelink-open", "novelink-filter"} <= names
    assert watched.faults == []


def test_printing_gives_the_text_and_every_relation(open_page, page_file, article_maker):
    watched = open_page(page_file([article_maker()]))
    page = watched.page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#print tbody tr").count() == 5
    assert page.locator("#text").is_visible()
    assert not page.locator("#table").is_visible()
    assert not page.locator("#filters").is_visible()


def test_pages_without_documents_relations_or_novelty_work(open_page, page_file, article_maker):
    empty = open_page(page_file([], name="empty.html"))
    assert empty.page.inner_text("#counts") == "0 relations in 0 documents"
    assert "no document" in empty.page.inner_text("#text")
    for key in "jknparcut":
        empty.page.keyboard.press(key)
    bare = open_page(page_file([article_maker().with_relations(())], name="bare.html"))
    assert "No relation passes" in bare.page.inner_text("#graph")
    bare.page.keyboard.press("j")
    schema = Schema(
        "plain", BIORED.entity_types, BIORED.relation_types, BIORED.pairs, has_novelty=False
    )
    relations = [Relation("D990002", "9901", "Bind")]
    document = article_maker().with_relations(relations)
    plain = open_page(page_file([document], name="plain.html", schema=schema))
    plain.page.locator(ROWS).first.click()
    assert plain.page.locator("#correct-novelty").count() == 0
    plain.page.keyboard.press("a")
    assert plain.page.inner_text("#decision") == "Accepted."
    assert empty.faults == bare.faults == plain.faults == []
