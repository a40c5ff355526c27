"""Tensors filled with one number or with another tensor's, in forms that the exporter rounds or does not spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx_ir as ir
import torch

from assay.converters.pytorch.lowerings.opsets import op
from assay.converters.pytorch.lowerings.registry import decomposes, translates

aten = torch.ops.aten


def _is_double(node: torch.fx.Node) -> bool:
    return bool(node.meta["val"].dtype is torch.float64)


@decomposes(aten.new_full.default, condition=_is_double, wrong_upstream=True)
def new_full(
    tensor: torch.Tensor, size: Sequence[int], fill_value: float, *, dtype: torch.dtype | None = None, **_: Any
) -> torch.Tensor:
    """In a tensor's dtype."""
    return torch.full(size, fill_value, dtype=dtype or tensor.dtype)


@decomposes(aten.full_like.default, condition=_is_double, wrong_upstream=True)
def full_like(tensor: torch.Tensor, fill_value: float, *, dtype: torch.dtype | None = None, **_: Any) -> torch.Tensor:
    """Of a tensor's shape."""
    return torch.full(tensor.shape, fill_value, dtype=dtype or tensor.dtype)


@translates(aten.full.default)
def full(size: Any, fill_value: Any, dtype: int = -1, **_: Any) -> Any:
    """With all digits of the number."""
    number = fill_value
    if isinstance(fill_value, (bool, int, float)):
        number = op.Constant(value=ir.tensor(fill_value, _dtype(fill_value, dtype)))
    elif dtype != -1:
        number = op.Cast(fill_value, to=dtype)
    if isinstance(size, (list, tuple)):
        if not size:
            return op.Identity(number)
        if all(isinstance(one, int) for one in size):
            return op.Expand(number, op.Constant(value_ints=list(size)))
        size = op.Concat(*(_axis(one) for one in size), axis=0)
    return op.Expand(number, size)


def _axis(size: Any) -> Any:
    return op.Constant(value_ints=[size]) if isinstance(size, int) else op.Reshape(size, op.Constant(value_ints=[1]))


def _dtype(value: float, dtype: int) -> ir.DataType:
    if dtype != -1:
        return ir.DataType(dtype)
    if isinstance(value, bool):
        return ir.DataType.BOOL
    return ir.DataType.INT64 if isinstance(value, int) else ir.DataType.FLOAT


@decomposes(aten.copy.default, wrong_upstream=True)
def copy(tensor: torch.Tensor, source: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    """The source in the tensor's dtype and shape."""
    return source.to(tensor.dtype).expand(tensor.shape).clone()


def _is_single(node: torch.fx.Node) -> bool:
    return bool(node.args[2] == 1)


@decomposes(aten.linspace.Tensor_Tensor, condition=_is_single, wrong_upstream=True)
@decomposes(aten.linspace.Tensor_Scalar, condition=_is_single)
def linspace_from(
    start: torch.Tensor, end: Any, steps: int, *, dtype: torch.dtype | None = None, **_: Any
) -> torch.Tensor:
    """One step, which is the start."""
    if steps != 1:
        return NotImplemented  # type: ignore[no-any-return]
    return start.to(dtype or torch.get_default_dtype()).reshape(1)


@decomposes(aten.linspace.Scalar_Tensor, condition=_is_single)
def linspace_to(
    start: float, end: torch.Tensor, steps: int, *, dtype: torch.dtype | None = None, **_: Any
) -> torch.Tensor:
    """One step, which is the start."""
    if steps != 1:
        return NotImplemented  # type: ignore[no-any-return]
    return torch.full((1,), start, dtype=dtype or torch.get_default_dtype())


@decomposes(aten.einsum.default, condition=lambda node: "..." in str(node.args[0]), wrong_upstream=True)
def einsum(equation: str, *args: Any, **kwargs: Any) -> torch.Tensor:
    """With axes that are not named, which need not be as many in each tensor: as torch computes it from others."""
    product: torch.Tensor = aten.einsum.default(equation, *args, **kwargs)
    return product
