"""Matrices: determinants, inverses, factors and solutions of small systems."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.image import Arithmetic
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor

_LARGEST = 16  # rows of a matrix whose factors are written out
Rows = list[list[ir.Value]]


def _order(tensor: Tensor) -> int:
    """The number of rows of square matrices, where it is small."""
    rows = tensor.dim(-1) if tensor.rank else None
    if not isinstance(rows, int):
        raise RefusedError("gets matrices whose size is known only when it runs")
    if rows > _LARGEST:
        raise RefusedError(f"gets matrices of {rows} rows, of which {_LARGEST} can be written out")
    return rows


def _elements(e: Emitter, tensor: Tensor) -> Rows:
    """Each element of the matrices as [..., 1, 1]."""
    value = e.logical(tensor)
    rows, columns = (int(n) for n in (tensor.shape or ())[-2:])  # type: ignore[arg-type]
    lines = [value] if rows == 1 else e.nodes("Split", [value, e.ints(*[1] * rows)], rows, axis=-2)
    return [
        [line] if columns == 1 else e.nodes("Split", [line, e.ints(*[1] * columns)], columns, axis=-1) for line in lines
    ]


def _matrix(e: Emitter, rows: Rows) -> ir.Value:
    lines = [row[0] if len(row) == 1 else e.node("Concat", row, axis=-1) for row in rows]
    return lines[0] if len(lines) == 1 else e.node("Concat", lines, axis=-2)


@handles("MatrixDeterminant")
def determinant(e: Emitter, op: Operation) -> Tensor:
    """Of square matrices."""
    (tensor,) = op.inputs
    if tensor.dtype != "float32":
        raise RefusedError(f"needs Det of {tensor.dtype}, for which ONNX Runtime has no kernel")
    shape = None if tensor.shape is None else tensor.shape[:-2]
    value = e.node("Det", [e.logical(tensor)])
    if shape == ():
        value = e.node("Reshape", [value, e.constant(np.zeros(0, np.int64))])
    return op.result(value, shape)


@handles("MatrixInverse")
def inverse(e: Emitter, op: Operation) -> Tensor:
    """Of matrices of up to three rows, by their minors; larger ones would need pivots."""
    (tensor,) = op.inputs
    rows = _order(tensor)
    if rows > 3:
        raise RefusedError(f"inverts matrices of {rows} rows, which needs pivots")
    a = Arithmetic(e, tensor.dtype_numpy)
    found = _adjugate(a, _elements(e, tensor))
    value = _matrix(e, found)
    if op.attr("adjoint"):
        axes = list(range(tensor.rank or 0))
        value = e.node("Transpose", [value], perm=[*axes[:-2], axes[-1], axes[-2]])
    return op.result(value, tensor.shape)


def _adjugate(a: Arithmetic, m: Rows) -> Rows:
    """The inverse of a matrix by its minors."""
    n = len(m)
    if n == 1:
        return [[a.do("Reciprocal", m[0][0])]]
    if n == 2:
        minors = [[m[1][1], a.do("Neg", m[0][1])], [a.do("Neg", m[1][0]), m[0][0]]]
    else:
        minors = [[_cofactor(a, m, column, row) for column in range(3)] for row in range(3)]
    products = [a.do("Mul", m[0][k], minors[k][0]) for k in range(n)]
    whole = products[0]
    for product in products[1:]:
        whole = a.do("Add", whole, product)
    return [[a.do("Div", minor, whole) for minor in row] for row in minors]


def _cofactor(a: Arithmetic, m: Rows, row: int, column: int) -> ir.Value:
    """Of a matrix of three rows, its sign by the cyclic order of indices."""
    r, c = [(row + 1) % 3, (row + 2) % 3], [(column + 1) % 3, (column + 2) % 3]
    return a.do("Sub", a.do("Mul", m[r[0]][c[0]], m[r[1]][c[1]]), a.do("Mul", m[r[0]][c[1]], m[r[1]][c[0]]))


@handles("Cholesky")
def cholesky(e: Emitter, op: Operation) -> Tensor:
    """The lower factor of symmetric matrices, row by row."""
    (tensor,) = op.inputs
    n, a, m = _order(tensor), Arithmetic(e, tensor.dtype_numpy), _elements(e, tensor)
    factor: Rows = [[a.do("Mul", m[0][0], 0.0)] * n for _ in range(n)]
    for row in range(n):
        for column in range(row + 1):
            rest = m[row][column]
            for k in range(column):
                rest = a.do("Sub", rest, a.do("Mul", factor[row][k], factor[column][k]))
            factor[row][column] = a.do("Sqrt", rest) if row == column else a.do("Div", rest, factor[column][column])
    return op.result(_matrix(e, factor), tensor.shape)


@handles("MatrixTriangularSolve")
def triangular_solve(e: Emitter, op: Operation) -> Tensor:
    """By substitution, from the first row or from the last."""
    matrix, right = op.inputs
    n, a, m = _order(matrix), Arithmetic(e, matrix.dtype_numpy), _elements(e, matrix)
    lower = bool(op.attr("lower"))
    if op.attr("adjoint"):
        m, lower = [[m[column][row] for column in range(n)] for row in range(n)], not lower
    value = e.logical(right)
    sides = [value] if n == 1 else e.nodes("Split", [value, e.ints(*[1] * n)], n, axis=-2)
    found: dict[int, ir.Value] = {}
    for row in range(n) if lower else reversed(range(n)):
        rest = sides[row]
        for column, known in found.items():
            rest = a.do("Sub", rest, a.do("Mul", m[row][column], known))
        found[row] = a.do("Div", rest, m[row][row])
    lines = [found[row] for row in range(n)]
    return op.result(lines[0] if n == 1 else e.node("Concat", lines, axis=-2), None)


@handles("MatrixSolve")
def solve(e: Emitter, op: Operation) -> Tensor:
    """Of up to three equations, by the inverse."""
    matrix, right = op.inputs
    n = _order(matrix)
    if n > 3:
        raise RefusedError(f"solves {n} equations, which needs pivots")
    m = _elements(e, matrix)
    if op.attr("adjoint"):
        m = [[m[column][row] for column in range(n)] for row in range(n)]
    found = _matrix(e, _adjugate(Arithmetic(e, matrix.dtype_numpy), m))
    return op.result(e.node("MatMul", [found, e.logical(right)]), right.shape)


@handles("LogMatrixDeterminant")
def log_determinant(e: Emitter, op: Operation) -> list[Tensor]:
    """The sign, and the logarithm of the absolute value, of small matrices."""
    (tensor,) = op.inputs
    if _order(tensor) > 4 or tensor.dtype != "float32":
        raise RefusedError("takes the logarithm of a determinant that may leave the range of its dtype")
    value = e.node("Det", [e.logical(tensor)])
    shape = (tensor.shape or ())[:-2]
    if not shape:
        value = e.node("Reshape", [value, e.constant(np.zeros(0, np.int64))])
    logarithm = e.node("Log", [e.node("Abs", [value])])
    return [op.result(e.node("Sign", [value]), shape), op.result(logarithm, shape, index=1)]


@handles("Cross")
def cross(e: Emitter, op: Operation) -> Tensor:
    """The vector product of the last axis."""
    a = Arithmetic(e, op.inputs[0].dtype_numpy)
    x, y = (e.nodes("Split", [e.logical(tensor), e.ints(1, 1, 1)], 3, axis=-1) for tensor in op.inputs)
    parts = [a.do("Sub", a.do("Mul", x[i], y[j]), a.do("Mul", x[j], y[i])) for i, j in ((1, 2), (2, 0), (0, 1))]
    return op.result(e.node("Concat", parts, axis=-1), op.inputs[0].shape)
