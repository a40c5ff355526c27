"""Calls on tensors without axes, for which ONNX wants an axis, or has fewer digits than a lone number shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from assay.converters.pytorch.lowerings.registry import Lowering, decomposes

aten = torch.ops.aten


def _is_of_scalar(node: torch.fx.Node) -> bool:
    tensor = node.args[0]
    return isinstance(tensor, torch.fx.Node) and tensor.meta["val"].ndim == 0


@decomposes(aten.sigmoid.default, condition=_is_of_scalar, wrong_upstream=True)
def sigmoid(tensor: torch.Tensor) -> torch.Tensor:
    """To all digits of small results: ONNX Runtime's own is off by some 3e-8 anywhere."""
    if tensor.ndim > 0:
        return NotImplemented  # type: ignore[no-any-return]
    tensor = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    return 1 / (1 + torch.exp(-tensor))


@decomposes(aten.silu.default, condition=_is_of_scalar, wrong_upstream=True)
def silu(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor times its sigmoid."""
    return NotImplemented if tensor.ndim > 0 else tensor / (1 + torch.exp(-tensor))


def _is_whole_or_of_scalar(node: torch.fx.Node) -> bool:
    return _is_of_scalar(node) or (len(node.args) > 3 and bool(node.args[3]) and node.args[2] is None)


@decomposes(aten.linalg_vector_norm.default, condition=_is_whole_or_of_scalar, wrong_upstream=True)
def vector_norm(
    tensor: torch.Tensor,
    ord: float = 2,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Of a number as of a vector of one; over all axes with each of them kept."""
    norm = aten.linalg_vector_norm.default
    if tensor.ndim == 0:
        return norm(tensor.reshape(1), ord, None, False, dtype=dtype)  # type: ignore[no-any-return]
    if not keepdim or dim is not None:
        return NotImplemented  # type: ignore[no-any-return]
    return norm(tensor, ord, None, False, dtype=dtype).reshape([1] * tensor.ndim)  # type: ignore[no-any-return]


@decomposes(aten.prod.dim_int, condition=_is_of_scalar, wrong_upstream=True)
def prod(tensor: torch.Tensor, dim: int, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The number itself."""
    if tensor.ndim > 0:
        return NotImplemented  # type: ignore[no-any-return]
    return aten.prod.default(tensor, dtype=dtype)  # type: ignore[no-any-return]


@decomposes(aten.topk.default, condition=_is_of_scalar, wrong_upstream=True)
def topk(tensor: torch.Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The number itself."""
    if tensor.ndim > 0:
        return NotImplemented
    return tensor.clone(), torch.zeros((), dtype=torch.int64)


def _as_vector(operator: torch._ops.OpOverload) -> Lowering:
    """The operator on vectors of one, where it is called on numbers."""

    def called(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if tensor.ndim > 0:
            return NotImplemented  # type: ignore[no-any-return]
        raised = [arg.reshape(1) if isinstance(arg, torch.Tensor) else arg for arg in (tensor, *args)]
        return operator(*raised, **kwargs).reshape(())  # type: ignore[no-any-return]

    called.__name__ = str(operator)
    return called


for _operator in (aten.scatter_add.default, aten.scatter.src):
    decomposes(_operator, condition=_is_of_scalar, wrong_upstream=True)(_as_vector(_operator))
decomposes(aten.scatter.value, condition=_is_of_scalar)(_as_vector(aten.scatter.value))


@decomposes(aten.index_add.default, condition=_is_of_scalar)
def index_add(
    tensor: torch.Tensor, dim: int, index: torch.Tensor, source: torch.Tensor, *, alpha: float = 1
) -> torch.Tensor:
    """All of it is added to the number, the only place that an index can name."""
    if tensor.ndim > 0:
        return NotImplemented  # type: ignore[no-any-return]
    return tensor + alpha * source.sum().to(tensor.dtype)


def _of_one(name: str) -> Lowering:
    def reduce(tensor: torch.Tensor, dim: Any = None, keepdim: bool = False) -> torch.Tensor:
        return NotImplemented if tensor.ndim > 0 else tensor != 0

    reduce.__name__ = name
    return reduce


for _name in ("any", "all"):
    _packet = getattr(aten, _name)
    decomposes(_packet.dim, condition=_is_of_scalar, wrong_upstream=True)(_of_one(_name))
    decomposes(_packet.dims, condition=_is_of_scalar)(_of_one(_name))
