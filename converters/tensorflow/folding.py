"""What TensorFlow itself can compute before the model runs: operations of constants alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.eager import context, execute

from assay.converters.tensorflow.tensor import Tensor, constant

_GROWTH = 1 << 16  # bytes that a folded constant may have more than what it is made of
PASSED_ON = frozenset({"Identity", "StopGradient", "PreventGradient"})
_NEVER = frozenset({"PartitionedCall", "StatelessIf", "StatelessWhile", "StatelessCase", "Placeholder", "NoOp"})


def fold(operation: Any, inputs: Sequence[Tensor]) -> list[Tensor] | None:
    """The outputs as constants, or None where an input is none, or the result would be much larger."""
    if operation.type in PASSED_ON:
        return list(inputs[:1])
    if operation.type == "Const":
        array = tf.make_ndarray(operation.get_attr("value"))
        return [constant(_with_own_dtype(array, operation.outputs[0].dtype), operation.outputs[0].dtype.name)]
    if not _is_foldable(operation, inputs):
        return None
    try:
        values = _run(operation, [tensor.array for tensor in inputs])
    except (tf.errors.OpError, TypeError, ValueError, NotImplementedError):
        return None  # its handler says why
    label = inputs[0].label
    return [constant(value.numpy(), value.dtype.name, label) for value in values]


def read_variable(handle: Any, dtype: Any) -> NDArray[Any]:
    """A variable's content, not copied."""
    array: NDArray[Any] = tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)._numpy()
    return array


def _is_foldable(operation: Any, inputs: Sequence[Tensor]) -> bool:
    if operation.type in _NEVER or operation.op_def.is_stateful or not inputs or not operation.outputs:
        return False
    if any(tensor.array is None for tensor in inputs):
        return False
    if any(output.dtype in (tf.variant, tf.resource) for output in operation.outputs):
        return False
    given = sum(tensor.array.nbytes for tensor in inputs if tensor.array is not None)
    return all(_size(output) <= given + _GROWTH for output in operation.outputs)


def _size(output: Any) -> int:
    count = output.shape.num_elements()
    return 0 if count is None else count * max(output.dtype.size, 1)


def _run(operation: Any, arrays: Sequence[Any]) -> list[Any]:
    """Run the operation eagerly, with the attributes that it has in the graph."""
    attributes: list[Any] = []
    for attribute in operation.op_def.attr:
        attributes += [attribute.name, operation.get_attr(attribute.name)]
    values = [tf.constant(array, tensor.dtype) for array, tensor in zip(arrays, operation.inputs, strict=True)]
    with tf.device("CPU"):
        found: list[Any] = execute.execute(
            operation.type, len(operation.outputs), values, tuple(attributes), context.context()
        )
    return found


def _with_own_dtype(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Half types have a NumPy type of TensorFlow's choice."""
    return array if array.dtype == object else np.asarray(array, dtype.as_numpy_dtype)
