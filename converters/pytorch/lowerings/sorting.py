"""Order: stable sorts, medians, order statistics, searches in what is sorted, unique elements."""

from __future__ import annotations

from typing import Any

import torch

from assay.converters.pytorch.lowerings.opsets import op
from assay.converters.pytorch.lowerings.registry import decomposes, translates

aten = torch.ops.aten
_HALVINGS = 31  # of an axis whose size is known only when the model runs


@translates(aten.sort.stable)
def sort_stable(self: Any, stable: Any = None, dim: int = -1, descending: bool = False) -> Any:
    """By TopK, which gives the lower index first among equals."""
    if len(self.shape) == 0:
        return op.Identity(self), op.Constant(value_int=0)
    size = op.Gather(op.Shape(self), op.Constant(value_ints=[dim % len(self.shape)]))
    return op.TopK(self, size, axis=dim, largest=int(descending), sorted=1)


def _ordered(tensor: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.sort(tensor, dim=dim, stable=True)


def _kept(values: torch.Tensor, indices: torch.Tensor, dim: int, keepdim: bool) -> tuple[torch.Tensor, torch.Tensor]:
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


@decomposes(aten.kthvalue.default)
def kthvalue(tensor: torch.Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """The k-th smallest element."""
    if tensor.ndim == 0:
        return tensor.clone(), torch.zeros((), dtype=torch.int64)
    values, indices = _ordered(tensor, dim)
    return _kept(values.narrow(dim, k - 1, 1), indices.narrow(dim, k - 1, 1), dim, keepdim)


@decomposes(aten.median.dim)
def median_dim(tensor: torch.Tensor, dim: int, keepdim: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """The lower of the two in the middle; NaN where there is one."""
    if tensor.ndim == 0:
        return tensor.clone(), torch.zeros((), dtype=torch.int64)
    values, indices = _ordered(tensor, dim)
    middle = (tensor.shape[dim] - 1) // 2
    values, indices = values.narrow(dim, middle, 1), indices.narrow(dim, middle, 1)
    if tensor.is_floating_point():
        missing = torch.isnan(tensor)
        found = missing.any(dim, keepdim=True)
        first = missing.to(torch.int64).argmax(dim, keepdim=True)
        values, indices = torch.where(found, torch.nan, values), torch.where(found, first, indices)
    return _kept(values, indices, dim, keepdim)


@decomposes(aten.median.default)
def median(tensor: torch.Tensor) -> torch.Tensor:
    """Over all elements."""
    return median_dim(tensor.reshape(-1), 0)[0]


@decomposes(aten.nanmedian.dim)
def nanmedian_dim(tensor: torch.Tensor, dim: int, keepdim: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """The median of what is not NaN."""
    if tensor.ndim == 0:
        return tensor.clone(), torch.zeros((), dtype=torch.int64)
    if not tensor.is_floating_point():
        return median_dim(tensor, dim, keepdim)
    missing = torch.isnan(tensor)
    values, indices = _ordered(torch.where(missing, torch.inf, tensor), dim)
    count = (~missing).to(torch.int64).sum(dim, keepdim=True)
    middle = ((count - 1) // 2).clamp(min=0)
    values, indices = values.gather(dim, middle), indices.gather(dim, middle)
    return _kept(torch.where(count == 0, torch.nan, values), indices, dim, keepdim)


@decomposes(aten.nanmedian.default)
def nanmedian(tensor: torch.Tensor) -> torch.Tensor:
    """Over all elements."""
    return nanmedian_dim(tensor.reshape(-1), 0)[0]


@decomposes(aten.mode.default)
def mode(tensor: torch.Tensor, dim: int = -1, keepdim: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """The most frequent element, the smallest of several, and the last place where it stands."""
    if tensor.ndim == 0:
        return tensor.clone(), torch.zeros((), dtype=torch.int64)
    moved = tensor.movedim(dim, -1)
    values = _ordered(moved, -1)[0]
    counts = (values.unsqueeze(-1) == moved.unsqueeze(-2)).to(torch.int64).sum(-1)
    best = values.gather(-1, counts.argmax(-1, keepdim=True))
    places = torch.where(moved == best, torch.arange(tensor.shape[dim]), -1).amax(-1, keepdim=True)
    return _kept(best.movedim(-1, dim), places.movedim(-1, dim), dim, keepdim)


def _places(ordered: torch.Tensor, values: torch.Tensor, right: bool, out_int32: bool) -> torch.Tensor:
    """Where a search by halves ends in each row, as PyTorch's does, for what is not in order too."""
    size = ordered.shape[-1]
    first, end = torch.zeros_like(values, dtype=torch.int64), torch.full_like(values, size, dtype=torch.int64)
    for _ in range(size.bit_length() if isinstance(size, int) else _HALVINGS):
        middle = (first + end) // 2
        found = _at(ordered, torch.clamp(middle, max=size - 1))
        further = (first < end) & ~(found > values if right else found >= values)
        first, end = torch.where(further, middle + 1, first), torch.where(further, end, middle)
    return first.to(torch.int32 if out_int32 else torch.int64)


def _at(ordered: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    if ordered.ndim > 1:
        return ordered.gather(-1, places)
    return ordered.gather(0, places.reshape(-1)).reshape(places.shape)


@decomposes(aten.searchsorted.Tensor)
def searchsorted(
    sorted_sequence: torch.Tensor,
    values: torch.Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: torch.Tensor | None = None,
) -> torch.Tensor:
    """Where values would stand in rows that are sorted."""
    if sorter is not None:
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    return _places(sorted_sequence, values, right or side == "right", out_int32)


@decomposes(aten.searchsorted.Scalar)
def searchsorted_scalar(
    sorted_sequence: torch.Tensor,
    value: float,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: torch.Tensor | None = None,
) -> torch.Tensor:
    """Where one number would stand."""
    number = torch.full((), value, dtype=sorted_sequence.dtype)
    return searchsorted(sorted_sequence, number, out_int32=out_int32, right=right, side=side, sorter=sorter)


@decomposes(aten.bucketize.Tensor)
def bucketize(
    tensor: torch.Tensor, boundaries: torch.Tensor, *, out_int32: bool = False, right: bool = False
) -> torch.Tensor:
    """Between which boundaries values lie."""
    return searchsorted(boundaries, tensor, out_int32=out_int32, right=right)


@translates(aten.unique_dim.default)
def unique_dim(
    self: Any,
    dim: int,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
) -> Any:
    """Different slices, sorted."""
    values, _, inverse, counts = op.Unique(self, axis=dim, sorted=1)
    return values, inverse, counts


@translates(aten.unique_consecutive.default)
def unique_consecutive(
    self: Any,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """What differs from the element before it, by which run each element is in, and how long the runs are."""
    end, whole = op.Constant(value_ints=[2**62]), op.Constant(value_ints=[-1])
    one, zero = op.Constant(value_ints=[1]), op.Constant(value_ints=[0])
    flat = dim is None or len(self.shape) < 2
    axis = 0 if dim is None or flat else dim % len(self.shape)
    slices = op.Reshape(self, whole) if flat else self
    rows = op.Gather(op.Shape(slices), op.Constant(value_ints=[axis]))
    differs = op.Not(op.Equal(op.Slice(slices, one, end, [axis]), op.Slice(slices, zero, whole, [axis])))
    others = [] if flat else [other for other in range(len(self.shape)) if other != axis]
    if others:
        differs = op.Cast(op.ReduceMax(op.Cast(differs, to=7), others, keepdims=0), to=9)
    starts = op.Slice(op.Concat(op.Cast(rows, to=9), differs, axis=0), zero, rows)
    inverse = op.Sub(op.CumSum(op.Cast(starts, to=7), op.Constant(value_int=0)), op.Constant(value_int=1))
    places = op.Concat(op.Reshape(op.NonZero(starts), whole), rows, axis=0)
    counts = op.Sub(op.Slice(places, one, end), op.Slice(places, zero, whole))
    runs = op.Compress(slices, starts, axis=axis)
    return runs, inverse if dim is not None else op.Reshape(inverse, op.Shape(self)), counts
