"""Attention as one node of the exported graph, with padding or without.

Traced step by step, attention becomes a dozen nodes that write scores, masked
scores and weights to memory, one after the other. onnxruntime has it as one
operator, ``MultiHeadAttention``, which works on tiles that stay in the cache,
the faster the longer the text; but only where nothing is masked. So every
attention is a choice in the graph: the operator without a mask where no token
of the batch is padding, as nearly always when the extractor runs it, and with
the mask otherwise.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from novelink.model import attention
from novelink.model.marked_rows import can_read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from transformers import PreTrainedModel

_NAME = "novelink-masked"
_DOMAIN, _KIND = "novelink", "Attention"
_CONTRIB = "com.microsoft"
# What stands between a projection and the operator: split into heads, and joined again.
_THERE_AND_BACK = ["Reshape", "Transpose", "Transpose", "Reshape"]


class _Attention(torch.autograd.Function):
    """One node for the exporter, plain attention for torch."""

    @staticmethod
    def forward(  # noqa: PLR0917 (autograd gives them by position)
        _: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor,
        heads: int,
        scale: float,
    ) -> torch.Tensor:
        """What the node computes."""
        asked, keys, values = (
            one.reshape(*one.shape[:2], heads, -1).transpose(1, 2) for one in (query, key, value)
        )
        scores = (asked * scale) @ keys.transpose(-1, -2)
        weights = scores.masked_fill(mask[:, None, None] == 0, -torch.inf).softmax(-1)
        read: torch.Tensor = (weights @ values).transpose(1, 2).flatten(2)
        return read

    @staticmethod
    def symbolic(  # noqa: PLR0917 (as above)
        graph: Any, query: Any, key: Any, value: Any, mask: Any, heads: int, scale: float
    ) -> Any:
        """The node, until :func:`choose_kernels`."""
        inputs = query, key, value, mask
        made = graph.op(f"{_DOMAIN}::{_KIND}", *inputs, num_heads_i=heads, scale_f=scale)
        return made.setType(query.type())


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    *,
    heads: int,
    scale: float,
) -> torch.Tensor:
    """``softmax(q kᵀ · scale) v`` of all heads, one node when traced.

    Args:
        query: ``[B, Q, h]``.
        key: ``[B, L, h]``.
        value: ``[B, L, h]``.
        mask: ``[B, L]``, 0 where not to attend.
        heads: into how many h is split.
        scale: of the scores.

    Returns:
        ``[B, Q, h]``.
    """
    function: Any = _Attention
    read: torch.Tensor = function.apply(query, key, value, mask, heads, scale)
    return read


def _interface(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    *,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The library's form: ``[B, heads, L, d]`` each, a mask ``[B, L]``."""
    query, key, value = (one.transpose(1, 2).flatten(2) for one in (query, key, value))
    heads = module.num_attention_heads
    return attend(query, key, value, attention_mask, heads=heads, scale=scaling), None


def _mask(*_: Any, attention_mask: torch.Tensor, **__: Any) -> torch.Tensor:
    """The library asks for a mask of scores; the operator takes that of the tokens."""
    return attention_mask


@contextmanager
def masked_attention(encoder: PreTrainedModel) -> Iterator[None]:
    """Within it, an encoder's attention is one node each, where it is of a known kind."""
    if not can_read_rows(encoder):
        yield
        return
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(_NAME, _interface)
    AttentionMaskInterface.register(_NAME, _mask)
    encoder.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        encoder.set_attn_implementation(attention.NAME)


def choose_kernels(path: Path) -> None:
    """Put onnxruntime's operator in the place of each such node of a graph, in the file."""
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    nodes: list[Any] = []
    masks: dict[str, tuple[str, str]] = {}
    for node in graph.node:
        if node.domain != _DOMAIN:
            nodes.append(node)
            continue
        *values, mask = node.input
        if mask not in masks:
            masks[mask] = f"{mask}_tokens", f"{mask}_is_full"
            nodes += _mask_nodes(mask, *masks[mask])
        sources = [_unsplit(name, makers) for name in values]
        nodes.append(_choice(node, sources, *masks[mask]))
    del graph.node[:]
    graph.node.extend(_needed(nodes, [item.name for item in graph.output]))
    if masks:
        kept = [item for item in model.opset_import if item.domain not in (_DOMAIN, _CONTRIB)]
        del model.opset_import[:]
        model.opset_import.extend([*kept, onnx.helper.make_opsetid(_CONTRIB, 1)])
    onnx.save(model, str(path))


def _mask_nodes(mask: str, tokens: str, full: str) -> list[Any]:
    from onnx import TensorProto, helper

    return [
        helper.make_node("Cast", [mask], [tokens], to=TensorProto.INT32),
        helper.make_node("ReduceMin", [tokens], [f"{full}_least"], keepdims=0),
        helper.make_node("Cast", [f"{full}_least"], [full], to=TensorProto.BOOL),
    ]


def _unsplit(name: str, makers: dict[str, Any]) -> str:
    """The projection itself, where it was only split into heads and joined again."""
    source, steps = name, list[str]()
    while len(steps) < len(_THERE_AND_BACK) and source in makers:
        steps.append(makers[source].op_type)
        source = makers[source].input[0]
    return source if steps == _THERE_AND_BACK else name


def _choice(node: Any, sources: list[str], tokens: str, full: str) -> Any:
    from onnx import TensorProto, helper

    settings = {item.name: helper.get_attribute_value(item) for item in node.attribute}

    def branch(name: str, inputs: list[str]) -> Any:
        output = f"{node.output[0]}_{name}"
        kernel = helper.make_node(
            "MultiHeadAttention", inputs, [output], name=output, domain=_CONTRIB, **settings
        )
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        return helper.make_graph([kernel], name, [], [value])

    return helper.make_node(
        "If",
        [full],
        [node.output[0]],
        name=node.name,
        then_branch=branch("whole", sources),
        else_branch=branch("masked", [*sources, "", tokens]),
    )


def _needed(nodes: list[Any], outputs: list[str]) -> list[Any]:
    """Nodes that an output depends on, in their order."""
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):
        if wanted.isdisjoint(node.output):
            continue
        kept.append(node)
        wanted.update(node.input)
        for item in node.attribute:
            # What a branch reads from outside.
            wanted.update(name for inner in item.g.node for name in inner.input)
    return kept[::-1]
