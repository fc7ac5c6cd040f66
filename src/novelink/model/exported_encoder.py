"""The encoder of an exported model, read back from its graph.

A model that ships is an ONNX graph, its weights whole numbers and scales. They
are enough to learn on from: what rounding changed is far below what a training
step changes. Heads stay behind, as they belong to the classes of their model.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.model import attention
from novelink.runtime.bundle import load_bundle
from novelink.runtime.difference import difference_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from transformers import PreTrainedModel

GRAPH = "model.onnx"
_PREFIX = "encoder."
_OWN = "model.encoder."  # as the exporter names parameters that it leaves alone
_WORDS = "embeddings.word_embeddings.weight"
# A per-pair graph computes the last layer for the rows that it needs, outside the encoder.
_LAST = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output.dense": "attention.output.dense",
    "intermediate.dense": "intermediate.dense",
    "output.dense_1": "output.dense",
}


def is_exported_model(name: str) -> bool:
    """Whether a name is the folder of a model that ``novelink export`` made."""
    folder = Path(name)
    return (folder / GRAPH).is_file() or difference_file(folder, GRAPH) is not None


def exported_encoder(
    folder: Path, *, dropout: float | None = None, attention_dropout: float | None = None
) -> PreTrainedModel:
    """A BERT encoder in float32, its weights those of the graph.

    Args:
        folder: of a model that ``novelink export`` made, in float32 or int8.
        dropout: after each sub-layer; 0.1 where it is None.
        attention_dropout: on attention weights; 0.1 where it is None.

    Raises:
        ModelError: the file cannot be read, or its encoder is not a BERT.
    """
    import torch
    from transformers import AutoModel, BertConfig

    weights, facts = _read(folder / GRAPH)
    layers = {int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")}
    try:
        config = BertConfig(
            vocab_size=weights[_WORDS].shape[0],
            hidden_size=weights[_WORDS].shape[1],
            num_hidden_layers=len(layers),
            num_attention_heads=facts["num_heads"],
            intermediate_size=weights["encoder.layer.0.intermediate.dense.weight"].shape[0],
            max_position_embeddings=weights["embeddings.position_embeddings.weight"].shape[0],
            type_vocab_size=weights["embeddings.token_type_embeddings.weight"].shape[0],
            layer_norm_eps=facts["epsilon"],
        )
    except KeyError as error:
        raise _not_read(folder, f"{error.args[0]} is not in it") from error
    if dropout is not None:
        config.hidden_dropout_prob = dropout
    if attention_dropout is not None:
        config.attention_probs_dropout_prob = attention_dropout
    encoder: PreTrainedModel = AutoModel.from_config(
        config, attn_implementation=attention.register(), dtype=torch.float32
    )
    try:
        left = encoder.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise _not_read(folder, "its weights are of other sizes") from error
    # No head here uses the pooler, so no graph holds it.
    missing = [name for name in left.missing_keys if not name.startswith("pooler.")]
    if missing or left.unexpected_keys:
        raise _not_read(folder, f"{(missing or left.unexpected_keys)[0]} is not where it should be")
    return encoder


def _not_read(folder: Path, reason: str) -> ModelError:
    return ModelError(
        f"cannot read an encoder back from the graph: {reason}",
        source=str(folder / GRAPH),
        remedy="Only BERT encoders can; otherwise give the folder 'best' of the run that made it",
    )


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Parameter → weights, and what the graph says of heads and norms."""
    import onnx
    import torch
    from onnx import numpy_helper

    try:
        if path.exists():
            graph = onnx.load(str(path)).graph
        else:  # one that ships, kept as a difference
            graph = onnx.load_from_string(load_bundle(path.parent).contents[GRAPH]).graph
    except Exception as error:  # protobuf's own is not importable by a stable name
        raise ModelError(f"cannot read the graph: {error}", source=str(path)) from error
    arrays = {item.name: item for item in graph.initializer}
    weights: dict[str, torch.Tensor] = {}

    def value(name: str) -> torch.Tensor:
        return torch.from_numpy(numpy_helper.to_array(arrays[name]).copy()).float()

    for name in arrays:
        if name.startswith(_OWN):
            own = name.removeprefix(_OWN)
            if own == f"{_WORDS}_int8":
                weights[_WORDS] = value(name) * value(f"{_OWN}{_WORDS}_scale")
            elif own != f"{_WORDS}_scale":
                weights[own] = value(name)
    depth = 1 + max((int(name.split(".")[2]) for name in weights if ".layer." in name), default=0)
    for node, weight in _products(graph, arrays):
        place = _parameter(node.name, depth)
        if place is None:
            continue
        if weight.endswith("_int8"):
            matrix = value(weight) * value(f"{weight.removesuffix('_int8')}_scale")
        else:
            matrix = value(weight)
        weights[place] = matrix.T.contiguous()
    return weights, dict(_facts(graph))


def _products(graph: Any, arrays: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Nodes that multiply by a matrix of weights, and the name of that matrix."""
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulIntegerToFloat") and node.input[1] in arrays:
            yield node, node.input[1]


def _parameter(node: str, depth: int) -> str | None:
    """``/encoder/encoder/layer.0/output/dense/MatMul`` → its parameter; None outside encoders."""
    path = node.strip("/").removesuffix("/MatMul").replace("/", ".")
    if path.startswith(_PREFIX):
        return f"{path.removeprefix(_PREFIX)}.weight"
    if path in _LAST:
        return f"encoder.layer.{depth - 1}.{_LAST[path]}.weight"
    return None


def _facts(graph: Any) -> Iterator[tuple[str, Any]]:
    """Attributes that the configuration needs, wherever they stand in the graph."""
    for node in graph.node:
        for item in node.attribute:
            if item.name == "num_heads":
                yield "num_heads", item.i
            elif item.name == "epsilon":
                yield "epsilon", item.f
            elif item.HasField("g"):
                yield from _facts(item.g)
