"""Reading a model while the weights inside its file stay there, as external data does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

import onnx
import onnx_ir as ir

from assay.converters.files import UnreadableError, decode, mapped_file, parse_model
from assay.converters.wire_format import joined, without_weights

_SMALLEST = 1 << 20  # bytes
_LARGEST_REST = 1 << 28  # bytes


class StoredTensor(ir.LazyTensor):
    """A tensor whose bytes lie in the model's own file; they are read when asked for, and not kept.

    ``offset`` and ``length`` are in bytes; the length is what the file has, and may not be what the shape asks for.
    """

    def __init__(self, file: Path, tensor: ir.ExternalTensor) -> None:
        super().__init__(self._read, tensor.dtype, tensor.shape, cache=False, name=tensor.name)
        self.file, self.offset, self.length = file, tensor.offset or 0, tensor.length or 0

    def _read(self) -> ir.TensorProtocol:
        with self.file.open("rb") as file:
            file.seek(self.offset)
            return raw_tensor(self.dtype, self.shape.numpy(), file.read(self.length))


def raw_tensor(dtype: ir.DataType, shape: Sequence[int], data: bytes) -> ir.TensorProtocol:
    """A tensor of these bytes, as ONNX lays them out."""
    return ir.TensorProtoTensor(onnx.TensorProto(data_type=dtype, dims=shape, raw_data=data))


def read_with_stored_weights(file: Path) -> tuple[onnx.ModelProto, ir.Model]:
    """The protobuf and the model in an ONNX file; weights of 1 MiB and more are `StoredTensor` in the model.

    In the protobuf they have the form of external data. Raises `UnreadableError`.
    """
    location = f"stored {secrets.token_hex(16)}"  # nothing in the file can pass for it
    with mapped_file(file) as data:
        pieces = without_weights(data, onnx.ModelProto, _SMALLEST, location)
        size = sum(map(len, pieces))
        if size > _LARGEST_REST:
            due = f"but can be judged with at most {_LARGEST_REST}"
            raise UnreadableError(file, f"holds {size} bytes besides its raw weights, {due}")
        rest = joined(data, pieces)
    proto = decode(rest, file)
    model = parse_model(proto, file)
    _place(model, file, location)
    return proto, model


def _place(model: ir.Model, file: Path, location: str) -> None:
    """Put a `StoredTensor` for every tensor that has this location."""
    bodies: tuple[ir.Graph | ir.Function, ...] = (model.graph, *model.functions.values())
    for graph in (graph for body in bodies for graph in (*_itself(body), *body.subgraphs())):
        for value in graph.initializers.values():
            if _is_stored(value.const_value, location):
                value.const_value = StoredTensor(file, value.const_value)
    for node in (node for body in bodies for node in body.all_nodes()):
        for name, attribute in list(node.attributes.items()):
            is_tensor = not attribute.is_ref() and attribute.type == ir.AttributeType.TENSOR
            if is_tensor and _is_stored(attribute.value, location):
                node.attributes[name] = ir.AttrTensor(name, StoredTensor(file, attribute.value))


def _itself(body: ir.Graph | ir.Function) -> Iterator[ir.Graph]:
    if isinstance(body, ir.Graph):
        yield body


def _is_stored(tensor: object, location: str) -> TypeGuard[ir.ExternalTensor]:
    return isinstance(tensor, ir.ExternalTensor) and str(tensor.location) == location
