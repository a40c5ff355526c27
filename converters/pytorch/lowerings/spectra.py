"""Fourier transforms of sizes that are no power of two: as products of matrices in float64.

ONNX Runtime sums such a transform in float32 term by term, which loses more digits than PyTorch does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from assay.converters.pytorch.lowerings.registry import decomposes
from assay.converters.refusal import RefusedError

aten = torch.ops.aten
_LARGEST = 2048


def _turns(rows: int, size: int, sign: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of the transform, with angles reduced in whole numbers first."""
    total = count(size)
    steps = (torch.arange(rows)[:, None] * torch.arange(size)[None, :]) % total
    angles = steps.to(torch.float64) * 2 * math.pi / total
    return torch.cos(angles), torch.sin(angles) * sign


def _parts(tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    pairs = torch.view_as_real(tensor).to(torch.float64)
    return pairs[..., 0], pairs[..., 1]


def _along(values: torch.Tensor, dim: int, matrix: torch.Tensor) -> torch.Tensor:
    return (values.movedim(dim, -1) @ matrix).movedim(-1, dim)


def count(size: int) -> torch.Tensor:
    """A size as a number in the graph, where it may be known only when the model runs."""
    return torch.full((), size) if isinstance(size, int) else torch.ones(size, dtype=torch.int64).sum()


def _scale(sizes: Sequence[int], normalization: int) -> torch.Tensor | float:
    if normalization == 0:
        return 1.0
    elements = math.prod(map(count, sizes), start=torch.ones((), dtype=torch.float64))
    return 1 / elements if normalization == 2 else elements.rsqrt()


def _sizes(tensor: torch.Tensor, dims: Sequence[int]) -> list[int]:
    sizes = [tensor.shape[dim] for dim in dims]
    if any(isinstance(size, int) and size > _LARGEST for size in sizes):
        raise RefusedError(f"a Fourier transform is of {sizes} elements, but should be of at most {_LARGEST} an axis")
    return sizes


def _joined(real: torch.Tensor, imaginary: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.view_as_complex(torch.stack([real, imaginary], -1).to(dtype))


def _real_dtype(dtype: torch.dtype) -> torch.dtype:
    return {torch.complex32: torch.float16, torch.complex128: torch.float64}.get(dtype, torch.float32)


def _transformed(
    real: torch.Tensor, imaginary: torch.Tensor, dims: Sequence[int], sign: float
) -> tuple[torch.Tensor, torch.Tensor]:
    for dim in dims:
        cosines, sines = _turns(real.shape[dim], real.shape[dim], sign)
        real, imaginary = (
            _along(real, dim, cosines) - _along(imaginary, dim, sines),
            _along(real, dim, sines) + _along(imaginary, dim, cosines),
        )
    return real, imaginary


@decomposes(aten._fft_c2c.default, wrong_upstream=True)
def fft_c2c(tensor: torch.Tensor, dim: Sequence[int], normalization: int, forward: bool) -> torch.Tensor:
    """Complex to complex."""
    scale = _scale(_sizes(tensor, dim), normalization)
    real, imaginary = _transformed(*_parts(tensor), dim, -1.0 if forward else 1.0)
    return _joined(real * scale, imaginary * scale, _real_dtype(tensor.dtype))


@decomposes(aten._fft_r2c.default, wrong_upstream=True)
def fft_r2c(tensor: torch.Tensor, dim: Sequence[int], normalization: int, onesided: bool) -> torch.Tensor:
    """Real to complex; half of the last axis where ``onesided``."""
    sizes = _sizes(tensor, dim)
    scale, last = _scale(sizes, normalization), dim[-1]
    doubles = tensor.to(torch.float64)
    wanted = sizes[-1] // 2 + 1 if onesided else sizes[-1]
    cosines, sines = _turns(wanted, sizes[-1], -1.0)
    real, imaginary = _along(doubles, last, cosines.mT), _along(doubles, last, sines.mT)
    real, imaginary = _transformed(real, imaginary, dim[:-1], -1.0)
    return _joined(real * scale, imaginary * scale, tensor.dtype)


@decomposes(aten._fft_c2r.default)
def fft_c2r(tensor: torch.Tensor, dim: Sequence[int], normalization: int, last_dim_size: int) -> torch.Tensor:
    """Half of a complex spectrum to real values."""
    sizes = [*_sizes(tensor, dim)[:-1], last_dim_size]
    last, scale = dim[-1], _scale(sizes, normalization)
    real, imaginary = _transformed(*_parts(tensor), dim[:-1], 1.0)
    used = last_dim_size // 2 + 1
    real, imaginary = real.narrow(last, 0, used), imaginary.narrow(last, 0, used)
    cosines, sines = _turns(used, last_dim_size, 1.0)
    places = torch.arange(used)
    single = (places == 0) | (2 * places == count(last_dim_size))
    weights = torch.where(single, 1.0, 2.0).to(torch.float64)[:, None]
    values = _along(real, last, cosines * weights) - _along(imaginary, last, sines * weights)
    return (values * scale).to(_real_dtype(tensor.dtype))


@decomposes(aten._conj_physical.default, aten._conj.default)
def conjugate(tensor: torch.Tensor) -> torch.Tensor:
    """The imaginary part has the other sign."""
    if not tensor.is_complex():
        return tensor.clone()
    pairs = torch.view_as_real(tensor)
    return torch.view_as_complex(torch.stack([pairs[..., 0], -pairs[..., 1]], -1))


@decomposes(aten.roll.default, condition=lambda node: not all(isinstance(s, int) for s in _listed(node.args[1])))
def roll(tensor: torch.Tensor, shifts: Sequence[int], dims: Sequence[int] = ()) -> torch.Tensor:
    """By what is known only when the model runs."""
    if not dims:
        return roll(tensor.reshape(-1), shifts, [0]).reshape(tensor.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        size = tensor.shape[dim]
        start = (-shift) % size
        tensor = torch.cat([tensor.narrow(dim, start, size - start), tensor.narrow(dim, 0, start)], dim)
    return tensor


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
