"""An ONNX model in float64: initializers, constants, casts, subgraphs and functions.

An operator without a float64 kernel in ONNX Runtime is written out where an expansion is known, else it stays as it is
between casts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnx.inliner
import onnx.shape_inference
import onnx_ir as ir
from onnx_ir.tape import Tape

from assay.converters.sources import onnx_expansions as expansions
from assay.converters.sources import onnx_kernels as kernels
from assay.converters.sources import onnx_windows as windows

EXPANSIONS: dict[str, Callable[[expansions.Expansion], ir.Value | None]] = {
    "AveragePool": windows.average_pool,
    "Conv": windows.conv,
    "Elu": expansions.elu,
    "Erf": expansions.erf,
    "Gelu": expansions.gelu,
    "GlobalAveragePool": expansions.global_average_pool,
    "GlobalMaxPool": expansions.global_max_pool,
    "HardSigmoid": expansions.hard_sigmoid,
    "InstanceNormalization": expansions.instance_normalization,
    "LeakyRelu": expansions.leaky_relu,
    "Mean": expansions.mean,
    "PRelu": expansions.prelu,
    "Selu": expansions.selu,
    "Softplus": expansions.softplus,
    "Softsign": expansions.softsign,
}
_OLDEST_OPSET = 13  # of those in which the expansions are written
_DTYPE_ATTRIBUTES = {"to", "dtype", "output_dtype"}


class NoFloat64(Exception):
    """A model that can't be rewritten; says why."""


