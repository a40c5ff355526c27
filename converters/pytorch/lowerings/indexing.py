"""Indices and masks: elements chosen, counted and scattered by them."""

from __future__ import annotations

from typing import Any

import torch

from assay.converters.pytorch.lowerings.opsets import op, op20
from assay.converters.pytorch.lowerings.registry import decomposes, refuses, translates

aten = torch.ops.aten


@translates(aten.masked_select.default)
def masked_select(self: Any, mask: Any) -> Any:
    """The elements under a mask; both take each other's shape."""
    whole = op.Constant(value_ints=[-1])
    shown = op.Expand(self, op.Shape(mask))
    return op.Compress(op.Reshape(shown, whole), op.Reshape(op.Expand(mask, op.Shape(shown)), whole))


@translates(aten.nonzero.default, wrong_upstream=True)
def nonzero(self: Any) -> Any:
    """A row of indices for each element that is not zero; for a number, rows of none."""
    if len(self.shape) > 0:
        return op.Transpose(op.NonZero(self), perm=[1, 0])
    rows = op.Transpose(op.NonZero(op.Reshape(self, op.Constant(value_ints=[1]))), perm=[1, 0])
    zero = op.Constant(value_ints=[0])
    return op.Slice(rows, zero, zero, op.Constant(value_ints=[1]))


@translates(aten.sym_numel.default)
def sym_numel(self: Any) -> Any:
    """How many elements there are."""
    return op.Size(self)


