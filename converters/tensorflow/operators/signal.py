"""Fourier transforms: by matrices of cosines and sines, which are exact to rounding and run everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.complex_numbers import REAL, Pair, made, parts, values
from assay.converters.tensorflow.operators.sizes import counted, size
from assay.converters.tensorflow.registry import RefusedError, handles_complex
from assay.converters.tensorflow.tensor import Dim, Tensor

_LONGEST = 4096  # points of a transform; its matrices have the square of that many elements


@dataclass(frozen=True)
class Transform:
    """One axis of a transform: its cosines and sines as [points in, points out], ``sign`` that of the exponent.

    They are arrays, or values of the graph where the number of points is known when it runs.
    """

    cosines: Any
    sines: Any
    sign: int


def _transform(points: int, rows: int, columns: int, dtype: Any, sign: int) -> Transform:
    if points > _LONGEST:
        raise RefusedError(f"transforms {points} points, of which {_LONGEST} fit into a matrix")
    turns = np.outer(np.arange(rows), np.arange(columns)) % points
    angles = 2 * np.pi * turns / points
    scale = 1.0 if sign < 0 else 1.0 / points
    return Transform(
        (np.cos(angles) * scale).astype(dtype),
        (np.sin(angles) * scale).astype(dtype),
        sign,
    )


def _computed(e: Emitter, tensor: Tensor, axis: int, dtype: Any, sign: int) -> Transform:
    """Of as many points as an axis has: the matrices take the j * k mod n-th cosine and sine of one turn."""
    count = size(e, tensor, axis)
    points = counted(e, count)
    count = e.node("Max", [count, e.ints(1)])  # nothing is divided where there are no points, but by something
    turns = e.node("Mul", [e.node("Unsqueeze", [points, e.ints(1)]), points])
    places = e.node("Mod", [turns, count])
    wide, many = (e.node("Cast", [value], to=ir.DataType.DOUBLE) for value in (points, count))
    angles = e.node("Div", [e.node("Mul", [wide, e.constant(np.array(2 * np.pi))]), many])
    tables = [e.node(operator, [angles]) for operator in ("Cos", "Sin")]
    if sign > 0:
        tables = [e.node("Div", [table, many]) for table in tables]
    kind = ir.DataType.from_numpy(np.dtype(dtype))
    exact = [e.node("Cast", [table], to=kind) for table in tables]
    cosines, sines = (e.node("Gather", [table, places], axis=0) for table in exact)
    return Transform(cosines, sines, sign)


def _apply(e: Emitter, value: ir.Value, matrix: Any, axis: int) -> ir.Value:
    """Along the last axis (-1) or the one before (-2); computed matrices are symmetric."""
    if isinstance(matrix, ir.Value):
        return e.node("MatMul", [value, matrix] if axis == -1 else [matrix, value])
    if axis == -1:
        return e.node("MatMul", [value, e.constant(matrix)])
    return e.node("MatMul", [e.constant(np.ascontiguousarray(matrix.T)), value])


def _complex(e: Emitter, both: Pair, transform: Transform, axis: int) -> Pair:
    """(a + bi)(cos + sign i sin), summed."""
    (a, b), t = both, transform
    ac, bs, bc, as_ = (
        _apply(e, part, matrix, axis) for part, matrix in ((a, t.cosines), (b, t.sines), (b, t.cosines), (a, t.sines))
    )
    if t.sign > 0:
        return e.node("Sub", [ac, bs]), e.node("Add", [bc, as_])
    return e.node("Add", [ac, bs]), e.node("Sub", [bc, as_])


def _fitted(e: Emitter, value: ir.Value, have: Dim, want: int, axis: int) -> ir.Value:
    """Cut to a length, or filled up with zeros."""
    if isinstance(have, int) and have == want:
        return value
    if not isinstance(have, int) or have < want:
        more = want if not isinstance(have, int) else want - have
        ends = e.ints(0, more)
        value = e.node("Pad", [value, ends, None, e.ints(axis)]) if e.opset >= 18 else _padded(e, value, more, axis)
    return e.node("Slice", [value, e.ints(0), e.ints(want), e.ints(axis)])


def _padded(e: Emitter, value: ir.Value, more: int, axis: int) -> ir.Value:
    """Opset 17 has no axes of Pad: zeros of the shape of a slice are appended."""
    first = e.node("Slice", [value, e.ints(0), e.ints(1), e.ints(axis)])
    zero = e.node("Mul", [first, e.constant(np.zeros((), (value.dtype or ir.DataType.FLOAT).numpy()))])
    return e.node("Concat", [value, *[zero] * more], axis=axis)


def _points(op: Operation) -> list[int]:
    """The lengths of the last axes."""
    return [int(n) for n in op.array(1, "length of the transform").reshape(-1)]


@handles_complex("FFT", "IFFT", "FFT2D", "IFFT2D")
def fourier(e: Emitter, op: Operation) -> Tensor:
    """Of complex numbers, along one axis or two."""
    (tensor,) = op.inputs
    sign = 1 if op.type.startswith("I") else -1
    both, dtype = values(e, tensor), np.dtype(REAL[tensor.dtype])
    if tensor.rank is None:
        raise RefusedError("transforms a tensor of unknown rank")
    for axis in (-1, -2) if op.type.endswith("2D") else (-1,):
        points = tensor.dim(axis)
        if isinstance(points, int):
            transform = _transform(points, points, points, dtype, sign)
        else:
            transform = _computed(e, parts(tensor)[0], axis, dtype, sign)
        both = _complex(e, both, transform, axis)
    return made(op, both, tensor.shape)


@handles_complex("RFFT", "RFFT2D")
def of_reals(e: Emitter, op: Operation) -> Tensor:
    """Of real numbers: the half of the spectrum that is not a mirror image."""
    tensor, lengths = op.inputs[0], _points(op)
    dtype, points = tensor.dtype_numpy, lengths[-1]
    value = _fitted(e, e.logical(tensor), tensor.dim(-1), points, -1)
    t = _transform(points, points, points // 2 + 1, dtype, -1)
    both: Pair = _apply(e, value, t.cosines, -1), e.node("Neg", [_apply(e, value, t.sines, -1)])
    shape = [*(tensor.shape or ())[:-1], points // 2 + 1]
    if len(lengths) == 2:
        real, imaginary = (_fitted(e, part, tensor.dim(-2), lengths[0], -2) for part in both)
        both = _complex(e, (real, imaginary), _transform(lengths[0], lengths[0], lengths[0], dtype, -1), -2)
        shape[-2] = lengths[0]
    return made(op, both, shape)


@handles_complex("IRFFT", "IRFFT2D")
def to_reals(e: Emitter, op: Operation) -> Tensor:
    """The inverse: inner points of the half spectrum count twice."""
    tensor, lengths = op.inputs[0], _points(op)
    dtype, points = np.dtype(REAL[tensor.dtype]), lengths[-1]
    half = points // 2 + 1
    real, imaginary = (_fitted(e, part, tensor.dim(-1), half, -1) for part in values(e, tensor))
    shape = [*(tensor.shape or ())[:-1], points]
    if len(lengths) == 2:
        rows = lengths[0]
        real, imaginary = (_fitted(e, part, tensor.dim(-2), rows, -2) for part in (real, imaginary))
        real, imaginary = _complex(e, (real, imaginary), _transform(rows, rows, rows, dtype, 1), -2)
        shape[-2] = rows
    t = _transform(points, half, points, dtype, 1)
    weights = np.full((half, 1), 2, dtype)
    weights[0] = 1
    if points % 2 == 0:
        weights[-1] = 1
    cosines, sines = _apply(e, real, t.cosines * weights, -1), _apply(e, imaginary, t.sines * weights, -1)
    return op.result(e.node("Sub", [cosines, sines]), shape)
