"""A trained model, exported, answers as torch does; int8 stays near it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.errors import ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import load_bundle, unlisted_files
from novelink.training.export import TOLERANCE, export_model, parity
from novelink.training.graphs import traced_graph
from novelink.training.prediction import predict
from novelink.training.task_model import build_model, load_model, save_model

READINGS = ["pair", "document"]


def torch_relations(model, documents, decision):
    """Relations by torch's logits and the one decision rule."""
    samples = model.samples(documents)
    logits = predict(
        model.model,
        samples,
        model.pad_id,
        batch_tokens=512,
        bf16=False,
        device=torch.device("cpu"),
    )
    found, begin = [], 0
    for document in documents:
        pairs = candidate_pairs(document)
        rows = slice(begin, begin + len(pairs))
        begin = rows.stop
        decisions = decide(
            logits.relation[rows],
            logits.novelty[rows],
            [pair.pair_type for pair in pairs],
            model.schema,
            decision,
        )
        found.append(relations_of(pairs, decisions))
    return found


@pytest.fixture(params=READINGS)
def short_run(request, trainer, settings, change):
    """A trainer of each reading."""
    model = {"reading": request.param}
    return trainer(change(settings, model=model, optim={"epochs": 2, "rate": 3e-3}))


def test_train_export_extract_agrees_with_torch(short_run, make_documents, tmp_path):
    """The same relations, types and novelties, and scores to three decimals."""
    made = short_run
    selection = made.run()
    model = load_model(made.output / "best")
    difference = export_model(model, tmp_path / "model", selection.decision, precision="fp32")
    assert 0 < difference < TOLERANCE
    documents = make_documents(12, seed=9, pairs=3)
    # A threshold within the scores, so that some pairs are related and some are not.
    scores = [
        relation.score
        for relations in torch_relations(
            model, documents, replace(selection.decision, threshold=0.0)
        )
        for relation in relations
    ]
    decision = replace(selection.decision, threshold=float(np.median(scores)) + 0.003)
    wanted = torch_relations(model, documents, decision)
    extractor = Extractor.load(tmp_path / "model", threads=1)
    found = extractor.extract(documents, min_score=decision.threshold)
    compared = 0
    for document, relations in zip(found, wanted, strict=True):
        ours = {relation.id1 + relation.id2: relation for relation in document.relations}
        theirs = {relation.id1 + relation.id2: relation for relation in relations}
        for pair in ours.keys() ^ theirs.keys():
            # Rounding can decide only where a score lies at the threshold.
            lone = ours.get(pair) or theirs[pair]
            assert abs(lone.score - decision.threshold) < 2 * TOLERANCE
        for pair in ours.keys() & theirs.keys():
            assert abs(ours[pair].score - theirs[pair].score) < 2 * TOLERANCE
            assert ours[pair].type == theirs[pair].type
            compared += 1
    assert compared > 10
    assert extractor.info["training"]["settings"]["optim"]["rate"] == 3e-3


@pytest.fixture(scope="module", params=READINGS)
def exported(request, encoder_folder, tmp_path_factory):
    """A model with random heads, large enough to tell pairs apart, in both precisions."""
    from novelink.training.settings import EncoderSettings, ModelSettings, TrainSettings

    folder = tmp_path_factory.mktemp("exported")
    made = build_model(
        TrainSettings(
            name="random",
            output="/somewhere/of/mine/run",
            encoder=EncoderSettings(name=str(encoder_folder)),
            model=ModelSettings(reading=request.param, max_length=90, pair_vector="cls+entities"),
        )
    )
    for head in (made.model.relation, made.model.novelty):
        torch.nn.init.normal_(head.linear.weight, std=0.3)
    for precision in ("fp32", "int8"):
        export_model(made, folder / precision, DecisionSettings(threshold=0.3), precision=precision)
    return made, folder


def test_graph_equals_torch_within_the_tolerance(exported):
    made, folder = exported
    for seed in (1, 2):
        assert parity(made, folder / "fp32" / "model.onnx", seed=seed) < TOLERANCE


