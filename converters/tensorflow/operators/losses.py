"""Losses that are one operator in TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import counted, size
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Tensor, broadcast


@handles("SoftmaxCrossEntropyWithLogits")
def cross_entropy(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The loss of each row, and its gradient."""
    logits, labels = op.inputs
    value, due = e.logical(logits), e.logical(labels)
    terms = e.node("Mul", [due, e.node("Neg", [e.node("LogSoftmax", [value], axis=-1)])])
    loss = e.node("ReduceSum", [terms, e.ints(1)], keepdims=0)
    gradient = e.node("Sub", [e.node("Softmax", [value], axis=-1), due])
    shape = broadcast([logits.shape, labels.shape])
    return [op.result(loss, shape and shape[:1]), op.result(gradient, shape, index=1)]


@handles("SparseSoftmaxCrossEntropyWithLogits")
def sparse_cross_entropy(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The same for labels that are indices."""
    logits, labels = op.inputs
    value = e.logical(logits)
    index = e.node("Unsqueeze", [e.int64(labels), e.ints(1)])
    own = e.node("GatherElements", [e.node("LogSoftmax", [value], axis=-1), index], axis=1)
    loss = e.node("Neg", [e.node("Squeeze", [own, e.ints(1)])])
    same = e.node("Equal", [index, counted(e, size(e, logits, 1))])
    one_hot = e.node("Cast", [same], to=op.onnx_dtype())
    gradient = e.node("Sub", [e.node("Softmax", [value], axis=-1), one_hot])
    return [op.result(loss, labels.shape), op.result(gradient, logits.shape, index=1)]


@handles("L2Loss")
def half_sum_of_squares(e: Emitter, op: Operation) -> Tensor:
    """Half the sum of squares."""
    value = e.node("Reshape", [e.logical(op.inputs[0]), e.ints(-1)])
    total = e.node("ReduceSum", [e.node("Mul", [value, value]), e.ints(0)], keepdims=0)
    half = e.constant(np.array(0.5, op.inputs[0].dtype_numpy))
    return op.result(e.node("Mul", [total, half]), [])
