"""``novelink models``: list, info, verify."""

from __future__ import annotations

import json
import shutil

import pytest

from novelink.runtime import bundle as bundle_module
from novelink.runtime.bundle import write_manifest


@pytest.fixture
def shelf(tiny_bundle, tmp_path, monkeypatch):
    """An installation with two embedded models, ``tiny`` the default."""
    folder = tmp_path / "models"
    shutil.copytree(tiny_bundle, folder / "tiny")
    other = shutil.copytree(tiny_bundle, folder / "other")
    config = json.loads((other / "config.json").read_text()) | {"name": "other"}
    (other / "config.json").write_text(json.dumps(config))
    write_manifest(other)
    (folder / "default").write_text("tiny\n")
    monkeypatch.setattr(bundle_module, "EMBEDDED", folder)
    return folder


def test_list_names_every_model_and_marks_the_default(novelink, shelf):
    lines = novelink("models", "list").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["other", "0.1"], ["*", "tiny"]]
    found = json.loads(novelink("models", "list", "--json").out)
    assert [(model["name"], model["default"]) for model in found] == [
        ("other", False),
        ("tiny", True),
    ]


def test_list_of_nothing_says_so_on_stderr(novelink, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_module, "EMBEDDED", tmp_path / "nothing")
    outcome = novelink("models", "list")
    assert (outcome.code, outcome.out) == (0, "")
    assert "no embedded model" in outcome.err
    assert json.loads(novelink("models", "list", "--json").out) == []
    for command in ("info", "verify"):
        outcome = novelink("models", command)
        assert outcome.code == 1
        assert "no embedded model" in outcome.err


def test_info_tells_schema_decision_and_training(novelink, shelf):
    out = novelink("models", "info").out
    assert out.startswith("tiny: ")
    for part in ("max length: 128", "GeneOrGeneProduct", "threshold: 0.6", "data: none: random"):
        assert part in out
    found = json.loads(novelink("models", "info", "other", "--json").out)
    assert (found["name"], found["default"], found["config"]["max_length"]) == ("other", False, 128)


MEASURED = {
    "encoder": "an encoder of invented weights.",
    "data": ["Invented Train.", "Invented Dev chose the epoch."],
    "recipe": {
        "steps": ["novelink train a.toml", "novelink train b.toml"],
        "seed": 3,
        "epoch": "2 of 4",
    },
    "licence": ["Weights: CC0."],
    "test": {
        "data": "invented Test",
        "documents": 1234,
        "scores": {"pair": {"f1": 0.6, "low": 0.55, "high": 0.651}},
    },
    "calibration": {"related": {"error": 0.021, "count": 4321}},
}
CALIBRATION = {
    "data": "invented Dev",
    "documents": 77,
    "related": {"raw": {"error": 0.08}, "calibrated": {"error": 0.019}},
    "scores": {},
}


def measured(folder, **changes):
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    write_manifest(folder)


def test_info_tells_data_recipe_licence_scores_and_calibration(novelink, shelf):
    measured(shelf / "tiny", measured=MEASURED, calibration=CALIBRATION)
    out = novelink("models", "info").out
    for part in (
        "encoder: an encoder of invented weights.",
        "data: Invented Train. Invented Dev chose the epoch.",
        "recipe: novelink train a.toml; then novelink train b.toml (seed 3, epoch 2 of 4)",
        "Weights: CC0.",
        "invented Test (1,234 documents)",
        "pair      60.0   95 % interval 55.0–65.1",
        "fitted on invented Dev (77 documents)",
        "1.9 %, 8.0 % before",
        "measured on invented Test",
        "2.1 % of 4,321",
    ):
        assert part in out
    assert all(len(line) <= 100 for line in out.splitlines() if str(shelf) not in line)


def test_what_was_measured_in_another_form_is_one_line_on_stderr(novelink, shelf):
    measured(shelf / "tiny", measured={"encoder": 5})
    outcome = novelink("models", "info")
    assert (outcome.code, outcome.out) == (1, "")
    assert "'measured' or 'calibration' cannot be read" in outcome.err


def test_info_prints_the_card(novelink, shelf):
    assert novelink("models", "info", "--card").out == (shelf / "tiny/README.md").read_text()


def test_verify_checks_all_embedded_models(novelink, shelf):
    outcome = novelink("models", "verify")
    assert outcome.code == 0
    assert outcome.out.count("4 files as the manifest says") == 2


def test_verify_goes_on_after_a_fault_and_exits_with_1(novelink, shelf):
    with (shelf / "other/model.onnx").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0\0")
    outcome = novelink("models", "verify")
    assert outcome.code == 1
    assert "other/model.onnx: differs from the manifest" in outcome.err
    assert outcome.out.startswith("tiny: 4 files")
    found = json.loads(novelink("models", "verify", "--json").out)
    assert [(model["model"], model["ok"]) for model in found] == [("other", False), ("tiny", True)]


def test_verify_opens_the_graph_beyond_its_checksum(novelink, shelf):
    (shelf / "other/model.onnx").write_bytes(b"\x08\x09")
    write_manifest(shelf / "other")
    outcome = novelink("models", "verify", "other")
    assert outcome.code == 1
    assert "ONNX file" in outcome.err


def test_verify_mentions_files_outside_the_manifest(novelink, shelf):
    (shelf / "tiny/notes.txt").write_text("x")
    outcome = novelink("models", "verify", shelf / "tiny")
    assert outcome.code == 0
    assert "notes.txt: not in the manifest" in outcome.err


def test_models_of_other_parts_are_opened_too(novelink, shelf):
    config = json.loads((shelf / "other/config.json").read_text()) | {"reading": "tagger"}
    (shelf / "other/config.json").write_text(json.dumps(config))
    write_manifest(shelf / "other")
    assert novelink("models", "verify", "other").code == 0
    outcome = novelink("extract", "none.pubtator", "-m", "other")
    assert outcome.code == 1
    assert "the model 'other' finds entities and no relations" in outcome.err
    (shelf / "other/tokenizer.json").write_text("{}")
    write_manifest(shelf / "other")
    outcome = novelink("models", "verify", "other")
    assert outcome.code == 1
    assert "not a tokenizer" in outcome.err
