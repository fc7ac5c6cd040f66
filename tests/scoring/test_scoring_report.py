"""The HTML page and the terminal's tables say what the scores say."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from scoring_documents import document

from novelink import Document, Mention, Relation, score
from novelink.scoring.report import report_html
from novelink.scoring.table import scores_text

VOID = {"meta", "link", "br", "img", "input"}


class Checker(HTMLParser):
    """Fails on tags that are not closed in order; keeps what is in each kind of element."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.regions = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if dict(attrs).get("role") == "region":
            self.regions.append(dict(attrs)["aria-label"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture(scope="module")
def scores():
    gold = [
        document(
            "1", "g1:G d1:D c1:C", [("g1", "d1", "Bind", "No"), ("c1", "d1", "Bind", "Novel")]
        ),
        document("2", "g1:G d1:D", [("g1", "d1", "Association", "Novel")]),
        document("3", "g1:G", [("g1", "g1", "Bind", "No")]),
    ]
    found = [
        document("1", "g1:G d1:D c1:C", [("g1", "d1", "Association", "No", 0.75, 0.5)]),
        document("2", "g1:G d1:D", [("g1", "d1", "Association", "Novel", 0.9, 0.9)]),
    ]
    return score(gold, found, end_to_end=True)


@pytest.fixture(scope="module")
def page(scores):
    return report_html(scores, gold="gold.txt", predicted="found.txt")


def test_the_page_is_well_formed_and_its_tables_are_told_apart(page):
    regions = checked(page).regions
    assert len(regions) == len(set(regions)) > 8


def test_the_page_loads_nothing_and_runs_nothing(page):
    found = checked(page).found
    assert not {tag for tag, _ in found} & {"script", "link", "img", "iframe", "object"}
    assert not [attrs for _, attrs in found if {"src", "href", "onclick", "onload"} & set(attrs)]
    assert "url(" not in page
    assert "http" not in page


def test_every_table_has_a_caption_and_headers_with_a_scope(page):
    found = checked(page).found
    tags = [tag for tag, _ in found]
    assert tags.count("table") == tags.count("caption")
    assert all(attrs.get("scope") in {"row", "col"} for tag, attrs in found if tag == "th")


def test_charts_have_a_name_and_a_description(page):
    charts = re.findall(r'<svg [^>]*role="img".*?</svg>', page)
    assert len(charts) == 2
    assert all("<title>" in chart and "<desc>" in chart for chart in charts)


def test_the_page_follows_the_readers_dark_mode(page):
    assert "prefers-color-scheme: dark" in page


def test_the_page_shows_levels_missing_documents_and_differences(page):
    assert "1 of 3 gold documents are not in the prediction" in page
    assert "d1 – g1" in page
    assert "Association, No" in page
    assert "1: 0 right, 1 wrong, 2 missed" in page


def test_text_from_files_is_escaped_everywhere():
    nasty = "<b>&\"x'"
    made = document("1", "g1:G d1:D")
    mentions = [Mention(0, 2, nasty, nasty, (nasty,)), *made.mentions]
    gold = Document(nasty, made.passages, tuple(mentions), (Relation(nasty, "d1", nasty, nasty),))
    found = gold.with_relations([Relation(nasty, "d1", nasty, "No", 0.5)])
    page = report_html(score([gold], [found], end_to_end=True), gold=nasty, predicted=nasty)
    checked(page)
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page


def test_a_page_without_scores_and_without_errors_is_whole():
    gold = [document("1", "g1:G d1:D", [("g1", "d1", "Bind", "No")])]
    page = report_html(score(gold, gold, resamples=0), gold="a", predicted="b")
    checked(page)
    assert "0 of 1 documents have an error" in page


def test_documents_beyond_the_limit_are_counted(monkeypatch):
    monkeypatch.setattr("novelink.scoring.report.DOCUMENTS_SHOWN", 2)
    gold = [document(str(n), "g1:G d1:D", [("g1", "d1", "Bind", "No")]) for n in range(4)]
    page = report_html(score(gold, []), gold="a", predicted="b")
    assert page.count("Differences in") == 2 * 2  # region name and caption
    assert "The 2 with most errors are listed" in page


def test_the_table_prints_percent_and_counts(scores):
    lines = scores_text(scores).splitlines()
    assert lines[0].split()[:4] == ["level", "precision", "recall", "F1"]
    assert lines[1].split()[:4] == ["pair", "100.0", "50.0", "66.7"]
    assert lines[1].split()[-3:] == ["2", "0", "2"]
    assert lines[4].split()[0] == "all"
    assert lines[4].split()[-3:] == ["1", "1", "3"]
    assert "3 gold documents, 2 predicted, 1 missing" in lines
    assert any(line.startswith("Chemical–Disease ") for line in lines)


def test_rows_without_any_relation_are_left_out_of_the_table(scores):
    assert "Conversion" not in scores_text(scores)
    assert "Conversion" in scores.to_dict()["by_type"]
