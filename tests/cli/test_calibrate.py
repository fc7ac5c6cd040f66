"""``novelink calibrate``: scores and thresholds of an exported model, fitted to gold documents."""

from __future__ import annotations

import json
import shutil

import pytest

from novelink import Extractor, read, write
from novelink.decode import DecisionSettings
from novelink.runtime.bundle import load_bundle


@pytest.fixture
def model(tiny_bundle, tmp_path):
    return shutil.copytree(tiny_bundle, tmp_path / "model")


@pytest.fixture
def gold(small_documents, half_related, tmp_path):
    """Every second pair is related, every third relation is known already."""
    path = tmp_path / "gold.pubtator"
    write(half_related(small_documents), path)
    return path


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_settings_are_fitted_and_the_model_is_whole_again(novelink, model, gold):
    before = files(model)
    outcome = novelink("calibrate", model, gold, "--data", "invented")
    assert outcome.code == 0
    assert "calibrated on invented (6 documents)" in outcome.out
    after = files(model)
    assert {name for name in after if after[name] != before[name]} == {
        "config.json",
        "manifest.json",
    }
    config = load_bundle(model).config
    settings = DecisionSettings.from_dict(config["decision"])
    assert settings != DecisionSettings.from_dict(json.loads(before["config.json"])["decision"])
    found = config["calibration"]
    assert (found["data"], found["documents"]) == ("invented", 6)
    for part in ("related", "novelty"):
        assert found[part]["calibrated"]["log_loss"] < found[part]["raw"]["log_loss"]
    assert f"all {100 * found['scores']['all']['f1']:.1f}" in outcome.out


def test_calibrating_twice_gives_the_same_bytes(novelink, model, gold):
    novelink("calibrate", model, gold)
    once = files(model)
    novelink("calibrate", model, gold, "--threads", 1)
    assert files(model) == once


def test_the_scores_on_the_gold_are_what_the_extractor_then_reaches(novelink, model, gold):
    from novelink import score

    novelink("calibrate", model, gold)
    found = list(Extractor.load(model).extract(read(gold)))
    wanted = load_bundle(model).config["calibration"]["scores"]
    scores = score(list(read(gold)), found, resamples=0)
    for level, figures in wanted.items():
        assert scores[level].f1 == figures["f1"]


def test_a_dry_run_writes_nothing(novelink, model, gold):
    before = files(model)
    outcome = novelink("calibrate", model, gold, "--dry-run")
    assert outcome.code == 0
    assert "nothing was written" in outcome.err
    assert files(model) == before


def test_scores_measured_with_other_thresholds_are_dropped_and_that_is_said(novelink, model, gold):
    from novelink.runtime.revision import revise

    config = json.loads((model / "config.json").read_text()) | {"measured": {"data": "x"}}
    revise(model, {"config.json": json.dumps(config).encode()})
    assert "measure again" in novelink("calibrate", model, gold).err
    assert "measured" not in load_bundle(model).config
    config = load_bundle(model).config | {"measured": {"data": "x"}}
    revise(model, {"config.json": json.dumps(config).encode()})
    assert "measure again" not in novelink("calibrate", model, gold).err
    assert "measured" in load_bundle(model).config


def test_documents_without_relations_teach_nothing(novelink, model, small_documents, tmp_path):
    path = tmp_path / "bare.pubtator"
    write(small_documents, path)
    outcome = novelink("calibrate", model, path)
    assert outcome.code == 1
    assert "no document has relations" in outcome.err


def test_a_set_of_models_is_refused(novelink, tiny_bundle, gold, tmp_path):
    from novelink.runtime.model_set import write_model_set

    write_model_set(tmp_path / "set", [tiny_bundle], [tiny_bundle], name="one")
    outcome = novelink("calibrate", tmp_path / "set", gold)
    assert outcome.code == 1
    assert "Calibrate the members" in outcome.err


def test_a_change_that_breaks_a_model_is_taken_back(model):
    from novelink.errors import ModelError
    from novelink.runtime.revision import revise

    before = files(model)
    with pytest.raises(ModelError, match="not JSON"):
        revise(model, {"README.md": b"new card", "config.json": b"{", "notes.txt": b"new"})
    assert files(model) == before