def test_int8_is_smaller_and_near(exported):
    """Probabilities move by some hundredths, not by tenths."""
    made, folder = exported
    sizes = [(folder / name / "model.onnx").stat().st_size for name in ("fp32", "int8")]
    assert sizes[1] < 0.75 * sizes[0]
    traced = traced_graph(made)
    feed = traced.example(np.random.default_rng(3), 1, 40)
    relation = [
        torch.tensor(
            onnxruntime.InferenceSession(str(folder / name / "model.onnx")).run(["relation"], feed)[
                0
            ]
        ).softmax(-1)
        for name in ("fp32", "int8")
    ]
    assert float((relation[0] - relation[1]).abs().max()) < 0.25
    assert float((relation[0] - relation[1]).abs().mean()) < 0.05
    assert not torch.equal(relation[0], relation[1])


def test_the_folder_is_complete_and_names_no_path(exported):
    made, folder = exported
    bundle = load_bundle(folder / "int8")
    assert bundle.name == "random"
    assert bundle.reading == made.settings.model.reading
    assert bundle.schema == made.schema
    assert bundle.decision["threshold"] == 0.3
    assert unlisted_files(bundle) == []
    assert bundle.config["tasks"] == ["coreference", "novelty", "pair_type", "relation"]
    written = (folder / "int8" / "config.json").read_text(encoding="utf-8")
    assert "/somewhere" not in written
    assert str(made.settings.encoder.name) not in written
    assert bundle.config["training"]["settings"]["output"] == "run"


def test_an_older_folder_is_replaced_whole(exported, tmp_path):
    made, _ = exported
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "left-over.txt").write_text("old", encoding="utf-8")
    export_model(made, tmp_path / "model", DecisionSettings(), precision="fp32")
    assert not (tmp_path / "model" / "left-over.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_graph_that_differs_is_no_model(exported, tmp_path, monkeypatch):
    from novelink.training import export

    made, _ = exported
    monkeypatch.setattr(export, "parity", lambda *_: 0.5)
    with pytest.raises(ModelError, match=r"differs from the model by 0\.5"):
        export_model(made, tmp_path / "model", DecisionSettings())
    assert list(tmp_path.iterdir()) == []


def test_unknown_precision(exported, tmp_path):
    with pytest.raises(SettingsError, match=r"unknown precision 'fp8'.*fp32, int8"):
        export_model(exported[0], tmp_path / "model", DecisionSettings(), precision="fp8")


def test_saved_and_loaded_weights_are_the_same(exported, tmp_path):
    made, _ = exported
    save_model(made, tmp_path / "saved")
    loaded = load_model(tmp_path / "saved")
    assert loaded.settings == made.settings
    assert loaded.schema == made.schema
    assert loaded.tokenizer.to_str() == made.tokenizer.to_str()
    theirs = made.model.state_dict()
    assert loaded.model.state_dict().keys() == theirs.keys()
    assert all(
        torch.equal(value, theirs[name]) for name, value in loaded.model.state_dict().items()
    )


@pytest.mark.parametrize("name", ["settings.json", "encoder.json", "model.safetensors"])
def test_a_model_folder_without_a_file_is_refused(exported, tmp_path, name):
    save_model(exported[0], tmp_path / "saved")
    (tmp_path / "saved" / name).unlink()
    with pytest.raises(ModelError, match="not a trained model"):
        load_model(tmp_path / "saved")


def test_weights_that_do_not_fit_their_settings_are_refused(exported, tmp_path):
    folder = tmp_path / "saved"
    save_model(exported[0], folder)
    about = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    about["schema"]["relation_types"].append("Cures")
    (folder / "settings.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(ModelError, match="weights do not fit"):
        load_model(folder)


def test_an_exported_model_names_files_without_their_folders(settings, change, tmp_path):
    """What is shared must not tell where things lay on the machine that made it."""
    private = str(tmp_path / "private")
    chosen = change(
        settings,
        output=f"{private}/run",
        data={name: f"{private}/{name}.pubtator" for name in ("train", "dev")},
        teacher={"labels": f"{private}/soft.jsonl", "documents": f"{private}/more.pubtator"},
    )
    export_model(
        build_model(chosen), tmp_path / "model", DecisionSettings(), precision="fp32", notes={}
    )
    config = (tmp_path / "model" / "config.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in config
    assert json.loads(config)["training"]["settings"]["teacher"]["labels"] == "soft.jsonl"
