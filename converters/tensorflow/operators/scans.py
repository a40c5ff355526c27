"""Running sums and products along an axis, and counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.gathering import scattered
from assay.converters.tensorflow.operators.sizes import counted, size, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

Step = Callable[[ir.Value, ir.Value], ir.Value]


@handles("Cumsum")
def cumsum(e: Emitter, op: Operation) -> Tensor:
    """Running sums."""
    tensor, axis = op.inputs
    value = e.node(
        "CumSum",
        [e.logical(tensor), e.logical(axis)],
        exclusive=int(op.attr("exclusive")),
        reverse=int(op.attr("reverse")),
    )
    return op.result(value, tensor.shape)


@handles("Cumprod")
def cumprod(e: Emitter, op: Operation) -> Tensor:
    """Running products."""
    return _scan(e, op, 1.0, lambda state, x: e.node("Mul", [state, x]))


@handles("CumulativeLogsumexp")
def cumulative_logsumexp(e: Emitter, op: Operation) -> Tensor:
    """Logarithms of running sums of exponentials."""

    def step(state: ir.Value, x: ir.Value) -> ir.Value:
        high, low = e.node("Max", [state, x]), e.node("Min", [state, x])
        ratio = e.node("Exp", [e.node("Sub", [low, high])])
        one = e.constant(np.array(1, op.inputs[0].dtype_numpy))
        found = e.node("Add", [high, e.node("Log", [e.node("Add", [one, ratio])])])
        return e.node("Where", [e.node("IsInf", [high]), high, found])

    return _scan(e, op, -np.inf, step)


def _scan(e: Emitter, op: Operation, start: float, step: Step) -> Tensor:
    """A Scan along the axis, whose state is what was found so far."""
    tensor = op.inputs[0]
    if tensor.rank is None:
        raise RefusedError("runs along an axis of a tensor of unknown rank")
    axis = int(op.array(1, "axis").reshape(())) % tensor.rank
    value = e.logical(tensor)
    row = vector(e, [size(e, tensor, n) for n in range(tensor.rank) if n != axis])
    if tensor.rank == 1:
        row = e.constant(np.zeros(0, np.int64))
    state = e.node("Expand", [e.constant(np.array(start, tensor.dtype_numpy)), row])
    dtype = ir.TensorType(op.onnx_dtype())
    before, x = (ir.Value(name=e.unique(f"{op.name}/{part}"), type=dtype) for part in ("before", "element"))
    with e.body() as nodes:
        after = e.node("Identity", [step(before, x)])
        told = e.node("Identity", [before if op.attr("exclusive") else after])
    inner = ir.Graph([before, x], [after, told], nodes=nodes, name=e.unique(f"{op.name}/step"))
    _, found = e.nodes(
        "Scan",
        [state, value],
        2,
        body=inner,
        num_scan_inputs=1,
        scan_input_axes=[axis],
        scan_output_axes=[axis],
        scan_input_directions=[int(op.attr("reverse"))],
        scan_output_directions=[int(op.attr("reverse"))],
    )
    return op.result(found, tensor.shape)


@handles("Bincount", "DenseBincount")
def bincount(e: Emitter, op: Operation) -> Tensor:
    """How often, or with which weight, each number below a size comes; larger ones count for nothing."""
    data, limit, weights = op.inputs
    if data.rank not in (1, 2) or weights.shape is None:
        raise RefusedError(f"counts in a tensor of {data.rank} axes")
    binary = op.type == "DenseBincount" and bool(op.attr("binary_output"))
    weighted = weights.static_shape is None or 0 not in weights.static_shape
    count = e.node("Reshape", [e.int64(limit), e.ints(1)])
    index = e.int64(data)
    index = e.node("Where", [e.node("Less", [index, count]), index, count])
    target = e.node("Add", [count, e.ints(1)])
    places = e.node("Unsqueeze", [index, e.ints(-1)])
    if data.rank == 2:
        rows = e.node("Unsqueeze", [counted(e, size(e, data, 0)), e.ints(1, 2)])
        rows = e.node("Expand", [rows, e.node("Shape", [places])])
        places = e.node("Concat", [rows, places], axis=-1)
        target = e.node("Concat", [size(e, data, 0), target], axis=0)
    one = np.ones((), op.inputs[2].dtype_numpy)
    added = (
        e.logical(weights) if weighted and not binary else e.node("Expand", [e.constant(one), e.node("Shape", [index])])
    )
    zeros = e.node("Expand", [e.constant(np.zeros_like(one)), target])
    found = scattered(e, zeros, places, added, op.dtype(), "add")
    if binary:
        found = e.node("Min", [found, e.constant(one)])
    found = e.node("Slice", [found, e.ints(0), count, e.ints(-1)])
    length: Dim = Symbol() if limit.sizes is None else limit.sizes[0]
    return op.result(found, [length] if data.rank == 1 else [data.dim(0), length])
