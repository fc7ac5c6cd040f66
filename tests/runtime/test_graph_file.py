"""What is read from an ONNX file before it is opened agrees with the onnx library."""

from __future__ import annotations

import contextlib
import shutil

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from novelink.errors import ModelError
from novelink.runtime.bundle import load_bundle, write_manifest
from novelink.runtime.graph_file import read_graph_file
from novelink.runtime.session import Session


def test_operators_are_those_that_the_onnx_library_sees(tiny_bundle):
    data = (tiny_bundle / "model.onnx").read_bytes()
    expected = {node.op_type for node in onnx.load_from_string(data).graph.node}
    assert read_graph_file(data).operators == expected
    assert read_graph_file(data).external_files == ()
    assert not read_graph_file(data).mixes_samples


def test_dynamic_quantisation_is_noticed(quantised_bundle):
    assert load_bundle(quantised_bundle).graph.mixes_samples


def test_operators_of_subgraphs_and_functions_count():
    inner = helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["a", "b", "c"])], "inner", [], []
    )
    branch = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    function = helper.make_function(
        "own", "F", ["x"], ["y"], [helper.make_node("Abs", ["x"], ["y"])], []
    )
    model = helper.make_model(helper.make_graph([branch], "g", [], []), functions=[function])
    found = read_graph_file(model.SerializeToString())
    assert found.operators == {"If", "DynamicQuantizeLinear", "Abs"}
    assert found.mixes_samples


@pytest.mark.parametrize("data", [b"", b"not a model at all", b"\x3a\xff\xff\xff\xff\x0f"])
def test_other_bytes_are_refused(data):
    with pytest.raises(ModelError, match="ONNX file"):
        read_graph_file(data, source="model.onnx")


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 2_000), noise=st.binary(max_size=40))
def test_damaged_files_never_cause_another_error(tiny_bundle, cut, noise):
    data = (tiny_bundle / "model.onnx").read_bytes()
    with contextlib.suppress(ModelError):
        read_graph_file(data[:cut] + noise + data[cut + len(noise) :][:3_000])


def external(folder, location):
    """Store the model's weights in another file, as the graph names it."""
    model = onnx.load(folder / "model.onnx")
    onnx.save(
        model,
        folder / "model.onnx",
        save_as_external_data=True,
        location="w.bin",
        size_threshold=1_000,
    )
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    write_manifest(folder)


@pytest.mark.parametrize("location", ["../w.bin", "/tmp/w.bin", "missing.bin"])
def test_weights_outside_the_folder_are_refused(tiny_bundle, tmp_path, location):
    folder = shutil.copytree(tiny_bundle, tmp_path / "model")
    external(folder, location)
    with pytest.raises(ModelError, match="not one of the model's files"):
        load_bundle(folder)


def test_weights_in_a_listed_file_of_the_folder_are_used(tiny_bundle, tmp_path):
    folder = shutil.copytree(tiny_bundle, tmp_path / "model")
    external(folder, "w.bin")
    bundle = load_bundle(folder)
    assert bundle.graph.external_files == ("w.bin",)
    Session(bundle, ("input_ids", "attention_mask", "first_starts", "second_starts"), ("relation",))


def test_a_graph_with_other_inputs_is_refused(tiny_bundle):
    with pytest.raises(ModelError, match=r"the graph's inputs are .*first_starts.*; expected x"):
        Session(load_bundle(tiny_bundle), ("x",), ("relation",))
    inputs = ("input_ids", "attention_mask", "first_starts", "second_starts")
    with pytest.raises(ModelError, match="outputs are relation; expected evidence, relation"):
        Session(load_bundle(tiny_bundle), inputs, ("relation", "evidence"))


def test_a_graph_that_onnxruntime_cannot_open_is_one_clear_line(tiny_bundle, tmp_path):
    folder = shutil.copytree(tiny_bundle, tmp_path / "model")
    model = onnx.load(folder / "model.onnx")
    model.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(model, folder / "model.onnx")
    write_manifest(folder)
    with pytest.raises(ModelError, match="onnxruntime cannot open the graph") as caught:
        Session(load_bundle(folder), (), ())
    assert "\n" not in str(caught.value)
