"""The page of figures shows the results files as they are; nothing on it is typed by hand."""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import figures  # noqa: E402 (found through the line above)

PUBLISHED = json.loads((BENCHMARKS / "published.json").read_text("utf-8"))["systems"]


def quality(model="invented", data="BioRED Test", f1=0.5, **more):
    counts = {"f1": f1, "precision": f1, "recall": f1}
    interval = [f1 - 0.031, f1 + 0.042]
    levels = ("pair", "type", "novelty", "all")
    return {
        "data": data,
        "model": model,
        "reading": "pair",
        "precision": "int8",
        "seed": 7,
        "machine": {"processor": "Invented CPU", "cores": 3},
        "seconds": 50.0,
        "scores": {
            **dict.fromkeys(levels, counts),
            "intervals": {"f1": dict.fromkeys(levels, interval)},
            "documents": {"gold": 100},
        },
        "all pairs as novel associations": {level: {"f1": 0.123} for level in levels},
        **more,
    }


def reliable(error):
    bins = [{"low": 0.4, "high": 0.5, "count": 10, "mean_score": 0.45, "accuracy": 0.4}]
    return {"count": 4321, "error": error, "log_loss": 0.5, "brier": 0.1, "bins": bins}


def test_the_page_and_its_plots_are_up_to_date():
    """Run `make figures` after every change of benchmarks/results."""
    text, plots = figures.build(figures.load(BENCHMARKS / "results"), PUBLISHED)
    assert figures.outdated(ROOT / "docs", text, plots) == []


def test_every_results_file_is_named_on_the_page():
    results = figures.load(BENCHMARKS / "results")
    text, _ = figures.build(results, PUBLISHED)
    assert all(f"`{name}.json`" in text for name in results)


def test_a_models_row_says_what_its_file_says():
    text, plots = figures.build({"quality-a": quality(f1=0.6543)}, PUBLISHED)
    cell = "65.4 (62.3–69.6)"
    assert f"| `invented` | per pair | int8 | 7 | {cell} | {cell} | {cell} | {cell} |" in text
    assert "12.3" in text
    points = plots["quality-biored-test.svg"]["data"]
    assert points["models"][0]["f1"] == [0.6543] * 4
    assert f"](images/figures/{'quality-biored-test.svg'})" in text


def test_published_systems_are_marked_and_named_with_their_source():
    text, plots = figures.build({"quality-a": quality()}, PUBLISHED)
    for one in PUBLISHED:
        assert f"*{one['name']}*" in text
        assert one["source"] in text
        for value in one["scores"].values():
            assert f"*{value}*" in text
    named = {one["name"] for one in plots["quality-biored-test.svg"]["data"]["published"]}
    assert named == {one["name"] for one in PUBLISHED if one["test"] == "BioRED Test"}


def test_models_of_other_documents_stand_apart_from_published_systems():
    results = {"quality-a": quality(), "quality-b": quality("other", "BioRED Dev")}
    _, plots = figures.build(results, PUBLISHED)
    assert plots["quality-biored-dev.svg"]["data"]["published"] == []


def test_the_better_model_comes_first():
    results = {"quality-a": quality("worse", f1=0.3), "quality-b": quality("better", f1=0.4)}
    text, _ = figures.build(results, PUBLISHED)
    assert text.index("`better`") < text.index("`worse`")


def test_size_and_speed_are_drawn_where_they_were_measured():
    _, plots = figures.build({"quality-a": quality()}, [])
    assert "quality-size.svg" not in plots
    results = {"quality-a": quality(size=20_000_000, cpu_seconds=25.0)}
    text, plots = figures.build(results, PUBLISHED)
    (point, *peers) = plots["quality-size.svg"]["data"]["points"]
    assert (point["x"], point["y"]) == (20.0, [0.5, 0.5])
    assert all(one["published"] for one in peers)
    assert plots["quality-speed.svg"]["data"]["points"] == [
        {"name": "invented", "x": 4.0, "y": [0.5, 0.5]}
    ]
    assert "Invented CPU, 3 cores" in text


def test_who_acts_is_shown_beside_the_rule_where_it_was_judged():
    assert "## Direction" not in figures.build({"quality-x": quality()}, [])[0]
    acting = {"judged": 1045, "named": 1000, "right": 912, "f1": 0.543}
    one = quality(**{"direction by rule": {"accuracy": 0.894, "f1": 0.521}})
    one["scores"]["direction"] = acting
    text, _ = figures.build({"quality-x": one}, [])
    row = "| `invented` | BioRED Test | 1,045 | 1,000 | 91.2 | 89.4 | 54.3 | 52.1 |"
    assert row in text.split("## Direction")[1]


def test_calibration_is_shown_where_it_was_measured():
    text, _ = figures.build({"quality-a": quality()}, PUBLISHED)
    assert "## Calibration" not in text
    known = {"related": reliable(0.0213), "novelty": None}
    text, plots = figures.build({"quality-a": quality(reliability=known)}, PUBLISHED)
    assert "| that a pair is related | 4,321 | 2.1 | 0.500 | 0.100 |" in text
    diagrams = plots["reliability-invented-biored-test.svg"]["data"]["diagrams"]
    assert diagrams == {"that a pair is related": [[0.45, 0.4, 10]]}


