"""Bessel functions of both kinds and Airy's, in float64: power series near zero, Hankel's expansion far away.

Formulas by their numbers in NIST's Digital Library of Mathematical Functions, chapters 9 and 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from assay.converters.pytorch.lowerings.registry import decomposes
from assay.converters.pytorch.lowerings.special import in_doubles, nested

aten, prims = torch.ops.aten, torch.ops.prims
T = torch.Tensor
_FAR = 12.0  # from here on Hankel's expansion has ten digits; below, the series loses four of sixteen
_TERMS = 42
_EULER = 0.57721566490153286
_AIRY, _AIRY_SLOPE = 0.355028053887817239, 0.258819403792806798  # Ai(0), -Ai'(0)


def _series(x: T, order: int, sign: int) -> T:
    """``J`` (sign -1) or ``I`` (sign 1) of order 0 or 1 (10.2.2, 10.25.2)."""
    powers = nested(x.square() / 4, [sign / (k * (k + order)) for k in range(1, _TERMS)])
    return powers * x / 2 if order else powers


def _logarithmic(x: T, order: int, sign: int) -> T:
    """The sum beside the logarithm in ``Y`` (sign -1) and ``K`` (sign 1): 10.8.1, 10.31.1."""
    harmonic = [0.0]
    for k in range(1, _TERMS + 2):
        harmonic.append(harmonic[-1] + 1 / k)
    if order == 0:
        ratios = [sign * harmonic[k] / harmonic[k - 1] / k**2 for k in range(2, _TERMS)]
        return nested(x.square() / 4, ratios) * x.square() / 4
    digammas = [harmonic[k] + harmonic[k + 1] - 2 * _EULER for k in range(_TERMS)]
    ratios = [sign * digammas[k] / digammas[k - 1] / (k * (k + 1)) for k in range(1, _TERMS)]
    return nested(x.square() / 4, ratios) * digammas[0] * x / 2


def _ratios(order: float, count: int) -> list[float]:
    """Of the coefficients in expansions for large arguments (10.17.1), each to the one before it."""
    return [(4 * order**2 - (2 * k - 1) ** 2) / (8 * k) for k in range(1, count)]


def _parts(inverse: T, ratios: Sequence[float]) -> tuple[T, T]:
    """The sums of even and of odd terms, with alternating signs."""
    square = inverse.square()
    even = nested(square, [-ratios[k] * ratios[k + 1] for k in range(0, len(ratios) - 1, 2)])
    odd = nested(square, [-ratios[k] * ratios[k + 1] for k in range(1, len(ratios) - 1, 2)])
    return even, odd * inverse * ratios[0]


def _oscillating(x: T, order: int) -> tuple[T, T]:
    """``J`` and ``Y`` far from zero (10.17.3, 10.17.4)."""
    even, odd = _parts(1 / x, _ratios(order, 22))
    angle, size = x - (order / 2 + 0.25) * math.pi, torch.sqrt(2 / (math.pi * x))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return size * (cosine * even - sine * odd), size * (sine * even + cosine * odd)


def _first_kind(order: int) -> Callable[[T], T]:
    def formula(x: T) -> T:
        size = x.abs()
        near = _series(torch.clamp(size, max=_FAR), order, -1)
        value = torch.where(size < _FAR, near, _oscillating(torch.clamp(size, min=_FAR), order)[0])
        return torch.where(x < 0, -value, value) if order else value

    return in_doubles(formula)


def _second_kind(order: int) -> Callable[[T], T]:
    def formula(x: T) -> T:
        near = torch.clamp(x, 1e-300, _FAR)
        logarithm, sum_ = torch.log(near / 2), _logarithmic(near, order, -1)
        if order == 0:
            value = ((logarithm + _EULER) * _series(near, 0, -1) + sum_) * (2 / math.pi)
        else:
            value = (2 * logarithm * _series(near, 1, -1) - sum_ - 2 / near) / math.pi
        value = torch.where(x < _FAR, value, _oscillating(torch.clamp(x, min=_FAR), order)[1])
        return torch.where(x == 0, -torch.inf, torch.where(x < 0, torch.nan, value))

    return in_doubles(formula)


def _scaled_third(x: T, order: float) -> T:
    """``exp(x) K(x)`` from 1.8 on: its integral (10.32.9) by trapezoids, whose error is below 1e-16, then 10.40.2."""
    steps = torch.arange(26).to(torch.float64) * 0.15
    heights = torch.exp(-torch.clamp(x, 1.8, 18.0).unsqueeze(-1) * (torch.cosh(steps) - 1)) * torch.cosh(order * steps)
    middle = 0.15 * (heights.sum(-1) - 0.5)
    far = torch.clamp(x, min=18.0)
    return torch.where(x < 18, middle, torch.sqrt(math.pi / 2 / far) * nested(1 / far, _ratios(order, 20)))


def _modified(order: int, scaled: bool) -> Callable[[T], T]:
    def formula(x: T) -> T:
        near = torch.clamp(x, 1e-300, 2.0)
        logarithm, sum_ = torch.log(near / 2), _logarithmic(near, order, 1)
        if order == 0:
            value = sum_ - (logarithm + _EULER) * _series(near, 0, 1)
        else:
            value = 1 / near + logarithm * _series(near, 1, 1) - sum_ / 2
        rest = torch.clamp(x, min=2.0)
        value = torch.where(
            x < 2,
            value * torch.exp(near) if scaled else value,
            _scaled_third(rest, order) * (1.0 if scaled else torch.exp(-rest)),
        )
        return torch.where(x == 0, torch.inf, torch.where(x < 0, torch.nan, value))

    return in_doubles(formula)


decomposes(aten.special_bessel_j0.default, prims.bessel_j0.default)(_first_kind(0))
decomposes(aten.special_bessel_j1.default, prims.bessel_j1.default)(_first_kind(1))
decomposes(aten.special_bessel_y0.default)(_second_kind(0))
decomposes(aten.special_bessel_y1.default)(_second_kind(1))
decomposes(aten.special_modified_bessel_k0.default)(_modified(0, scaled=False))
decomposes(aten.special_modified_bessel_k1.default)(_modified(1, scaled=False))
decomposes(aten.special_scaled_modified_bessel_k0.default)(_modified(0, scaled=True))
decomposes(aten.special_scaled_modified_bessel_k1.default)(_modified(1, scaled=True))


@decomposes(aten.special_spherical_bessel_j0.default, prims.spherical_bessel_j0.default)
@in_doubles
def spherical_bessel_j0(x: T) -> T:
    """``sin(x) / x``."""
    value = torch.sin(x) / torch.where(x == 0, 1.0, x)
    return torch.where(x == 0, 1.0, torch.where(x.abs() == torch.inf, 0.0, value))


@decomposes(aten.special_airy_ai.default)
@in_doubles
def airy_ai(x: T) -> T:
    """Airy's function: by its series (9.4.1) from -7 to 2, by Bessel's function above (9.6.2), oscillating below."""
    near = torch.clamp(x, -7.0, 2.0)
    cube = near * near * near
    even = nested(cube, [1 / (3 * k * (3 * k - 1)) for k in range(1, 40)])
    odd = nested(cube, [1 / (3 * k * (3 * k + 1)) for k in range(1, 40)]) * near
    above = torch.clamp(x, min=2.0)
    power = above * torch.sqrt(above) * (2 / 3)
    decaying = torch.sqrt(above / 3) / math.pi * torch.exp(-power) * _scaled_third(power, 1 / 3)
    value = torch.where(x < 2, _AIRY * even - _AIRY_SLOPE * odd, decaying)
    value = torch.where(x < -7, _airy_below(torch.clamp(-x, min=7.0)), value)
    return torch.where(x.abs() == torch.inf, torch.nan, value)


def _airy_below(size: T) -> T:
    """9.7.9."""
    power = size * torch.sqrt(size) * (2 / 3)
    even, odd = _parts(1 / power, [-ratio for ratio in _ratios(1 / 3, 22)])
    angle = power - math.pi / 4
    return (torch.cos(angle) * even + torch.sin(angle) * odd) / torch.sqrt(math.pi * torch.sqrt(size))
