"""Arithmetic that ONNX has only as formulas: integer division, remainders, logarithms near one, guarded products."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.elementwise import elementwise
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Tensor


def scalar(e: Emitter, op: Operation, number: float) -> ir.Value:
    """A constant of the dtype of the first operand."""
    return e.constant(np.array(number, op.inputs[0].dtype_numpy))


def is_integer(op: Operation) -> bool:
    """Whether the first operand is an integer."""
    return op.inputs[0].dtype.startswith(("int", "uint"))


def is_signed(op: Operation) -> bool:
    """Whether the first operand is a signed integer."""
    return op.inputs[0].dtype.startswith("int")


@handles("FloorDiv")
def floor_div(e: Emitter, op: Operation) -> Tensor:
    """Towards minus infinity; ONNX divides integers towards zero."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        quotient = e.node("Div", x)
        if not is_integer(op):
            return e.node("Floor", [quotient])
        if not is_signed(op):
            return quotient
        zero = scalar(e, op, 0)
        rest = e.node("Sub", [x[0], e.node("Mul", [quotient, x[1]])])
        inexact = e.node("Not", [e.node("Equal", [rest, zero])])
        opposed = e.node("Xor", [e.node("Less", [rest, zero]), e.node("Less", [x[1], zero])])
        down = e.node("And", [inexact, opposed])
        return e.node("Sub", [quotient, e.node("Cast", [down], to=op.onnx_dtype())])

    return elementwise(e, op, formula)


@handles("FloorMod")
def floor_mod(e: Emitter, op: Operation) -> Tensor:
    """With the sign of the divisor."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        if is_integer(op):
            return e.node("Mod", x)
        zero, rest = scalar(e, op, 0), e.node("Mod", x, fmod=1)
        opposed = e.node("Xor", [e.node("Less", [rest, zero]), e.node("Less", [x[1], zero])])
        inexact = e.node("Not", [e.node("Equal", [rest, zero])])
        return e.node("Where", [e.node("And", [inexact, opposed]), e.node("Add", [rest, x[1]]), rest])

    return elementwise(e, op, formula)


@handles("Mod", "TruncateMod")
def truncate_mod(e: Emitter, op: Operation) -> Tensor:
    """With the sign of the dividend."""
    return elementwise(e, op, lambda x: e.node("Mod", x, fmod=1))


@handles("TruncateDiv")
def truncate_div(e: Emitter, op: Operation) -> Tensor:
    """Towards zero."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        quotient = e.node("Div", x)
        if is_integer(op):
            return quotient
        down = e.node("Less", [quotient, scalar(e, op, 0)])
        return e.node("Where", [down, e.node("Ceil", [quotient]), e.node("Floor", [quotient])])

    return elementwise(e, op, formula)


@handles("Pow")
def power(e: Emitter, op: Operation) -> Tensor:
    """Integers by repeated squares, which wrap around as TensorFlow's do; ONNX Runtime takes the detour of floats."""
    if not is_integer(op):
        return elementwise(e, op, lambda x: e.node("Pow", x))
    exponents = op.inputs[1].array
    top = np.iinfo(op.inputs[1].dtype_numpy).max if exponents is None else int(exponents.max(initial=0))

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        one, two, result = scalar(e, op, 1), scalar(e, op, 2), scalar(e, op, 1)
        square, rest = x
        for bit in range(max(top.bit_length(), 1)):
            square = square if bit == 0 else e.node("Mul", [square, square])
            odd = e.node("Equal", [e.node("Mod", [rest, two]), one])
            result = e.node("Where", [odd, e.node("Mul", [result, square]), result])
            rest = e.node("Div", [rest, two])
        return result

    return elementwise(e, op, formula)


@handles("AddN")
def add_n(e: Emitter, op: Operation) -> Tensor:
    """The sum of tensors of one shape."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        total = x[0]
        for value in x[1:]:
            total = e.node("Add", [total, value])
        return total

    return elementwise(e, op, formula)


@handles("Round", "Rint")
def round_to_even(e: Emitter, op: Operation) -> Tensor:
    """Halves go to the even neighbour; integers are round."""
    return op.inputs[0] if is_integer(op) else elementwise(e, op, lambda x: e.node("Round", x))


@handles("Log1p")
def log1p(e: Emitter, op: Operation) -> Tensor:
    """log(1 + x), right for small x too (Kahan: log(u) x / (u - 1) with u = 1 + x rounded)."""
    return elementwise(e, op, lambda x: log_of_one_plus(e, op, x[0]))


def log_of_one_plus(e: Emitter, op: Operation, x: ir.Value) -> ir.Value:
    """log(1 + x) of a value of the dtype of the first operand."""
    one = scalar(e, op, 1)
    whole = e.node("Add", [one, x])
    scaled = e.node("Div", [e.node("Mul", [e.node("Log", [whole]), x]), e.node("Sub", [whole, one])])
    unbounded = e.node("Equal", [whole, scalar(e, op, np.inf)])
    tiny = e.node("Equal", [whole, one])
    return e.node("Where", [e.node("Or", [tiny, unbounded]), x, scaled])


@handles("Expm1")
def expm1(e: Emitter, op: Operation) -> Tensor:
    """exp(x) - 1, right for small x too (Kahan: (u - 1) x / log(u) with u = exp(x) rounded)."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        one, whole = scalar(e, op, 1), e.node("Exp", x)
        less = e.node("Sub", [whole, one])
        near = e.node("Less", [e.node("Abs", x), one])
        safe = e.node("Where", [near, whole, scalar(e, op, 2)])
        scaled = e.node("Div", [e.node("Mul", [less, x[0]]), e.node("Log", [safe])])
        tiny = e.node("Equal", [whole, one])
        return e.node("Where", [tiny, x[0], e.node("Where", [near, scaled, less])])

    return elementwise(e, op, formula)


