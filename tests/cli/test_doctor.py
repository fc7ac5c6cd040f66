"""``novelink doctor``: OK, NOTE and FAIL lines, and an exit code that says the same."""

from __future__ import annotations

import importlib.metadata
import json
import shutil

import pytest

from novelink import diagnosis, self_test
from novelink.runtime import bundle as bundle_module
from novelink.runtime.bundle import EMBEDDED, embedded_names, load_bundle, write_manifest
from novelink.runtime.model_set import AVERAGE, write_model_set


@pytest.fixture
def model(tiny_bundle, tmp_path, monkeypatch):
    """An installation with one model that knows its answers."""
    folder = tmp_path / "models"
    shutil.copytree(tiny_bundle, folder / "tiny")
    (folder / "default").write_text("tiny\n")
    monkeypatch.setattr(bundle_module, "EMBEDDED", folder)
    assert self_test.record(folder / "tiny")
    return folder / "tiny"


def revise(folder, name, change):
    """Change a file on purpose: the manifest goes with it."""
    data = json.loads((folder / name).read_text(encoding="utf-8"))
    change(data)
    (folder / name).write_text(json.dumps(data), encoding="utf-8")
    write_manifest(folder)


def test_a_whole_installation_is_well(novelink, model):
    outcome = novelink("doctor")
    assert outcome.code == 0, outcome.out
    lines = outcome.out.splitlines()
    assert {line[:6] for line in lines} <= {"OK    ", "NOTE  "}
    checks = [line[6:].partition(":")[0] for line in lines]
    assert checks[0] == "versions"
    assert {"packages", "processor", "memory", "encodings", "temporary files"} <= set(checks)
    assert "OK    model: tiny: 5 files as the manifest says" in outcome.out
    assert "self-test: 30 answers, largest difference 0.0000" in outcome.out
    assert lines[-1] == "OK    default model: tiny"
    assert outcome.err == "novelink: all is well\n"


def test_a_damaged_file_is_a_failure(novelink, model):
    with (model / "model.onnx").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\0\0")
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "FAIL  model: tiny: " in outcome.out
    assert "model.onnx: differs from the manifest" in outcome.out
    assert outcome.err.endswith("checks failed\n")


def test_other_answers_than_expected_are_a_failure(novelink, model):
    def other(data):
        data["pairs"][3]["related"] = 1 - round(data["pairs"][3]["related"])

    revise(model, "self_test.json", other)
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "FAIL  model: tiny" in outcome.out
    report = json.loads(novelink("doctor", "--json").out)
    [found] = [one for one in report["checks"] if one["check"] == "model"]
    assert not report["ok"]
    assert found["status"] == "fail"
    assert found["details"]["difference"] > found["details"]["most"] == self_test.TOLERANCE


def test_what_other_processors_round_differently_is_well(novelink, model):
    def nearly(data):
        for pair in data["pairs"]:
            pair["related"] = abs(pair["related"] - 0.04)

    revise(model, "self_test.json", nearly)
    assert novelink("doctor").code == 0


def test_thresholds_and_calibration_may_change(novelink, model):
    def calibrated(data):
        data["decision"] = {"threshold": 0.9, "relation_temperature": 3.0, "novel_threshold": 0.1}

    revise(model, "config.json", calibrated)
    assert "largest difference 0.0000" in novelink("doctor").out


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"document": "older"}', "\xff"])
def test_answers_that_cannot_be_read_are_a_failure_with_a_remedy(novelink, model, text):
    (model / "self_test.json").write_bytes(text.encode("latin-1"))
    write_manifest(model)
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "novelink doctor --record" in outcome.out


def test_a_model_of_ones_own_is_tested_once_its_answers_are_recorded(
    novelink, tiny_bundle, tmp_path
):
    folder = shutil.copytree(tiny_bundle, tmp_path / "mine")
    assert "no answers to compare" in novelink("doctor", "-m", folder).out
    outcome = novelink("doctor", "--record", folder)
    assert (outcome.code, outcome.out) == (0, "")
    assert "self-test: 30 answers" in novelink("doctor", "-m", folder).out


def test_a_model_of_another_vocabulary_has_no_answers(novelink, bundle_writer, tmp_path):
    from novelink.schema import Schema, pair_type

    schema = Schema("own", ("Star",), ("Near",), {pair_type("Star", "Star"): ("Near",)})
    folder = bundle_writer(tmp_path / "stars", schema=schema)
    outcome = novelink("doctor", "--record", folder)
    assert outcome.code == 2
    assert not (folder / "self_test.json").exists()


def test_no_model_is_a_failure(novelink, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_module, "EMBEDDED", tmp_path / "nothing")
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "FAIL  models: this installation has none" in outcome.out


def test_missing_extras_are_noted_with_what_installs_them(novelink, model, monkeypatch):
    asked = importlib.metadata.version

    def version(name):
        if name == "needed-one":
            raise importlib.metadata.PackageNotFoundError
        return "1.0" if name == "needed-two" else asked(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(
        importlib.metadata,
        "requires",
        lambda _: [
            "click>=8.1",
            "needed-one[more]>=1.0 ; extra == 'scale'",
            "needed-two>=1; extra == 'scale'",
        ],
    )
    outcome = novelink("doctor")
    assert outcome.code == 0
    assert (
        "NOTE  extras: scale: needed-two 1.0; not installed: needed-one. "
        "pip install 'novelink[scale]'"
    ) in outcome.out


def test_a_package_that_cannot_be_loaded_is_a_failure(novelink, model, monkeypatch):
    monkeypatch.setattr(diagnosis, "_MODULES", ("numpy", "no_such_module"))
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "FAIL  packages: no_such_module cannot be loaded" in outcome.out


def test_a_lexicon_that_is_not_there_is_a_failure(novelink, model, monkeypatch, tmp_path):
    monkeypatch.setenv("NOVELINK_LEXICON", str(tmp_path / "none"))
    outcome = novelink("doctor")
    assert outcome.code == 1
    assert "FAIL  lexicon: " in outcome.out


def test_the_example_has_entities_of_every_type():
    document = self_test.example()
    from novelink.schema import BIORED

    assert {mention.type for mention in document.mentions} == set(BIORED.entity_types)


@pytest.mark.parametrize("name", embedded_names())
def test_a_model_that_comes_along_gives_the_answers_in_its_folder(name):
    """If this fails for a new model: novelink doctor --record src/novelink/models/NAME."""
    found = self_test.compare(load_bundle(name))
    assert found is not None
    assert found.compared >= 10
    assert found.is_well


def test_a_set_of_models_that_come_along_is_found_whole(tmp_path):
    folders = [EMBEDDED / name for name in ("compact-entity", "compact")]
    write_model_set(tmp_path / "set", folders, folders, name="set", voting=AVERAGE)
    (finding,) = [
        one for one in diagnosis.diagnose([str(tmp_path / "set")]) if one.check == "model"
    ]
    assert finding.status == "ok"
    assert "a set of models as its manifest says, of " in finding.text
