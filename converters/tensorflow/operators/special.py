"""Special functions as formulas; float32 is computed in float64, so that the result is right to its last places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, pi, sqrt

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.elementwise import elementwise
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor

# Lanczos's series with g = 7 and nine terms (Numerical Recipes, 6.1): right to 1e-15
_LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
# M. Giles, Approximating the erfinv function (GPU Computing Gems, 2011): single precision, below and above w = 5
_ERFINV_CENTRE = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
_ERFINV_TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)
_DIGAMMA_SHIFT = 10
_BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)  # of the asymptotic series of digamma, in 1/x^2


class Doubles:
    """Arithmetic of float64 values, written as it is said."""

    def __init__(self, e: Emitter) -> None:
        self.e = e

    def number(self, number: float) -> ir.Value:
        """A constant."""
        return self.e.constant(np.array(number, np.float64))

    def do(self, operator: str, *operands: ir.Value | float) -> ir.Value:
        """An operator of values and numbers."""
        values = [x if isinstance(x, ir.Value) else self.number(x) for x in operands]
        return self.e.node(operator, values)

    def polynomial(self, coefficients: Sequence[float], x: ir.Value) -> ir.Value:
        """By Horner's rule, the highest power first."""
        total = self.number(coefficients[0])
        for coefficient in coefficients[1:]:
            total = self.do("Add", self.do("Mul", total, x), coefficient)
        return total


def in_doubles(e: Emitter, op: Operation, formula: Callable[[Doubles, ir.Value], ir.Value]) -> Tensor:
    """A function of one float, computed in float64; refused for float64 itself, to which it is not exact."""
    if op.dtype() == "float64":
        raise RefusedError("is not known to float64's precision")

    def cast(x: Sequence[ir.Value]) -> ir.Value:
        wide = e.node("Cast", [x[0]], to=ir.DataType.DOUBLE)
        return e.node("Cast", [formula(Doubles(e), wide)], to=op.onnx_dtype())

    return elementwise(e, op, cast)


@handles("Lgamma")
def lgamma(e: Emitter, op: Operation) -> Tensor:
    """The logarithm of the absolute value of the gamma function."""
    return in_doubles(e, op, _log_gamma)


def _log_gamma(d: Doubles, x: ir.Value) -> ir.Value:
    reflected = d.do("Less", x, 0.5)
    z = d.do("Where", reflected, d.do("Sub", 1.0, x), x)
    direct = _log_gamma_above_half(d, z)
    whole = d.do("Equal", d.do("Floor", x), x)
    sine = d.do("Abs", d.do("Sin", d.do("Mul", pi, d.do("Sub", x, d.do("Floor", x)))))
    mirrored = d.do("Sub", d.do("Sub", log(pi), d.do("Log", sine)), direct)
    pole = d.do("Where", whole, np.inf, mirrored)
    found = d.do("Where", reflected, pole, direct)
    return d.do("Where", d.do("Equal", d.do("Abs", x), np.inf), np.inf, found)


def _log_gamma_above_half(d: Doubles, z: ir.Value) -> ir.Value:
    less = d.do("Sub", z, 1.0)
    series = d.number(_LANCZOS[0])
    for index, coefficient in enumerate(_LANCZOS[1:], 1):
        series = d.do("Add", series, d.do("Div", coefficient, d.do("Add", less, float(index))))
    t = d.do("Add", less, 7.5)
    power = d.do("Sub", d.do("Mul", d.do("Add", less, 0.5), d.do("Log", t)), t)
    return d.do("Add", d.do("Add", power, 0.5 * log(2 * pi)), d.do("Log", series))


@handles("Digamma")
def digamma(e: Emitter, op: Operation) -> Tensor:
    """The logarithmic derivative of the gamma function: recurrence up, then the asymptotic series."""
    return in_doubles(e, op, _digamma)


def _digamma(d: Doubles, x: ir.Value) -> ir.Value:
    reflected = d.do("LessOrEqual", x, 0.0)
    z = d.do("Where", reflected, d.do("Sub", 1.0, x), x)
    shifted = d.do("Add", z, float(_DIGAMMA_SHIFT))
    inverse = d.do("Reciprocal", d.do("Mul", shifted, shifted))
    series = d.do("Mul", d.polynomial(_BERNOULLI[::-1], inverse), inverse)
    found = d.do("Sub", d.do("Sub", d.do("Log", shifted), d.do("Div", 0.5, shifted)), series)
    for index in range(_DIGAMMA_SHIFT):
        found = d.do("Sub", found, d.do("Reciprocal", d.do("Add", z, float(index))))
    part = d.do("Mul", pi, d.do("Sub", x, d.do("Floor", x)))
    cotangent = d.do("Div", d.do("Mul", pi, d.do("Cos", part)), d.do("Sin", part))
    pole = d.do("Equal", d.do("Floor", x), x)
    mirrored = d.do("Where", pole, np.nan, d.do("Sub", found, cotangent))
    return d.do("Where", reflected, mirrored, found)


@handles("Erfinv")
def erfinv(e: Emitter, op: Operation) -> Tensor:
    """The inverse of the error function."""
    return in_doubles(e, op, lambda d, x: _erfinv(d, x, d.do("Mul", d.do("Sub", 1.0, x), d.do("Add", 1.0, x))))


@handles("Ndtri")
def ndtri(e: Emitter, op: Operation) -> Tensor:
    """The quantile of the normal distribution, by erfinv(2 p - 1) with 4 p (1 - p) for its 1 - x^2."""

    def formula(d: Doubles, p: ir.Value) -> ir.Value:
        rest = d.do("Mul", 4.0, d.do("Mul", p, d.do("Sub", 1.0, p)))
        return d.do("Mul", sqrt(2), _erfinv(d, d.do("Sub", d.do("Mul", 2.0, p), 1.0), rest))

    return in_doubles(e, op, formula)


def _erfinv(d: Doubles, x: ir.Value, rest: ir.Value) -> ir.Value:
    w = d.do("Neg", d.do("Log", rest))
    near = d.do("Less", w, 5.0)
    centre = d.polynomial(_ERFINV_CENTRE, d.do("Sub", w, 2.5))
    tail = d.polynomial(_ERFINV_TAIL, d.do("Sub", d.do("Sqrt", d.do("Max", w, 0.0)), 3.0))
    found = d.do("Mul", d.do("Where", near, centre, tail), x)
    ends = d.do("Equal", d.do("Abs", x), 1.0)
    return d.do("Where", ends, d.do("Mul", x, np.inf), found)
