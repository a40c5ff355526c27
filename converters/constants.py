"""The floating constants of an ONNX file, mapped from where they lie on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir

from assay.converters.stored_weights import StoredTensor, read_with_stored_weights

_FLOATS = (ir.DataType.FLOAT16, ir.DataType.BFLOAT16, ir.DataType.FLOAT, ir.DataType.DOUBLE)


def floating_constants(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name and array of each floating initializer and Constant of a graph or function, in the file's order.

    What is large is mapped, not read; what can't be read is left out. Raises `UnreadableError`.
    """
    _, model = read_with_stored_weights(file)
    for name, tensor in _tensors(model):
        if tensor.dtype in _FLOATS and (array := _array(tensor)) is not None:
            yield name, array


def _tensors(model: ir.Model) -> Iterator[tuple[str, ir.TensorProtocol]]:
    graphs = [model.graph, *model.graph.subgraphs()]
    for graph in graphs:
        yield from ((name, v.const_value) for name, v in graph.initializers.items() if v.const_value is not None)
    bodies: tuple[ir.Graph | ir.Function, ...] = (model.graph, *model.functions.values())
    for body in bodies:
        for node in body.all_nodes():
            value = node.attributes.get("value") if node.op_type == "Constant" else None
            if value is not None and not value.is_ref() and value.type == ir.AttributeType.TENSOR:
                yield node.outputs[0].name or "", value.as_tensor()


def _array(tensor: ir.TensorProtocol) -> np.ndarray | None:
    try:
        if isinstance(tensor, StoredTensor):
            return _mapped(tensor)
        return np.asarray(tensor.numpy())
    except (OSError, ValueError, TypeError):  # a file that is not there, or bytes that are not what the shape asks for
        return None


def _mapped(tensor: StoredTensor) -> np.ndarray | None:
    dtype, shape = tensor.dtype.numpy(), tensor.shape.numpy()
    if tensor.length != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
        return None
    array: np.ndarray = np.memmap(tensor.file, np.dtype(np.uint8), "r", tensor.offset, (tensor.length,))
    return array.view(dtype).reshape(shape)
