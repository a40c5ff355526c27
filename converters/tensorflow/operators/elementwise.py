"""Operators that work on each element alone, with NumPy's broadcasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor, affine, broadcast

Formula = Callable[[Sequence[ir.Value]], ir.Value]

_SAME = {
    "Relu": "Relu",
    "Sigmoid": "Sigmoid",
    "Tanh": "Tanh",
    "Exp": "Exp",
    "Log": "Log",
    "Sqrt": "Sqrt",
    "Neg": "Neg",
    "Abs": "Abs",
    "Floor": "Floor",
    "Ceil": "Ceil",
    "Sign": "Sign",
    "Sin": "Sin",
    "Cos": "Cos",
    "Tan": "Tan",
    "Asin": "Asin",
    "Acos": "Acos",
    "Atan": "Atan",
    "Sinh": "Sinh",
    "Cosh": "Cosh",
    "Asinh": "Asinh",
    "Acosh": "Acosh",
    "Atanh": "Atanh",
    "Erf": "Erf",
    "Softplus": "Softplus",
    "Softsign": "Softsign",
    "Reciprocal": "Reciprocal",
    "Inv": "Reciprocal",
    "Selu": "Selu",
    "Elu": "Elu",
    "LogicalNot": "Not",
    "IsNan": "IsNaN",
    "IsInf": "IsInf",
    "Add": "Add",
    "AddV2": "Add",
    "Sub": "Sub",
    "Mul": "Mul",
    "Div": "Div",
    "RealDiv": "Div",
    "Maximum": "Max",
    "Minimum": "Min",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Equal": "Equal",
    "LogicalAnd": "And",
    "LogicalOr": "Or",
    "SelectV2": "Where",
}


def elementwise(e: Emitter, op: Operation, formula: Formula) -> Tensor:
    """What the formula makes of the operands, all in one layout."""
    values, layout = e.aligned(op.inputs)
    shape = broadcast([tensor.shape for tensor in op.inputs])
    return op.result(formula(values), shape, layout=layout, sizes=_sizes(op))


@handles(*_SAME)
def same(e: Emitter, op: Operation) -> Tensor:
    """An operator that ONNX has under its own name."""
    return elementwise(e, op, lambda x: e.node(_SAME[op.type], x))


@handles("Relu6")
def relu6(e: Emitter, op: Operation) -> Tensor:
    """Between 0 and 6."""
    return elementwise(e, op, lambda x: e.node("Clip", [x[0], _like(e, op, 0), _like(e, op, 6)]))


@handles("LeakyRelu")
def leaky_relu(e: Emitter, op: Operation) -> Tensor:
    """Negative values are scaled."""
    return elementwise(e, op, lambda x: e.node("LeakyRelu", x, alpha=float(op.attr("alpha"))))


@handles("Rsqrt")
def rsqrt(e: Emitter, op: Operation) -> Tensor:
    """One over the square root."""
    return elementwise(e, op, lambda x: e.node("Reciprocal", [e.node("Sqrt", x)]))


@handles("Square")
def square(e: Emitter, op: Operation) -> Tensor:
    """The value times itself."""
    return elementwise(e, op, lambda x: e.node("Mul", [x[0], x[0]]))


@handles("SquaredDifference")
def squared_difference(e: Emitter, op: Operation) -> Tensor:
    """The difference times itself."""

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        difference = e.node("Sub", x)
        return e.node("Mul", [difference, difference])

    return elementwise(e, op, formula)


@handles("Erfc")
def erfc(e: Emitter, op: Operation) -> Tensor:
    """1 - erf(x): right to the dtype's epsilon of 1, which is what GELU's ``x * erfc`` needs."""
    return elementwise(e, op, lambda x: e.node("Sub", [_like(e, op, 1), e.node("Erf", x)]))


@handles("NotEqual")
def not_equal(e: Emitter, op: Operation) -> Tensor:
    """Not equal: NaN is not equal to itself."""
    return elementwise(e, op, lambda x: e.node("Not", [e.node("Equal", x)]))


@handles("BiasAdd")
def bias_add(e: Emitter, op: Operation) -> Tensor:
    """A bias for each channel; that of a convolution which nothing else reads becomes its own."""
    data, bias = op.inputs
    if op.attr("data_format") == "NCHW":
        assert data.rank is not None
        vector = e.logical(bias)
        turned = e.node("Reshape", [vector, e.ints(-1, *[1] * (data.rank - 2))]) if data.rank > 2 else vector
        return op.result(e.node("Add", [e.logical(data), turned]), data.shape)
    if bias.array is not None and e.is_channels_first(data) and op.only_reader():
        value = e.channels_first(data)
        node = value.producer()
        if (
            node is not None
            and node.op_type in ("Conv", "ConvTranspose")
            and len(node.inputs) == 2
            and not value.uses()
        ):
            node.resize_inputs(3)
            node.replace_input_with(2, e.logical(bias))
            return op.result(value, data.shape, layout="channels first")
    return elementwise(e, op, lambda x: e.node("Add", x))


@handles("Cast")
def cast(e: Emitter, op: Operation) -> Tensor:
    """To another dtype."""
    to = onnx_dtype(op.dtype())
    return elementwise(e, op, lambda x: e.node("Cast", x, to=to))


def _like(e: Emitter, op: Operation, number: float) -> ir.Value:
    """A constant of the dtype of the first operand."""
    return e.constant(np.array(number, op.inputs[0].dtype_numpy))


_SIZES: dict[str, Callable[[Dim, Dim], Dim]] = {
    "Add": lambda a, b: affine(a, 1, b) if isinstance(b, int) else affine(b, 1, a) if isinstance(a, int) else Symbol(),
    "Sub": lambda a, b: (
        affine(a, 1, -b) if isinstance(b, int) else affine(b, -1, a) if isinstance(a, int) else Symbol()
    ),
    "Mul": lambda a, b: affine(a, b, 0) if isinstance(b, int) else affine(b, a, 0) if isinstance(a, int) else Symbol(),
    "FloorDiv": lambda a, b: a // b if isinstance(a, int) and isinstance(b, int) and b else a if b == 1 else Symbol(),
    "Maximum": lambda a, b: max(a, b) if isinstance(a, int) and isinstance(b, int) else Symbol(),
    "Minimum": lambda a, b: min(a, b) if isinstance(a, int) and isinstance(b, int) else Symbol(),
}
_SIZES["AddV2"] = _SIZES["Add"]


def _sizes(op: Operation) -> tuple[Dim, ...] | None:
    """What arithmetic makes of sizes of axes."""
    known = [tensor.sizes for tensor in op.inputs if tensor.sizes is not None]
    if len(known) < len(op.inputs) or op.dtype() not in ("int32", "int64"):
        return None
    if op.type == "Cast":
        return known[0]
    length = max(map(len, known))
    rule = _SIZES.get(op.type)
    if rule is None or len(known) != 2 or any(len(sizes) not in (1, length) for sizes in known):
        return None
    a, b = (sizes * length if len(sizes) == 1 else sizes for sizes in known)
    return tuple(rule(x, y) for x, y in zip(a, b, strict=True))
