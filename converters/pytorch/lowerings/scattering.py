"""Elements written into a tensor, and segments of it reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from assay.converters.pytorch.lowerings.indexing import nonzero
from assay.converters.pytorch.lowerings.opsets import op
from assay.converters.pytorch.lowerings.registry import decomposes, translates

aten, prims = torch.ops.aten, torch.ops.prims
T = torch.Tensor
_REDUCTIONS = {"add": "sum", "multiply": "prod"}


@decomposes(aten.scatter.reduce)
def scatter_into(tensor: T, dim: int, index: T, source: T, *, reduce: str) -> T:
    """Sums or products with what is there."""
    result: T = aten.scatter_reduce.two(tensor, dim, index, source, _REDUCTIONS[reduce])
    return result


@decomposes(aten.scatter.value_reduce)
def scatter_number(tensor: T, dim: int, index: T, value: float, *, reduce: str) -> T:
    """Sums or products of a number with what is there."""
    return scatter_into(tensor, dim, index, torch.full_like(index, value, dtype=tensor.dtype), reduce=reduce)


@decomposes(aten.diagonal_scatter.default)
def diagonal_scatter(tensor: T, source: T, offset: int = 0, dim1: int = 0, dim2: int = 1) -> T:
    """A diagonal replaced by another tensor."""
    moved = tensor.movedim((dim1, dim2), (-2, -1))
    rows, columns = torch.arange(moved.shape[-2])[:, None], torch.arange(moved.shape[-1])[None, :]
    along = rows[:, 0] if offset >= 0 else columns[0]
    places = torch.clamp(along, max=source.shape[-1] - 1)
    values = source.index_select(-1, places).unsqueeze(-1 if offset >= 0 else -2)
    return torch.where(columns - rows == offset, values, moved).movedim((-2, -1), (dim1, dim2))


@decomposes(aten.as_strided_scatter.default, prims.as_strided_scatter.default)
def as_strided_scatter(
    tensor: T, source: T, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> T:
    """Elements at regular distances replaced, where the tensor lies in memory in its own order."""
    places = torch.zeros((), dtype=torch.int64) + (storage_offset or 0)
    for count, step in zip(size, stride, strict=True):
        places = places.unsqueeze(-1) + torch.arange(count) * step
    flat = tensor.reshape(-1).scatter(0, places.reshape(-1), source.reshape(-1))
    return flat.reshape(tensor.shape)


@decomposes(aten.segment_reduce.default)
def segment_reduce(
    data: T,
    reduce: str,
    *,
    lengths: T | None = None,
    indices: T | None = None,
    offsets: T | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> T:
    """Each segment of an axis to one element; ``initial`` takes part, and is what an empty one gives."""
    ends = torch.cumsum(lengths, -1) if lengths is not None else offsets[..., 1:] if offsets is not None else None
    if ends is None:
        raise NotImplementedError("segments by indices")
    if lengths is None and not isinstance(data.shape[axis], int):
        raise NotImplementedError("segments by offsets, which may lie outside of an axis that is dynamic")
    starts = ends - lengths if lengths is not None else offsets[..., :-1]  # type: ignore[index]
    places = torch.arange(data.shape[axis])
    inside = (places >= starts.unsqueeze(-1)) & (places < ends.unsqueeze(-1))
    inside = inside.reshape(*inside.shape, *(1 for _ in data.shape[axis + 1 :]))
    neutral, empty = _BOUNDS[reduce]
    first = neutral if initial is None else float(initial)
    values = torch.where(inside, data.unsqueeze(axis), neutral)
    along = axis + 1
    none = ~inside.any(along)
    if reduce in ("max", "min"):
        extreme = torch.maximum if reduce == "max" else torch.minimum
        found = values.amax(along) if reduce == "max" else values.amin(along)
        found = extreme(found, torch.full((), first, dtype=data.dtype))
    elif reduce == "prod":
        found = values.prod(along) * first
    else:
        found = values.sum(along) + first
    if reduce == "mean":
        counts = (ends - starts).reshape(*ends.shape, *(1 for _ in data.shape[axis + 1 :])).to(data.dtype)
        found = torch.where(none, found, found / torch.where(counts == 0, 1.0, counts))
    return torch.where(none, empty if initial is None else first, found)


_BOUNDS = {
    "max": (-torch.inf, -torch.inf),
    "min": (torch.inf, torch.inf),
    "sum": (0.0, 0.0),
    "mean": (0.0, torch.nan),
    "prod": (1.0, 1.0),
}


@translates(aten.nonzero_static.default)
def nonzero_static(self: Any, size: int, fill_value: int = -1) -> Any:
    """So many rows of indices of elements that are not zero; beyond those that there are, filled."""
    rank = len(self.shape)
    found = nonzero(self)
    filling = op.Expand(op.Constant(value_int=fill_value), op.Constant(value_ints=[size, rank]))
    zero = op.Constant(value_ints=[0])
    return op.Slice(op.Concat(found, filling, axis=0), zero, op.Constant(value_ints=[size]), zero)


@decomposes(aten.resize.default)
def resize(tensor: T, size: Sequence[int], *, memory_format: Any = None) -> T:
    """To no more elements than there are, of a tensor that lies in memory in its own order."""
    wanted = math.prod(size)
    if not isinstance(wanted, int) or not isinstance(tensor.numel(), int) or wanted > tensor.numel():
        raise NotImplementedError("resize gives elements that nobody sets, but should give no more than there are")
    return tensor.reshape(-1)[:wanted].reshape(list(size))


@decomposes(aten.repeat_interleave.Tensor, condition=lambda node: node.kwargs.get("output_size") is not None)
def repeat_interleave(repeats: T, *, output_size: int | None = None) -> T:
    """Each place as often as is said, of which the sum is known."""
    if output_size is None:
        return NotImplemented  # type: ignore[no-any-return]
    ends = torch.cumsum(repeats, 0)
    return (ends[None, :] <= torch.arange(output_size)[:, None]).to(torch.int64).sum(1)
