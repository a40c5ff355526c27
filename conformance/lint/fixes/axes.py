"""Axes without a name, and declared shapes that the graph contradicts."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from assay.conformance.lint.fixes.registry import Draft, fixes


@fixes("SH001")
def name_axes(draft: Draft) -> None:
    """An unnamed first axis of the inputs is the batch; any other is named after its value and place."""
    for value in (*draft.graph.inputs, *draft.graph.outputs):
        if value.shape is not None and value.name not in draft.graph.initializers:
            value.shape = ir.Shape([_named(value, index, dim) for index, dim in enumerate(value.shape)])


@fixes("SH003")
def declare_inferred_shapes(draft: Draft) -> None:
    """Declared shapes of inner values and outputs go; shape inference says them anew from the inputs."""
    for node in draft.graph.all_nodes():
        for value in node.outputs:
            value.shape = None
    ShapeInferencePass()(draft.model)


def _named(value: ir.Value, index: int, dim: int | ir.SymbolicDim) -> int | str:
    if isinstance(dim, int):
        return dim
    name = dim.value or ""
    if (name and not name.startswith(("unk__", "s", "u"))) or (name.isidentifier() and not name[1:].isdigit()):
        return name
    return "batch" if index == 0 else f"{value.name}_{index}"
