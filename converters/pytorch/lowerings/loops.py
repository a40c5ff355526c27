# mypy: ignore-errors
# The language of these functions is onnxscript's, which is Python by its looks alone.
"""Loops in ONNX, each with one tensor that goes around: several come out in an order that changes between processes."""

from __future__ import annotations

from onnxscript import BOOL, DOUBLE, INT64, script
from onnxscript import opset18 as op


@script()
def polynomial(x: DOUBLE[...], degree: INT64[...], highest: INT64, narrow: BOOL, numbers: DOUBLE[9]) -> DOUBLE[...]:
    """Values of the polynomials of these degrees; in a narrow dtype, what float32 can't hold on the way is infinite."""
    zeros = op.Mul(x, 0.0)
    one = op.CastLike(1.0, x)
    line = op.Gather(numbers, 0) * x + op.Gather(numbers, 1)
    at_first = op.Where(degree < 1, zeros + one, line)
    state = op.Concat(op.Unsqueeze(zeros + one, [0]), op.Unsqueeze(line, [0]), op.Unsqueeze(at_first, [0]), axis=0)
    for index in range(highest):
        k = op.CastLike(index + 1, x)
        slope = op.Gather(numbers, 2) + op.Gather(numbers, 3) * k
        shift = op.Gather(numbers, 4) + op.Gather(numbers, 5) * k
        share = op.Gather(numbers, 6) + op.Gather(numbers, 7) * k
        value = op.Gather(state, 1)
        raised = (slope * x + shift) * value - share * op.Gather(state, 0)
        further = raised / (one + op.Gather(numbers, 8) * k)
        rounded = op.Cast(op.Cast(further, to=1), to=11)
        further = op.Where(op.And(narrow, op.IsInf(rounded)), rounded, further)
        found = op.Where(degree > index + 1, further, op.Gather(state, 2))
        state = op.Concat(op.Unsqueeze(value, [0]), op.Unsqueeze(further, [0]), op.Unsqueeze(found, [0]), axis=0)
    return op.Where(degree < 0, zeros, op.Gather(state, 2))


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
