"""Reductions in forms that the exporter does not take."""

from __future__ import annotations

from typing import Any

import torch

from assay.converters.pytorch.lowerings.opsets import op
from assay.converters.pytorch.lowerings.registry import decomposes, translates

aten = torch.ops.aten


@translates(aten.amax.default)
def amax(self: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element, over all axes where none is said."""
    return _extreme(op.ReduceMax, self, dim, keepdim)


@translates(aten.amin.default)
def amin(self: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element, over all axes where none is said."""
    return _extreme(op.ReduceMin, self, dim, keepdim)


def _extreme(reduce: Any, tensor: Any, dim: Any, keepdim: bool) -> Any:
    axes = [dim] if isinstance(dim, int) else list(dim)
    if len(tensor.shape) == 0:
        return op.Identity(tensor)
    if not axes:
        return reduce(tensor, keepdims=int(keepdim))
    return reduce(tensor, op.Constant(value_ints=axes), keepdims=int(keepdim))


@translates(torch.ops.prims.prod.default)
def prod(inp: Any, dims: Any, *, output_dtype: int | None = None) -> Any:
    """Products over axes."""
    if output_dtype not in (None, -1):
        inp = op.Cast(inp, to=output_dtype)
    if not dims or len(inp.shape) == 0:
        return op.Identity(inp)
    return op.ReduceProd(inp, op.Constant(value_ints=list(dims)), keepdims=0)


@decomposes(aten.aminmax.default)
def aminmax(
    tensor: torch.Tensor, *, dim: int | None = None, keepdim: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """The smallest and the largest element."""
    dims = [] if dim is None else [dim]
    return tensor.amin(dims, keepdim), tensor.amax(dims, keepdim)


@decomposes(aten.trace.default)
def trace(tensor: torch.Tensor) -> torch.Tensor:
    """The sum of the diagonal."""
    return tensor.diagonal().sum()
