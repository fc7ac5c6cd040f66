"""What the benchmark of inference counts; its times are nobody's business here."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from novelink.formats import write
from novelink.pairs import candidate_pairs

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import inference


@pytest.fixture
def options(tiny_bundle, small_documents, tmp_path):
    write(small_documents, tmp_path / "small.pubtator", "pubtator")
    return Namespace(
        corpus=[str(tmp_path / "small.pubtator"), str(tmp_path / "small.pubtator")],
        model=str(tiny_bundle),
        threads=2,
        documents=0,
        repeats=2,
        pairs=3,
        padded=None,
        seed=1,
        shipped=4,
        curve=3,
        memory_documents=40,
        memory=False,
        shipped_only=False,
        output=tmp_path / "results" / "inference.json",
    )


def test_every_document_and_pair_of_the_corpora_is_counted_once(options, small_documents):
    found = inference.step_documents(options)
    assert found["documents"] == 2 * len(small_documents)
    pairs = sum(len(candidate_pairs(document)) for document in small_documents)
    assert found["pairs"] == 2 * pairs
    assert len(found["all_passes_seconds"]) == 2
    assert found["documents_per_second"] > 0


def test_a_sample_of_pairs_stands_for_all(options, small_documents):
    """The rate is that of pairs, times the pairs of a document."""
    found = inference.step_pairs(options)
    pairs = 2 * sum(len(candidate_pairs(document)) for document in small_documents)
    assert found["extrapolated"] == f"3 pairs drawn at random of {pairs}"
    # The time of a pair is rounded to hundredths of a millisecond.
    slow, fast = (
        found["documents"] / (pairs * max(1e-9, found["seconds_per_pair"] + rounding))
        for rounding in (6e-6, -6e-6)
    )
    assert slow <= found["documents_per_second"] <= fast


def test_memory_is_sampled_along_the_stream(options):
    found = inference.step_memory(options)
    assert [point["documents"] for point in found["points"]] == list(range(2, 41, 2))
    assert found["documents"] == 40
    peaks = [point["peak_mb"] for point in found["points"]]
    assert peaks == sorted(peaks)
    assert found["grown_after_first_tenth_mb"] == pytest.approx(peaks[-1] - peaks[1], abs=0.06)


def test_a_point_of_the_curve_is_a_document_with_its_pairs(options, small_documents):
    found = inference.step_curve(options)
    with_pairs = [len(candidate_pairs(one)) for one in small_documents if candidate_pairs(one)]
    assert [pairs for _, pairs, _ in found["points"]] == with_pairs[:3]
    assert all(3 < tokens <= 128 for tokens, _, _ in found["points"])  # of one copy


def test_memory_is_added_to_an_earlier_run_and_survives_a_later_one(options):
    inference.keep(options, {"corpus": "a", "seed": 1}, {"ratios": {"x": 2}})
    options.memory = True
    inference.keep(options, {"corpus": "b", "seed": 2}, {"memory": {"documents": 7}})
    options.memory = False
    inference.keep(options, {"corpus": "c", "seed": 3}, {"ratios": {"x": 4}})
    assert json.loads(options.output.read_text("utf-8")) == {
        "corpus": "c",
        "seed": 3,
        "ratios": {"x": 4},
        "memory": {"documents": 7, "corpus": "b", "seed": 2},
    }


def test_models_that_ship_are_measured_anew_without_the_rest(options):
    inference.keep(options, {"corpus": "a"}, {"ratios": {"x": 2}, "shipped": {"old": 1}})
    options.shipped_only = True
    inference.keep(options, {"corpus": "b"}, {"shipped": {"new": 2}})
    assert json.loads(options.output.read_text("utf-8")) == {
        "corpus": "a",
        "ratios": {"x": 2},
        "shipped": {"new": 2},
        "shipped_run": {"corpus": "b"},
    }
