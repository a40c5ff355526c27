"""Where a float is -0, as Keras asks it before it looks for the largest: by the sign bit of what equals zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation, origin
from assay.converters.tensorflow.registry import shortens
from assay.converters.tensorflow.tensor import Tensor

_SIGN_BIT = np.iinfo(np.int32).min


def negative_zero(operation: Any) -> Sequence[Any] | None:
    """The float32 tensor x of ``x == 0 and bits of x & sign bit < 0``; the sign bit alone would tell of NaN as well."""
    equal, less = (tensor.op for tensor in operation.inputs)
    if equal.type != "Equal" or less.type != "Less":
        return None
    masked = less.inputs[0].op
    bits = masked.inputs[0].op if masked.type == "BitwiseAnd" else masked
    if bits.type != "Bitcast" or bits.inputs[0].dtype != tf.float32 or bits.outputs[0].dtype != tf.int32:
        return None
    numbers = [tf.get_static_value(value) for value in (equal.inputs[1], less.inputs[1], masked.inputs[1])]
    same = origin(bits.inputs[0]) is origin(equal.inputs[0])
    return [equal.inputs[0]] if same and _are(numbers, (0, 0, _SIGN_BIT)) else None


def _are(numbers: Sequence[Any], due: Sequence[int]) -> bool:
    return all(
        got is not None and np.shape(got) == () and got == number for got, number in zip(numbers, due, strict=True)
    )


@shortens("LogicalAnd", negative_zero)
def is_negative_zero(e: Emitter, op: Operation) -> Tensor:
    """Zero whose reciprocal is minus infinity."""
    tensor = op.inputs[0]
    value, zero = e.logical(tensor), e.constant(np.array(0, np.float32))
    below = e.node("Less", [e.node("Reciprocal", [value]), zero])
    return op.result(e.node("And", [e.node("Equal", [value, zero]), below]), tensor.shape)
