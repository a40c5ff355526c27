"""Special functions that ONNX lacks, computed in float64 from series and fractions whose error is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten
Formula = Callable[[torch.Tensor], torch.Tensor]

# W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969)
_SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e00,
        1.13864154151050156e02,
        3.77485237685302021e02,
        3.20937758913846947e03,
    ),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03),
)
_MIDDLE = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01),
        *(2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03),
        1.23033935479799725e03,
    ),
    (
        *(1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03),
        *(3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03),
    ),
)
_LARGE = (
    (
        1.63153871373020978e-2,
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
    ),
    (
        1.0,
        2.56852019228982242e00,
        1.87295284992346725e00,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)
# M. Giles, Approximating the erfinv function (2012)
_GILES_CENTRE = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    2.1858087e-4,
    -1.25372503e-3,
    -4.17768164e-3,
    0.246640727,
    1.50140941,
)
_GILES_TAIL = (
    -2.00214257e-4,
    1.00950558e-4,
    1.34934322e-3,
    -3.67342844e-3,
    5.73950773e-3,
    -7.6224613e-3,
    9.43887047e-3,
    1.00167406,
    2.83297682,
)
# C. Lanczos, g = 7, nine terms (coefficients by P. Godfrey)
LANCZOS = (
    *(0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059),
    *(12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7),
)
_BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def in_doubles(formula: Formula) -> Formula:
    """The formula in float64, its result in the tensor's own dtype (float32 for whole numbers)."""

    @wraps(formula)
    def converted(tensor: torch.Tensor) -> torch.Tensor:
        dtype = tensor.dtype if tensor.is_floating_point() else torch.get_default_dtype()
        return formula(tensor.to(torch.float64)).to(dtype)

    return converted


def _polynomial(x: torch.Tensor, coefficients: Sequence[float]) -> torch.Tensor:
    """By Horner's scheme, the highest power first."""
    result = torch.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


def _ratio(x: torch.Tensor, coefficients: tuple[Sequence[float], Sequence[float]]) -> torch.Tensor:
    return _polynomial(x, coefficients[0]) / _polynomial(x, coefficients[1])


def _erfcx_of_size(y: torch.Tensor) -> torch.Tensor:
    """``exp(y²) erfc(y)`` for y of at least 0.46875."""
    middle = _ratio(torch.clamp(y, 0.46875, 4.0), _MIDDLE)
    far = torch.clamp(y, min=4.0)
    square = 1 / (far * far)
    large = (1 / math.sqrt(math.pi) - square * _ratio(square, _LARGE)) / far
    return torch.where(y <= 4.0, middle, large)


def _erf_near(x: torch.Tensor) -> torch.Tensor:
    x = torch.clamp(x, -0.46875, 0.46875)
    return x * _ratio(x * x, _SMALL)


def _erf(x: torch.Tensor) -> torch.Tensor:
    y = x.abs()
    far = torch.sign(x) * (1 - torch.exp(-y * y) * _erfcx_of_size(y))
    return torch.where(y <= 0.46875, _erf_near(x), far)


def _erfcx(x: torch.Tensor) -> torch.Tensor:
    y = x.abs()
    near = torch.exp(x * x) * (1 - _erf_near(x))
    far = _erfcx_of_size(y)
    negative = 2 * torch.exp(x * x) - far
    return torch.where(y <= 0.46875, near, torch.where(x > 0, far, negative))


@decomposes(aten.special_erfcx.default)
@in_doubles
def erfcx(x: torch.Tensor) -> torch.Tensor:
    """``exp(x²) erfc(x)``."""
    return _erfcx(x)


@decomposes(aten.special_log_ndtr.default, wrong_upstream=True)
@in_doubles
def log_ndtr(x: torch.Tensor) -> torch.Tensor:
    """The logarithm of the normal distribution, far into its tail."""
    scaled = x * math.sqrt(0.5)
    tail = torch.log(_erfcx(torch.clamp(-scaled, min=0.0)) / 2) - scaled * scaled
    return torch.where(
        x < 0, tail, torch.log(1 - torch.exp(-scaled * scaled) * _erfcx(torch.clamp(scaled, min=0.0)) / 2)
    )


