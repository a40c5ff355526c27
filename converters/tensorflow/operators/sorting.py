"""Order, ranks and distinct values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.operators.sizes import size
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor


@handles("TopKV2")
def top_k(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The largest of each row in falling order; of equal ones the first."""
    tensor, k = op.inputs
    many = None if k.sizes is None else k.sizes[0]
    count = e.node("Reshape", [e.int64(k), e.ints(1)])
    values, indices = e.nodes("TopK", [e.logical(tensor), count], 2, axis=-1, largest=1, sorted=1)
    shape: list[Dim] | None = None
    if tensor.shape is not None:
        shape = [*tensor.shape[:-1], Symbol() if many is None else many]
    indices = e.node("Cast", [indices], to=op.onnx_dtype(1))
    return [op.result(values, shape), op.result(indices, shape, index=1)]


@handles("InTopK", "InTopKV2")
def in_top_k(e: Emitter, op: Operation) -> Tensor:
    """Whether fewer than k predictions are larger than that of the target; never where one is not finite."""
    predictions, targets, k = op.inputs[0], op.inputs[1], None
    k = e.logical(op.inputs[2]) if len(op.inputs) > 2 else e.constant(np.array(op.attr("k"), targets.dtype))
    value, index = e.logical(predictions), e.int64(targets)
    classes = size(e, predictions, 1)
    inside = e.node("And", [e.node("Less", [index, classes]), e.node("GreaterOrEqual", [index, e.ints(0)])])
    safe = e.node("Unsqueeze", [e.node("Where", [inside, index, e.ints(0)]), e.ints(1)])
    own = e.node("GatherElements", [value, safe], axis=1)
    larger = e.node("Cast", [e.node("Greater", [value, own])], to=ir.DataType.INT64)
    count = e.node("ReduceSum", [larger, e.ints(1)], keepdims=0)
    unknown = e.node("Cast", [_not_finite(e, value)], to=ir.DataType.INT64)
    finite = e.node("Equal", [e.node("ReduceSum", [unknown, e.ints(1)], keepdims=0), e.ints(0)])
    fewer = e.node("Less", [count, e.node("Cast", [k], to=ir.DataType.INT64)])
    return op.result(e.node("And", [e.node("And", [fewer, inside]), finite]), targets.shape)


def _not_finite(e: Emitter, value: ir.Value) -> ir.Value:
    return e.node("Or", [e.node("IsNaN", [value]), e.node("IsInf", [value])])


@handles("Unique", "UniqueV2", "UniqueWithCounts", "UniqueWithCountsV2")
def unique(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """Distinct values in the order in which they come, where each element has its own, and how often each comes."""
    tensor = op.inputs[0]
    axis = None
    if op.type.endswith("V2"):
        axes = op.array(1, "axis").reshape(-1)
        if len(axes) > 0 and tensor.rank != 1:
            axis = int(axes[0])
    values, _, where, counts = e.nodes("Unique", [e.logical(tensor)], 4, axis=axis, sorted=0)
    number = Symbol()
    shape: list[Dim] | None = [number]
    if axis is not None and tensor.shape is not None:
        shape = [number if n == axis % len(tensor.shape) else dim for n, dim in enumerate(tensor.shape)]
    found = [op.result(values, shape)]
    for index, value in enumerate((where, counts)[: len(op.tf.outputs) - 1], 1):
        cast = e.node("Cast", [value], to=op.onnx_dtype(index))
        found.append(op.result(cast, [number] if index == 2 else None, index=index))
    return found


@handles("LowerBound", "UpperBound")
def bound(e: Emitter, op: Operation) -> Tensor:
    """Where each value would stand in its sorted row: before its equals, or after them."""
    row, values = op.inputs
    left = e.node("Unsqueeze", [e.logical(row), e.ints(1)])
    right = e.node("Unsqueeze", [e.logical(values), e.ints(2)])
    before = e.node("Less" if op.type == "LowerBound" else "LessOrEqual", [left, right])
    count = e.node("ReduceSum", [e.node("Cast", [before], to=ir.DataType.INT64), e.ints(2)], keepdims=0)
    return op.result(e.node("Cast", [count], to=op.onnx_dtype()), values.shape)


@handles("ListDiff")
def list_difference(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The elements that another list does not hold, and where they stand."""
    data, other = op.inputs
    if data.rank != 1 or other.rank != 1:
        raise RefusedError("gets lists that are no vectors")
    same = e.node("Equal", [e.node("Unsqueeze", [e.logical(data), e.ints(1)]), e.logical(other)])
    count = e.node("ReduceSum", [e.node("Cast", [same], to=ir.DataType.INT64), e.ints(1)], keepdims=0)
    kept = e.node("Equal", [count, e.ints(0)])
    places = e.node("Reshape", [e.node("NonZero", [kept]), e.ints(-1)])
    number = Symbol()
    index = e.node("Cast", [places], to=op.onnx_dtype(1))
    return [
        op.result(e.node("Gather", [e.logical(data), places], axis=0), [number]),
        op.result(index, [number], index=1),
    ]


@handles("Bucketize")
def bucketize(e: Emitter, op: Operation) -> Tensor:
    """How many boundaries a value has reached; TensorFlow compares integers as float32."""
    (tensor,) = op.inputs
    dtype = "float64" if tensor.dtype == "float64" else "float32"
    value = e.node("Cast", [e.logical(tensor)], to=onnx_dtype(dtype))
    boundaries = e.constant(np.array(op.attr("boundaries"), np.float32).astype(dtype))
    reached = e.node("GreaterOrEqual", [e.node("Unsqueeze", [value, e.ints(-1)]), boundaries])
    count = e.node("ReduceSum", [e.node("Cast", [reached], to=ir.DataType.INT32), e.ints(-1)], keepdims=0)
    return op.result(count, tensor.shape)
