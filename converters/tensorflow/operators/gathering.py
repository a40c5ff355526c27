"""Operators that read or write elements at indices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import INT64, counted, size, sizes, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Shape, Symbol, Tensor

_SUMS = {  # dtypes whose ScatterND ONNX Runtime reduces only in a wider one
    "float16": ir.DataType.FLOAT,
    "bfloat16": ir.DataType.FLOAT,
    "int8": ir.DataType.INT32,
    "int16": ir.DataType.INT32,
    "uint8": ir.DataType.INT32,
    "uint16": ir.DataType.INT32,
    "uint32": INT64,
}


@handles("Gather", "GatherV2")
def gather(e: Emitter, op: Operation) -> Tensor:
    """Slices by index along an axis, for each element of leading batch axes on their own."""
    tensor, indices = op.inputs[:2]
    axis = int(op.array(2, "axis").reshape(())) if len(op.inputs) > 2 else 0
    batch = int(op.attr("batch_dims")) if op.type == "GatherV2" else 0
    if batch:
        return _gather_in_batches(e, op, axis, batch)
    found = None
    if tensor.sizes is not None and tensor.rank == 1 and indices.array is not None and indices.array.ndim < 2:
        found = tuple(tensor.sizes[int(index)] for index in indices.array.reshape(-1))
    whole = None
    if tensor.shape is not None and indices.shape is not None:
        axis %= len(tensor.shape)
        whole = (*tensor.shape[:axis], *indices.shape, *tensor.shape[axis + 1 :])
    return op.result(e.node("Gather", [e.logical(tensor), _index(e, indices)], axis=axis), whole, sizes=found)


def _index(e: Emitter, indices: Tensor) -> ir.Value:
    return e.logical(indices) if indices.dtype in ("int32", "int64") else e.int64(indices)


def _gather_in_batches(e: Emitter, op: Operation, axis: int, batch: int) -> Tensor:
    tensor, indices = op.inputs[:2]
    if tensor.shape is None or indices.shape is None:
        raise RefusedError("gathers in batches from a tensor of unknown rank")
    rank, picks = len(tensor.shape), len(indices.shape)
    axis, batch = axis % rank, batch % (picks + 1) if batch < 0 else batch
    between = list(range(batch, axis))
    value = e.logical(tensor)
    if between:
        value = e.node("Transpose", [value], perm=[*range(batch), axis, *between, *range(axis + 1, rank)])
    index = e.node("Unsqueeze", [e.int64(indices), e.ints(-1)])
    value = e.node("GatherND", [value, index], batch_dims=batch)
    kept = picks - batch
    if between and kept:
        whole = rank - 1 + kept
        moved = [batch + kept + n for n in range(len(between))]
        rest = range(batch + kept + len(between), whole)
        value = e.node("Transpose", [value], perm=[*range(batch), *moved, *range(batch, batch + kept), *rest])
    return op.result(value, (*tensor.shape[:axis], *indices.shape[batch:], *tensor.shape[axis + 1 :]))


@handles("GatherNd")
def gather_nd(e: Emitter, op: Operation) -> Tensor:
    """Elements or slices by the places that the last axis of the indices tells."""
    tensor, indices = op.inputs
    depth = indices.dim(-1) if indices.rank else None
    whole: Shape | None = None
    if isinstance(depth, int) and tensor.shape is not None and indices.shape is not None:
        if depth == 0:
            raise RefusedError("gathers by indices of no axis")
        whole = (*indices.shape[:-1], *tensor.shape[depth:])
    return op.result(e.node("GatherND", [e.logical(tensor), e.int64(indices)]), whole)


@handles("ScatterNd")
def scatter_nd(e: Emitter, op: Operation) -> Tensor:
    """Zeros with updates added at places; those for one place add up."""
    indices, updates, shape = op.inputs
    if updates.dtype in ("bool", "string"):
        raise RefusedError(f"adds up {updates.dtype}s")
    zero = e.constant(np.zeros((), updates.dtype_numpy))
    value = e.node("Expand", [zero, e.int64(shape)])
    return op.result(scattered(e, value, e.int64(indices), e.logical(updates), updates.dtype, "add"), shape.sizes)


_REDUCTIONS = {"Update": None, "Add": "add", "Sub": "add", "Max": "max", "Min": "min"}


@handles(*(f"TensorScatter{name}" for name in _REDUCTIONS))
def tensor_scatter(e: Emitter, op: Operation) -> Tensor:
    """A copy of a tensor with updates written, added, subtracted, or kept where larger or smaller."""
    tensor, indices, updates = op.inputs
    value = e.logical(updates)
    if op.type.endswith("Sub"):
        value = e.node("Sub", [e.constant(np.zeros((), tensor.dtype_numpy)), value])
    reduction = _REDUCTIONS[op.type.removeprefix("TensorScatter")]
    return op.result(scattered(e, e.logical(tensor), e.int64(indices), value, tensor.dtype, reduction), tensor.shape)


def scattered(
    e: Emitter, data: ir.Value, indices: ir.Value, updates: ir.Value, dtype: str, reduction: str | None
) -> ir.Value:
    """ScatterND, in a dtype that ONNX Runtime reduces; the largest and smallest exist from opset 18 on."""
    if reduction in ("max", "min") and e.opset < 18:
        raise RefusedError(f"needs ScatterND by {reduction}, which opset {e.opset} does not have")
    wide = _SUMS.get(dtype) if reduction else None
    if wide is None:
        return e.node("ScatterND", [data, indices, updates], reduction=reduction)
    own = data.dtype
    data, updates = (e.node("Cast", [value], to=wide) for value in (data, updates))
    return e.node("Cast", [e.node("ScatterND", [data, indices, updates], reduction=reduction)], to=own)


@handles("Where")
def nonzero(e: Emitter, op: Operation) -> Tensor:
    """The places of all elements that are not zero, in order."""
    (tensor,) = op.inputs
    value = e.logical(tensor)
    if tensor.dtype != "bool":
        value = e.node("Cast", [value], to=ir.DataType.BOOL)
    found = e.node("Transpose", [e.node("NonZero", [value])], perm=[1, 0])
    return op.result(found, (Symbol(), tensor.dim(0) if tensor.rank is None else tensor.rank))


@handles("DynamicPartition")
def dynamic_partition(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The elements of each part, in order."""
    data, parts = op.inputs
    if data.rank is None or parts.rank is None:
        raise RefusedError("partitions a tensor of unknown rank")
    value, part = e.logical(data), e.logical(parts)
    if parts.rank != 1:
        value = e.node("Reshape", [value, vector(e, [-1, sizes(e, data, parts.rank)])])
        part = e.node("Reshape", [part, e.ints(-1)])
    tail = (data.shape or ())[parts.rank :]
    return [
        op.result(
            e.node("Compress", [value, e.node("Equal", [part, e.constant(np.array(index, np.int32))])], axis=0),
            (Symbol(), *tail),
            index=index,
        )
        for index in range(int(op.attr("num_partitions")))
    ]


