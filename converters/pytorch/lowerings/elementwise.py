"""Arithmetic element by element that the exporter lacks, or computes with fewer digits than PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten, prims = torch.ops.aten, torch.ops.prims


@decomposes(aten.log1p.default, wrong_upstream=True)
def log1p(tensor: torch.Tensor) -> torch.Tensor:
    """``log(1 + x)`` to all digits near zero: the error of ``1 + x`` is divided out (Kahan)."""
    tensor = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    sum_ = 1 + tensor
    exact = torch.log(sum_) * (tensor / (sum_ - 1))
    return torch.where((sum_ == 1) | (sum_ == torch.inf), tensor, exact)


@decomposes(aten.expm1.default, wrong_upstream=True)
def expm1(tensor: torch.Tensor) -> torch.Tensor:
    """``exp(x) - 1`` to all digits near zero (Kahan)."""
    tensor = tensor if tensor.is_floating_point() else tensor.to(torch.get_default_dtype())
    power = torch.exp(tensor)
    less = power - 1
    exact = less * (tensor / torch.log(power))
    return torch.where(power == 1, tensor, torch.where(tensor.abs() < 0.6931, exact, less))


@decomposes(aten.log_sigmoid_forward.default)
def log_sigmoid_forward(tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """With the buffer of its derivative, which is empty on this device."""
    return log_sigmoid(tensor), tensor.new_zeros(0)


@decomposes(aten.log_sigmoid.default, wrong_upstream=True)
def log_sigmoid(tensor: torch.Tensor) -> torch.Tensor:
    """Without the rounding of a sigmoid near one."""
    return torch.clamp(tensor, max=0) - torch.log1p(torch.exp(-tensor.abs()))


def _same(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    dtype = torch.result_type(a, b)
    return a.to(dtype), b.to(dtype)


def _past_nan(extreme: Callable[..., torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    a, b = _same(a, b)
    if not a.is_floating_point():
        return extreme(a, b)
    return torch.where(torch.isnan(a), b, torch.where(torch.isnan(b), a, extreme(a, b)))


@decomposes(aten.fmax.default)
def fmax(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The larger; where one is NaN, the other."""
    return _past_nan(torch.maximum, a, b)


@decomposes(aten.fmin.default)
def fmin(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The smaller; where one is NaN, the other."""
    return _past_nan(torch.minimum, a, b)


def _negative(tensor: torch.Tensor) -> torch.Tensor:
    """Whether the sign is negative, that of a zero too (1 / -0 is minus infinity)."""
    if not tensor.is_floating_point():
        return tensor < 0
    return (tensor < 0) | ((tensor == 0) & (1 / tensor < 0))


@decomposes(aten.signbit.default)
def signbit(tensor: torch.Tensor) -> torch.Tensor:
    """Whether the sign is negative."""
    return torch.zeros_like(tensor) if tensor.dtype is torch.bool else _negative(tensor)


@decomposes(aten.copysign.Tensor)
def copysign(tensor: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The size of one with the sign of the other."""
    dtype = torch.result_type(tensor, other)
    dtype = dtype if dtype.is_floating_point else torch.get_default_dtype()
    size = tensor.to(dtype).abs()
    return torch.where(_negative(other.to(dtype)), -size, size)


@decomposes(aten.copysign.Scalar)
def copysign_scalar(tensor: torch.Tensor, other: float) -> torch.Tensor:
    """The size of a tensor with the sign of a number."""
    return copysign(tensor, torch.full((), other, dtype=tensor.dtype if tensor.is_floating_point() else torch.float32))


@decomposes(aten.rsub.Scalar)
def rsub_scalar(tensor: torch.Tensor, other: float, alpha: float = 1) -> torch.Tensor:
    """A number less a tensor."""
    dtype = torch.result_type(tensor, other)
    number = torch.full((), other, dtype=dtype)
    return torch.sub(number, tensor.to(dtype), alpha=alpha)


@decomposes(aten.hypot.default)
def hypot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The long side, without overflow of squares."""
    a, b = (each.abs() for each in _same(a, b))
    larger, smaller = torch.maximum(a, b), torch.minimum(a, b)
    ratio = smaller / torch.where(larger == 0, 1.0, larger)
    side = larger * torch.sqrt(1 + ratio * ratio)
    return torch.where((larger == torch.inf) | (smaller == torch.inf), torch.inf, side)


@decomposes(prims.view_of.default)
def view_of(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself."""
    return tensor.clone()


@decomposes(aten.frexp.Tensor)
def frexp(tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mantissa from one half to one, and the power of two."""
    x = tensor.to(torch.float64)
    regular = (x != 0) & torch.isfinite(x)
    size = torch.where(regular, x.abs(), 1.0)
    power = torch.floor(torch.log2(size)) + 1
    part = size / torch.pow(2.0, power)
    power = torch.where(part >= 1, power + 1, torch.where(part < 0.5, power - 1, power))
    mantissa = x / torch.pow(2.0, power)
    return torch.where(regular, mantissa, x).to(tensor.dtype), torch.where(regular, power, 0).to(torch.int32)
