"""Linear algebra of small matrices, unrolled in float64; for those whose size is known when the model is traced."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten
_LARGEST, _LARGEST_TRIANGLE, _BLOCK = 32, 256, 8
T = torch.Tensor


def _rows_of(matrix: T, most: int = _LARGEST) -> tuple[int, int]:
    rows, columns = matrix.shape[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int) or max(rows, columns) > most:
        limit = f"should be of at most {most} rows, known ahead"
        raise NotImplementedError(f"a matrix of {rows} x {columns}, but {limit}")
    return rows, columns


def in_doubles(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of float64 matrices; its floating results in the dtype of the first."""

    def lowered(value: Any, dtype: torch.dtype) -> Any:
        return value.to(dtype) if isinstance(value, T) and value.dtype is torch.float64 else value

    @wraps(function)
    def converted(*args: Any, **kwargs: Any) -> Any:
        dtype = next(arg.dtype for arg in args if isinstance(arg, T))
        raised = [arg.to(torch.float64) if isinstance(arg, T) and arg.is_floating_point() else arg for arg in args]
        result = function(*raised, **kwargs)
        return tuple(lowered(one, dtype) for one in result) if isinstance(result, tuple) else lowered(result, dtype)

    return converted


def _identity(like: T, size: int) -> T:
    return torch.eye(size, dtype=like.dtype).expand(*like.shape[:-2], size, size)


def _factor(matrix: T, pivot: bool) -> tuple[T, T, T]:
    """LU in one matrix, by LAPACK's swaps (0-based), and the rows' permutation."""
    rows, columns = _rows_of(matrix)
    index = torch.arange(rows)
    order = index.expand(matrix.shape[:-1])
    swaps = [order[..., :0]]
    for step in range(min(rows, columns)):
        best = matrix[..., step:, step].abs().argmax(-1, keepdim=True) + step if pivot else None
        best = torch.full_like(order[..., :1], step) if best is None else best
        moved = torch.where(index == step, best, torch.where(index == best, step, index))
        matrix = matrix.gather(-2, moved.unsqueeze(-1).expand(matrix.shape))
        order = order.gather(-1, moved)
        swaps.append(best)
        head = matrix[..., step : step + 1, step : step + 1]
        below = (index > step).unsqueeze(-1)
        ratio = torch.where(below, matrix[..., :, step : step + 1] / torch.where(head == 0, 1.0, head), 0.0)
        column = torch.arange(columns)
        rest = matrix - ratio * torch.where(column > step, matrix[..., step : step + 1, :], 0.0)
        matrix = torch.where(below & (column == step), ratio, rest)
    return matrix, torch.cat(swaps, -1), order


def _lower(lu: T, size: int) -> T:
    return torch.tril(lu[..., :, :size], -1) + torch.eye(lu.shape[-2], size, dtype=lu.dtype)


def _triangular(matrix: T, right: T, upper: bool, unit: bool = False) -> T:
    """The solution of a triangular system, row by row, of a large one half by half."""
    size = _rows_of(matrix, _LARGEST_TRIANGLE)[0]
    if size > _LARGEST:
        return _halved(matrix, right, upper, unit)
    solved: dict[int, T] = {}
    for row in reversed(range(size)) if upper else range(size):
        rest = right[..., row, :]
        for other, value in solved.items():
            rest = rest - matrix[..., row, other, None] * value
        solved[row] = rest if unit else rest / matrix[..., row, row, None]
    if not solved:
        return right.clone()
    return torch.stack([value for _, value in sorted(solved.items())], -2)


def _halved(matrix: T, right: T, upper: bool, unit: bool) -> T:
    """Down to small blocks, for a node each step of each row would make a large graph."""
    half = matrix.shape[-1] // 2
    solve = _halved if half > _BLOCK else _triangular
    first, second = slice(half), slice(half, None)
    if upper:
        first, second = second, first
    known = solve(matrix[..., first, first], right[..., first, :], upper, unit)
    rest = right[..., second, :] - matrix[..., second, first] @ known
    other = solve(matrix[..., second, second], rest, upper, unit)
    return torch.cat([other, known] if upper else [known, other], -2)


def _solved(lu: T, order: T, right: T) -> T:
    size = lu.shape[-1]
    lead = torch.broadcast_shapes(lu.shape[:-2], right.shape[:-2])
    right = right.expand(*lead, *right.shape[-2:])
    order = order.expand(*lead, size).unsqueeze(-1).expand(right.shape)
    return _triangular(lu, _triangular(lu, right.gather(-2, order), upper=False, unit=True), upper=True)


