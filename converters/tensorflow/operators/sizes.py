"""Sizes of axes as values of the graph, and vectors of them: what reshapes and ranges of dynamic axes are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

INT64 = ir.DataType.INT64
END = np.iinfo(np.int64).max


def size(e: Emitter, tensor: Tensor, axis: int) -> ir.Value:
    """The size of an axis as a vector of one int64."""
    known = tensor.dim(axis)
    if isinstance(known, int):
        return e.ints(known)
    value, layout = placed(e, tensor)
    at = place(axis, len(tensor.shape or ()), layout)
    return e.node("Shape", [value], start=at, end=at + 1)


def sizes(e: Emitter, tensor: Tensor, start: int = 0, end: int | None = None) -> ir.Value:
    """The sizes of a range of axes as a vector of int64."""
    shape = None if tensor.shape is None else tensor.shape[start:end]
    if shape is not None and not any(isinstance(dim, Symbol) for dim in shape):
        return e.ints(*(dim for dim in shape if isinstance(dim, int)))
    if shape is not None and e.is_channels_first(tensor):
        whole = range(len(tensor.shape or ()))[start:end]
        return vector(e, [size(e, tensor, axis) for axis in whole])
    return e.node("Shape", [e.logical(tensor)], start=start, end=end)


def vector(e: Emitter, parts: Sequence[int | ir.Value]) -> ir.Value:
    """A vector of int64 of numbers and of vectors."""
    if all(isinstance(part, int) for part in parts):
        return e.ints(*(part for part in parts if isinstance(part, int)))
    return e.node("Concat", [e.ints(part) if isinstance(part, int) else part for part in parts], axis=0)


def scalar_of(e: Emitter, value: ir.Value) -> ir.Value:
    """A vector of one element as a scalar."""
    return e.node("Reshape", [value, e.constant(np.zeros(0, np.int64))])


def counted(e: Emitter, count: ir.Value) -> ir.Value:
    """The numbers from 0 to below a count, which is a vector of one int64."""
    if count.const_value is not None:
        return e.constant(np.arange(int(count.const_value.numpy().reshape(()))))
    zero, one = e.constant(np.array(0, np.int64)), e.constant(np.array(1, np.int64))
    return e.node("Range", [zero, scalar_of(e, count), one])


def placed(e: Emitter, tensor: Tensor) -> tuple[ir.Value, str]:
    """The value in the layout in which it was made, and which one it is."""
    if e.is_channels_first(tensor):
        return e.channels_first(tensor), CHANNELS_FIRST
    return e.logical(tensor), "logical"


def place(axis: int, rank: int, layout: str) -> int:
    """Where an axis lies in a layout."""
    axis %= rank
    if layout != CHANNELS_FIRST:
        return axis
    return 0 if axis == 0 else 1 if axis == rank - 1 else axis + 1


def total(dims: Sequence[Dim]) -> Dim:
    """The sum of sizes."""
    numbers = [dim for dim in dims if isinstance(dim, int)]
    return sum(numbers) if len(numbers) == len(dims) else Symbol()
