"""The page on the readings shows the results files; what its benchmarks do to documents."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from novelink.document import Document, Mention
from novelink.schema import DISEASE, GENE

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import evidence  # noqa: E402 (found through the line above)
import inference_bound  # noqa: E402 (as above)
import readings  # noqa: E402 (as above)


def test_the_page_and_its_plot_are_up_to_date():
    """Run `python benchmarks/readings.py` after every change of benchmarks/results."""
    text, curve = readings.build(readings.load(BENCHMARKS / "results"))
    assert readings.outdated(ROOT / "docs", text, curve) == []


def rate(value, **more):
    return {"documents_per_second": value, "threads": 2, "peak_memory_mb": 321.0, **more}


@pytest.fixture
def results():
    levels = ("pair", "type", "novelty", "all")
    interval = {"value": 0.1234, "interval": [0.0567, 0.1891]}
    scores = {level: {"f1": 0.5 + place / 100} for place, level in enumerate(levels)}
    intervals = {"f1": {level: [0.414, 0.626] for level in levels}}
    points = [[300, 10, 25.5], [600, 40, 50.5], [5000, 900, 700.0]]
    return {
        "quality-compact-biored-test": {
            "data": "BioRED Test",
            "model": "compact",
            "reading": "document",
            "scores": {**scores, "intervals": intervals},
        },
        "inference": {
            "corpus": "Invented.PubTator",
            "machine": {"processor": "Invented CPU", "cores": 3},
            "once": {"int8": rate(200.0), "fp32": rate(100.0)},
            "per_pair": {"int8": rate(2.0), "fp32": rate(1.0)},
            "per_pair_base_size": {
                "fp32": rate(
                    0.25,
                    padded_to_512_documents_per_second=0.125,
                    extrapolated="7 pairs drawn at random of 99",
                )
            },
            "bound": {
                "fp32": {
                    "products_ms_per_document": 30.0,
                    "extract_ms_per_document": 45.0,
                    "share_of_bound": 0.6667,
                }
            },
            "curve": {
                "document": {"points": points},
                "pair": {"points": [[300, 10, 255.0], [400, 50, 1300.0]]},
            },
        },
        "evidence": {
            "corpus": "Invented.PubTator",
            "model": "compact",
            "documents": 12,
            "relations": 321,
            "relations_compared": 123,
            "relations_compared_with_rivals": 111,
            **dict.fromkeys(
                (
                    *("top_loss", "other_loss", "top_minus_other", "top_above_other_share"),
                    *("top_loss_with_rivals", "rival_loss", "top_minus_rival"),
                    "top_above_rival_share",
                ),
                interval,
            ),
        },
    }


def test_numbers_come_from_the_files(results):
    text, _ = readings.build(results)
    assert "| `compact` | whole document | 50.0 (41.4–62.6) |" in text
    assert "Invented CPU, 3 cores, 2 threads, corpus Invented.PubTator" in text
    # 200 against 0.125 abstracts a second
    assert "filled up to 512 tokens | 0.125 | 1,600 × |" in text
    assert "| fp32 | 30 | 45 | 66.7 |" in text
    assert "| `compact`, 123 relations, any other sentence | 0.123 (0.057–0.189) |" in text
    assert "(of `compact`, 123 of 321 in 12 documents)" in text
    assert "12.3 (5.7–18.9)" in text


@pytest.mark.parametrize(
    ("missing", "heading"),
    [
        ("quality-compact-biored-test", "## What they give"),
        ("inference", "## What they cost"),
        ("evidence", "## Does the evidence hold?"),
    ],
)
def test_what_was_not_measured_is_not_on_the_page(results, missing, heading):
    assert heading in readings.build(results)[0]
    del results[missing]
    text, _ = readings.build(results)
    assert heading not in text
    assert "## When to take which" in text


def test_a_change_of_results_is_noticed(results, tmp_path):
    text, curve = readings.build(results)
    assert readings.outdated(tmp_path, text, curve) == [readings.PAGE, readings.PLOT]
    readings.write(tmp_path, text, curve)
    assert readings.outdated(tmp_path, text, curve) == []
    curve["pair"]["points"][0][2] = 256.0
    assert readings.outdated(tmp_path, text, curve) == [readings.PLOT]
    results["inference"]["once"]["int8"]["documents_per_second"] = 201.0
    changed, _ = readings.build(results)
    assert readings.PAGE in readings.outdated(tmp_path, changed, curve)
    readings.write(tmp_path, changed, None)
    assert not (tmp_path / readings.PLOT).exists()


def test_the_plot_comes_out_the_same_each_time(results):
    curve = results["inference"]["curve"]
    assert readings.draw(curve, "a note") == readings.draw(curve, "a note")
    assert readings.draw(curve, "a note") != readings.draw({"pair": curve["pair"]}, "a note")


@pytest.fixture
def document():
    text = "Orfa binds. It is not new. In mice, orfb raised itch; no other did."
    places = [("Orfa", GENE, "1"), ("orfb", GENE, "2"), ("itch", DISEASE, "D1")]
    mentions = [
        Mention(text.index(name), text.index(name) + len(name), name, kind, (concept,))
        for name, kind, concept in places
    ]
    return Document.from_text("1", "A title on itch.", text).with_mentions(
        [
            Mention(one.start + 17, one.end + 17, one.text, one.type, one.concept_ids)
            for one in mentions
        ]
    )


def test_a_sentence_that_is_taken_out_leaves_blanks_and_no_mentions(document):
    start = document.text.index("Orfa")
    left = evidence.without(document, start, start + len("Orfa binds."))
    assert len(left.text) == len(document.text)
    assert left.text == document.text.replace("Orfa binds.", " " * 11)
    assert [one.text for one in left.mentions] == ["orfb", "itch"]
    assert all(left.text[one.start : one.end] == one.text for one in left.mentions)


def test_a_shortened_document_ends_with_a_sentence_and_keeps_what_is_in_it(document):
    draw = random.Random(1)
    found = {inference_bound.shortened(document, draw).text for _ in range(60)}
    assert len(found) == 4
    assert all(document.text.startswith(text) and text.endswith(".") for text in found)
    for _ in range(20):
        short = inference_bound.shortened(document, draw)
        assert all(short.text[one.start : one.end] == one.text for one in short.mentions)
        assert [one for one in document.mentions if one.end <= len(short.text)] == list(
            short.mentions
        )


def test_a_relation_without_its_top_sentence_is_compared_only_where_its_pair_is_left():
    rows = np.array(
        [[0.4, 0.1, 0.2, 1], [np.nan, 0.9, 0.9, 1], [0.2, 0.3, np.nan, 0], [0.3, 0.1, 0.4, 1]]
    )
    assert evidence.difference(evidence.OTHER)(rows) == pytest.approx((0.3 - 0.1 + 0.2) / 3)
    assert evidence.difference(evidence.RIVAL)(rows) == pytest.approx((0.2 - 0.1) / 2)
    assert evidence.share(evidence.OTHER)(rows) == pytest.approx(2 / 3)
    assert evidence.mean(0, evidence.RIVAL)(rows) == pytest.approx(0.35)