def _info(lu: T) -> T:
    """The first step whose pivot is zero, from one; zero where there is none."""
    diagonal = lu.diagonal(dim1=-2, dim2=-1)
    if diagonal.shape[-1] == 0:
        return torch.zeros(lu.shape[:-2], dtype=torch.int32)
    steps = torch.where(diagonal == 0, torch.arange(1, diagonal.shape[-1] + 1), 2**30).amin(-1)
    return torch.where(steps == 2**30, 0, steps).to(torch.int32)


@decomposes(aten.linalg_lu_factor_ex.default)
@in_doubles
def lu_factor_ex(matrix: T, *, pivot: bool = True, check_errors: bool = False) -> tuple[T, T, T]:
    """LU, LAPACK's swaps and what failed."""
    lu, swaps, _ = _factor(matrix, pivot)
    return lu, (swaps + 1).to(torch.int32), _info(lu)


@decomposes(aten.linalg_lu.default)
@in_doubles
def linalg_lu(matrix: T, *, pivot: bool = True) -> tuple[T, T, T]:
    """P, L and U."""
    rows, columns = _rows_of(matrix)
    lu, _, order = _factor(matrix, pivot)
    size = min(rows, columns)
    permutation = (order.unsqueeze(-2) == torch.arange(rows)[:, None]).to(torch.float64)
    return permutation, _lower(lu, size), torch.triu(lu[..., :size, :])


def _order_of(swaps: T, rows: int) -> T:
    """The permutation of rows that LAPACK's swaps (from one) come to."""
    index = torch.arange(rows)
    order = index.expand(*swaps.shape[:-1], rows)
    for step in range(swaps.shape[-1]):
        other = swaps[..., step : step + 1].to(torch.int64) - 1
        order = order.gather(-1, torch.where(index == step, other, torch.where(index == other, step, index)))
    return order


@decomposes(aten.lu_unpack.default)
@in_doubles
def lu_unpack(lu: T, swaps: T, unpack_data: bool = True, unpack_pivots: bool = True) -> tuple[T, T, T]:
    """P, L and U of what `lu_factor` gives; what is not asked for is empty."""
    rows, columns = _rows_of(lu)
    size, empty = min(rows, columns), lu.new_zeros(0)
    order = _order_of(swaps, rows)
    permutation = (order.unsqueeze(-2) == torch.arange(rows)[:, None]).to(torch.float64) if unpack_pivots else empty
    if not unpack_data:
        return permutation, empty, empty
    return permutation, _lower(lu, size), torch.triu(lu[..., :size, :])


@decomposes(aten.linalg_lu_solve.default)
@in_doubles
def lu_solve(lu: T, swaps: T, right: T, *, left: bool = True, adjoint: bool = False) -> T:
    """The solution of a system that is factored."""
    rows, _ = _rows_of(lu)
    order = _order_of(swaps, rows)
    if not left:
        turned: T = lu_solve(lu, swaps, right.mT, left=True, adjoint=not adjoint)
        return turned.mT
    if not adjoint:
        return _solved(lu, order, right)
    inner = _triangular(lu.mT, _triangular(lu.mT, right, upper=False), upper=True, unit=True)
    back = (order.unsqueeze(-2) == torch.arange(rows)[:, None]).to(torch.float64)
    return back @ inner


@decomposes(aten._linalg_solve_ex.default)
@in_doubles
def solve_ex(matrix: T, right: T, *, left: bool = True, check_errors: bool = False) -> tuple[T, T, T, T]:
    """The solution, with LU, swaps and what failed."""
    vector = right.ndim == 1 or (right.ndim == matrix.ndim - 1 and right.shape == matrix.shape[:-1])
    sides = right.unsqueeze(-1) if vector else right
    lu, swaps, order = _factor(matrix if left else matrix.mT, pivot=True)
    solution = _solved(lu, order, sides if left else sides.mT)
    solution = solution if left else solution.mT
    return solution.squeeze(-1) if vector else solution, lu, (swaps + 1).to(torch.int32), _info(lu)


@decomposes(aten.linalg_inv_ex.default)
@in_doubles
def inv_ex(matrix: T, *, check_errors: bool = False) -> tuple[T, T]:
    """The inverse, and what failed."""
    lu, _, order = _factor(matrix, pivot=True)
    return _solved(lu, order, _identity(matrix, matrix.shape[-1])), _info(lu)


