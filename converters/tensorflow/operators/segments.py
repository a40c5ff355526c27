"""Reductions over segments: rows that share an identifier."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.gathering import scattered
from assay.converters.tensorflow.operators.sizes import END, sizes, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

_REDUCTIONS = {"Sum": "add", "Prod": "mul", "Max": "max", "Min": "min", "Mean": "add"}


def _identity(name: str, dtype: str, bounded: bool) -> np.ndarray:
    """What reducing nothing starts from; ``bounded`` where an empty segment must stay finite."""
    numpy = Tensor(dtype, ()).dtype_numpy
    if name in ("Sum", "Mean", "Prod"):
        return np.array(name == "Prod", numpy)
    if dtype.startswith(("int", "uint")):
        limits = np.iinfo(numpy)
        return np.array(limits.min if name == "Max" else limits.max, numpy)
    limit = float(ml_dtypes.finfo(numpy).max) if bounded else np.inf  # type: ignore[no-untyped-call]
    return np.array(-limit if name == "Max" else limit, numpy)


@handles(*(f"UnsortedSegment{name}" for name in ("Sum", "Prod", "Max", "Min")))
def unsorted_segments(e: Emitter, op: Operation) -> Tensor:
    """Of a number of segments that is told; rows of negative identifiers fall away, empty segments are neutral."""
    data, ids, number = op.inputs
    if data.shape is None or ids.rank is None:
        raise RefusedError("gets data of unknown rank")
    rows, index = _flattened(e, data, e.logical(data), ids)
    count = e.node("Reshape", [e.int64(number), e.ints(1)])
    kept = e.node("Where", [e.node("Less", [index, e.ints(0)]), count, index])
    name = op.type.removeprefix("UnsortedSegment")
    start = _identity(name, data.dtype, bounded=True)
    found = _reduced(e, op, name, start, (rows, kept), e.node("Add", [count, e.ints(1)]))
    found = e.node("Slice", [found, e.ints(0), count, e.ints(0)])
    length: Dim = Symbol() if number.sizes is None else number.sizes[0]
    return op.result(found, (length, *data.shape[ids.rank :]))


def _flattened(e: Emitter, data: Tensor, value: ir.Value, ids: Tensor) -> tuple[ir.Value, ir.Value]:
    index = e.int64(ids)
    if ids.rank == 1 or ids.rank is None:
        return value, index
    tail = [] if data.rank == ids.rank else [sizes(e, data, ids.rank)]
    return e.node("Reshape", [value, vector(e, [-1, *tail])]), e.node("Reshape", [index, e.ints(-1)])


def _reduced(
    e: Emitter, op: Operation, name: str, start: np.ndarray, rows: tuple[ir.Value, ir.Value], count: ir.Value
) -> ir.Value:
    """Rows reduced into ``count`` segments."""
    value, index = rows
    tail = e.node("Shape", [value], start=1)
    zeros = e.node("Expand", [e.constant(start), vector(e, [count, tail])])
    places = e.node("Unsqueeze", [index, e.ints(1)])
    return scattered(e, zeros, places, value, op.inputs[0].dtype, _REDUCTIONS[name])


@handles(*(f"Segment{name}" for name in _REDUCTIONS))
def segments(e: Emitter, op: Operation) -> Tensor:
    """Of sorted identifiers; the last tells how many segments there are, and an empty one is 0 (a product 1)."""
    data, ids = op.inputs
    return _sorted(e, op, op.type.removeprefix("Segment"), e.logical(data), ids, None)


_SPARSE = {"Sum": "Sum", "Mean": "Mean", "SqrtN": "Sum"}


@handles(*(f"SparseSegment{name}{tail}" for name in _SPARSE for tail in ("", "WithNumSegments")))
def sparse_segments(e: Emitter, op: Operation) -> Tensor:
    """Of rows that are gathered first."""
    data, indices, ids = op.inputs[:3]
    kind = op.type.removeprefix("SparseSegment").removesuffix("WithNumSegments")
    rows = e.node("Gather", [e.logical(data), e.int64(indices)], axis=0)
    number = op.inputs[3] if len(op.inputs) > 3 else None
    return _sorted(e, op, kind, rows, ids, number)


def _sorted(e: Emitter, op: Operation, name: str, rows: ir.Value, ids: Tensor, number: Tensor | None) -> Tensor:
    data = op.inputs[0]
    if data.shape is None:
        raise RefusedError("gets data of unknown rank")
    index = e.int64(ids)
    if number is not None:
        count = e.node("Reshape", [e.int64(number), e.ints(1)])
    else:
        none = e.node("Concat", [e.ints(-1), index], axis=0)  # no identifiers, no segments
        count = e.node("Add", [e.node("Slice", [none, e.ints(-1), e.ints(END), e.ints(0)]), e.ints(1)])
    reduction = "Sum" if name == "SqrtN" else name
    found = _reduced(e, op, reduction, _identity(reduction, data.dtype, bounded=False), (rows, index), count)
    if name in ("Max", "Min", "Mean", "SqrtN"):
        found = _finished(e, op, name, found, index, count)
    length: Dim = Symbol() if number is None or number.sizes is None else number.sizes[0]
    return op.result(found, (length, *data.shape[1:]))


def _finished(e: Emitter, op: Operation, name: str, found: ir.Value, index: ir.Value, count: ir.Value) -> ir.Value:
    """Divided by how many rows there were, or zero where there was none."""
    data = op.inputs[0]
    ones = e.node("Expand", [e.ints(1), e.node("Shape", [index])])
    zeros = e.node("Expand", [e.ints(0), count])
    many = e.node("ScatterND", [zeros, e.node("Unsqueeze", [index, e.ints(1)]), ones], reduction="add")
    many = e.node("Reshape", [many, e.ints(-1, *[1] * ((data.rank or 1) - 1))])
    if name in ("Max", "Min"):
        empty = e.node("Equal", [many, e.ints(0)])
        return e.node("Where", [empty, e.constant(np.zeros((), data.dtype_numpy)), found])
    many = e.node("Cast", [e.node("Max", [many, e.ints(1)])], to=op.onnx_dtype())
    return e.node("Div", [found, e.node("Sqrt", [many]) if name == "SqrtN" else many])
