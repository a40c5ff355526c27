"""Reductions over axes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, LOGICAL, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.elementwise import elementwise
from assay.converters.tensorflow.operators.sizes import place, placed, scalar_of, size
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

_REDUCTIONS = {
    "Mean": "ReduceMean",
    "Sum": "ReduceSum",
    "Max": "ReduceMax",
    "Min": "ReduceMin",
    "Prod": "ReduceProd",
    "EuclideanNorm": "ReduceL2",
    "All": "ReduceProd",
    "Any": "ReduceSum",
}


@handles(*_REDUCTIONS)
def reduce(e: Emitter, op: Operation) -> Tensor:
    """Over the axes that the second input names, which may be computed."""
    tensor, axes = op.inputs
    keep = bool(op.attr("keep_dims"))
    operator = _REDUCTIONS[op.type]
    if tensor.rank is None or axes.array is None:
        return op.result(_node(e, operator, e.logical(tensor), e.int64(axes), keep))
    reduced = sorted({int(axis) % max(tensor.rank, 1) for axis in axes.array.reshape(-1)})
    if not reduced:  # TensorFlow reduces over none, ONNX over all
        return elementwise(e, op, lambda x: e.node("Abs", x[:1])) if op.type == "EuclideanNorm" else tensor
    value, places, layout = _placed(e, tensor, reduced, keep)
    if op.type == "Mean" and _may_be_none(tensor, reduced):
        whole = _node(e, "ReduceSum", value, e.ints(*places), keep)
        reduced_value = e.node("Div", [whole, _count(e, tensor, reduced, value.dtype)])
    else:
        reduced_value = _node(e, operator, value, e.ints(*places), keep)
    return op.result(reduced_value, _shape(tensor, reduced, keep), layout=layout, sizes=_sizes(op, tensor))


def _placed(e: Emitter, tensor: Tensor, reduced: list[int], keep: bool) -> tuple[ir.Value, list[int], str]:
    """The value, the axes where it has them, and the layout of what is left."""
    assert tensor.rank is not None
    last = tensor.rank - 1
    left = tensor.rank if keep else tensor.rank - len(reduced)
    if not e.is_channels_first(tensor) or (not keep and 0 in reduced and left >= 2):
        return e.logical(tensor), reduced, LOGICAL
    places = sorted(place(axis, tensor.rank, CHANNELS_FIRST) for axis in reduced)
    stays = keep or (left >= 3 and last not in reduced)
    return e.channels_first(tensor), places, CHANNELS_FIRST if stays else LOGICAL


def _may_be_none(tensor: Tensor, reduced: list[int]) -> bool:
    """Whether the mean is of floats over a batch that may be empty, which ONNX Runtime takes for 0 instead of NaN."""
    return 0 in reduced and isinstance(tensor.dim(0), Symbol) and tensor.dtype in ("float32", "float64")


def _count(e: Emitter, tensor: Tensor, reduced: list[int], dtype: ir.DataType | None) -> ir.Value:
    """How many elements are reduced to one."""
    whole = size(e, tensor, reduced[0])
    for axis in reduced[1:]:
        whole = e.node("Mul", [whole, size(e, tensor, axis)])
    return e.node("Cast", [scalar_of(e, whole)], to=dtype)


def _node(e: Emitter, operator: str, value: ir.Value, axes: ir.Value, keep: bool) -> ir.Value:
    """Truths are counted as integers, so that none at all has the answer of an empty product or sum."""
    if value.dtype == ir.DataType.BOOL:
        counted = reduced_over(e, operator, e.node("Cast", [value], to=ir.DataType.INT32), axes, keep)
        return e.node("Cast", [counted], to=ir.DataType.BOOL)
    return reduced_over(e, operator, value, axes, keep)


def reduced_over(e: Emitter, operator: str, value: ir.Value, axes: ir.Value, keep: bool) -> ir.Value:
    """Axes are an input from opset 18 on, for sums from 13 on."""
    if e.opset >= 18 or operator == "ReduceSum":
        return e.node(operator, [value, axes], keepdims=int(keep), noop_with_empty_axes=1)
    if axes.const_value is None:
        raise RefusedError(f"reduces over axes that are computed, which opset {e.opset} can't")
    return e.node(operator, [value], axes=axes.const_value.numpy().tolist(), keepdims=int(keep))


def _shape(tensor: Tensor, reduced: list[int], keep: bool) -> tuple[Dim, ...]:
    assert tensor.shape is not None
    kept = [1 if axis in reduced else dim for axis, dim in enumerate(tensor.shape)]
    return tuple(dim for axis, dim in enumerate(kept) if keep or axis not in reduced)


def _sizes(op: Operation, tensor: Tensor) -> tuple[Dim, ...] | None:
    """The product of the sizes of axes."""
    if op.type != "Prod" or tensor.sizes is None:
        return None
    symbols = [number for number in tensor.sizes if isinstance(number, Symbol)]
    product = 1
    for number in tensor.sizes:
        product *= number if isinstance(number, int) else 1
    return (product,) if not symbols else (symbols[0],) if len(symbols) == 1 and product == 1 else (Symbol(),)


@handles("ArgMax", "ArgMin")
def arg_reduce(e: Emitter, op: Operation) -> Tensor:
    """Where the largest or smallest stands; of equal ones the first."""
    tensor = op.inputs[0]
    if tensor.rank is None:
        raise RefusedError("gets a tensor of unknown rank")
    axis = int(op.array(1, "axis").reshape(())) % tensor.rank
    value, layout = placed(e, tensor)
    if layout == CHANNELS_FIRST and axis != tensor.rank - 1:
        value, layout = e.logical(tensor), LOGICAL
    if tensor.dtype in ("float16", "bfloat16", "float32", "float64"):  # NaN is never the larger
        worst = e.constant(np.array(-np.inf if op.type == "ArgMax" else np.inf, tensor.dtype_numpy))
        value = e.node("Where", [e.node("IsNaN", [value]), worst, value])
    value = e.node(op.type, [value], axis=place(axis, tensor.rank, layout), keepdims=0)
    shape = [dim for n, dim in enumerate(tensor.shape or ()) if n != axis]
    return op.result(e.node("Cast", [value], to=op.onnx_dtype()), shape)
