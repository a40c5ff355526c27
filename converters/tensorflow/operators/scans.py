"""Running sums and products along an axis, and counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.gathering import scattered
from assay.converters.tensorflow.operators.sizes import END, counted, size
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

Join = Callable[[ir.Value, ir.Value], ir.Value]


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
    tensor = op.inputs[0]
    if tensor.rank and not isinstance(tensor.dim(_axis(op)), int):
        return _products_of_all_before(e, op, tensor.rank, _axis(op))
    return _scan(e, op, 1.0, lambda a, b: e.node("Mul", [a, b]))


def _products_of_all_before(e: Emitter, op: Operation, rank: int, axis: int) -> Tensor:
    """Along an axis of dynamic size: the product of each row of a triangle."""
    tensor = op.inputs[0]
    turn = [*(n for n in range(rank) if n != axis), axis]
    value = e.node("Transpose", [e.logical(tensor)], perm=turn)
    place = counted(e, size(e, tensor, axis))
    rows = e.node("Unsqueeze", [place, e.ints(1)])
    earlier, later = (rows, place) if op.attr("reverse") else (place, rows)
    inside = e.node("Less" if op.attr("exclusive") else "LessOrEqual", [earlier, later])
    one = e.constant(np.array(1, tensor.dtype_numpy))
    triangle = e.node("Where", [inside, e.node("Unsqueeze", [value, e.ints(rank - 1)]), one])
    if e.opset >= 18:
        found = e.node("ReduceProd", [triangle, e.ints(rank)], keepdims=0)
    else:
        found = e.node("ReduceProd", [triangle], axes=[rank], keepdims=0)
    return op.result(e.node("Transpose", [found], perm=np.argsort(turn).tolist()), tensor.shape)


@handles("CumulativeLogsumexp")
def cumulative_logsumexp(e: Emitter, op: Operation) -> Tensor:
    """Logarithms of running sums of exponentials."""

    def joined(a: ir.Value, b: ir.Value) -> ir.Value:
        high, low = e.node("Max", [a, b]), e.node("Min", [a, b])
        ratio = e.node("Exp", [e.node("Sub", [low, high])])
        one = e.constant(np.array(1, op.inputs[0].dtype_numpy))
        found = e.node("Add", [high, e.node("Log", [e.node("Add", [one, ratio])])])
        return e.node("Where", [e.node("IsInf", [high]), high, found])

    return _scan(e, op, -np.inf, joined)


def _scan(e: Emitter, op: Operation, neutral: float, joined: Join) -> Tensor:
    """By doubling: each element is joined with the one 1, 2, 4, ... places before it (Hillis and Steele, 1986).

    A Scan would say the same, but ONNX Runtime dies of it where another axis is empty.
    """
    tensor = op.inputs[0]
    length = tensor.dim(axis := _axis(op)) if tensor.rank else None
    if not isinstance(length, int):
        raise RefusedError("runs along an axis whose size is known only when it runs")
    fill = e.constant(np.array(neutral, tensor.dtype_numpy))
    value, backwards = e.logical(tensor), bool(op.attr("reverse"))
    if op.attr("exclusive"):
        value = _moved(e, value, axis, tensor.rank or 0, 1, fill, backwards)
    step = 1
    while step < length:
        value = joined(_moved(e, value, axis, tensor.rank or 0, step, fill, backwards), value)
        step *= 2
    return op.result(value, tensor.shape)


def _axis(op: Operation) -> int:
    return int(op.array(1, "axis").reshape(())) % max(op.inputs[0].rank or 1, 1)


def _moved(e: Emitter, value: ir.Value, axis: int, rank: int, step: int, fill: ir.Value, backwards: bool) -> ir.Value:
    """Each element some places further on, or back."""
    pads = [0] * (2 * rank)
    pads[axis + rank if backwards else axis] = step
    wide = e.node("Pad", [value, e.ints(*pads), fill])
    start, end = (step, END) if backwards else (0, -step)
    return e.node("Slice", [wide, e.ints(start), e.ints(end), e.ints(axis)])


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
