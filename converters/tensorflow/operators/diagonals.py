"""Diagonals and bands of matrices."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import counted, size, sizes, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor


def _offsets(e: Emitter, tensor: Tensor) -> ir.Value:
    """Row less column, for each element of the last two axes."""
    rows = e.node("Unsqueeze", [counted(e, size(e, tensor, -2)), e.ints(1)])
    return e.node("Sub", [rows, counted(e, size(e, tensor, -1))])


@handles("MatrixBandPart")
def band_part(e: Emitter, op: Operation) -> Tensor:
    """Zero outside so many diagonals below and above the main one; a negative number is all of them."""
    tensor, lower, upper = op.inputs
    offsets = _offsets(e, tensor)
    parts = []
    for bound, offset in ((lower, offsets), (upper, e.node("Neg", [offsets]))):
        limit = e.int64(bound)
        inside = e.node("LessOrEqual", [offset, limit])
        parts.append(e.node("Or", [inside, e.node("Less", [limit, e.constant(np.array(0, np.int64))])]))
    zero = e.constant(np.zeros((), tensor.dtype_numpy))
    return op.result(e.node("Where", [e.node("And", parts), e.logical(tensor), zero]), tensor.shape)


def _band(op: Operation, index: int) -> tuple[int, int]:
    numbers = [int(n) for n in op.array(index, "band of diagonals").reshape(-1)]
    return numbers[0], numbers[-1]


def _placements(
    rows: int, columns: int, low: int, high: int, align: str
) -> tuple[list[tuple[int, int, int, int]], int]:
    """(row, column, diagonal, place in it) of each element of the band, and the length of the longest diagonal."""
    ends = {d: min(rows + min(d, 0), columns - max(d, 0)) for d in range(low, high + 1)}
    longest = max(ends.values())
    above, below = align.split("_")
    found = []
    for d in range(high, low - 1, -1):
        side = above if d >= 0 else below
        shift = longest - ends[d] if side == "RIGHT" else 0
        found += [(n - min(d, 0), n + max(d, 0), high - d, n + shift) for n in range(ends[d])]
    return found, longest


def _align(op: Operation) -> str:
    return str(op.attr("align")) if op.type.endswith("V3") else "LEFT_LEFT"


@handles("MatrixDiag", "MatrixDiagV2", "MatrixDiagV3")
def diagonal_matrix(e: Emitter, op: Operation) -> Tensor:
    """Matrices of given diagonals, and a padding elsewhere."""
    diagonal = op.inputs[0]
    if diagonal.shape is None:
        raise RefusedError("gets diagonals of unknown rank")
    plain = len(op.inputs) == 1
    low, high = (0, 0) if plain else _band(op, 1)
    fill = e.constant(np.zeros((), diagonal.dtype_numpy)) if plain else e.logical(op.inputs[4])
    rows, columns = (-1, -1) if plain else (int(op.array(n, "size").reshape(())) for n in (2, 3))
    if low == high == 0 and rows in (-1, diagonal.dim(-1)) and columns in (-1, diagonal.dim(-1)):
        count = counted(e, size(e, diagonal, -1))
        same = e.node("Equal", [e.node("Unsqueeze", [count, e.ints(1)]), count])
        value = e.node("Where", [same, e.node("Unsqueeze", [e.logical(diagonal), e.ints(-1)]), fill])
        return op.result(value, (*diagonal.shape, diagonal.dim(-1)))
    return _placed_diagonals(e, op, low, high, rows, columns, fill)


def _placed_diagonals(
    e: Emitter, op: Operation, low: int, high: int, rows: int, columns: int, fill: ir.Value
) -> Tensor:
    diagonal = op.inputs[0]
    length = diagonal.dim(-1)
    if not isinstance(length, int) or diagonal.shape is None:
        raise RefusedError("places diagonals whose length is known only when it runs")
    short_rows, short_columns = length - min(high, 0), length + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(short_rows, short_columns)
    rows, columns = (short_rows if rows == -1 else rows), (short_columns if columns == -1 else columns)
    batch = diagonal.shape[: -1 if low == high else -2]
    source = np.full(rows * columns, -1)
    for row, column, which, at in _placements(rows, columns, low, high, _align(op))[0]:
        source[row * columns + column] = which * length + at
    flat = e.logical(diagonal)
    if low != high:
        flat = e.node("Reshape", [flat, vector(e, [*_leading(e, diagonal, len(batch)), (high - low + 1) * length])])
    value = e.node("Gather", [flat, e.constant(np.maximum(source, 0))], axis=-1)
    value = e.node("Where", [e.constant(source >= 0), value, fill])
    target = vector(e, [*_leading(e, diagonal, len(batch)), rows, columns])
    return op.result(e.node("Reshape", [value, target]), (*batch, rows, columns))


def _leading(e: Emitter, tensor: Tensor, count: int) -> list[int | ir.Value]:
    return [sizes(e, tensor, 0, count)] if count else []


@handles("DiagPart", "Diag")
def tensor_diagonal(e: Emitter, op: Operation) -> Tensor:
    """Of a matrix; tensors of more axes are refused."""
    (tensor,) = op.inputs
    if tensor.rank != (2 if op.type == "DiagPart" else 1):
        raise RefusedError(f"gets a tensor of {tensor.rank} axes")
    if op.type == "DiagPart":
        return _main_diagonal(e, op, tensor)
    count = counted(e, size(e, tensor, 0))
    same = e.node("Equal", [e.node("Unsqueeze", [count, e.ints(1)]), count])
    zero = e.constant(np.zeros((), tensor.dtype_numpy))
    return op.result(e.node("Where", [same, e.logical(tensor), zero]), (tensor.dim(0), tensor.dim(0)))


def _main_diagonal(e: Emitter, op: Operation, tensor: Tensor) -> Tensor:
    """Element n of row n, as many as the smaller side has."""
    rows, columns = tensor.dim(-2), tensor.dim(-1)
    least = e.node("Min", [size(e, tensor, -2), size(e, tensor, -1)])
    known: Dim = min(rows, columns) if isinstance(rows, int) and isinstance(columns, int) else Symbol()
    place = counted(e, e.ints(known) if isinstance(known, int) else least)
    batch = (tensor.shape or ())[:-2]
    turn = [len(batch), len(batch) + 1, *range(len(batch))]
    value = e.logical(tensor)
    if batch:
        value = e.node("Transpose", [value], perm=turn)
    both = e.node("Unsqueeze", [place, e.ints(1)])
    found = e.node("GatherND", [value, e.node("Concat", [both, both], axis=1)])
    if batch:
        found = e.node("Transpose", [found], perm=[*range(1, len(batch) + 1), 0])
    return op.result(found, (*batch, known))


@handles("MatrixDiagPart", "MatrixDiagPartV2", "MatrixDiagPartV3")
def diagonal_part(e: Emitter, op: Operation) -> Tensor:
    """The diagonals of a band, padded to the length of the longest."""
    tensor = op.inputs[0]
    low, high = (0, 0) if len(op.inputs) == 1 else _band(op, 1)
    if tensor.shape is None:
        raise RefusedError("gets matrices of unknown rank")
    if low == high == 0:
        return _main_diagonal(e, op, tensor)
    rows, columns = tensor.shape[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise RefusedError("takes diagonals of matrices whose size is known only when it runs")
    placements, longest = _placements(rows, columns, low, high, _align(op))
    source = np.full((high - low + 1) * longest, -1)
    for row, column, which, at in placements:
        source[which * longest + at] = row * columns + column
    batch = tensor.shape[:-2]
    flat = e.node("Reshape", [e.logical(tensor), vector(e, [*_leading(e, tensor, len(batch)), rows * columns])])
    value = e.node("Gather", [flat, e.constant(np.maximum(source, 0))], axis=-1)
    value = e.node("Where", [e.constant(source >= 0), value, e.logical(op.inputs[2])])
    if low == high:
        return op.result(value, (*batch, longest))
    target = vector(e, [*_leading(e, tensor, len(batch)), high - low + 1, longest])
    return op.result(e.node("Reshape", [value, target]), (*batch, high - low + 1, longest))


@handles("MatrixSetDiag", "MatrixSetDiagV2", "MatrixSetDiagV3")
def set_diagonal(e: Emitter, op: Operation) -> Tensor:
    """Matrices with other diagonals."""
    tensor, diagonal = op.inputs[:2]
    low, high = (0, 0) if len(op.inputs) == 2 else _band(op, 2)
    shape = tensor.static_shape if tensor.shape is None else tensor.shape[-2:]
    if tensor.shape is None or shape is None or not all(isinstance(dim, int) for dim in shape):
        raise RefusedError("sets diagonals of matrices whose size is known only when it runs")
    rows, columns = (dim for dim in shape if isinstance(dim, int))
    placements, longest = _placements(rows, columns, low, high, _align(op))
    source = np.full(rows * columns, -1)
    for row, column, which, at in placements:
        source[row * columns + column] = which * longest + at
    batch = tensor.shape[:-2]
    flat = e.logical(diagonal)
    if low != high:
        flat = e.node("Reshape", [flat, vector(e, [*_leading(e, diagonal, len(batch)), (high - low + 1) * longest])])
    value = e.node("Gather", [flat, e.constant(np.maximum(source, 0).reshape(rows, columns))], axis=-1)
    value = e.node("Where", [e.constant((source >= 0).reshape(rows, columns)), value, e.logical(tensor)])
    return op.result(value, tensor.shape)