def test_a_network_of_published_size_lends_published_systems_its_speed():
    """What is drawn for them is marked as published, and the page says whose speed it is."""
    one = {"documents_per_second": 0.25, "threads": 2, "peak_memory_mb": 900.4}
    base = one | {"padded_to_512_documents_per_second": 0.1, "extrapolated": "60 pairs of 900"}
    inference = {
        "corpus": "a.txt, b.txt",
        "machine": {"processor": "Invented CPU", "cores": 3},
        "once": {"int8": one | {"documents_per_second": 33.3}},
        "per_pair_base_size": {"fp32": base},
        "shipped": {"invented": one | {"documents": 20, "evidence": True}},
        "ratios": {"once_against_per_pair": 333.0},
        "memory": {
            "documents": 10_000,
            "peak_memory_mb": 456.7,
            "grown_after_first_tenth_mb": 1.2,
        },
    }
    results = {"quality-a": quality(size=20_000_000, cpu_seconds=25.0), "inference": inference}
    text, plots = figures.build(results, PUBLISHED)
    ours, *peers = plots["quality-speed.svg"]["data"]["points"]
    assert ours["x"] == 4.0
    assert {one["x"] for one in peers} == {0.05}  # a CPU second, of two threads
    assert all(one["published"] for one in peers)
    assert "with random weights" in text
    assert ["invented, as shipped", 0.25] in plots["speed.svg"]["data"]["bars"]
    assert "Models as shipped, on Invented CPU, 3 cores:" in text
    assert "| once against per pair | 333.0 × |" in text
    assert "| 10,000 | 457 | 1.2 |" in text


def test_models_timed_on_another_machine_are_not_drawn_beside_the_rest():
    one = {"documents_per_second": 0.25, "threads": 2, "peak_memory_mb": 900.4}
    elsewhere = {"processor": "Older CPU", "cores": 2, "int8_instructions": False}
    inference = {
        "corpus": "a.txt",
        "machine": {"processor": "Invented CPU", "cores": 3},
        "once": {"int8": one},
        "shipped": {"invented": one | {"documents": 20}},
        "shipped_run": {"machine": elsewhere},
    }
    text, plots = figures.build({"inference": inference}, PUBLISHED)
    (bar,) = plots["speed.svg"]["data"]["bars"]
    assert bar == ["small encoder, document read once, int8", 0.25]
    assert "Models as shipped, on Older CPU, 2 cores, without instructions for int8:" in text


def test_relations_from_plain_text_stand_beside_their_entities():
    level = {"f1": 0.2345, "interval": [0.2, 0.3]}
    found = {
        "entities": {"recognition": {"f1": 0.9}, "normalisation": {"f1": 0.8}},
        "relations": dict.fromkeys(("pair", "type", "novelty", "all"), level),
    }
    steps = {"tag": {"documents_per_second": 40.0, "cpu_ms_per_document": 25.0}}
    result = {
        "data": "BioRED Test",
        "documents": 100,
        "quality": {"dumps": {"invented": found}},
        "speed": {"model": "invented", "threads": 2, "steps": steps, "machine": "m"},
    }
    text, _ = figures.build({"end-to-end-biored-test": result}, PUBLISHED)
    cells = " | ".join(["23.4 (20.0–30.0)"] * 4)
    assert f"| dumps | `invented` | 90.0 | 80.0 | {cells} |" in text
    assert "| tag | 40 | 25 |" in text


def test_no_results_give_a_page_without_sections():
    text, plots = figures.build({}, PUBLISHED)
    assert "##" not in text
    assert plots == {}


def test_a_changed_number_makes_page_and_plot_out_of_date(tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs matplotlib, of the dev requirements")
    results = {"quality-a": quality(size=2_000_000, reliability={"related": reliable(0.02)})}
    text, plots = figures.build(results, PUBLISHED)
    figures.write(tmp_path, text, plots)
    assert figures.outdated(tmp_path, text, plots) == []
    changed = copy.deepcopy(results)
    changed["quality-a"]["scores"]["pair"] = changed["quality-a"]["scores"]["pair"] | {"f1": 0.49}
    text, plots = figures.build(changed, PUBLISHED)
    assert figures.outdated(tmp_path, text, plots) == [
        "figures.md",
        "images/figures/quality-biored-test.svg",
        "images/figures/quality-size.svg",
    ]
    text, plots = figures.build({}, PUBLISHED)
    assert len(figures.outdated(tmp_path, text, plots)) == 4
    figures.write(tmp_path, text, plots)
    assert list((tmp_path / figures.IMAGES).iterdir()) == []


def test_plots_come_out_the_same_each_time_and_hold_the_data(tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs matplotlib, of the dev requirements")
    import figure_plots

    data = {"title": "t", "log": True, "bars": [["quick <one>", 40.0], ["slow", 0.5]]}
    first, second = (figure_plots.draw("bars", data, "note") for _ in range(2))
    assert first == second
    assert "quick &lt;one&gt;" in first
    assert re.search(r">\s*40\s*<", first)
