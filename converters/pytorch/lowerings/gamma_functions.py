"""The zeta function of Hurwitz and the incomplete gamma functions: sums in a loop as long as the numbers ask for."""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
import torch

from assay.converters.pytorch.lowerings.loops import fraction, front, hurwitz, series
from assay.converters.pytorch.lowerings.opsets import double, doubles, op
from assay.converters.pytorch.lowerings.registry import Lowering, translates
from assay.converters.pytorch.lowerings.special import LANCZOS

aten = torch.ops.aten
_DOUBLE = ir.DataType.DOUBLE
# Bernoulli numbers of even index, each over its index's factorial
_TAIL = (
    *(1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600),
    *(-3617 / 10670622842880000, 43867 / 5109094217170944000),
)


@translates(aten.special_zeta.default)
def zeta(self: Any, other: Any) -> Any:
    """Hurwitz's zeta function; infinite where a term is, not a number where the sum has no value."""
    x, q = op.Cast(self, to=_DOUBLE.value), op.Cast(other, to=_DOUBLE.value)
    whole = op.Equal(op.Floor(q), q)
    value = hurwitz(x, op.Where(whole, op.Max(q, double(1.0)), q), doubles(_TAIL))
    low = op.LessOrEqual(q, double(0.0))
    odd = op.And(op.Not(whole), op.Not(op.Equal(op.Floor(x), x)))
    value = op.Where(op.And(low, odd), double(float("nan")), value)
    value = op.Where(op.And(low, whole), double(float("inf")), value)
    value = op.Where(op.Less(x, double(1.0)), double(float("nan")), value)
    return _as(self, op.Where(op.Equal(x, double(1.0)), double(float("inf")), value))


def _lower_share(a: Any, x: Any) -> Any:
    """The share of the gamma function's integral up to x, both of one shape.

    Both ways settle within a multiple of the root of the larger argument.
    """
    low, high = op.Min(x, op.Add(a, double(1.0))), op.Max(x, op.Add(a, double(1.0)))
    largest = op.ReduceMax(op.Reshape(op.Max(a, x), op.Constant(value_ints=[-1])), keepdims=0)
    steps = op.Cast(op.Add(double(60.0), op.Mul(double(12.0), op.Sqrt(largest))), to=ir.DataType.INT64.value)
    factor = front(a, x, doubles((*LANCZOS, _HALF_LOG)))
    below = op.Mul(factor, series(a, low, steps))
    above = op.Sub(double(1.0), op.Mul(op.Mul(factor, a), fraction(a, high, steps, double(1e-300))))
    return op.Where(op.Less(x, high), below, above)


def _incomplete(upper: bool) -> Lowering:
    def lower(self: Any, other: Any) -> Any:
        a, x = op.Cast(self, to=_DOUBLE.value), op.Cast(other, to=_DOUBLE.value)
        inner = op.And(_inside(a), _inside(x))
        one = double(1.0)
        share = _lower_share(op.Where(inner, a, one), op.Where(inner, x, one))
        zero, infinite = double(0.0), double(float("inf"))
        share = op.Where(op.Equal(x, zero), zero, op.Where(inner, share, one))
        share = op.Where(op.Equal(a, infinite), zero, share)
        nothing = op.And(op.Equal(a, x), op.Or(op.Equal(a, zero), op.Equal(a, infinite)))
        invalid = op.Or(nothing, op.Or(op.Less(a, zero), op.Less(x, zero)))
        share = op.Where(invalid, double(float("nan")), share)
        return _as(self, op.Sub(one, share) if upper else share)

    return lower


_HALF_LOG = 0.91893853320467274178  # of the circle's circumference over its radius


def _inside(number: Any) -> Any:
    return op.And(op.Greater(number, double(0.0)), op.Less(number, double(float("inf"))))


def _as(like: Any, value: Any) -> Any:
    return op.Cast(value, to=like.dtype.value if like.dtype.is_floating_point() else ir.DataType.FLOAT.value)


translates(aten.igamma.default)(_incomplete(upper=False))
translates(aten.igammac.default)(_incomplete(upper=True))