@handles("Xlogy", "Xlog1py", "Xdivy", "DivNoNan", "MulNoNan")
def guarded(e: Emitter, op: Operation) -> Tensor:
    """Zero where the first operand is zero (x log y and the like), or the second (division and product without NaN)."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        a, b = x
        zero = scalar(e, op, 0)
        value = {
            "Xlogy": lambda: e.node("Mul", [a, e.node("Log", [b])]),
            "Xlog1py": lambda: e.node("Mul", [a, log_of_one_plus(e, op, b)]),
            "Xdivy": lambda: e.node("Div", [a, b]),
            "DivNoNan": lambda: e.node("Div", [a, b]),
            "MulNoNan": lambda: e.node("Mul", [a, b]),
        }[op.type]()
        asked = a if op.type.startswith("X") else b
        return e.node("Where", [e.node("Equal", [asked, zero]), zero, value])

    return elementwise(e, op, formula)


@handles("Atan2")
def atan2(e: Emitter, op: Operation) -> Tensor:
    """The angle of (x, y) in the whole circle; zeros and infinities have signs."""

    def formula(values: Sequence[ir.Value]) -> ir.Value:
        return angle(e, op, *values)

    return elementwise(e, op, formula)


def angle(e: Emitter, op: Operation, y: ir.Value, x: ir.Value) -> ir.Value:
    """atan2(y, x) of values of the real dtype of the first operand."""
    zero, one = scalar(e, op, 0), scalar(e, op, 1)
    high, wide = e.node("Abs", [y]), e.node("Abs", [x])
    slope = e.node("Div", [high, wide])
    equal = e.node("Where", [e.node("Equal", [high, zero]), zero, one])
    slope = e.node("Where", [e.node("Equal", [high, wide]), equal, slope])
    first = e.node("Atan", [slope])
    turned = e.node("Where", [_is_negative(e, op, x), e.node("Sub", [scalar(e, op, pi), first]), first])
    return e.node("Where", [_is_negative(e, op, y), e.node("Neg", [turned]), turned])


def _is_negative(e: Emitter, op: Operation, x: ir.Value) -> ir.Value:
    """Whether the sign is minus, that of a zero included."""
    zero = scalar(e, op, 0)
    below = e.node("Less", [e.node("Reciprocal", [x]), zero])
    return e.node("Where", [e.node("Equal", [x, zero]), below, e.node("Less", [x, zero])])


@handles("IsFinite")
def is_finite(e: Emitter, op: Operation) -> Tensor:
    """Neither infinite nor NaN."""
    return elementwise(e, op, lambda x: e.node("Not", [e.node("Or", [e.node("IsInf", x), e.node("IsNaN", x)])]))


@handles("ClipByValue")
def clip_by_value(e: Emitter, op: Operation) -> Tensor:
    """Between two bounds, which may be tensors."""
    return elementwise(e, op, lambda x: e.node("Min", [e.node("Max", [x[0], x[1]]), x[2]]))


@handles("ApproximateEqual")
def approximate_equal(e: Emitter, op: Operation) -> Tensor:
    """Whether the difference is less than the tolerance."""
    tolerance = scalar(e, op, float(op.attr("tolerance")))
    return elementwise(e, op, lambda x: e.node("Less", [e.node("Abs", [e.node("Sub", x)]), tolerance]))


@handles("Select")
def select(e: Emitter, op: Operation) -> Tensor:
    """Like SelectV2, but that a vector of conditions picks whole rows."""
    condition, data, other = op.inputs
    if condition.rank == 1 and data.rank is not None and data.rank > 1:
        rows = e.node("Reshape", [e.logical(condition), e.ints(-1, *[1] * (data.rank - 1))])
        return op.result(e.node("Where", [rows, e.logical(data), e.logical(other)]), data.shape)
    return elementwise(e, op, lambda x: e.node("Where", x))
