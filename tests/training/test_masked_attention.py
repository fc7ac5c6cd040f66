"""Attention in an exported graph: one operator, with and without padding."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from novelink.decode import DecisionSettings
from novelink.model import attention, marked_rows
from novelink.reading.pair import PairInput
from novelink.runtime.bundle import load_bundle
from novelink.runtime.pair_model import PairModel
from novelink.training import masked_attention as masked
from novelink.training.export import TOLERANCE, export_model, parity
from novelink.training.settings import EncoderSettings, ModelSettings, TrainSettings
from novelink.training.task_model import build_model

READINGS = ["pair", "document"]


def build(encoder_folder, reading, pair_vector="cls+entities"):
    return build_model(
        TrainSettings(
            name="random",
            encoder=EncoderSettings(name=str(encoder_folder)),
            model=ModelSettings(reading=reading, max_length=90, pair_vector=pair_vector),
        )
    )


def kinds(path):
    """Operators of a graph, those of its branches beside them."""
    nodes = list(onnx.load(str(path)).graph.node)
    branches = [item.g for node in nodes for item in node.attribute if item.HasField("g")]
    return (
        [node.op_type for node in nodes],
        [[node.op_type for node in branch.node] for branch in branches],
    )


@pytest.mark.parametrize("reading", READINGS)
def test_every_layer_has_one_choice_of_two_operators(encoder_folder, tmp_path, reading):
    """And nothing is left of the placeholder, nor of a softmax in the encoder."""
    made = build(encoder_folder, reading)
    export_model(made, tmp_path / "model", DecisionSettings(), precision="fp32")
    outer, branches = kinds(tmp_path / "model" / "model.onnx")
    layers = made.model.encoder.config.num_hidden_layers
    assert outer.count("If") == layers
    assert branches == [["MultiHeadAttention"]] * 2 * layers
    assert outer.count("Attention") == 0
    # What is left are the softmaxes of the pair queries, two heads in one part.
    assert outer.count("Softmax") == (len(made.model.readers) if reading == "document" else 0)
    domains = {item.domain for item in onnx.load(str(tmp_path / "model/model.onnx")).opset_import}
    assert domains == {"", "com.microsoft"}


@pytest.mark.parametrize("scores", [(0, 1), (1, 0)])
def test_the_two_branches_agree_where_nothing_is_padding(encoder_folder, tmp_path, scores):
    """Swapping them, so that the other one is run, changes rounding alone."""
    made = build(encoder_folder, "pair")
    export_model(made, tmp_path / "model", DecisionSettings(), precision="fp32")
    path = tmp_path / "model" / "model.onnx"
    feed = example(2, 60)
    before = answers(path, feed)
    model = onnx.load(str(path))
    for node in model.graph.node:
        if node.op_type == "If":
            found = [
                onnx.GraphProto.FromString(item.g.SerializeToString()) for item in node.attribute
            ]
            for item, other in zip(node.attribute, scores, strict=True):
                item.g.CopyFrom(found[other])
    onnx.save(model, str(path))
    assert np.abs(before - answers(path, feed)).max() < 1e-5


@pytest.mark.parametrize("pair_vector", ["cls", "cls+entities"])
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_copies_answer_together_as_they_do_alone(encoder_folder, tmp_path, pair_vector, precision):
    """Whatever their lengths, and however many markers the others have."""
    made = build(encoder_folder, "pair", pair_vector)
    for head in (made.model.relation, made.model.novelty):
        torch.nn.init.normal_(head.linear.weight, std=0.3)
    export_model(made, tmp_path / "model", DecisionSettings(), precision=precision)
    path = tmp_path / "model" / "model.onnx"
    feed = example(3, 60, lengths=(60, 22, 41), markers=(2, 14, 1))
    together = answers(path, feed)
    for row, length in enumerate((60, 22, 41)):
        alone = answers(path, {name: value[row : row + 1, :length] for name, value in feed.items()})
        assert np.abs(together[row] - alone[0]).max() < 1e-4
    assert np.abs(together[0] - together[1]).max() > 1e-2


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_bits_of_a_copy_depend_on_itself_alone(encoder_folder, tmp_path, precision):
    """Though one with many markers has its batch compute many rows of the last layer."""
    export_model(
        build(encoder_folder, "pair"), tmp_path / "m", DecisionSettings(), precision=precision
    )
    model = PairModel(load_bundle(tmp_path / "m"), threads=1, batch_tokens=10_000)
    draw = np.random.default_rng(6)
    copies = []
    for count in (0, 1, 2, 3, 5, 9, 17, 30):
        starts = tuple(sorted(map(int, draw.choice(np.arange(1, 50), count, replace=False))))
        owners = tuple(map(int, draw.integers(1, 4, count)))
        copies.append(PairInput(tuple(map(int, draw.integers(5, 40, 50))), starts, owners))
    together = model.logits(copies)
    for row, copy in enumerate(copies):
        alone = model.logits([copy])
        assert together.relation[row].tobytes() == alone.relation[0].tobytes()
        assert together.novelty[row].tobytes() == alone.novelty[0].tobytes()


def test_a_copy_without_a_marker_in_sight_is_judged_by_its_beginning(encoder_folder, tmp_path):
    made = build(encoder_folder, "pair")
    export_model(made, tmp_path / "model", DecisionSettings(), precision="fp32")
    feed = example(1, 30, markers=(0,))
    names = ("input_ids", "attention_mask", "first_starts", "second_starts")
    with torch.no_grad():
        model = made.model
        tensors = [torch.from_numpy(feed[name]) for name in names]
        hidden = model.hidden(*tensors[:2])
        wanted = model.relation(model.pair_vectors(hidden, *tensors[2:]))
    assert np.abs(answers(tmp_path / "model/model.onnx", feed) - wanted.numpy()).max() < TOLERANCE


def example(batch, length, *, lengths=None, markers=None):
    """Random copies, the first tokens of each its own."""
    draw = np.random.default_rng(5)
    mask = np.ones((batch, length), np.int64)
    starts = np.zeros((2, batch, length), np.float32)
    for row in range(batch):
        end = lengths[row] if lengths else length
        mask[row, end:] = 0
        for side in range(2):
            count = markers[row] if markers else 2
            starts[side, row, draw.choice(np.arange(1, end), count, replace=False)] = 1
    return {
        "input_ids": draw.integers(5, 40, (batch, length)),
        "attention_mask": mask,
        "first_starts": starts[0],
        "second_starts": starts[1],
    }


def answers(path, feed):
    return onnxruntime.InferenceSession(str(path)).run(["relation"], feed)[0]


@pytest.mark.parametrize("reading", READINGS)
def test_an_unknown_kind_of_encoder_is_traced_step_by_step(
    encoder_folder, tmp_path, monkeypatch, reading
):
    monkeypatch.setattr(marked_rows, "KINDS", ())
    made = build(encoder_folder, reading)
    export_model(made, tmp_path / "model", DecisionSettings(), precision="fp32")
    assert parity(made, tmp_path / "model" / "model.onnx", seed=4) < TOLERANCE
    outer, branches = kinds(tmp_path / "model" / "model.onnx")
    assert branches == []
    assert outer.count("Softmax") >= made.model.encoder.config.num_hidden_layers


def test_the_encoder_is_given_back_as_it_was_even_after_a_failure(encoder_folder):
    encoder = build(encoder_folder, "pair").model.encoder
    found = []

    def fail():
        with masked.masked_attention(encoder):
            found.append(encoder.config._attn_implementation)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert found != [attention.NAME]
    assert encoder.config._attn_implementation == attention.NAME