def _erfinv(x: torch.Tensor) -> torch.Tensor:
    """Giles' approximation, and two of Newton's steps."""
    inner = torch.clamp(x, -1 + 1e-15, 1 - 1e-15)
    w = -torch.log((1 - inner) * (1 + inner))
    centre = _polynomial(w - 2.5, _GILES_CENTRE)
    tail = _polynomial(torch.sqrt(w) - 3, _GILES_TAIL)
    y = torch.where(w < 5, centre, tail) * inner
    for _ in range(2):
        y = y - (_erf(y) - inner) * (math.sqrt(math.pi) / 2) * torch.exp(y * y)
    y = torch.where(x.abs() == 1, torch.sign(x) * torch.inf, y)
    return torch.where(x.abs() > 1, torch.nan, y)


@decomposes(aten.erfinv.default)
@in_doubles
def erfinv(x: torch.Tensor) -> torch.Tensor:
    """The inverse of the error function."""
    return _erfinv(x)


def _log_gamma(x: torch.Tensor) -> torch.Tensor:
    """By Lanczos above one half; below by reflection."""
    z = torch.where(x < 0.5, 1 - x, x) - 1
    total = torch.full_like(z, LANCZOS[0])
    for index, coefficient in enumerate(LANCZOS[1:]):
        total = total + coefficient / (z + (index + 1))
    t = z + 7.5
    upper = 0.5 * math.log(2 * math.pi) + (z + 0.5) * torch.log(t) - t + torch.log(total)
    fraction = x - torch.floor(x)
    lower = math.log(math.pi) - torch.log(torch.sin(math.pi * fraction).abs()) - upper
    result = torch.where(x < 0.5, lower, upper)
    pole = (x <= 0) & (fraction == 0)
    return torch.where(pole | (x.abs() == torch.inf), torch.inf, result)


@decomposes(aten.lgamma.default)
@in_doubles
def lgamma(x: torch.Tensor) -> torch.Tensor:
    """The logarithm of the size of the gamma function."""
    return _log_gamma(x)


@decomposes(aten.mvlgamma.default)
def mvlgamma(tensor: torch.Tensor, p: int) -> torch.Tensor:
    """The multivariate one, of p dimensions."""
    x = tensor.to(torch.float64)
    total = sum(
        (_log_gamma(x - index / 2) for index in range(p)), torch.full_like(x, p * (p - 1) / 4 * math.log(math.pi))
    )
    return total.to(tensor.dtype if tensor.is_floating_point() else torch.get_default_dtype())


def _digamma(x: torch.Tensor) -> torch.Tensor:
    """By recurrence to 8 and above, there the asymptotic series; below zero by reflection."""
    z = torch.where(x < 0.5, 1 - x, x)
    total = torch.zeros_like(z)
    for _ in range(8):
        near = z < 8
        total = total - torch.where(near, 1 / z, 0.0)
        z = torch.where(near, z + 1, z)
    square = 1 / (z * z)
    series = square * _polynomial(square, _BERNOULLI[::-1])
    upper = total + torch.log(z) - 0.5 / z - series
    fraction = x - torch.floor(x)
    angle = math.pi * fraction
    lower = upper - math.pi * torch.cos(angle) / torch.sin(angle)
    result = torch.where(x < 0.5, lower, upper)
    result = torch.where((x < 0) & (fraction == 0), torch.nan, result)
    result = torch.where(x == torch.inf, torch.inf, result)
    return torch.where(x == 0, -torch.inf / torch.where(1 / x < 0, -1.0, 1.0), result)


@decomposes(aten.digamma.default)
@in_doubles
def digamma(x: torch.Tensor) -> torch.Tensor:
    """The derivative of lgamma."""
    return _digamma(x)


def nested(x: torch.Tensor, ratios: Sequence[float]) -> torch.Tensor:
    """``1 + r₁x (1 + r₂x (1 + …))``, which has no coefficient too small for its dtype."""
    result = torch.ones_like(x)
    for ratio in reversed(ratios):
        result = 1 + x * ratio * result
    return result


