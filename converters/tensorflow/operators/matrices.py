"""Products of matrices."""

from __future__ import annotations

import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Tensor, broadcast


@handles("MatMul")
def matrix_product(e: Emitter, op: Operation) -> Tensor:
    """Of two matrices; one whose first is a tensor flattened for it is taken of the tensor itself."""
    a, b = op.inputs
    turn_a, turn_b = bool(op.attr("transpose_a")), bool(op.attr("transpose_b"))
    rows, columns = a.dim(1 if turn_a else 0), b.dim(0 if turn_b else 1)
    whole = a.flattened_from
    if whole is not None and b.array is not None and not turn_a:
        wide = _of_last_axis(e, op, whole, b, turn_b)
        flat = op.result(
            e.node("Reshape", [e.logical(wide), e.ints(-1, b.array.shape[0 if turn_b else 1])]), (rows, columns)
        )
        flat.flattened_from = wide
        return flat
    if a.unrolled_from is not None and b.array is not None and not turn_a:
        return op.result(_of_unrolled(e, a.unrolled_from, b, turn_b), (rows, columns))
    if (turn_a or turn_b) and a.dtype.startswith(("int", "uint")):
        value = e.node("MatMul", [_adjoint(e, a, turn_a), _adjoint(e, b, turn_b)])
    elif turn_a or turn_b:
        value = e.node("Gemm", [e.logical(a), e.logical(b)], transA=int(turn_a) or None, transB=int(turn_b) or None)
    else:
        value = e.node("MatMul", [e.logical(a), e.logical(b)])
    return op.result(value, (rows, columns))


def _of_unrolled(e: Emitter, tensor: Tensor, weights: Tensor, turned: bool) -> ir.Value:
    """The rows of the matrix are put in the order of channels first, so that the tensor need not be turned."""
    assert weights.array is not None
    matrix = weights.array.T if turned else weights.array
    sizes = [int(size) for size in (tensor.shape or ())[1:]]  # type: ignore[arg-type]
    axes = range(len(sizes) + 1)
    rows = matrix.reshape(*sizes, -1).transpose(len(sizes) - 1, *axes[:-2], len(sizes)).reshape(matrix.shape)
    flat = e.node("Reshape", [e.channels_first(tensor), e.ints(0, matrix.shape[0])])
    return e.node("MatMul", [flat, e.constant(rows, name=weights.label or "matrix")])


def _of_last_axis(e: Emitter, op: Operation, tensor: Tensor, weights: Tensor, turned: bool) -> Tensor:
    """A tensor of any rank times a constant matrix; with channels first it is a convolution of one element."""
    assert weights.array is not None
    assert tensor.shape is not None
    matrix = weights.array.T if turned else weights.array
    shape = (*tensor.shape[:-1], matrix.shape[1])
    if e.is_channels_first(tensor):
        kernel = matrix.T.reshape(*matrix.T.shape, *[1] * (len(shape) - 2))
        value = e.node("Conv", [e.channels_first(tensor), e.constant(kernel, name=weights.label or op.name)])
        return e.tensor(value, op.dtype(), shape, CHANNELS_FIRST)
    right = e.constant(matrix, name=weights.label or op.name) if turned else e.logical(weights)
    return e.tensor(e.node("MatMul", [e.logical(tensor), right]), op.dtype(), shape)


@handles("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
def batch_product(e: Emitter, op: Operation) -> Tensor:
    """Of stacks of matrices."""
    a, b = op.inputs
    values = [_adjoint(e, a, bool(op.attr("adj_x"))), _adjoint(e, b, bool(op.attr("adj_y")))]
    shape = None
    if a.shape is not None and b.shape is not None:
        stack = broadcast([a.shape[:-2], b.shape[:-2]])
        rows, columns = a.dim(-1 if op.attr("adj_x") else -2), b.dim(-2 if op.attr("adj_y") else -1)
        shape = (*(stack or ()), rows, columns)
    return op.result(e.node("MatMul", values), shape)


def _adjoint(e: Emitter, tensor: Tensor, turned: bool) -> ir.Value:
    value = e.logical(tensor)
    if not turned:
        return value
    assert tensor.rank is not None
    axes = list(range(tensor.rank))
    return e.node("Transpose", [value], perm=[*axes[:-2], axes[-1], axes[-2]])
