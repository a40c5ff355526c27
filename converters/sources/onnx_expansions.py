"""Operators for which ONNX Runtime has no float64 kernel, written out in operators for which it has one.

Each expansion adds nodes to a tape and gives the value of the node's one output, or None where it can't say how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx_ir.tape import Tape


@dataclass(frozen=True)
class Expansion:
    """A node that is being written out: where its nodes go, and the version of the operators to write."""

    node: ir.Node
    tape: Tape
    opset: int

    def op(self, operator: str, *inputs: ir.Value | None, **attributes: Any) -> ir.Value:
        """The output of a new node."""
        return self.tape.op(operator, inputs, attributes or None)

    def number(self, value: float | Sequence[float]) -> ir.Value:
        """A constant in float64."""
        return self.op("Constant", value=ir.tensor(np.array(value, np.float64)))

    def integers(self, values: Sequence[int]) -> ir.Value:
        """A constant list of integers."""
        return self.op("Constant", value=ir.tensor(np.array(values, np.int64)))

    def attribute(self, name: str, default: Any = None) -> Any:
        """The value of an attribute of the node."""
        found = self.node.attributes.get(name)
        return default if found is None else found.value

    def input(self, index: int = 0) -> Any:
        """An input of the node, or None."""
        return self.node.inputs[index] if index < len(self.node.inputs) else None

    def mean(self, x: ir.Value, axes: Sequence[int]) -> ir.Value:
        """The mean over axes, which stay with size 1."""
        if self.opset < 18:
            return self.op("ReduceMean", x, axes=list(axes), keepdims=1)
        return self.op("ReduceMean", x, self.integers(axes), keepdims=1)


Expand = Callable[[Expansion], "ir.Value | None"]


def _rank(value: Any) -> int | None:
    return None if value is None or value.shape is None else len(value.shape)


# W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation 23 (1969)
_NEAR = (
    (
        *(1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2),
        *(3.77485237685302021e2, 3.20937758913846947e3),
    ),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_FAR = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1),
        *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
        1.23033935479799725e3,
    ),
    (
        *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
        *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    ),
)
# the defaults of ONNX's Selu, numbers of float32
_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875


def erf(e: Expansion, x: ir.Value | None = None) -> ir.Value:
    """Right to 1e-15; beyond 6 it is 1."""
    x = e.input() if x is None else x
    size = e.op("Abs", x)
    size = e.op("Where", e.op("Greater", size, e.number(6)), e.number(6), size)
    square = e.op("Mul", size, size)
    near = e.op("Mul", x, _fraction(e, _NEAR, square))
    rest = e.op("Mul", e.op("Exp", e.op("Neg", square)), _fraction(e, _FAR, size))
    far = e.op("Mul", e.op("Sign", x), e.op("Sub", e.number(1), rest))
    return e.op("Where", e.op("Greater", size, e.number(0.46875)), far, near)


def _fraction(e: Expansion, coefficients: tuple[Sequence[float], Sequence[float]], x: ir.Value) -> ir.Value:
    return e.op("Div", *(_polynomial(e, side, x) for side in coefficients))


def _polynomial(e: Expansion, coefficients: Sequence[float], x: ir.Value) -> ir.Value:
    """Horner's scheme, the highest power first."""
    total = e.number(coefficients[0])
    for coefficient in coefficients[1:]:
        total = e.op("Add", e.op("Mul", total, x), e.number(coefficient))
    return total


def gelu(e: Expansion) -> ir.Value:
    x = e.input()
    half = e.op("Mul", x, e.number(0.5))
    if e.attribute("approximate", "none") == "tanh":
        cube = e.op("Mul", e.op("Mul", x, x), e.op("Mul", x, e.number(0.044715)))
        inner = e.op("Tanh", e.op("Mul", e.op("Add", x, cube), e.number(float(np.sqrt(2 / np.pi)))))
    else:
        inner = erf(e, e.op("Mul", x, e.number(float(np.sqrt(0.5)))))
    return e.op("Mul", half, e.op("Add", e.number(1), inner))


def leaky_relu(e: Expansion) -> ir.Value:
    return _leaky(e, e.number(e.attribute("alpha", float(np.float32(0.01)))))


def prelu(e: Expansion) -> ir.Value:
    return _leaky(e, e.input(1))


def _leaky(e: Expansion, slope: ir.Value) -> ir.Value:
    x = e.input()
    return e.op("Where", e.op("Less", x, e.number(0)), e.op("Mul", x, slope), x)


def elu(e: Expansion) -> ir.Value:
    return _exponential(e, e.attribute("alpha", 1.0), 1.0)


def selu(e: Expansion) -> ir.Value:
    return _exponential(e, e.attribute("alpha", _SELU_ALPHA), e.attribute("gamma", _SELU_GAMMA))


def _exponential(e: Expansion, alpha: float, gamma: float) -> ir.Value:
    x = e.input()
    low = e.op("Mul", e.op("Sub", e.op("Exp", x), e.number(1)), e.number(alpha))
    return e.op("Mul", e.op("Where", e.op("Less", x, e.number(0)), low, x), e.number(gamma))


def softplus(e: Expansion) -> ir.Value:
    """Of the positive part and the logarithm of at most 2, so that nothing overflows."""
    x = e.input()
    rest = e.op("Log", e.op("Add", e.op("Exp", e.op("Neg", e.op("Abs", x))), e.number(1)))
    return e.op("Add", e.op("Where", e.op("Less", x, e.number(0)), e.number(0), x), rest)


def softsign(e: Expansion) -> ir.Value:
    x = e.input()
    return e.op("Div", x, e.op("Add", e.op("Abs", x), e.number(1)))


def hard_sigmoid(e: Expansion) -> ir.Value:
    alpha, beta = e.attribute("alpha", float(np.float32(0.2))), e.attribute("beta", 0.5)
    line = e.op("Add", e.op("Mul", e.input(), e.number(alpha)), e.number(beta))
    return e.op("Max", e.op("Min", line, e.number(1)), e.number(0))


def mean(e: Expansion) -> ir.Value:
    return e.op("Div", e.op("Sum", *e.node.inputs), e.number(len(e.node.inputs)))


def global_average_pool(e: Expansion) -> ir.Value | None:
    rank = _rank(e.input())
    return None if rank is None else e.mean(e.input(), range(2, rank))


def global_max_pool(e: Expansion) -> ir.Value | None:
    rank = _rank(e.input())
    if rank is None:
        return None
    if e.opset < 18:
        return e.op("ReduceMax", e.input(), axes=list(range(2, rank)), keepdims=1)
    return e.op("ReduceMax", e.input(), e.integers(range(2, rank)), keepdims=1)


def instance_normalization(e: Expansion) -> ir.Value | None:
    x, scale, bias = (e.input(index) for index in range(3))
    rank = _rank(x)
    if rank is None:
        return None
    axes = range(2, rank)
    shape = e.integers([1, -1] + [1] * (rank - 2))
    centered = e.op("Sub", x, e.mean(x, axes))
    variance = e.mean(e.op("Mul", centered, centered), axes)
    deviation = e.op("Sqrt", e.op("Add", variance, e.number(e.attribute("epsilon", float(np.float32(1e-5))))))
    scaled = e.op("Mul", e.op("Div", centered, deviation), e.op("Reshape", scale, shape))
    return e.op("Add", scaled, e.op("Reshape", bias, shape))
