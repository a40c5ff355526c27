"""Operators that move elements, and those that tell shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
from tensorflow.python.framework import tensor_util

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter, to_first
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.operators.sizes import place, placed
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Shape, Symbol, Tensor, affine


@handles("Shape")
def shape(e: Emitter, op: Operation) -> Tensor:
    """The sizes of all axes."""
    (tensor,) = op.inputs
    whole, layout = placed(e, tensor)
    found = e.node("Shape", [whole])
    if layout == CHANNELS_FIRST:
        found = e.node("Gather", [found, e.ints(0, *range(2, tensor.rank or 0), 1)], axis=0)
    value = _as_dtype(e, found, op.dtype())
    return op.result(value, None if tensor.rank is None else (tensor.rank,), sizes=tensor.shape)


def _as_dtype(e: Emitter, value: ir.Value, dtype: str) -> ir.Value:
    return value if dtype == "int64" else e.node("Cast", [value], to=onnx_dtype(dtype))


@handles("Reshape")
def reshape(e: Emitter, op: Operation) -> Tensor:
    """A target is written with 0 and -1 where these serve."""
    tensor, target = op.inputs
    sizes = _target(op, tensor, target)
    if tensor.flattened_from is not None and sizes is not None and _is_shape(tensor.flattened_from, sizes):
        return tensor.flattened_from
    if sizes is not None and tensor.shape is not None and _same(tensor.shape, sizes):
        return tensor
    if sizes is not None and tensor.shape is not None:
        changed = _by_ones(e, op, tensor, tensor.shape, sizes)
        if changed is not None:
            return changed
    value = _source(e, tensor)
    written = None if sizes is None else _written(tensor, sizes)
    if written is None:
        return op.result(e.node("Reshape", [value, e.int64(target)], allowzero=1), sizes)
    result = op.result(e.node("Reshape", [value, e.ints(*written)]), sizes, sizes=tensor.sizes)
    if len(written) == 2 and tensor.rank is not None and tensor.rank > 2 and result.dim(1) == tensor.dim(-1):
        result.flattened_from = tensor
    if _is_unrolled(e, tensor, result):
        result.unrolled_from = tensor
    return result


def _is_unrolled(e: Emitter, tensor: Tensor, result: Tensor) -> bool:
    """Whether a tensor with channels first became one of an axis besides the batch, whose size is known."""
    if not e.is_channels_first(tensor) or tensor.shape is None or result.rank != 2:
        return False
    sizes = [size for size in tensor.shape[1:] if isinstance(size, int)]
    return len(sizes) == len(tensor.shape) - 1 and result.dim(1) == int(np.prod(sizes))


def _by_ones(e: Emitter, op: Operation, tensor: Tensor, own: Shape, sizes: Shape) -> Tensor | None:
    """Where axes of one element come or go beside a dynamic one, this is said: -1 is no size of an empty tensor."""
    if sum(isinstance(size, Symbol) for size in sizes) < 2 or e.is_channels_first(tensor):
        return None
    wide, narrow = (own, sizes) if len(own) > len(sizes) else (sizes, own)
    if not _same(tuple(size for size in wide if size != 1), tuple(size for size in narrow if size != 1)):
        return None
    if any(size == 1 for size in narrow) or len(wide) == len(narrow):
        return None
    ones = e.ints(*(axis for axis, size in enumerate(wide) if size == 1))
    return op.result(e.node("Squeeze" if wide is own else "Unsqueeze", [e.logical(tensor), ones]), sizes)


def _source(e: Emitter, tensor: Tensor) -> ir.Value:
    """Where the spatial axes have one element each, channels first is the same order."""
    if e.is_channels_first(tensor) and tensor.shape is not None and all(size == 1 for size in tensor.shape[1:-1]):
        return e.channels_first(tensor)
    return e.logical(tensor)


def _target(op: Operation, tensor: Tensor, target: Tensor) -> Shape | None:
    """The sizes that are asked for; those that nobody knows are symbols of their own."""
    sizes = target.sizes
    if sizes is None:
        known = tensor_util.constant_value_as_shape(op.tf.inputs[1])
        if known.rank is None:
            return None
        sizes = tuple(Symbol() if size is None else size for size in known)
    if -1 not in sizes:
        return sizes
    return tuple(_rest(tensor, sizes) if size == -1 else size for size in sizes)


def _rest(tensor: Tensor, sizes: Shape) -> Dim:
    """The size that -1 stands for."""
    if tensor.shape is None:
        return Symbol()
    have, want = list(tensor.shape), [size for size in sizes if size != -1]
    for size in list(want):
        if isinstance(size, Symbol) and size in have:
            have.remove(size)
            want.remove(size)
    symbols = [size for size in have if isinstance(size, Symbol)]
    if any(isinstance(size, Symbol) for size in want):
        return Symbol()
    product, given = (int(np.prod([size for size in part if isinstance(size, int)])) for part in (have, want))
    if not symbols:
        return product // given if given else 0
    return symbols[0] if len(symbols) == 1 and product == given else Symbol()


def _same(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(x is y or (isinstance(x, int) and x == y) for x, y in zip(a, b, strict=True))


def _is_shape(tensor: Tensor, sizes: Shape) -> bool:
    """Whether the sizes are those of the tensor, one unknown size aside."""
    if tensor.shape is None or len(tensor.shape) != len(sizes):
        return False
    pairs = list(zip(tensor.shape, sizes, strict=True))
    different = [(a, b) for a, b in pairs if not (a is b or (isinstance(a, int) and a == b))]
    return len(different) <= 1 and all(isinstance(a, Symbol) and isinstance(b, Symbol) for a, b in different)


def _written(tensor: Tensor, sizes: Shape) -> list[int] | None:
    """The target as numbers; None where more than one size is known only when the model runs."""
    own = tensor.shape or ()
    written = [
        size if isinstance(size, int) else 0 if axis < len(own) and own[axis] is size else -1
        for axis, size in enumerate(sizes)
    ]
    if 0 in [size for size in sizes if isinstance(size, int)]:
        return None if any(isinstance(size, Symbol) for size in sizes) else written
    return written if written.count(-1) <= 1 else None


@handles("ExpandDims")
def expand_dims(e: Emitter, op: Operation) -> Tensor:
    """A new axis of one element."""
    tensor, axis = op.inputs[0], int(op.array(1, "axis").reshape(()))
    if tensor.rank is None:
        return op.result(e.node("Unsqueeze", [e.logical(tensor), e.ints(axis)]))
    place = axis % (tensor.rank + 1)
    sizes = list(tensor.shape or ())
    sizes.insert(place, 1)
    return op.result(e.node("Unsqueeze", [e.logical(tensor), e.ints(place)]), sizes, sizes=tensor.sizes)


@handles("Squeeze")
def squeeze(e: Emitter, op: Operation) -> Tensor:
    """Without axes of one element."""
    (tensor,) = op.inputs
    axes = [int(axis) for axis in op.attr("squeeze_dims")]
    if tensor.rank is None or tensor.shape is None:
        return op.result(e.node("Squeeze", [e.logical(tensor), e.ints(*axes) if axes else None]))
    gone = {axis % tensor.rank for axis in axes} or {axis for axis, size in enumerate(tensor.shape) if size == 1}
    if not axes and any(isinstance(size, Symbol) for size in tensor.shape):
        raise RefusedError("squeezes whichever axes have one element, though some sizes are known only when it runs")
    left = [size for axis, size in enumerate(tensor.shape) if axis not in gone]
    if e.is_channels_first(tensor) and gone == set(range(1, tensor.rank - 1)):
        places = e.ints(*range(2, tensor.rank))
        return op.result(e.node("Squeeze", [e.channels_first(tensor), places]), left)
    return op.result(e.node("Squeeze", [e.logical(tensor), e.ints(*sorted(gone))]), left, sizes=tensor.sizes)


@handles("Transpose")
def transpose(e: Emitter, op: Operation) -> Tensor:
    """Axes in another order."""
    tensor, turn = op.inputs[0], [int(axis) for axis in op.array(1, "order of axes").reshape(-1)]
    turn = [axis % len(turn) for axis in turn]
    if turn == sorted(turn):
        return tensor
    shape = None if tensor.shape is None else tuple(tensor.shape[axis] for axis in turn)
    value, layout = placed(e, tensor)
    places = [place(axis, len(turn), layout) for axis in turn]
    return op.result(value if places == sorted(places) else e.node("Transpose", [value], perm=places), shape)


@handles("ConcatV2")
def concat(e: Emitter, op: Operation) -> Tensor:
    """One after the other along an axis."""
    tensors = op.inputs[:-1]
    place = int(op.array(len(tensors), "axis").reshape(()))
    return _concat(e, op, tensors, place)


def _concat(e: Emitter, op: Operation, tensors: Sequence[Tensor], axis: int) -> Tensor:
    rank = next((tensor.rank for tensor in tensors if tensor.rank is not None), None)
    shapes = [tensor.shape for tensor in tensors]
    whole: Shape | None = None
    if rank is not None and all(shape is not None for shape in shapes):
        axis %= rank
        lengths = [tensor.dim(axis) for tensor in tensors]
        total = sum(n for n in lengths if isinstance(n, int)) if all(isinstance(n, int) for n in lengths) else Symbol()
        whole = tuple(total if place == axis else size for place, size in enumerate(tensors[0].shape or ()))
    sizes = None
    if all(tensor.sizes is not None for tensor in tensors) and rank == 1:
        sizes = tuple(size for tensor in tensors for size in tensor.sizes or ())
    values, layout = e.aligned(tensors)
    if layout == CHANNELS_FIRST and rank is not None:
        return op.result(e.node("Concat", values, axis=place(axis, rank, layout)), whole, layout=layout)
    return op.result(e.node("Concat", values, axis=axis), whole, sizes=sizes)


@handles("Pack")
def pack(e: Emitter, op: Operation) -> Tensor:
    """Stacked along a new axis."""
    axis = int(op.attr("axis"))
    rank = op.inputs[0].rank
    if rank is None:
        raise RefusedError("stacks tensors of unknown rank")
    place = axis % (rank + 1)
    values = [e.node("Unsqueeze", [e.logical(tensor), e.ints(place)]) for tensor in op.inputs]
    sizes = None
    if rank == 0 and all(tensor.sizes is not None for tensor in op.inputs):
        sizes = tuple(size for tensor in op.inputs for size in tensor.sizes or ())
    shape = list(op.inputs[0].shape or ())
    shape.insert(place, len(op.inputs))
    return op.result(e.node("Concat", values, axis=place), shape, sizes=sizes)


@handles("Pad", "PadV2")
def pad(e: Emitter, op: Operation) -> Tensor:
    """A border of one value."""
    tensor, pairs = op.inputs[0], op.inputs[1].array
    fill = e.logical(op.inputs[2]) if len(op.inputs) > 2 else None
    if pairs is None:
        edges = e.node("Reshape", [e.node("Transpose", [e.int64(op.inputs[1])], perm=[1, 0]), e.ints(-1)])
        return op.result(e.node("Pad", [e.logical(tensor), edges, fill]), None)
    pairs = pairs.astype(np.int64)
    shape = None
    if tensor.shape is not None:
        shape = tuple(affine(size, 1, int(sum(pair))) for size, pair in zip(tensor.shape, pairs, strict=True))
    value, layout = placed(e, tensor)
    if layout == CHANNELS_FIRST:
        pairs = pairs[to_first(len(pairs))]
    return op.result(e.node("Pad", [value, e.constant(pairs.T.reshape(-1)), fill]), shape, layout=layout)
