"""Int8 graphs stay near their float32 ones, token by token, on any processor."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

onnx = pytest.importorskip("onnx", reason="quantising needs the extra 'train'")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 (after the skip)

from novelink.errors import SettingsError  # noqa: E402
from novelink.runtime.graph_file import read_graph_file  # noqa: E402
from novelink.training.quantisation import quantise  # noqa: E402

WIDTH = 48


def feed_forward(path, generator):
    """Look-up, product, GELU written out as exporters do, product: ``[B, L]`` → ``[B, L, h]``."""
    weights = {
        "table": generator.normal(0, 1, (2000, WIDTH)) * generator.exponential(1, (2000, 1)),
        "inner_w": generator.normal(0, 0.2, (WIDTH, 4 * WIDTH)),
        "outer_w": generator.normal(0, 0.2, (4 * WIDTH, WIDTH)),
        "root": np.array(np.sqrt(2)),
        "one": np.array(1.0),
        "half": np.array(0.5),
    }
    nodes = [
        ("Gather", ["table", "ids"], "words"),
        ("MatMul", ["words", "inner_w"], "inner"),
        ("Div", ["inner", "root"], "scaled"),
        ("Erf", ["scaled"], "erf"),
        ("Add", ["erf", "one"], "raised"),
        ("Mul", ["inner", "raised"], "twice"),
        ("Mul", ["twice", "half"], "gelu"),
        ("MatMul", ["gelu", "outer_w"], "states"),
    ]
    graph = helper.make_graph(
        [helper.make_node(kind, given, [out], name=f"/{out}") for kind, given, out in nodes],
        "feed-forward",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["B", "L"])],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["B", "L", WIDTH])],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return path


@pytest.fixture
def made(tmp_path):
    """A graph maker: ways of scaling → the path of the int8 graph, and the float32 one's."""
    whole = feed_forward(tmp_path / "whole.onnx", np.random.default_rng(1))

    def make(**options):
        target = tmp_path / "int8.onnx"
        target.write_bytes(whole.read_bytes())
        quantise(target, **options)
        return target, whole

    return make


def states(path, ids):
    return onnxruntime.InferenceSession(str(path)).run(["states"], {"ids": ids})[0]


def drift(path, whole, ids):
    """Distance over length, mean over tokens."""
    wanted = states(whole, ids)
    distance = np.linalg.norm(states(path, ids) - wanted, axis=-1)
    return float(np.mean(distance / np.linalg.norm(wanted, axis=-1)))


IDS = np.random.default_rng(2).integers(0, 2000, (4, 60))


def test_rows_stay_near_whatever_their_size(made):
    assert drift(*made(scales="rows"), IDS) < 0.03


def test_one_scale_for_all_tokens_loses_far_more(made):
    rows = drift(*made(scales="rows"), IDS)
    assert drift(*made(scales="tensor"), IDS) > 2 * rows


def test_a_row_does_not_depend_on_the_others(made):
    path, _ = made(scales="rows")
    assert not read_graph_file(path.read_bytes()).mixes_samples
    together = states(path, IDS)
    for row in range(len(IDS)):
        assert np.array_equal(states(path, IDS[row : row + 1])[0], together[row])


def test_sums_of_two_products_fit_sixteen_bits(made):
    """What processors without VNNI add in 16 bits: an overflow would change their answers."""
    path, _ = made(scales="rows")
    stored = {item.name: item for item in onnx.load(path).graph.initializer}
    weights = [
        numpy_helper.to_array(item) for name, item in stored.items() if name.endswith("w_int8")
    ]
    assert len(weights) == 2
    step = numpy_helper.to_array(stored["int8_step"])
    zero = int(numpy_helper.to_array(stored["int8_zero"]))
    gelu_step = numpy_helper.to_array(stored["int8_gelu_step"])
    largest = max(zero + round(1 / float(step)), round(1 / float(gelu_step)))
    assert zero - round(1 / float(step)) >= 0
    assert 2 * largest * max(int(np.abs(weight).max()) for weight in weights) <= 2**15 - 1


def test_rows_of_zeros_are_rows_of_zeros(made, tmp_path):
    path, _ = made(scales="rows")
    model = onnx.load(path)
    for item in model.graph.initializer:
        if item.name == "table_scale":
            item.CopyFrom(numpy_helper.from_array(np.zeros((2000, 1), np.float32), item.name))
    onnx.save(model, path)
    assert np.abs(states(path, IDS)).max() < 1e-5


def test_named_nodes_are_left_alone(made):
    path, whole = made(scales="rows", keep=lambda name: name != "/words")
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("MatMul") == 2
    assert drift(path, whole, IDS) < 0.02
    path, _ = made(scales="tensor", keep=lambda name: name.startswith("/states"))
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("MatMul") == 1


def test_the_file_shrinks_to_a_quarter(made):
    path, whole = made(scales="rows")
    assert path.stat().st_size < 0.3 * whole.stat().st_size
    assert not path.with_name("prepared.onnx").exists()


def test_unknown_scales_are_refused(made):
    with pytest.raises(SettingsError, match=r"unknown scales 'columns'.*rows, tensor"):
        made(scales="columns")
