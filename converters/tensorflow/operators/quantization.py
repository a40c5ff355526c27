"""Values rounded to a grid, as quantized training rounds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Tensor

Number = np.ndarray | np.float32 | ir.Value


class Foldable:
    """float32 arithmetic that is done at once where every operand is known."""

    def __init__(self, e: Emitter) -> None:
        self.e = e

    def value(self, number: Number) -> ir.Value:
        """As a value of the graph."""
        return number if isinstance(number, ir.Value) else self.e.constant(np.asarray(number))

    def do(self, operator: str, *operands: Number | float) -> Number:
        """An operator of numbers and values."""
        known = [
            x if isinstance(x, ir.Value) else np.asarray(x, bool if np.asarray(x).dtype == bool else np.float32)
            for x in operands
        ]
        if any(isinstance(x, ir.Value) for x in known):
            return self.e.node(operator, [self.value(x) for x in known])
        with np.errstate(all="ignore"):
            return np.asarray(_NUMPY[operator](*known))


_NUMPY: dict[str, Callable[..., Any]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "Floor": np.floor,
    "Equal": np.equal,
    "And": np.logical_and,
    "Where": np.where,
}


@handles("FakeQuantWithMinMaxArgs")
def fixed_range(e: Emitter, op: Operation) -> Tensor:
    """Between two bounds that are attributes."""
    low, high = np.float32(op.attr("min")), np.float32(op.attr("max"))
    return _rounded(e, op, low, high)


@handles("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")
def learnt_range(e: Emitter, op: Operation) -> Tensor:
    """Between two bounds, or two for each element of the last axis."""
    low, high = (e.logical(tensor) if tensor.array is None else tensor.array for tensor in op.inputs[1:])
    return _rounded(e, op, low, high)


def _rounded(e: Emitter, op: Operation, low: Number, high: Number) -> Tensor:
    """To the steps of a grid that has zero on it: kernels/fake_quant_ops_functor.h, in float32 throughout."""
    f = Foldable(e)
    least, most = float(bool(op.attr("narrow_range"))), float(2 ** int(op.attr("num_bits")) - 1)
    scale = f.do("Div", f.do("Sub", high, low), most - least)
    zero = f.do("Sub", least, f.do("Div", low, scale))
    zero = f.do("Min", f.do("Max", f.do("Floor", f.do("Add", zero, 0.5)), least), most)
    floor, ceiling = (f.do("Mul", f.do("Sub", end, zero), scale) for end in (least, most))
    inverse = f.do("Div", 1.0, scale)
    data = op.inputs[0]
    x = e.logical(data)
    held = f.do("Min", f.do("Max", x, floor), ceiling)
    steps = f.do("Floor", f.do("Add", f.do("Mul", f.do("Sub", held, floor), inverse), 0.5))
    found = f.do("Add", f.do("Mul", steps, scale), floor)
    empty = f.do("And", f.do("Equal", low, 0.0), f.do("Equal", high, 0.0))
    if isinstance(empty, ir.Value) or bool(np.any(empty)):
        found = f.do("Where", empty, 0.0, found)
    return op.result(f.value(found), data.shape)
