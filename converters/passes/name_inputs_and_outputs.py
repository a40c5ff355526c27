"""Graph inputs and outputs get the names of the interface; the order becomes the interface's too."""

from __future__ import annotations

import onnx_ir as ir

from assay.converters.examples import numpy_dtype
from assay.converters.exporter import ConvertError
from assay.converters.passes.context import PassContext


def name_inputs_and_outputs(model: ir.Model, context: PassContext) -> None:
    """Rename in place; an internal value that bears a wanted name moves away first."""
    graph = model.graph
    inputs, outputs = (
        [spec.name for spec in context.interface.inputs],
        [spec.name for spec in context.interface.outputs],
    )
    if len(outputs) != len(graph.outputs):
        raise ConvertError(
            context.source, f"the exporter wrote {len(graph.outputs)} outputs, but the source has {len(outputs)}"
        )
    _separate_outputs(graph)
    _clear_names(model, set(inputs) | set(outputs))
    _restore_inputs(graph, context)
    for value, name in zip(graph.outputs, outputs, strict=True):
        value.name = name


def _separate_outputs(graph: ir.Graph) -> None:
    """Give each output a value of its own where it is an input, a constant or another output."""
    seen: set[ir.Value] = set()
    for index, value in enumerate(graph.outputs):
        if value in seen or value.producer() is None:
            node = ir.Node("", "Identity", [value], num_outputs=1)
            node.outputs[0].shape, node.outputs[0].type = value.shape, value.type
            graph.append(node)
            graph.outputs[index] = node.outputs[0]
        seen.add(graph.outputs[index])


def _clear_names(model: ir.Model, wanted: set[str]) -> None:
    for value in _values(model):
        if value.name in wanted:
            value.name = f"{value.name}__inner"


def _values(model: ir.Model) -> list[ir.Value]:
    found = [*model.graph.inputs, *model.graph.initializers.values()]
    return found + [value for node in model.graph.all_nodes() for value in node.outputs]


def _restore_inputs(graph: ir.Graph, context: PassContext) -> None:
    by_name = {(value.name or "").removesuffix("__inner"): value for value in graph.inputs}
    ordered = []
    for raw, spec in zip(context.raw_inputs, context.interface.inputs, strict=True):
        value = by_name.pop(raw, None) or ir.Value(type=ir.TensorType(ir.DataType.from_numpy(numpy_dtype(spec.dtype))))
        ordered.append((value, spec.name))
    others = list(by_name.values())
    if any(value.name not in graph.initializers for value in others):
        raise ConvertError(context.source, f"the exporter added the inputs {', '.join(str(v.name) for v in others)}")
    graph.inputs[:] = [value for value, _ in ordered]
    for value, name in ordered:
        value.name = name
