"""Sums and means of an ONNX graph with a running total, as the plainest implementation adds them up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir


def running_sum(node: ir.Node) -> list[ir.Node]:
    """Nodes whose last one gives what the node does, in float32 by a running total; none where it is no such node."""
    x = node.inputs[0] if node.inputs else None
    if x is None or x.dtype != ir.DataType.FLOAT or x.shape is None:
        return []
    axes = _axes(node, len(x.shape))
    return _nodes(node, x, axes) if axes else []


def _axes(node: ir.Node, rank: int) -> list[int]:
    if node.op_type == "GlobalAveragePool":
        return list(range(2, rank))
    if node.op_type not in ("ReduceMean", "ReduceSum"):
        return []
    given = node.attributes.get("axes")
    axes = given.as_ints() if given else _constant(node.inputs[1] if len(node.inputs) > 1 else None)
    return sorted(axis % rank for axis in axes)


def _constant(value: ir.Value | None) -> Sequence[int]:
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return [] if tensor is None else [int(axis) for axis in tensor.numpy().reshape(-1)]


def _nodes(node: ir.Node, x: ir.Value, axes: Sequence[int]) -> list[ir.Node]:
    assert x.shape is not None
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    last = len(kept)
    constants = [_integers(values) for values in ([0] * last + [-1], last, -1)]
    flat, axis, end = (one.outputs[0] for one in constants)
    ordered = ir.Node("", "Transpose", [x], [ir.AttrInt64s("perm", [*kept, *axes])])
    rows = ir.Node("", "Reshape", [ordered.outputs[0], flat])
    totals = ir.Node("", "CumSum", [rows.outputs[0], axis])
    total = ir.Node("", "Gather", [totals.outputs[0], end], [ir.AttrInt64("axis", last)])
    nodes = [*constants, ordered, rows, totals, total]
    if node.op_type != "ReduceSum":
        nodes += _divided(total.outputs[0], rows.outputs[0], axis)
    shape = ir.Node("", "Shape", [node.outputs[0]])
    return [*nodes, shape, ir.Node("", "Reshape", [nodes[-1].outputs[0], shape.outputs[0]])]


def _divided(total: ir.Value, rows: ir.Value, axis: ir.Value) -> list[ir.Node]:
    shape = ir.Node("", "Shape", [rows])
    count = ir.Node("", "Gather", [shape.outputs[0], axis], [ir.AttrInt64("axis", 0)])
    number = ir.Node("", "Cast", [count.outputs[0]], [ir.AttrInt64("to", int(ir.DataType.FLOAT))])
    return [shape, count, number, ir.Node("", "Div", [total, number.outputs[0]])]


def _integers(values: int | list[int]) -> ir.Node:
    return ir.Node("", "Constant", [], [ir.AttrTensor("value", ir.tensor(np.array(values, np.int64)))])
