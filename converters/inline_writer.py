"""Writes a model with its weights inside one file, each weight straight from where it lies: no copy of all of them.

``SerializeToString`` of the whole model would hold the weights twice more. A protobuf message is the bytes of its
fields one after the other, so the weights' bytes can be put between those of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import onnx
import onnx_ir as ir

from assay.converters.wire_format import BYTES, encoded

_SMALLEST = 1 << 16  # bytes; smaller weights are copied
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # fields of ModelProto, GraphProto, TensorProto


def write_inline(model: ir.Model, path: Path) -> None:
    """Save the model with its weights inside; the same model gives the same bytes. Raises OSError."""
    with _without_large(model) as (proto, large):
        initializers = [_head(tensor, weight) for tensor, weight in zip(_taken(proto), large, strict=True)]
        graph = proto.graph.SerializeToString(deterministic=True)
        proto.ClearField("graph")
        rest = proto.SerializeToString(deterministic=True)
        length = len(graph) + sum(len(head) + weight.nbytes for head, weight in zip(initializers, large, strict=True))
        with path.open("wb") as file:
            file.write(rest + encoded(_GRAPH << 3 | BYTES) + encoded(length) + graph)
            for head, weight in zip(initializers, large, strict=True):
                file.write(head)
                _write(weight, file)


def _head(tensor: onnx.TensorProto, weight: ir.TensorProtocol) -> bytes:
    """What stands before a weight's bytes: the field of the initializer, and all of it but its data."""
    own = tensor.SerializeToString(deterministic=True) + encoded(_RAW_DATA << 3 | BYTES) + encoded(weight.nbytes)
    return encoded(_INITIALIZER << 3 | BYTES) + encoded(len(own) + weight.nbytes) + own


def _write(weight: ir.TensorProtocol, file: BinaryIO) -> None:
    if hasattr(weight, "tofile"):
        weight.tofile(file)
    else:
        file.write(weight.tobytes())


@contextmanager
def _without_large(model: ir.Model) -> Iterator[tuple[onnx.ModelProto, list[ir.TensorProtocol]]]:
    """The model's protobuf with places kept for its large weights, and these; the model is as it was afterwards."""
    taken = [(value, value.const_value) for value in model.graph.initializers.values() if _is_large(value)]
    try:
        for value, tensor in taken:
            assert tensor is not None
            shape = ir.Shape(tensor.shape.numpy())
            value.const_value = ir.ExternalTensor("", 0, 0, tensor.dtype, shape=shape, name=value.name or "")
        yield ir.to_proto(model), [tensor for _, tensor in taken if tensor is not None]
    finally:
        for value, tensor in taken:
            value.const_value = tensor


def _is_large(value: ir.Value) -> bool:
    tensor = value.const_value
    return tensor is not None and tensor.dtype != ir.DataType.STRING and tensor.nbytes >= _SMALLEST


def _taken(proto: onnx.ModelProto) -> list[onnx.TensorProto]:
    """The initializers whose places were kept, taken out of the graph, in its order."""
    held = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in proto.graph.initializer]
    taken = [tensor for tensor in held if tensor.data_location == onnx.TensorProto.EXTERNAL]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(tensor for tensor in held if tensor.data_location != onnx.TensorProto.EXTERNAL)
    for tensor in taken:
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
    return taken
