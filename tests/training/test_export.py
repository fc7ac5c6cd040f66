"""A trained model, exported, answers as torch does; int8 stays near it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.errors import ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.model.encoder import load_encoder, load_tokenizer
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import load_bundle, unlisted_files
from novelink.training.export import TOLERANCE, export_model, parity
from novelink.training.graphs import traced_graph
from novelink.training.prediction import predict
from novelink.training.settings import EncoderSettings
from novelink.training.task_model import build_model, load_model, save_model

READINGS = ["pair", "entity", "document"]


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
    with torch.no_grad():
        for weights in made.model.encoder.parameters():  # as training does: no two stay alike
            weights.add_(0.02 * torch.randn_like(weights))
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
    assert sizes[1] < 0.8 * sizes[0]
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


def states(encoder, tokens):
    with torch.no_grad():
        return encoder.eval()(tokens)[0]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_training_can_start_from_the_encoder_of_an_exported_model(exported, precision):
    """Exactly as it was in float32; in int8 as near as its steps are."""
    made, folder = exported
    encoder = load_encoder(str(folder / precision), dropout=0.0, attention_dropout=0.25)
    assert encoder.config.hidden_dropout_prob == 0.0
    assert encoder.config.attention_probs_dropout_prob == 0.25
    wanted, found = made.model.encoder.state_dict(), encoder.state_dict()
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        if name.startswith("pooler."):  # in no graph
            continue
        if precision == "int8" and value.ndim == 2 and "layer" in name:
            step = wanted[name].abs().amax(1, keepdim=True) / 90  # of a column of the graph
            assert ((value - wanted[name]).abs() <= 0.501 * step).all(), name
            assert (value - wanted[name]).any(), name
        else:
            assert torch.equal(value, wanted[name]), name
    tokens = torch.tensor([[2, 7, 9, 11, 3]])
    wanted_states = states(made.model.encoder, tokens)
    apart = (states(encoder, tokens) - wanted_states).norm() / wanted_states.norm()
    assert apart < (0.05 if precision == "int8" else 1e-6)


def test_a_run_starts_from_an_exported_model(exported, tmp_path):
    """With its tokenizer and its markers, for any reading."""
    made, folder = exported
    for reading in READINGS:
        settings = replace(
            made.settings,
            encoder=EncoderSettings(name=str(folder / "int8")),
            model=replace(made.settings.model, reading=reading),
        )
        fresh = build_model(settings)
        assert fresh.tokenizer.get_vocab_size() >= made.tokenizer.get_vocab_size()
        save_model(fresh, tmp_path / reading)
        assert load_model(tmp_path / reading).settings.model.reading == reading


@pytest.mark.parametrize("name", ["compact", "compact-entity"])
def test_models_that_ship_are_known_as_encoders_by_name(name):
    encoder = load_encoder(name)
    assert encoder.config.num_hidden_layers == 6
    tokens = load_tokenizer(name).encode("glioma").ids
    shipped = states(encoder, torch.tensor([tokens]))
    assert torch.isfinite(shipped).all()
    # It is the encoder that went on learning, not the one it began from.
    try:
        embedded = load_encoder("embedded")
    except ModelError:
        pytest.skip("this installation ships no encoder")
    before = states(embedded, torch.tensor([tokens]))
    assert 0.01 < (shipped - before).norm() / before.norm() < 2


def test_a_graph_whose_encoder_cannot_be_read_back_is_explained(exported, tmp_path):
    _, folder = exported
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.onnx").write_bytes(b"no graph at all")
    with pytest.raises(ModelError, match="cannot read the graph"):
        load_encoder(str(broken))
    model = onnx.load(str(folder / "fp32" / "model.onnx"))
    for node in model.graph.node:
        node.name = node.name.replace("/layer.0/", "/other/")
    onnx.save(model, str(broken / "model.onnx"))
    with pytest.raises(ModelError, match="cannot read an encoder back from the graph"):
        load_encoder(str(broken))