def _series(x: torch.Tensor, order: int) -> torch.Tensor:
    """The power series of the modified Bessel function, whose terms are all positive, up to 22."""
    quarter = torch.clamp(x, max=22.0).square() / 4
    return nested(quarter, [1 / (k * (k + order)) for k in range(1, 56)])


def _asymptotic(x: torch.Tensor, order: int) -> torch.Tensor:
    """``exp(-x)`` times the function, from 22 on."""
    far = torch.clamp(x, min=22.0)
    ratios = [((2 * k - 1) ** 2 - 4 * order * order) / (k * 8) for k in range(1, 18)]
    return nested(1 / far, ratios) / torch.sqrt(2 * math.pi * far)


def _bessel(order: int, scaled: bool) -> Formula:
    def formula(x: torch.Tensor) -> torch.Tensor:
        size = x.abs()
        near = _series(size, order) * (torch.clamp(size, max=22.0) / 2) ** order
        far = _asymptotic(size, order)
        values = (near * torch.exp(-size), far) if scaled else (near, far * torch.exp(size))
        result = torch.where(size <= 22, *values)
        return torch.where(x < 0, -result, result) if order else result

    return in_doubles(formula)


decomposes(aten.i0.default, aten.special_i0.default, aten.special_modified_bessel_i0.default)(_bessel(0, scaled=False))
decomposes(aten.special_i0e.default)(_bessel(0, scaled=True))
decomposes(aten.special_i1.default, aten.special_modified_bessel_i1.default)(_bessel(1, scaled=False))
decomposes(aten.special_i1e.default)(_bessel(1, scaled=True))


@decomposes(aten.polygamma.default)
def polygamma(n: int, tensor: torch.Tensor) -> torch.Tensor:
    """The n-th derivative of digamma."""
    dtype = tensor.dtype if tensor.is_floating_point() else torch.get_default_dtype()
    x = tensor.to(torch.float64)
    if n == 0:
        return _digamma(x).to(dtype)
    if n > 1:
        zeta: torch.Tensor = aten.special_zeta.default(torch.full((), n + 1, dtype=torch.float64), x)
        return (zeta * (math.factorial(n) * (1 if n % 2 else -1))).to(dtype)
    return _trigamma(x).to(dtype)


def _trigamma(x: torch.Tensor) -> torch.Tensor:
    z = torch.where(x < 0.5, 1 - x, x)
    total = torch.zeros_like(z)
    for _ in range(8):
        near = z < 8
        total = total + torch.where(near, 1 / (z * z), 0.0)
        z = torch.where(near, z + 1, z)
    square = 1 / (z * z)
    numbers = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    upper = total + 1 / z + square / 2 + square / z * _polynomial(square, numbers[::-1])
    sine = torch.sin(math.pi * (x - torch.floor(x)))
    return torch.where(x < 0.5, math.pi**2 / (sine * sine) - upper, upper)


@decomposes(aten.special_ndtri.default)
@in_doubles
def ndtri(x: torch.Tensor) -> torch.Tensor:
    """The inverse of the normal distribution: Giles' approximation, and Newton's steps on the tail's logarithm."""
    inner = torch.where((x > 0) & (x < 1), x, 0.5)
    small = torch.where(inner > 0.5, 1 - inner, inner)
    logarithm = torch.log(2 * small)
    w = -logarithm - torch.log(2 * (1 - small))
    near = _polynomial(w - 2.5, _GILES_CENTRE) * (1 - 2 * small)
    tail = _polynomial(torch.sqrt(torch.clamp(w, 5.0, 16.0)) - 3, _GILES_TAIL)
    far = torch.sqrt(torch.clamp(w - 0.5 * torch.log(math.pi * torch.clamp(w, min=1.0)), min=0.0))
    y = torch.where(w < 5, near, torch.where(w < 16, tail * (1 - 2 * small), far))
    for _ in range(2):
        scaled = _erfcx(torch.clamp(y, min=0.0))
        y = y + (torch.log(scaled) - y * y - logarithm) * scaled * (math.sqrt(math.pi) / 2)
    value = torch.where(inner > 0.5, y, -y) * math.sqrt(2)
    value = torch.where(x == 0, -torch.inf, torch.where(x == 1, torch.inf, value))
    return torch.where((x < 0) | (x > 1), torch.nan, value)
