"""Calls of functions, variables, and operators that only pass a tensor on."""

from __future__ import annotations

from collections.abc import Sequence

from assay.converters.sources.keras_composites import composite_of
from assay.converters.tensorflow.conversion import function_graph
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import COMPOSERS, Call, RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor


@handles("PartitionedCall", "StatefulPartitionedCall", "RemoteCall")
def call(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The function's operations take the place of its call, or one operator for a layer that is marked."""
    mark = composite_of(function_graph(op.tf, "f"))
    composer = None if mark is None else COMPOSERS.get(mark.kind)
    if mark is not None and composer is not None:
        arguments = dict(zip(mark.roles, op.inputs, strict=False))  # what it captures besides comes after them
        found = composer(e, op, Call(arguments, mark.settings))
        if found is not None:
            return found
    return op.conversion.call(op, "f", op.inputs)


@handles("ReadVariableOp")
def read_variable(_emitter: Emitter, op: Operation) -> Tensor:
    """A variable is what it holds when the model is converted."""
    handle = op.inputs[0].resource
    if handle is None:
        raise RefusedError("reads a variable that the source does not hold")
    return op.conversion.variable(handle, op.tf.outputs[0].dtype)


@handles("IdentityN", "EnsureShape", "CheckNumericsV2", "CheckNumerics", "Snapshot", "DebugIdentityV2")
def passed_on(_emitter: Emitter, op: Operation) -> Sequence[Tensor]:
    """Checks are TensorFlow's own; the values stay as they are."""
    return op.inputs[: len(op.tf.outputs)]


@handles("PlaceholderWithDefault")
def default(_emitter: Emitter, op: Operation) -> Tensor:
    """What is not fed has its default."""
    return op.inputs[0]