def _sign_and_size(lu: T, order: T) -> tuple[T, T]:
    diagonal, size = lu.diagonal(dim1=-2, dim2=-1), lu.shape[-1]
    index = torch.arange(size)
    inversions = (order.unsqueeze(-1) > order.unsqueeze(-2)) & (index[:, None] < index[None, :])
    odd = inversions.to(torch.int64).sum((-1, -2)) % 2
    return torch.sign(diagonal).prod(-1) * (1 - 2 * odd), diagonal.abs().log().sum(-1)


@decomposes(aten._linalg_slogdet.default)
@in_doubles
def slogdet(matrix: T) -> tuple[T, T, T, T]:
    """The sign and the logarithm of the determinant, with LU and swaps."""
    lu, swaps, order = _factor(matrix, pivot=True)
    return (*_sign_and_size(lu, order), lu, (swaps + 1).to(torch.int32))


def _cholesky(matrix: T) -> tuple[T, T]:
    """The lower factor of a symmetric matrix, of which the lower part is read; and what failed."""
    size, _ = _rows_of(matrix)
    index, columns = torch.arange(size), []
    info = torch.zeros(matrix.shape[:-2], dtype=torch.int32)
    for step in range(size):
        head = matrix[..., step, step]
        info = torch.where((info == 0) & ~(head > 0), step + 1, info)
        column = torch.where(index >= step, matrix[..., :, step] / head.sqrt().unsqueeze(-1), 0.0)
        matrix = matrix - column.unsqueeze(-1) * column.unsqueeze(-2)
        columns.append(column)
    return torch.stack(columns, -1) if columns else matrix.clone(), info.to(torch.int32)


@decomposes(aten.linalg_cholesky_ex.default)
@in_doubles
def cholesky_ex(matrix: T, *, upper: bool = False, check_errors: bool = False) -> tuple[T, T]:
    """The factor of a positive definite matrix, and what failed."""
    factor, info = _cholesky(matrix.mT if upper else matrix)
    return factor.mT if upper else factor, info


@decomposes(*((aten.cholesky.default,) if hasattr(aten, "cholesky") else ()))  # gone in torch 2.14
@in_doubles
def cholesky(matrix: T, upper: bool = False) -> T:
    """The factor of a positive definite matrix."""
    factor = _cholesky(matrix.mT if upper else matrix)[0]
    return factor.mT if upper else factor


@decomposes(aten.cholesky_solve.default)
@in_doubles
def cholesky_solve(right: T, factor: T, upper: bool = False) -> T:
    """The solution of a system whose matrix has this factor."""
    lower = factor.mT if upper else factor
    return _triangular(lower.mT, _triangular(lower, right, upper=False), upper=True)


@decomposes(aten.cholesky_inverse.default)
@in_doubles
def cholesky_inverse(factor: T, upper: bool = False) -> T:
    """The inverse of a matrix that has this factor."""
    lower = factor.mT if upper else factor
    half = _triangular(lower, _identity(factor, factor.shape[-1]), upper=False)
    return half.mT @ half


@decomposes(aten.linalg_solve_triangular.default)
@in_doubles
def solve_triangular(matrix: T, right: T, *, upper: bool, left: bool = True, unitriangular: bool = False) -> T:
    """The solution of a triangular system."""
    if left:
        return _triangular(matrix, right, upper, unitriangular)
    return _triangular(matrix.mT, right.mT, not upper, unitriangular).mT