def to_float64(model: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """The model in float64, its inputs and outputs too, and the operators that stay in lower precision, sorted.

    Weights are part of the given model. Raises `NoFloat64` where the type of a value that matters is not known.
    """
    try:
        result = _inlined(model)
    except (ValueError, RuntimeError, onnx.shape_inference.InferenceError) as error:
        raise NoFloat64(str(error)) from error
    opsets = dict(result.opset_imports)
    graphs = [result.graph, *result.graph.subgraphs()]
    nodes = [node for graph in graphs for node in graph]
    plan = [(node, kernels.runs_in_float64(node, opsets)) for node in nodes]  # before dtypes change
    kept = {node.op_type for node, runs in plan if not _rewritten(node, runs, opsets)}
    for graph in graphs:
        _raise_values(graph)
    return ir.to_proto(result), tuple(sorted(kept))


def _inlined(model: onnx.ModelProto) -> ir.Model:
    """With types, without functions, and with operators written out that have a definition and no float64 kernel."""
    inlined = onnx.inliner.inline_local_functions(model) if model.functions else model
    typed = ir.from_proto(onnx.shape_inference.infer_shapes(inlined))
    opsets = dict(typed.opset_imports)
    lacking = [node for node in typed.graph.all_nodes() if not kernels.has_kernel(node, opsets)]
    defined = {node.op_type for node in lacking if kernels.has_definition(node, opsets)} - set(EXPANSIONS)
    if not defined:
        return typed
    names = [("", name) for name in sorted(defined)]
    inlined = onnx.inliner.inline_selected_functions(inlined, names, inline_schema_functions=True)
    return ir.from_proto(onnx.shape_inference.infer_shapes(inlined))


def _rewritten(node: ir.Node, runs: bool, opsets: dict[str, int]) -> bool:
    """Whether the node works in float64 now."""
    if runs:
        _raise_attributes(node)
        return True
    if _expanded(node, opsets.get("", 1)):
        return True
    return not _between_casts(node, opsets)


def _expanded(node: ir.Node, opset: int) -> bool:
    if node.domain not in ("", "ai.onnx") or node.op_type not in EXPANSIONS or opset < _OLDEST_OPSET:
        return False
    tape = Tape()
    value = EXPANSIONS[node.op_type](expansions.Expansion(node, tape, opset))
    if value is None:
        return False
    assert node.graph is not None
    if (dtype := node.outputs[0].dtype) is not None:
        value.dtype = dtype
    for index, made in enumerate(output for new in tape.nodes for output in new.outputs):
        made.name = f"{node.outputs[0].name}/float64/{index}"  # a subgraph must not take a name of the graph around it
    ir.convenience.replace_nodes_and_values(node.graph, node, [node], tape.nodes, [node.outputs[0]], [value])
    return True


def _between_casts(node: ir.Node, opsets: dict[str, int]) -> bool:
    """Casts around a node that stays as it is; whether it gives numbers of low precision."""
    graph = node.graph
    assert graph is not None
    for index, value in enumerate(node.inputs):
        if value is not None and value.dtype in kernels.HIGH:
            cast = _cast(value, value.dtype)
            cast.outputs[0].name = f"{next(filter(None, (o.name for o in node.outputs)))}/float64/{index}"
            graph.insert_before(node, cast)
            node.replace_input_with(index, cast.outputs[0])
    lower = [index for index in range(len(node.outputs)) if _output_dtype(node, index, opsets) in kernels.HIGH]
    for index in lower:
        _cast_output(graph, node, index)
    return bool(lower)


def _cast_output(graph: ir.Graph, node: ir.Node, index: int) -> None:
    value = node.outputs[index]
    name, cast = value.name, _cast(value, ir.DataType.DOUBLE)
    assert value.dtype is not None
    cast.outputs[0].dtype = value.dtype  # raised with all others at the end: until then dtypes are the original's
    graph.insert_after(node, cast)
    value.replace_all_uses_with(cast.outputs[0], replace_graph_outputs=True)
    cast.replace_input_with(0, value)
    value.name, cast.outputs[0].name = f"{name}/low", name


def _output_dtype(node: ir.Node, index: int, opsets: dict[str, int]) -> ir.DataType | None:
    value = node.outputs[index]
    dtype = value.dtype if value.dtype is not None else kernels.output_follows_input(node, opsets, index)
    if dtype is None and (value.uses() or value.is_graph_output()):
        raise NoFloat64(f"the type of {value.name}, an output of {node.op_type}, is not known")
    if dtype is not None:
        value.dtype = dtype
    return dtype


def _cast(value: ir.Value, dtype: ir.DataType) -> ir.Node:
    node = ir.Node("", "Cast", [value], [ir.AttrInt64("to", int(dtype))])
    node.outputs[0].dtype = dtype
    return node


def _raise_attributes(node: ir.Node) -> None:
    for attribute in list(node.attributes.values()):
        raised = _raised(attribute)
        if raised is not None:
            node.attributes.pop(attribute.name)
            node.attributes[raised.name] = raised


def _raised(attribute: ir.Attr) -> ir.Attr | None:
    if attribute.name in _DTYPE_ATTRIBUTES and attribute.value in {int(low) for low in kernels.HIGH}:
        return ir.AttrInt64(attribute.name, int(ir.DataType.DOUBLE))
    if attribute.type == ir.AttributeType.TENSOR and attribute.value.dtype in kernels.HIGH:
        return ir.AttrTensor(attribute.name, ir.tensor(attribute.value.numpy().astype(np.float64)))
    if attribute.name in ("value_float", "value_floats"):
        return ir.AttrTensor("value", ir.tensor(np.array(attribute.value, np.float64)))
    return None


def _raise_values(graph: ir.Graph) -> None:
    for value in graph.initializers.values():
        if value.dtype in kernels.HIGH and value.const_value is not None:
            value.const_value = ir.tensor(value.const_value.numpy().astype(np.float64), name=value.name)
            value.dtype = ir.DataType.DOUBLE
    values = [*graph.inputs, *graph.outputs, *(output for node in graph for output in node.outputs)]
    for value in values:
        if value.dtype in kernels.HIGH and not _stays_low(value):
            value.dtype = ir.DataType.DOUBLE


def _stays_low(value: ir.Value) -> bool:
    """Whether a cast of ours makes or takes the value in low precision."""
    producer = value.producer()
    if producer is None:
        return False
    if producer.op_type == "Cast" and producer.attributes["to"].value in {int(low) for low in kernels.HIGH}:
        return True
    return (value.name or "").endswith("/low")
