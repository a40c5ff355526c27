"""How many elements lie between edges, along one axis and along several."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten
T = torch.Tensor


def _edges(values: T, count: int, limits: Sequence[float] | None) -> T:
    """Edges of bins of one size, by default from the smallest to the largest element."""
    low, high = values.new_full((), 0.0), values.new_full((), 1.0)
    if limits is not None:
        low, high = values.new_full((), limits[0]), values.new_full((), limits[1])
    elif values.numel() > 0:
        low, high = values.amin(), values.amax()
    same = low == high
    low, high = torch.where(same, low - 0.5, low), torch.where(same, high + 0.5, high)
    steps = torch.arange(count + 1).to(values.dtype)
    width = (high - low) / count
    # from both ends, as torch.linspace goes
    return torch.where(steps < (count + 1) // 2, low + width * steps, high - width * (count - steps))


def _inside(values: T, edges: T) -> T:
    """Which element lies in which bin; the last edge belongs to the last bin."""
    column = values.unsqueeze(-1)
    last = torch.arange(edges.shape[0] - 1) == edges.shape[0] - 2
    return (column >= edges[:-1]) & ((column < edges[1:]) | (last & (column == edges[-1])))


def _even_inside(values: T, edges: T, count: int) -> T:
    """The same for bins of one size, whose place is computed, as torch does, and not sought."""
    low, high = edges[0], edges[-1]
    place = ((values - low) * count / (high - low)).to(torch.int64)
    place = torch.clamp(place, max=count - 1)
    within = (values >= low) & (values <= high)
    return (place.unsqueeze(-1) == torch.arange(count)) & within.unsqueeze(-1)


def _density(counts: T, edges: Sequence[T]) -> T:
    for axis, one in enumerate(edges):
        counts = counts / (one[1:] - one[:-1]).reshape(-1, *(1 for _ in range(len(edges) - 1 - axis)))
    return counts


def _counted(inside: Sequence[T], weight: T | None, edges: Sequence[T], density: bool, dtype: torch.dtype) -> T:
    """The sum of weights in each cell; a row of bins an axis."""
    if density and len(inside) > 1:
        raise NotImplementedError("a density along several axes, which is not a number where nothing is counted")
    hits = inside[0].to(dtype) if weight is None else inside[0].to(dtype) * weight.reshape(-1, 1)
    for other in inside[1:]:
        hits = hits.unsqueeze(-1) * other.to(dtype).reshape(other.shape[0], *(1 for _ in hits.shape[1:]), -1)
    counts = hits.sum(0)
    return _density(counts / counts.sum(), edges) if density else counts


@decomposes(aten.histogram.bins_tensor)
def histogram(tensor: T, bins: T, *, weight: T | None = None, density: bool = False) -> tuple[T, T]:
    """Between edges that are given."""
    inside = _inside(tensor.reshape(-1), bins)
    return _counted([inside], weight, [bins], density, tensor.dtype), bins.clone()


@decomposes(aten.histogram.bin_ct)
def histogram_of_count(
    tensor: T, bins: int = 100, *, range: Sequence[float] | None = None, weight: T | None = None, density: bool = False
) -> tuple[T, T]:
    """Between edges at regular distances."""
    flat = tensor.reshape(-1)
    edges = _edges(flat, bins, range)
    return _counted([_even_inside(flat, edges, bins)], weight, [edges], density, tensor.dtype), edges


def _columns(tensor: T) -> list[T]:
    flat = tensor.reshape(-1, tensor.shape[-1])
    return list(flat.unbind(-1))


@decomposes(aten._histogramdd_bin_edges.default)
def histogram_edges(
    tensor: T,
    bins: Sequence[int],
    *,
    range: Sequence[float] | None = None,
    weight: T | None = None,
    density: bool = False,
) -> list[T]:
    """Edges at regular distances along each axis."""
    limits = [None if range is None else range[2 * axis : 2 * axis + 2] for axis, _ in enumerate(bins)]
    return [_edges(column, count, one) for column, count, one in zip(_columns(tensor), bins, limits, strict=True)]


@decomposes(aten._histogramdd_from_bin_cts.default)
def histogram_of_counts(
    tensor: T,
    bins: Sequence[int],
    *,
    range: Sequence[float] | None = None,
    weight: T | None = None,
    density: bool = False,
) -> T:
    """Along several axes, between edges at regular distances."""
    edges = histogram_edges(tensor, bins, range=range)
    inside = [_even_inside(c, e, n) for c, e, n in zip(_columns(tensor), edges, bins, strict=True)]
    return _counted(inside, weight, edges, density, tensor.dtype)


@decomposes(aten._histogramdd_from_bin_tensors.default)
def histogram_between(tensor: T, bins: Sequence[T], *, weight: T | None = None, density: bool = False) -> T:
    """Along several axes, between edges that are given."""
    inside = [_inside(column, edges) for column, edges in zip(_columns(tensor), bins, strict=True)]
    return _counted(inside, weight, bins, density, tensor.dtype)