@translates(aten.bincount.default)
def bincount(self: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number up to the largest is there."""
    none = op.Constant(value_ints=[max(minlength, 0) - 1])
    indices = op.Cast(self, to=7)
    size = op.Add(op.ReduceMax(op.Concat(indices, none, axis=0), keepdims=1), op.Constant(value_ints=[1]))
    if weights is None:
        updates, zeros = (
            op.Expand(op.Constant(value_int=1), op.Shape(indices)),
            op.Expand(op.Constant(value_int=0), size),
        )
        return op.ScatterElements(zeros, indices, updates, axis=0, reduction="add")
    zeros = op.Expand(op.CastLike(op.Constant(value_float=0.0), weights), size)
    return op.ScatterElements(zeros, indices, weights, axis=0, reduction="add")


@decomposes(aten.histc.default)
def histc(tensor: torch.Tensor, bins: int = 100, min: float = 0, max: float = 0) -> torch.Tensor:
    """How many elements lie in each of the bins between two numbers, by default the smallest and the largest."""
    flat = tensor.reshape(-1)
    if flat.shape[0] == 0:
        return flat.new_zeros(bins)
    low, high = flat.new_full((), min), flat.new_full((), max)
    if min == max:
        low, high = flat.amin(), flat.amax()
        low, high = torch.where(low == high, low - 1, low), torch.where(low == high, high + 1, high)
    places = ((flat - low) / (high - low) * bins).to(torch.int64).clamp(max=bins - 1)
    inside = (flat >= low) & (flat <= high)
    hits = (places[:, None] == torch.arange(bins)) & inside[:, None]
    return hits.to(tensor.dtype).sum(0)


@decomposes(aten._cdist_forward.default)
def cdist_forward(x1: torch.Tensor, x2: torch.Tensor, p: float, compute_mode: int | None) -> torch.Tensor:
    """Distances between the rows of two matrices."""
    return _norm((x1.unsqueeze(-2) - x2.unsqueeze(-3)).abs(), p)


def _norm(distances: torch.Tensor, p: float) -> torch.Tensor:
    if p == 0:
        return (distances != 0).to(distances.dtype).sum(-1)
    if p == 1:
        return distances.sum(-1)
    if p == float("inf"):
        return distances.amax(-1)
    return distances.square().sum(-1).sqrt() if p == 2 else distances.pow(p).sum(-1).pow(1 / p)


@decomposes(aten._euclidean_dist.default)
def euclidean_dist(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    """Euclidean distances between rows, without the cancellation of a product of matrices."""
    return _norm((x1.unsqueeze(-2) - x2.unsqueeze(-3)).abs(), 2)


@decomposes(aten._pdist_forward.default)
def pdist_forward(tensor: torch.Tensor, p: float = 2) -> torch.Tensor:
    """Distances between the rows of a matrix, each pair once."""
    rows = torch.arange(tensor.shape[0])
    upper = (rows[:, None] < rows[None, :]).reshape(-1)
    return _norm((tensor.unsqueeze(-2) - tensor.unsqueeze(-3)).abs(), p).reshape(-1).masked_select(upper)


@decomposes(aten.take.default)
def take(tensor: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Elements by their place in the flat tensor."""
    taken: torch.Tensor = aten.index.Tensor(tensor.reshape(-1), [index])
    return taken


@translates(aten.squeeze.dim, wrong_upstream=True)
def squeeze_dim(self: Any, dim: int) -> Any:
    """Without an axis of one; any other stays."""
    if len(self.shape) == 0 or self.shape[dim] != 1:
        return op.Identity(self)
    return op.Squeeze(self, op.Constant(value_ints=[dim]))


@decomposes(aten.isin.Tensor_Tensor)
def isin(
    elements: torch.Tensor,
    test_elements: torch.Tensor,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> torch.Tensor:
    """Which elements are among others."""
    found = (elements.unsqueeze(-1) == test_elements.reshape(-1)).any(-1)
    return ~found if invert else found


@decomposes(aten.index_reduce.default)
def index_reduce(
    tensor: torch.Tensor, dim: int, index: torch.Tensor, source: torch.Tensor, reduce: str, *, include_self: bool = True
) -> torch.Tensor:
    """Slices reduced into those that an index names."""
    if tensor.ndim == 0:
        tensor, source = tensor.reshape(1), source.reshape(1)
        reduced: torch.Tensor = index_reduce(tensor, 0, index.reshape(-1), source, reduce, include_self=include_self)
        return reduced.reshape(())
    shape = [1] * source.ndim
    shape[dim] = -1
    places = index.reshape(-1).reshape(shape).expand(source.shape)
    return torch.scatter_reduce(tensor, dim, places, source, reduce, include_self=include_self)


@decomposes(
    aten.scatter_reduce.two,
    condition=lambda node: node.args[4] == "mean" or node.args[0].meta["val"].ndim == 0,  # type: ignore[union-attr]
    wrong_upstream=True,
)
def scatter_reduce(
    tensor: torch.Tensor,
    dim: int,
    places: torch.Tensor,
    source: torch.Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> torch.Tensor:
    """Elements reduced into those that an index names: means, and of numbers."""
    if tensor.ndim == 0:
        raised = (tensor.reshape(1), 0, places.reshape(1), source.reshape(1))
        return torch.scatter_reduce(*raised, reduce, include_self=include_self).reshape(())
    if reduce != "mean":
        return NotImplemented  # type: ignore[no-any-return]
    source = source[tuple(slice(size) for size in places.shape)]
    zeros = torch.zeros_like(tensor)
    sums = zeros.scatter_add(dim, places, source)
    counts = zeros.scatter_add(dim, places, torch.ones_like(source))
    own = tensor if include_self else torch.where(counts == 0, tensor, 0)
    total = counts + 1 if include_self else torch.where(counts == 0, 1, counts)
    if not tensor.is_floating_point():
        return torch.div(own + sums, total, rounding_mode="floor")
    return (own + sums) / total


@decomposes(aten.put.default)
def put(tensor: torch.Tensor, index: torch.Tensor, source: torch.Tensor, accumulate: bool = False) -> torch.Tensor:
    """Elements set, or added to, by their place in the flat tensor."""
    flat, places = tensor.reshape(-1), index.reshape(-1)
    places = torch.where(places < 0, places + flat.shape[0], places)
    values = source.reshape(-1)
    changed = flat.scatter_add(0, places, values) if accumulate else flat.scatter(0, places, values)
    return changed.reshape(tensor.shape)


@translates(aten.grid_sampler.default, wrong_upstream=True)
def grid_sampler(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """Samples of a picture or a volume, where a grid points."""
    if len(input.shape) == 5:
        return grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners)
    mode, edges = ("bilinear", "nearest", "bicubic")[interpolation_mode], _EDGES[padding_mode]
    near, aligned = _near(grid, edges), int(align_corners)
    return op.GridSample(input, near, mode=mode, padding_mode=edges, align_corners=aligned)


@translates(aten.grid_sampler_3d.default)
def grid_sampler_3d(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """Samples of a volume."""
    mode, edges = ("linear", "nearest")[interpolation_mode], _EDGES[padding_mode]
    near, aligned = _near(grid, edges), int(align_corners)
    return op20.GridSample(input, near, mode=mode, padding_mode=edges, align_corners=aligned)


_EDGES = ("zeros", "border", "reflection")


def _near(grid: Any, edges: str) -> Any:
    """The grid, with what lies far outside moved to just outside; a picture spans -1 to 1, and 8 is outside of any.

    ONNX Runtime takes places as whole numbers, which overflow on the way to the border.
    """
    if edges == "reflection":
        return grid
    return op.Clip(grid, *(op.CastLike(op.Constant(value_float=end), grid) for end in (-8.0, 8.0)))


@refuses(aten.im2col.default, aten.pad.default)
def of_nothing(node: torch.fx.Node) -> str | None:
    """What ONNX Runtime does not take."""
    tensor = node.args[0]
    assert isinstance(tensor, torch.fx.Node)
    if any(size == 0 for size in tensor.meta["val"].shape if isinstance(size, int)):
        return "is of a tensor without elements"
    return None


@decomposes(aten.split.Tensor, condition=lambda node: isinstance(node.args[1], torch.fx.Node))
def split(tensor: torch.Tensor, split_size: int, dim: int = 0) -> list[torch.Tensor]:
    """Parts of a size that is known only when the model runs; how many there are was decided by the trace."""
    if isinstance(split_size, int):
        return NotImplemented  # type: ignore[no-any-return]
    count = int(-(-tensor.shape[dim] // split_size))
    starts = [place * split_size for place in range(count)]
    last = tensor.shape[dim] - starts[-1]
    return [tensor.narrow(dim, start, split_size) for start in starts[:-1]] + [tensor.narrow(dim, starts[-1], last)]