@handles("DynamicStitch", "ParallelDynamicStitch")
def dynamic_stitch(e: Emitter, op: Operation) -> Tensor:
    """Elements put at their places; of those for one place the last stays."""
    count = len(op.inputs) // 2
    places, pieces = op.inputs[:count], op.inputs[count:]
    indices = [e.node("Reshape", [e.int64(tensor), e.ints(-1)]) for tensor in places]
    rows = []
    for index, piece in zip(places, pieces, strict=True):
        if index.rank is None or piece.rank is None:
            raise RefusedError("stitches a tensor of unknown rank")
        rest = sizes(e, piece, index.rank) if piece.rank > index.rank else None
        target = e.ints(-1) if rest is None else vector(e, [-1, rest])
        rows.append(e.node("Reshape", [e.logical(piece), target]))
    whole = indices[0] if count == 1 else e.node("Concat", indices, axis=0)
    data = rows[0] if count == 1 else e.node("Concat", rows, axis=0)
    if e.opset < 18:
        raise RefusedError(f"needs the largest of scattered numbers, which opset {e.opset} does not have")
    length = e.node("Add", [e.node("ReduceMax", [whole, e.ints(0)], keepdims=1), e.ints(1)])
    order = counted(e, e.node("Shape", [whole]))
    last = e.node("Expand", [e.constant(np.array(-1, np.int64)), length])
    last = e.node("ScatterElements", [last, whole, order], axis=0, reduction="max")
    shape: list[Dim] | None = None
    if pieces[0].shape is not None and places[0].rank is not None:
        shape = [Symbol(), *pieces[0].shape[places[0].rank :]]
    return op.result(e.node("Gather", [data, last], axis=0), shape)


@handles("InvertPermutation")
def invert_permutation(e: Emitter, op: Operation) -> Tensor:
    """Where each number stands."""
    (tensor,) = op.inputs
    index = e.int64(tensor)
    order = counted(e, size(e, tensor, 0))
    found = e.node("ScatterElements", [index, index, order], axis=0)
    return op.result(e.node("Cast", [found], to=op.onnx_dtype()), tensor.shape)
