"""What an ONNX file says about itself, read without the ``onnx`` package.

The base install has onnxruntime only, which opens a graph but tells neither
which other files it pulls in nor which operators it holds. Both matter before
it is opened. An ONNX file is a protocol-buffer message; the few fields needed
are found by walking it (field numbers: onnx.proto3 of the ONNX project,
Apache-2.0; wire format: https://protobuf.dev/programming-guides/encoding/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from novelink.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

# message → field number → message that the field holds; all other fields are stepped over.
_NESTED: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Function": {7: "Node"},
    "Node": {5: "Attribute"},
    "Attribute": {
        5: "Tensor",
        6: "Graph",
        10: "Tensor",
        11: "Graph",
        22: "SparseTensor",
        23: "SparseTensor",
    },
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "ExternalData"},
    "ExternalData": {},
}
_OPERATOR = 4  # Node.op_type
_KEY, _VALUE = 1, 2  # ExternalData
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class GraphFile:
    """Facts about one ONNX file.

    Attributes:
        operators: names of the operators in the graph and its subgraphs.
        external_files: files that tensors are stored in, as the graph names
            them; empty when the file holds all of its weights.
    """

    operators: frozenset[str]
    external_files: tuple[str, ...]

    @property
    def mixes_samples(self) -> bool:
        """Whether a sample's result depends on what else is in its batch.

        Dynamic quantisation takes one scale from the range of the whole
        activation tensor, so the samples of a batch round each other.
        """
        return any(name.startswith("DynamicQuantize") for name in self.operators)


def read_graph_file(data: bytes, *, source: str | None = None) -> GraphFile:
    """Walk an ONNX file.

    Args:
        data: the file's bytes.
        source: its name, for the message.

    Raises:
        ModelError: the bytes are no ONNX file.
    """
    operators: set[str] = set()
    external: dict[str, None] = {}
    try:
        _walk(memoryview(data), "Model", operators, external, 0)
    except (IndexError, ValueError) as error:
        raise ModelError(
            "not an ONNX file, or one that was cut off",
            source=source,
            remedy="Export or copy the model again",
        ) from error
    if not operators:
        raise ModelError("the ONNX file holds no operators", source=source)
    return GraphFile(frozenset(operators), tuple(external))


def _walk(
    data: memoryview,
    message: str,
    operators: set[str],
    external: dict[str, None],
    depth: int,
) -> None:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    nested = _NESTED[message]
    entry: dict[int, str] = {}
    for number, value in _fields(data):
        if value is None:
            continue
        if number in nested:
            _walk(value, nested[number], operators, external, depth + 1)
        elif message == "Node" and number == _OPERATOR:
            operators.add(str(value, "utf-8"))
        elif message == "ExternalData" and number in {_KEY, _VALUE}:
            entry[number] = str(value, "utf-8")
    if entry.get(_KEY) == "location":
        external.setdefault(entry.get(_VALUE, ""))


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Field number and, for length-delimited fields, their bytes."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("field number 0")
        if wire == _BYTES:
            length, position = _varint(data, position)
            end = position + length
            if end > len(data):
                raise ValueError("a field ends after its message")
            yield number, data[position:end]
            position = end
        else:
            if wire == _VARINT:
                _, position = _varint(data, position)
            elif wire == _FIXED64:
                position += 8
            elif wire == _FIXED32:
                position += 4
            else:
                raise ValueError(f"wire type {wire}")
            if position > len(data):
                raise ValueError("a field ends after its message")
            yield number, None


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("a number is longer than 64 bits")
