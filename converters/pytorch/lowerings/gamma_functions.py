"""The zeta function of Hurwitz and the incomplete gamma functions: sums in a loop as long as the numbers ask for."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
import torch
from onnxscript import DOUBLE, INT64, script
from onnxscript import opset18 as op

from assay.converters.pytorch.lowerings.registry import Lowering, translates
from assay.converters.pytorch.lowerings.special import LANCZOS

aten = torch.ops.aten
_DOUBLE = ir.DataType.DOUBLE
# Bernoulli numbers of even index, each over its index's factorial
_TAIL = (
    *(1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600),
    *(-3617 / 10670622842880000, 43867 / 5109094217170944000),
)


@script()
def hurwitz(x: DOUBLE[...], q: DOUBLE[...], tail: DOUBLE[9]) -> DOUBLE[...]:
    """``sum (q + k)^-x`` over all k: some terms, and Euler's and Maclaurin's formula for the rest."""
    lowest = op.ReduceMin(op.Concat(op.Reshape(q, op.Constant(value_ints=[-1])), tail, axis=0), keepdims=0)
    steps = op.Cast(op.Ceil(10.0 - lowest), to=7)
    total = op.Mul(op.Add(x, q), 0.0)
    for index in range(steps):
        total = total + op.Pow(q + op.CastLike(index, q), op.Neg(x))
    end = q + op.CastLike(steps, q)
    power = op.Pow(end, op.Neg(x))
    total = total + power * end / (x - 1.0) + power / 2.0
    rising = x * power / end
    for place in range(9):
        total = total + rising * op.Gather(tail, place)
        twice = op.CastLike(2 * place, x)
        rising = rising * (x + twice + 1.0) * (x + twice + 2.0) / (end * end)
    return total


@translates(aten.special_zeta.default)
def zeta(self: Any, other: Any) -> Any:
    """Hurwitz's zeta function; infinite where a term is, not a number where the sum has no value."""
    x, q = op.Cast(self, to=_DOUBLE.value), op.Cast(other, to=_DOUBLE.value)
    whole = op.Equal(op.Floor(q), q)
    value = hurwitz(x, op.Where(op.Equal(q, op.Floor(q)), op.Max(q, _double(1.0)), q), _doubles(_TAIL))
    low = op.LessOrEqual(q, _double(0.0))
    odd = op.And(op.Not(whole), op.Not(op.Equal(op.Floor(x), x)))
    value = op.Where(op.And(low, odd), _double(float("nan")), value)
    value = op.Where(op.And(low, whole), _double(float("inf")), value)
    value = op.Where(op.Less(x, _double(1.0)), _double(float("nan")), value)
    return _as(self, op.Where(op.Equal(x, _double(1.0)), _double(float("inf")), value))


