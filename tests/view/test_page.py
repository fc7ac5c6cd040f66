"""The page's data and markup, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from novelink.cli.view import command
from novelink.document import Document, Mention, Relation
from novelink.exports.identifiers import identify, identify_document
from novelink.formats import write
from novelink.schema import CELL_LINE, DISEASE, GENE, SPECIES, VARIANT
from novelink.view.colours import PALETTE
from novelink.view.fragment import document_html
from novelink.view.page import page_html
from novelink.view.payload import BrowserPositions, page_data
from novelink.view.segments import segments


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", PALETTE)
def test_every_type_reads_with_aa_contrast_in_light_and_dark(colour):
    assert contrast(colour.light, "#1b1d21") >= 4.5
    assert contrast(colour.dark, "#e9ebee") >= 4.5
    # Bars and nodes carry meaning: 3:1 against the page.
    assert contrast(colour.line, "#ffffff") >= 3
    assert contrast(colour.dark_line, "#15171b") >= 3


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda t: (t[0], t[0] + t[1])),
    max_size=8,
)


@given(spans)
def test_segments_tile_the_text_and_name_exactly_the_mentions_over_each_character(found):
    mentions = [Mention(start, end, "", GENE) for start, end in found]
    cut = list(segments(mentions, 5, 50))
    assert [part.start for part in cut] == [5, *[part.end for part in cut[:-1]]]
    assert cut[-1].end == 50
    for part in cut:
        for position in range(part.start, part.end):
            over = {i for i, (start, end) in enumerate(found) if start <= position < end}
            assert set(part.mentions) == over
        lengths = [found[i][1] - found[i][0] for i in part.mentions]
        assert lengths == sorted(lengths, reverse=True), "the shortest mention is on top"


@given(st.text(max_size=30), st.data())
def test_browser_positions_count_utf16_units(text, data):
    position = data.draw(st.integers(0, len(text)))
    units = len(text[:position].encode("utf-16-le", "surrogatepass")) // 2
    assert BrowserPositions(text)(position) == units


def test_hostile_text_cannot_leave_the_data_element(hostile_document):
    page = page_html([hostile_document], title="</title><script>")
    assert page.count("</script>") == page.count("<script")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert (
        json.loads(data[1])["documents"][0]["passages"][0][2] == hostile_document.passages[0].text
    )
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page


def test_security_policy_names_the_hash_of_every_script_and_style(article_maker):
    page = page_html([article_maker()])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for content in re.findall(r"<script>(.*?)</script>|<style>(.*?)</style>", page, re.DOTALL):
        digest = hashlib.sha256("".join(content).encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_the_page_asks_for_nothing_from_elsewhere(article_maker):
    page = page_html([article_maker()])
    assert not re.search(r'<(?:script|img|iframe|link)[^>]+(?:src|href)="(?!data:)', page)
    assert "@import" not in page
    assert "url(" not in page


def test_the_same_documents_give_the_same_page(article_maker):
    assert page_html([article_maker()]) == page_html([article_maker()])


def test_compound_ids_of_relations_point_to_the_mentions_of_their_parts():
    document = Document.from_text(
        "1",
        "HNF4A and HLXB9 meet",
        mentions=(
            Mention(0, 5, "HNF4A", GENE, ("3172",)),
            Mention(10, 15, "HLXB9", GENE, ("3110",)),
        ),
        relations=(Relation("3172,3110", "D1", "Association"),),
    )
    data = page_data([document])
    compound = data["documents"][0]["relations"][0][0]
    assert data["entities"][compound][0] == "3172,3110"
    assert [compound in mention[3] for mention in data["documents"][0]["mentions"]] == [True, True]
    unknown = data["documents"][0]["relations"][0][1]
    assert data["entities"][unknown][:2] == ["D1", -1]


@pytest.mark.parametrize(
    ("kind", "concept", "address"),
    [
        (GENE, "672", "https://www.ncbi.nlm.nih.gov/gene/672"),
        (SPECIES, "9606", "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id=9606"),
        (DISEASE, "D001943", "https://meshb.nlm.nih.gov/record/ui?ui=D001943"),
        (DISEASE, "OMIM:114480", "https://omim.org/entry/114480"),
        (VARIANT, "rs113488022", "https://www.ncbi.nlm.nih.gov/snp/rs113488022"),
        (CELL_LINE, "CVCL_0031", "https://www.cellosaurus.org/CVCL_0031"),
        (VARIANT, "p|SUB|V|600|E", None),
        (DISEASE, 'javascript:alert("x")', None),
    ],
)
def test_concept_ids_link_to_their_database(kind, concept, address):
    assert identify(kind, concept).url == address


def test_document_ids_link_to_pubmed_only_if_they_are_pmids():
    assert identify_document("24259561").url == "https://pubmed.ncbi.nlm.nih.gov/24259561/"
    assert identify_document("PMC123").url == "https://pmc.ncbi.nlm.nih.gov/articles/PMC123/"
    assert identify_document("text-1").url is None
    assert identify_document("0").url is None


def test_a_document_shows_itself_in_notebooks_with_everything_escaped(
    article_maker, hostile_document
):
    html = article_maker()._repr_html_()
    assert "Negative Correlation" in html
    assert "https://www.ncbi.nlm.nih.gov/gene/9901" in html
    hostile = document_html(hostile_document)
    assert "<script" not in hostile
    assert "<img" not in hostile
    assert "<b>" not in hostile
    assert "&lt;script&gt;" in hostile


def test_a_notebook_shows_who_acts_by_arrows(article_maker):
    document = article_maker()
    turned = replace(document.relations[3], subject="9902")
    html = document_html(document.with_relations((*document.relations[:3], turned)))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    kinds = [
        cell for cell in cells if "orrelation" in cell or cell.endswith(("Association", "Bind"))
    ]
    assert kinds == ["Negative Correlation →", "Association", "Negative Correlation", "← Bind"]


def test_a_notebook_says_when_it_cuts_a_long_text(long_document):
    html = document_html(long_document)
    assert len(html) < 30_000
    assert "more characters not shown" in html


def test_view_writes_a_page_of_any_input_and_says_how_many(tmp_path, article_maker):
    source, target = tmp_path / "in.jsonl", tmp_path / "page.html"
    write([article_maker("1"), article_maker("2")], source)
    result = CliRunner().invoke(command, [str(source), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "2 documents on" in result.stderr
    assert "<title>in.jsonl</title>" in target.read_text()


def test_view_leaves_no_page_behind_when_its_input_is_bad(tmp_path):
    source, target = tmp_path / "bad.jsonl", tmp_path / "page.html"
    source.write_text('{"id": "1", "title": "x", "mentions": 3}\n')
    result = CliRunner().invoke(command, [str(source), "-o", str(target)])
    assert result.exit_code != 0
    assert not list(tmp_path.glob("*page*"))


def test_view_begins_with_decisions_that_were_made_before(tmp_path, article_maker):
    source, target = tmp_path / "in.jsonl", tmp_path / "page.html"
    write([article_maker("1")], source)
    record = {"document": "1", "id1": "9901", "id2": "D990001", "action": "reject"}
    record["predicted"] = "Association"
    files = []
    for number, action in enumerate(["accept", "reject"]):
        made = record | {"action": action, "time": f"2026-01-0{number + 1}T00:00:00Z"}
        path = tmp_path / f"d{number}.json"
        content = {"format": "novelink-decisions", "version": 1, "decisions": [made]}
        path.write_text(json.dumps(content))
        files += ["--decisions", str(path)]
    result = CliRunner().invoke(command, [str(source), *files, "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "1 decisions were overruled" in result.stderr
    data = re.search(r'id="data">(.*?)</script>', target.read_text(), re.DOTALL)[1]
    (kept,) = json.loads(data)["decisions"]
    assert kept["action"] == "reject"
