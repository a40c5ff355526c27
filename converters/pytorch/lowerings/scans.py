"""What runs along an axis: cumulative product, maximum, minimum and log-sum-exp.

Each is a reduction over a triangle of the axis against itself, for ONNX has a cumulative sum alone; memory grows with
the square of the axis.
"""

from __future__ import annotations

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten


def _triangle(tensor: torch.Tensor, dim: int, fill: float | bool) -> torch.Tensor:
    """The tensor with ``dim`` last, repeated on an axis before it, filled beyond the diagonal."""
    rows = torch.arange(tensor.shape[dim])
    return torch.where(rows[None, :] <= rows[:, None], tensor.movedim(dim, -1).unsqueeze(-2), fill)


@decomposes(aten.cumprod.default)
def cumprod(tensor: torch.Tensor, dim: int, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Products of all elements up to each."""
    whole = not tensor.is_floating_point()
    tensor = tensor.to(dtype or (torch.int64 if whole else tensor.dtype))
    if tensor.ndim == 0:
        return tensor.clone()
    return _triangle(tensor, dim, 1).prod(-1).movedim(-1, dim)


@decomposes(aten.logcumsumexp.default)
def logcumsumexp(tensor: torch.Tensor, dim: int) -> torch.Tensor:
    """Logarithms of the sums of exponentials up to each."""
    if tensor.ndim == 0:
        return tensor.clone()
    return _triangle(tensor, dim, -torch.inf).logsumexp(-1).movedim(-1, dim)


def _running(tensor: torch.Tensor, dim: int, *, largest: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """The extreme up to each element, and the last place where it stands; NaN wins over all."""
    if tensor.ndim == 0:
        return tensor.clone(), torch.zeros((), dtype=torch.int64)
    moved, size = tensor.movedim(dim, -1), tensor.shape[dim]
    worst = _worst(tensor.dtype, largest)
    triangle = _triangle(tensor, dim, worst)
    values = triangle.amax(-1) if largest else triangle.amin(-1)
    rows = torch.arange(size)
    same = moved.unsqueeze(-2) == values.unsqueeze(-1)
    if tensor.is_floating_point():
        missing = _triangle(torch.isnan(tensor), dim, False)
        values = torch.where(missing.any(-1), torch.nan, values)
        same = torch.where(missing.any(-1, keepdim=True), missing, same)
    same = same & (rows[None, :] <= rows[:, None])
    indices = torch.where(same, rows, -1).amax(-1)
    return values.movedim(-1, dim), indices.movedim(-1, dim)


def _worst(dtype: torch.dtype, largest: bool) -> float | bool:
    if dtype is torch.bool:
        return not largest
    if dtype.is_floating_point:
        return -torch.inf if largest else torch.inf
    return torch.iinfo(dtype).min if largest else torch.iinfo(dtype).max


@decomposes(aten.cummax.default)
def cummax(tensor: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Largest elements up to each, with their places."""
    return _running(tensor, dim, largest=True)


@decomposes(aten.cummin.default)
def cummin(tensor: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smallest elements up to each, with their places."""
    return _running(tensor, dim, largest=False)