@script()
def front(a: DOUBLE[...], x: DOUBLE[...], lanczos: DOUBLE[10]) -> DOUBLE[...]:
    """``x^a exp(-x) / gamma(a + 1)``, by Lanczos' approximation."""
    offsets = op.Constant(value_floats=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    places = op.Unsqueeze(a, -1) + op.CastLike(offsets, a)
    terms = op.ReduceSum(op.Slice(lanczos, [1], [9]) / places, [-1], keepdims=0)
    base = a + 7.5
    gamma = op.Gather(lanczos, 9) + (a + 0.5) * op.Log(base) - base + op.Log(op.Gather(lanczos, 0) + terms)
    return op.Exp(a * op.Log(x) - x - gamma)


@script()
def series(a: DOUBLE[...], x: DOUBLE[...], steps: INT64) -> DOUBLE[...]:
    """The sum of ``x^k / ((a + 1) ... (a + k))``."""
    ones = op.Unsqueeze(op.Mul(op.Add(a, x), 0.0) + 1.0, [0])
    state = op.Concat(ones, ones, axis=0)
    for index in range(steps):
        term = op.Gather(state, [0]) * x / (a + op.CastLike(index + 1, a))
        state = op.Concat(term, op.Gather(state, [1]) + term, axis=0)
    return op.Gather(state, 1)


@script()
def fraction(a: DOUBLE[...], x: DOUBLE[...], steps: INT64, small: DOUBLE) -> DOUBLE[...]:
    """The continued fraction of the upper integral, by Lentz."""
    first = op.Unsqueeze(x + 1.0 - a, [0])
    inverse = op.Reciprocal(op.Where(op.Abs(first) < small, small, first))
    state = op.Concat(first, op.Mul(first, 0.0) + op.Reciprocal(small), inverse, inverse, axis=0)
    for index in range(steps):
        k = op.CastLike(index + 1, a)
        factor = k * (a - k)
        b = op.Gather(state, [0]) + 2.0
        c = b + factor / op.Gather(state, [1])
        c = op.Where(op.Abs(c) < small, small, c)
        d = factor * op.Gather(state, [2]) + b
        d = op.Reciprocal(op.Where(op.Abs(d) < small, small, d))
        state = op.Concat(b, c, d, op.Gather(state, [3]) * c * d, axis=0)
    return op.Gather(state, 3)


def _lower_share(a: Any, x: Any) -> Any:
    """The share of the gamma function's integral up to x, both of one shape.

    Both ways settle within a multiple of the root of the larger argument.
    """
    low, high = op.Min(x, op.Add(a, _double(1.0))), op.Max(x, op.Add(a, _double(1.0)))
    largest = op.ReduceMax(op.Reshape(op.Max(a, x), op.Constant(value_ints=[-1])), keepdims=0)
    steps = op.Cast(op.Add(_double(60.0), op.Mul(_double(12.0), op.Sqrt(largest))), to=ir.DataType.INT64.value)
    factor = front(a, x, _doubles((*LANCZOS, _HALF_LOG)))
    below = op.Mul(factor, series(a, low, steps))
    above = op.Sub(_double(1.0), op.Mul(op.Mul(factor, a), fraction(a, high, steps, _double(1e-300))))
    return op.Where(op.Less(x, high), below, above)


def _incomplete(upper: bool) -> Lowering:
    def lower(self: Any, other: Any) -> Any:
        a, x = op.Cast(self, to=_DOUBLE.value), op.Cast(other, to=_DOUBLE.value)
        inner = op.And(_inside(a), _inside(x))
        one = _double(1.0)
        share = _lower_share(op.Where(inner, a, one), op.Where(inner, x, one))
        zero, infinite = _double(0.0), _double(float("inf"))
        share = op.Where(op.Equal(x, zero), zero, op.Where(inner, share, one))
        share = op.Where(op.Equal(a, infinite), zero, share)
        nothing = op.And(op.Equal(a, x), op.Or(op.Equal(a, zero), op.Equal(a, infinite)))
        invalid = op.Or(nothing, op.Or(op.Less(a, zero), op.Less(x, zero)))
        share = op.Where(invalid, _double(float("nan")), share)
        return _as(self, op.Sub(one, share) if upper else share)

    return lower


_HALF_LOG = 0.91893853320467274178  # of the circle's circumference over its radius


def _inside(number: Any) -> Any:
    return op.And(op.Greater(number, _double(0.0)), op.Less(number, _double(float("inf"))))


def _as(like: Any, doubles: Any) -> Any:
    return op.Cast(doubles, to=like.dtype.value if like.dtype.is_floating_point() else ir.DataType.FLOAT.value)


def _double(number: float) -> Any:
    return op.Constant(value=ir.tensor(number, _DOUBLE))


def _doubles(numbers: Any) -> Any:
    return op.Constant(value=ir.tensor(list(numbers), _DOUBLE))


translates(aten.igamma.default)(_incomplete(upper=False))
translates(aten.igammac.default)(_incomplete(upper=True))
