"""Indices and masks: elements chosen, counted and scattered by them."""

from __future__ import annotations

from typing import Any

import torch
from onnxscript import opset18 as op

from assay.converters.pytorch.lowerings.registry import decomposes, translates

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
def histc(tensor: torch.Tensor, bins: int = 100, min: float = 0, max: float = 0) -> torch.Tensor:  # noqa: A002
    """How many elements lie in each of the bins between two numbers, by default the smallest and the largest."""
    flat = tensor.reshape(-1)
    low, high = flat.new_full((), min), flat.new_full((), max)
    if min == max:
        low, high = flat.amin(), flat.amax()
        low, high = torch.where(low == high, low - 1, low), torch.where(low == high, high + 1, high)
    places = ((flat - low) / (high - low) * bins).to(torch.int64).clamp(max=bins - 1)
    inside = (flat >= low) & (flat <= high)
    hits = (places[:, None] == torch.arange(bins)) & inside[:, None]
    return hits.to(tensor.dtype).sum(0)


@decomposes(aten._cdist_forward.default)
def cdist_forward(x1: torch.Tensor, x2: torch.Tensor, p: float, compute_mode: int | None) -> torch.Tensor:  # noqa: ARG001
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
    return tensor.reshape(-1)[index]


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
