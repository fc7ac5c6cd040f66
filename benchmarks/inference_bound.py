"""The arithmetic an encoder cannot do without, alone; and documents made longer or shorter."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np


def shape():
    """Layers, width, heads and inner width of the shipped encoder."""
    import novelink

    folder = Path(novelink.__file__).parent / "models" / "encoder"
    about = json.loads((folder / "config.json").read_text("utf-8"))
    names = ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size")
    return [about[name] for name in names]


def products_graph(precision):
    """All matrix products of one layer, each on inputs of its own."""
    from onnx import TensorProto, helper, numpy_helper

    _, width, heads, inner = shape()
    draw = np.random.default_rng(1)
    nodes, weights = [], []
    whole = TensorProto.UINT8 if precision == "int8" else TensorProto.FLOAT
    for name, source, rows, columns in (
        ("query", "states", width, width),
        ("key", "states", width, width),
        ("value", "states", width, width),
        ("mixed", "states", width, width),
        ("inner", "states", width, inner),
        ("outer", "wide", inner, width),
    ):
        if precision == "int8":
            matrix = draw.integers(-90, 91, (rows, columns)).astype(np.int8)
            nodes.append(helper.make_node("MatMulInteger", [source, name], [f"{name}_out"]))
        else:
            matrix = draw.normal(size=(rows, columns)).astype(np.float32)
            nodes.append(helper.make_node("MatMul", [source, name], [f"{name}_out"]))
        weights.append(numpy_helper.from_array(matrix, name))
    nodes.append(helper.make_node("MatMul", ["asked", "keys"], ["scores"]))
    nodes.append(helper.make_node("MatMul", ["maps", "values"], ["read"]))
    size = width // heads
    kinds = {
        "states": (whole, ["L", width]),
        "wide": (whole, ["L", inner]),
        "asked": (TensorProto.FLOAT, [heads, "L", size]),
        "keys": (TensorProto.FLOAT, [heads, size, "L"]),
        "maps": (TensorProto.FLOAT, [heads, "L", "L"]),
        "values": (TensorProto.FLOAT, [heads, "L", size]),
    }
    result = TensorProto.INT32 if precision == "int8" else TensorProto.FLOAT
    outputs = [(f"{item.name}_out", result) for item in weights]
    outputs += [("scores", TensorProto.FLOAT), ("read", TensorProto.FLOAT)]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info(name, *kind) for name, kind in kinds.items()],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def products_seconds(lengths, precision):
    """Seconds that the products of all layers take for inputs of these lengths, on one thread."""
    import onnxruntime

    layers, width, heads, inner = shape()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        products_graph(precision).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    draw = np.random.default_rng(2)
    size = width // heads

    def states(length, columns):
        if precision == "int8":
            return draw.integers(0, 182, (length, columns)).astype(np.uint8)
        return draw.normal(size=(length, columns)).astype(np.float32)

    total = 0.0
    for length in lengths:
        feed = {
            "states": states(length, width),
            "wide": states(length, inner),
            "asked": draw.normal(size=(heads, length, size)).astype(np.float32),
            "keys": draw.normal(size=(heads, size, length)).astype(np.float32),
            "maps": draw.random((heads, length, length)).astype(np.float32),
            "values": draw.normal(size=(heads, length, size)).astype(np.float32),
        }
        session.run(["read"], feed)
        start = time.perf_counter()
        for _ in range(layers):
            session.run(["read"], feed)
        total += time.perf_counter() - start
    return total


def joined(documents, count, seed):
    """One document of ``count`` others, one after the other; entities keep their ids."""
    from novelink.document import Document, Passage

    passages, mentions, offset = [], [], 0
    for document in random.Random(seed).sample(documents, min(count, len(documents))):
        text = document.text
        passages.append(Passage(offset, text, "paragraph"))
        mentions += [
            replace(
                mention,
                start=mention.start + offset,
                end=mention.end + offset,
                spans=tuple((start + offset, end + offset) for start, end in mention.spans),
            )
            for mention in document.mentions
        ]
        offset += len(text) + 1
    return Document(f"joined-{count}", tuple(passages), tuple(mentions))


def shortened(document, draw):
    """The document up to the end of a sentence drawn at random, its title at least."""
    from novelink.sentences import document_sentences

    end = draw.choice([stop for _, stop in document_sentences(document)])
    passages = tuple(
        replace(passage, text=passage.text[: end - passage.offset])
        for passage in document.passages
        if passage.offset < end
    )
    mentions = tuple(mention for mention in document.mentions if mention.end <= end)
    return replace(document, passages=passages, mentions=mentions, relations=())
