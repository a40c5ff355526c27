"""Operators on the bits of integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, onnx_dtype
from assay.converters.tensorflow.operators.arithmetic import is_signed, scalar
from assay.converters.tensorflow.operators.elementwise import elementwise
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor

_SAME = {"BitwiseAnd": "BitwiseAnd", "BitwiseOr": "BitwiseOr", "BitwiseXor": "BitwiseXor"}


@handles(*_SAME)
def same(e: Emitter, op: Operation) -> Tensor:
    """ONNX has them from opset 18 on."""
    return elementwise(e, op, lambda x: e.node(_SAME[op.type], x))


@handles("Invert")
def invert(e: Emitter, op: Operation) -> Tensor:
    """All ones less the number."""
    return elementwise(e, op, lambda x: _inverted(e, op, x[0]))


def _inverted(e: Emitter, op: Operation, x: ir.Value) -> ir.Value:
    ones = -1 if is_signed(op) else np.iinfo(op.inputs[0].dtype_numpy).max
    return e.node("Sub", [scalar(e, op, ones), x])


@handles("LeftShift", "RightShift")
def shift(e: Emitter, op: Operation) -> Tensor:
    """By a number of bits, held between 0 and one less than the width; to the right the sign stays."""
    name = op.inputs[0].dtype
    unsigned, last = onnx_dtype("u" + name.removeprefix("u")), np.iinfo(op.inputs[0].dtype_numpy).bits - 1

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        bits = e.node("Min", [e.node("Max", [x[1], scalar(e, op, 0)]), scalar(e, op, last)])
        bits = e.node("Cast", [bits], to=unsigned)
        data, negative = x[0], None
        if op.type == "RightShift" and is_signed(op):
            negative = e.node("Less", [x[0], scalar(e, op, 0)])
            data = e.node("Where", [negative, _inverted(e, op, x[0]), x[0]])
        direction = op.type.removesuffix("Shift").upper()
        moved = e.node("BitShift", [e.node("Cast", [data], to=unsigned), bits], direction=direction)
        moved = e.node("Cast", [moved], to=op.onnx_dtype())
        return moved if negative is None else e.node("Where", [negative, _inverted(e, op, moved), moved])

    return elementwise(e, op, formula)


@handles("PopulationCount")
def population_count(e: Emitter, op: Operation) -> Tensor:
    """How many bits are set."""
    name = op.inputs[0].dtype.removeprefix("u")
    width = np.iinfo(name).bits
    if width == 64:
        raise RefusedError("counts the bits of 64-bit integers, which takes too many nodes")
    unsigned = np.dtype(f"u{name}")

    def formula(x: Sequence[ir.Value]) -> ir.Value:
        rest = e.node("Cast", x, to=onnx_dtype(unsigned.name))
        total, two = e.constant(np.array(0, unsigned)), e.constant(np.array(2, unsigned))
        for _ in range(width):
            total = e.node("Add", [total, e.node("Mod", [rest, two])])
            rest = e.node("Div", [rest, two])
        return e.node("Cast", [total], to=ir.DataType.UINT8)

    return elementwise(e, op, formula)


@handles("Bitcast")
def bitcast(e: Emitter, op: Operation) -> Tensor:
    """Between integers of one width; those that differ, and floats, ONNX can't say before opset 26."""
    source, target = op.inputs[0].dtype, op.dtype()
    if source == target:
        return op.inputs[0]
    kinds = {name.removeprefix("u") for name in (source, target)}
    if len(kinds) > 1 or not source.startswith(("int", "uint")):
        raise RefusedError(f"reads the bits of {source} as {target}")
    return elementwise(e, op, lambda x: e.node("Cast", x, to=op.onnx_dtype()))
