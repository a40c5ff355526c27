"""Orthogonal polynomials whose degree is data: their recurrences, run in a loop up to the highest degree there is."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any

import onnx_ir as ir
import torch

from assay.converters.pytorch.lowerings.loops import polynomial
from assay.converters.pytorch.lowerings.opsets import double, doubles, op
from assay.converters.pytorch.lowerings.registry import Lowering, translates

aten = torch.ops.aten
_DOUBLE, _INT64 = ir.DataType.DOUBLE.value, ir.DataType.INT64.value


@dataclass(frozen=True)
class Recurrence:
    """``(1 + h k) p[k+1] = ((a + b k) x + c + d k) p[k] - (e + f k) p[k-1]`` from ``p[0] = 1``, ``p[1] = s x + t``."""

    s: float
    t: float
    a: float
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0
    h: float = 0.0


def _lowering(recurrence: Recurrence, shifted: bool = False, limited: bool = False) -> Lowering:
    def lower(x: Any, n: Any) -> Any:
        dtype = x.dtype if x.dtype is not None and x.dtype.is_floating_point() else ir.DataType.FLOAT
        numbers = op.Cast(x, to=_DOUBLE)
        numbers = op.Sub(op.Add(numbers, numbers), double(1.0)) if shifted else numbers
        degree = op.Cast(n, to=_INT64)
        shape = op.Shape(op.Expand(degree, op.Shape(numbers)))
        all_degrees = op.Concat(op.Reshape(degree, op.Constant(value_ints=[-1])), op.Constant(value_ints=[0]), axis=0)
        highest = op.Sub(op.ReduceMax(all_degrees, keepdims=0), op.Constant(value_int=1))
        narrow = op.Constant(value=ir.tensor(dtype is not ir.DataType.DOUBLE))
        value = polynomial(
            op.Expand(numbers, shape), op.Expand(degree, shape), highest, narrow, doubles(astuple(recurrence))
        )
        if limited:
            most = 512 if dtype is ir.DataType.DOUBLE else 128
            value = op.Where(op.Greater(degree, op.Constant(value_int=most)), double(math.nan), value)
        return op.Cast(value, to=dtype.value)

    return lower


def _chebyshev(s: float, t: float) -> Recurrence:
    return Recurrence(s, t, a=2, e=1)


_CHEBYSHEV = {"t": _chebyshev(1, 0), "u": _chebyshev(2, 0), "v": _chebyshev(2, -1), "w": _chebyshev(2, 1)}
for _kind, _recurrence in _CHEBYSHEV.items():
    translates(getattr(aten, f"special_chebyshev_polynomial_{_kind}").default)(_lowering(_recurrence))
    _shifted = getattr(aten, f"special_shifted_chebyshev_polynomial_{_kind}").default
    translates(_shifted)(_lowering(_recurrence, shifted=True))

_HERMITE_H, _HERMITE_HE = Recurrence(2, 0, a=2, f=2), Recurrence(1, 0, a=1, f=1)
translates(aten.special_hermite_polynomial_h.default)(_lowering(_HERMITE_H, limited=True))
translates(aten.special_hermite_polynomial_he.default)(_lowering(_HERMITE_HE, limited=True))
translates(aten.special_laguerre_polynomial_l.default)(_lowering(Recurrence(-1, 1, a=-1, c=1, d=2, f=1, h=1)))
translates(aten.special_legendre_polynomial_p.default)(_lowering(Recurrence(1, 0, a=1, b=2, f=1, h=1)))
