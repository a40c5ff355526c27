"""Shape inference that believes the inputs' shapes and the operators, and nothing else that a file declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import onnx_ir as ir

from assay.conformance.lint.inference_process import infer_shapes

if TYPE_CHECKING:
    import onnx

Shape = tuple[int | str | None, ...]

_RANK = 64
_WEIGHT_ELEMENTS = 256  # smaller constants may be targets of a Reshape, axes, sizes: inference reads their values


@dataclass(frozen=True)
class Inferred:
    """What the operators imply of a value: its dtype, and its shape where the rank follows."""

    dtype: ir.DataType | None
    shape: Shape | None


def inferred_types(model: onnx.ModelProto) -> dict[str, Inferred]:
    """What the operators imply of each tensor of the main graph; weights are never copied.

    Raises `InferenceFailedError`.
    """
    import onnx

    graph = onnx.GraphProto.FromString(infer_shapes(_skeleton(model).SerializeToString()))
    values = (*graph.input, *graph.value_info, *graph.output)
    return {value.name: _inferred(value.type.tensor_type) for value in values if value.type.HasField("tensor_type")}


def _inferred(kind: onnx.TypeProto.Tensor) -> Inferred:
    shape = tuple(map(_dim, kind.shape.dim)) if kind.HasField("shape") else None
    return Inferred(ir.DataType(kind.elem_type) if kind.elem_type in _DTYPES else None, shape)


_DTYPES = frozenset(int(dtype) for dtype in ir.DataType) - {0}


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    return int(dim.dim_value) if dim.HasField("dim_value") else str(dim.dim_param) or None


def _skeleton(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy without the elements of weights and without declared shapes of computed values."""
    import onnx

    copy = onnx.ModelProto(ir_version=model.ir_version)
    copy.opset_import.extend(model.opset_import)
    copy.functions.extend(model.functions)
    _copy_graph(model.graph, copy.graph)
    copy.graph.input.extend(model.graph.input)
    return copy


def _copy_graph(graph: onnx.GraphProto, copy: onnx.GraphProto) -> None:
    copy.name = graph.name
    for value in graph.output:
        _copy_untyped(value, copy.output.add())
    for node in graph.node:
        if _is_light(node):
            copy.node.append(node)
        else:
            _copy_node(node, copy.node.add())
    for tensor in graph.initializer:
        _copy_tensor(tensor, copy.initializer.add())


def _is_light(node: onnx.NodeProto) -> bool:
    return not any(part.HasField("g") or (part.HasField("t") and _is_large(part.t)) for part in node.attribute)


def _is_large(tensor: onnx.TensorProto) -> bool:
    """By its dims: to count bytes would read them; the product of many would have no end."""
    return len(tensor.dims) > _RANK or prod(tensor.dims) > _WEIGHT_ELEMENTS


def _copy_untyped(value: onnx.ValueInfoProto, copy: onnx.ValueInfoProto) -> None:
    """Of a computed value the name alone, where it is a tensor."""
    copy.name = value.name
    if not value.type.HasField("tensor_type"):
        copy.type.CopyFrom(value.type)


def _copy_node(node: onnx.NodeProto, copy: onnx.NodeProto) -> None:
    copy.op_type, copy.domain, copy.name, copy.overload = node.op_type, node.domain, node.name, node.overload
    copy.input.extend(node.input)
    copy.output.extend(node.output)
    for attribute in node.attribute:
        _copy_attribute(attribute, copy.attribute.add())


def _copy_attribute(attribute: onnx.AttributeProto, copy: onnx.AttributeProto) -> None:
    if attribute.HasField("g"):
        copy.name, copy.type = attribute.name, attribute.type
        for value in attribute.g.input:
            _copy_untyped(value, copy.g.input.add())
        _copy_graph(attribute.g, copy.g)
    elif attribute.HasField("t"):
        copy.name, copy.type = attribute.name, attribute.type
        _copy_tensor(attribute.t, copy.t)
    else:
        copy.CopyFrom(attribute)


def _copy_tensor(tensor: onnx.TensorProto, copy: onnx.TensorProto) -> None:
    """Large tensors keep dtype and dims alone."""
    if _is_large(tensor):
        copy.name, copy.data_type = tensor.name, tensor.data_type
        copy.dims.extend(tensor.dims)
    else:
        copy.CopyFrom(tensor)


def is_recursive(calls: Mapping[object, Iterable[object]]) -> bool:
    """Whether any function calls itself, directly or by others; ``calls`` are the functions that each one calls."""
    callers: dict[object, list[object]] = {key: [] for key in calls}
    left = {key: {called for called in found if called in calls} for key, found in calls.items()}
    for key, found in left.items():
        for called in found:
            callers[called].append(key)
    leaves = [key for key, found in left.items() if not found]
    for leaf in leaves:  # which grows
        for caller in callers[leaf]:
            left[caller].discard(leaf)
            if not left[caller]:
                leaves.append(caller)
    return len(leaves) < len(left)
