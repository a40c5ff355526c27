"""Tensors that are made rather than computed: filled, counted, repeated, one-hot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.operators.sizes import INT64, counted, placed, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor, affine


@handles("Fill")
def fill(e: Emitter, op: Operation) -> Tensor:
    """One value everywhere."""
    dims, value = op.inputs
    return op.result(e.node("Expand", [e.logical(value), e.int64(dims)]), dims.sizes)


@handles("BroadcastTo")
def broadcast_to(e: Emitter, op: Operation) -> Tensor:
    """Repeated along axes of one element."""
    tensor, dims = op.inputs
    return op.result(e.node("Expand", [e.logical(tensor), e.int64(dims)]), dims.sizes)


@handles("ZerosLike", "OnesLike")
def like(e: Emitter, op: Operation) -> Tensor:
    """Zeros or ones of the shape of a tensor."""
    (tensor,) = op.inputs
    value, layout = placed(e, tensor)
    number = np.array(op.type == "OnesLike", tensor.dtype_numpy) if tensor.dtype != "string" else np.array("", object)
    return op.result(e.node("Expand", [e.constant(number), e.node("Shape", [value])]), tensor.shape, layout=layout)


@handles("Tile")
def tile(e: Emitter, op: Operation) -> Tensor:
    """Copies side by side."""
    tensor, multiples = op.inputs
    shape: list[Dim] | None = None
    if tensor.shape is not None and multiples.sizes is not None:
        pairs = zip(tensor.shape, multiples.sizes, strict=True)
        shape = [
            affine(a, b, 0) if isinstance(b, int) else affine(b, a, 0) if isinstance(a, int) else Symbol()
            for a, b in pairs
        ]
    if tensor.rank == 0:
        return tensor
    return op.result(e.node("Tile", [e.logical(tensor), e.int64(multiples)]), shape)


@handles("Range")
def count(e: Emitter, op: Operation) -> Tensor:
    """Numbers from one below another by a step."""
    start, limit, delta = op.inputs
    shape: list[Dim] = [Symbol()]
    if start.array is not None and delta.array is not None and limit.sizes is not None and delta.array == 1:
        shape = [affine(limit.sizes[0], 1, -int(start.array))]
    values = [e.logical(tensor) for tensor in op.inputs]
    if not op.dtype().startswith("int"):
        return op.result(_float_range(e, *values), shape)
    return op.result(e.node("Range", values), shape)


def _float_range(e: Emitter, start: ir.Value, limit: ir.Value, delta: ir.Value) -> ir.Value:
    """As many as the quotient in the dtype itself says; ONNX Runtime takes it in float64, which may be one more."""
    number = e.node("Ceil", [e.node("Abs", [e.node("Div", [e.node("Sub", [limit, start]), delta])])])
    index = counted(e, e.node("Reshape", [e.node("Cast", [number], to=INT64), e.ints(1)]))
    steps = e.node("Cast", [index], to=start.dtype or ir.DataType.FLOAT)
    return e.node("Add", [start, e.node("Mul", [steps, delta])])


@handles("LinSpace")
def linspace(e: Emitter, op: Operation) -> Tensor:
    """So many numbers from one to another, both ends among them."""
    start, stop = (e.logical(tensor) for tensor in op.inputs[:2])
    number = int(op.array(2, "number of values").reshape(()))
    dtype = op.inputs[0].dtype_numpy
    if number == 1:
        return op.result(e.node("Reshape", [start, e.ints(1)]), [1])
    step = e.node("Div", [e.node("Sub", [stop, start]), e.constant(np.array(number - 1, dtype))])
    inner = e.node("Add", [start, e.node("Mul", [step, e.constant(np.arange(number - 1, dtype=dtype))])])
    return op.result(e.node("Concat", [inner, e.node("Reshape", [stop, e.ints(1)])], axis=0), [number])


@handles("OneHot")
def one_hot(e: Emitter, op: Operation) -> Tensor:
    """One value at the index, the other elsewhere; an index outside has none."""
    indices, depth, on, off = op.inputs
    if indices.rank is None:
        raise RefusedError("gets indices of unknown rank")
    axis = int(op.attr("axis")) % (indices.rank + 1)
    many = e.ints(int(depth.array)) if depth.array is not None else e.node("Reshape", [e.int64(depth), e.ints(1)])
    classes = e.node("Reshape", [counted(e, many), e.ints(-1, *[1] * (indices.rank - axis))])
    same = e.node("Equal", [e.node("Unsqueeze", [e.int64(indices), e.ints(axis)]), classes])
    shape = list(indices.shape or ())
    shape.insert(axis, Symbol() if depth.sizes is None else depth.sizes[0])
    return op.result(e.node("Where", [same, e.logical(on), e.logical(off)]), shape)


@handles("Size")
def number_of_elements(e: Emitter, op: Operation) -> Tensor:
    """The product of all sizes."""
    (tensor,) = op.inputs
    known = tensor.static_shape
    value = placed(e, tensor)[0]
    found = e.node("Size", [value])
    symbols = [dim for dim in tensor.shape or () if isinstance(dim, Symbol)]
    product: Dim = Symbol()
    if known is not None:
        product = int(np.prod(known, dtype=np.int64))
    elif tensor.shape is not None and len(symbols) == 1:
        product = affine(symbols[0], int(np.prod([dim for dim in tensor.shape if isinstance(dim, int)])), 0)
    return op.result(e.node("Cast", [found], to=onnx_dtype(op.dtype())), [], sizes=(product,))


@handles("Rank")
def rank(e: Emitter, op: Operation) -> Tensor:
    """The number of axes."""
    (tensor,) = op.inputs
    if tensor.rank is not None:
        return op.result(e.constant(np.array(tensor.rank, np.int32)), [], sizes=(tensor.rank,))
    number = e.node("Size", [e.node("Shape", [e.logical(tensor)])])
    return op.result(e.node("Cast", [number], to=ir.DataType.INT32), [])


@handles("ShapeN")
def shapes(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The sizes of each tensor."""
    found = []
    for index, tensor in enumerate(op.inputs):
        value = e.node("Cast", [e.node("Shape", [e.logical(tensor)])], to=op.onnx_dtype(index))
        found.append(op.result(value, None if tensor.rank is None else (tensor.rank,), index=index, sizes=tensor.shape))
    return found


@handles("BroadcastArgs")
def broadcast_args(e: Emitter, op: Operation) -> Tensor:
    """The shape that two shapes make together."""
    rank = max(int(tensor.dim(0)) if isinstance(tensor.dim(0), int) else -1 for tensor in op.inputs)  # type: ignore[arg-type]
    if any(not isinstance(tensor.dim(0), int) for tensor in op.inputs):
        raise RefusedError("gets shapes of unknown rank")
    padded = []
    for tensor in op.inputs:
        missing = rank - int(tensor.dim(0))  # type: ignore[arg-type]
        padded.append(vector(e, [e.ints(*[1] * missing), e.int64(tensor)]) if missing else e.int64(tensor))
    a, b = padded
    wide = e.node("Where", [e.node("Equal", [a, e.ints(1)]), b, a])
    return op.result(e.node("Cast", [wide], to=op.onnx_dtype()), [rank])