@decomposes(aten.triangular_solve.default)
@in_doubles
def triangular_solve(
    right: T, matrix: T, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple[T, T]:
    """The solution of a triangular system, and the matrix."""
    used = matrix.mT if transpose else matrix
    lead = torch.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    return _triangular(used, right, upper != transpose, unitriangular), matrix.expand(*lead, *matrix.shape[-2:]).clone()


def _reflected(matrix: T) -> tuple[T, T]:
    """Householder's vectors below R, and their factors, as LAPACK's geqrf gives them."""
    rows, columns = _rows_of(matrix)
    index, place, factors = torch.arange(rows), torch.arange(columns), []
    for step in range(min(rows, columns)):
        column, head = matrix[..., :, step], matrix[..., step, step]
        below = torch.where(index > step, column, 0.0)
        rest = below.square().sum(-1)
        size = torch.where(head < 0, 1.0, -1.0) * (head.square() + rest).sqrt()
        flat = rest == 0
        beta = torch.where(flat, head, size)
        factor = torch.where(flat, 0.0, (size - head) / torch.where(size == 0, 1.0, size))
        vector = torch.where(index == step, 1.0, below / torch.where(flat, 1.0, head - size).unsqueeze(-1))
        right = torch.where(place > step, matrix, 0.0)
        matrix = matrix - factor[..., None, None] * vector.unsqueeze(-1) * (vector.unsqueeze(-2) @ right)
        kept = torch.where(index == step, beta.unsqueeze(-1), torch.where(index > step, vector, column))
        matrix = torch.where(place == step, kept.unsqueeze(-1), matrix)
        factors.append(factor)
    return matrix, torch.stack(factors, -1) if factors else matrix.new_zeros((*matrix.shape[:-2], 0))


def _applied(vectors: T, factors: T, other: T, transposed: bool) -> T:
    """The orthogonal matrix of Householder's vectors times another."""
    index = torch.arange(vectors.shape[-2])
    steps = range(factors.shape[-1])
    for step in steps if transposed else reversed(steps):
        vector = torch.where(index == step, 1.0, torch.where(index > step, vectors[..., :, step], 0.0))
        other = other - factors[..., step, None, None] * vector.unsqueeze(-1) * (vector.unsqueeze(-2) @ other)
    return other


@decomposes(aten.geqrf.default)
@in_doubles
def geqrf(matrix: T) -> tuple[T, T]:
    """Householder's vectors below R, and their factors."""
    return _reflected(matrix)


@decomposes(aten.linalg_householder_product.default)
@in_doubles
def householder_product(vectors: T, factors: T) -> T:
    """The first columns of the orthogonal matrix."""
    rows, columns = _rows_of(vectors)
    return _applied(vectors, factors, torch.eye(rows, columns, dtype=vectors.dtype), transposed=False)


@decomposes(aten.ormqr.default)
@in_doubles
def ormqr(vectors: T, factors: T, other: T, left: bool = True, transpose: bool = False) -> T:
    """The orthogonal matrix times another, or another times it."""
    _rows_of(vectors)
    if left:
        return _applied(vectors, factors, other, transpose)
    return _applied(vectors, factors, other.mT, not transpose).mT


@decomposes(aten.linalg_qr.default)
@in_doubles
def qr(matrix: T, mode: str = "reduced") -> tuple[T, T]:
    """Q and R; Q is empty where it is not asked for."""
    rows, columns = _rows_of(matrix)
    vectors, factors = _reflected(matrix)
    size = rows if mode == "complete" else min(rows, columns)
    upper = torch.triu(vectors[..., :size, :])
    if mode == "r":
        return matrix.new_zeros(0), upper
    identity = torch.eye(rows, size, dtype=matrix.dtype).expand(*matrix.shape[:-2], rows, size)
    return _applied(vectors, factors, identity, transposed=False), upper


@decomposes(aten.linalg_matrix_exp.default)
@in_doubles
def matrix_exp(matrix: T) -> T:
    """By Taylor's series of the 2⁻²⁰-th part, squared twenty times, which float64 has digits for."""
    size, _ = _rows_of(matrix)
    part = matrix * 2.0**-20
    power = _identity(matrix, size)
    for order in range(8, 0, -1):
        power = _identity(matrix, size) + part @ power * (1 / order)
    for _ in range(20):
        power = power @ power
    return power


@decomposes(aten.linalg_cholesky.default)
@in_doubles
def linalg_cholesky(matrix: T, *, upper: bool = False) -> T:
    """The factor of a positive definite matrix; NaN where PyTorch raises, for a model has no exceptions."""
    factor = _cholesky(matrix.mT if upper else matrix)[0]
    return factor.mT if upper else factor


@decomposes(aten.linalg_lu_factor.default)
@in_doubles
def lu_factor(matrix: T, *, pivot: bool = True) -> tuple[T, T]:
    """LU and LAPACK's swaps."""
    lu, swaps, _ = _factor(matrix, pivot)
    return lu, (swaps + 1).to(torch.int32)


@decomposes(aten.linalg_inv.default, aten.inverse.default)
@in_doubles
def inverse(matrix: T) -> T:
    """The inverse."""
    lu, _, order = _factor(matrix, pivot=True)
    return _solved(lu, order, _identity(matrix, matrix.shape[-1]))


@decomposes(aten.linalg_solve.default)
def linalg_solve(matrix: T, right: T, *, left: bool = True) -> T:
    """The solution of a system."""
    solution: T = solve_ex(matrix, right, left=left)[0]
    return solution
