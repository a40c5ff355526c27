"""Dynamic axes get the names of the interface, in inputs, outputs and every shape between them."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from assay.converters.passes.context import PassContext
from assay.specs.interface import Axis, TensorSpec


def name_dynamic_axes(model: ir.Model, context: PassContext) -> None:
    """Name in place; an output axis that follows no input axis is named by its place."""
    renamed: dict[str, str] = {}
    for value, spec in zip(model.graph.inputs, context.interface.inputs, strict=True):
        _name_input(value, spec, renamed)
    _rename_inner(model, renamed)
    ShapeInferencePass()(model)
    for value, spec in zip(model.graph.outputs, context.interface.outputs, strict=True):
        _name_output(value, spec)


def _name_input(value: ir.Value, spec: TensorSpec, renamed: dict[str, str]) -> None:
    if spec.dims is None:
        return
    for dim, own in zip(spec.dims, value.shape or (), strict=False):
        if isinstance(dim, Axis) and isinstance(own, ir.SymbolicDim) and own.value:
            renamed[own.value] = dim.name
    value.shape = ir.Shape([dim.name if isinstance(dim, Axis) else dim for dim in spec.dims])


def _rename_inner(model: ir.Model, renamed: dict[str, str]) -> None:
    """Other symbols are the exporter's own counters; they go, and shape inference says again what follows."""
    for node in model.graph.all_nodes():
        for value in node.outputs:
            if value.shape is not None:
                value.shape = ir.Shape([_renamed(dim, renamed) for dim in value.shape])


def _renamed(dim: int | ir.SymbolicDim, renamed: dict[str, str]) -> int | ir.SymbolicDim:
    if isinstance(dim, int):
        return dim
    return ir.SymbolicDim(renamed.get(dim.value or ""))


def _name_output(value: ir.Value, spec: TensorSpec) -> None:
    if spec.dims is None:
        return
    own: list[int | ir.SymbolicDim] = list(value.shape) if value.shape is not None else []
    if len(own) != len(spec.dims):
        own = [ir.SymbolicDim(None)] * len(spec.dims)
    dims = [
        _output_dim(graph, seen, f"{spec.name}_{i}") for i, (graph, seen) in enumerate(zip(own, spec.dims, strict=True))
    ]
    value.shape = ir.Shape(dims)


def _output_dim(graph: int | ir.SymbolicDim, seen: int | Axis, fallback: str) -> int | str:
    """What the graph fixes stays, so that a frozen axis is seen; what it leaves open is named after the source."""
    if isinstance(graph, int):
        return graph
    if isinstance(seen, Axis):
        return seen.name
    return graph.value or fallback
