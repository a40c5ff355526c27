"""Shape inference that believes the inputs' shapes and the operators, and nothing else that a file declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import onnx_ir as ir

if TYPE_CHECKING:
    import onnx

Shape = tuple[int | str | None, ...]

_WEIGHT_BYTES = 1024  # smaller constants may be targets of a Reshape, axes, sizes: inference reads their values


def inferred_shapes(model: ir.Model) -> dict[str, Shape]:
    """The shape of each value of the main graph whose rank the operators imply; weights are never copied."""
    from onnx import shape_inference

    proto = shape_inference.infer_shapes(ir.to_proto(_skeleton(model)), data_prop=True)
    graph = proto.graph
    values = (*graph.input, *graph.value_info, *graph.output)
    typed = {value.name: value.type.tensor_type.shape.dim for value in values if _has_shape(value.type)}
    return {name: tuple(map(_dim, dims)) for name, dims in typed.items()}


def _skeleton(model: ir.Model) -> ir.Model:
    """A copy without weights and without declared shapes of computed values."""
    copy = model.clone()
    graph = copy.graph
    for value in list(graph.initializers.values()):
        _feed_instead(graph, value)
    for node in list(graph):
        if _is_large_constant(node):
            graph.inputs.append(_replacement(node))
            graph.remove(node, safe=False)
    for value in _computed(copy):
        value.shape = None
    return copy


def _feed_instead(graph: ir.Graph, value: ir.Value) -> None:
    """Turn a large initializer into an input of its shape."""
    tensor = value.const_value
    if tensor is None or tensor.nbytes <= _WEIGHT_BYTES:
        return
    value.shape, value.dtype = ir.Shape(tensor.shape.numpy()), tensor.dtype
    del graph.initializers[str(value.name)]
    value.const_value = None
    if value not in graph.inputs:
        graph.inputs.append(value)


def _is_large_constant(node: ir.Node) -> bool:
    attribute = node.attributes.get("value") if node.op_type == "Constant" and not node.domain else None
    if attribute is None or attribute.is_ref() or node.outputs[0].is_graph_output():
        return False
    return attribute.as_tensor().nbytes > _WEIGHT_BYTES


def _replacement(node: ir.Node) -> ir.Value:
    tensor, output = node.attributes["value"].as_tensor(), node.outputs[0]
    value = ir.Value(name=output.name, shape=ir.Shape(tensor.shape.numpy()), type=ir.TensorType(tensor.dtype))
    output.replace_all_uses_with(value)
    output.name = None
    return value


def _computed(model: ir.Model) -> Iterator[ir.Value]:
    for graph in (model.graph, *model.graph.subgraphs()):
        yield from (value for node in graph for value in node.outputs)
        if graph is not model.graph:
            yield from graph.inputs


def _has_shape(kind: onnx.TypeProto) -> bool:
    return bool(kind.HasField("tensor_type") and kind.tensor_type.HasField("shape"))


def _dim(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    return int(dim.dim_value) if dim.HasField("dim_value") else str(dim.dim_param) or None
