"""Normalizations and softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.convolution import Spatial, spatial
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor, constant


@handles("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_normalization(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """With the statistics that the model has learnt, or with its own where the batch is one; others are refused."""
    data, (_, scale, offset, mean, variance) = spatial(e, op), op.inputs
    if op.attr("is_training"):
        _require_one(op, data)
        operator, weights = "InstanceNormalization", [scale, offset]
    else:
        operator, weights = "BatchNormalization", [scale, offset, mean, variance]
    inputs = [data.value, *(e.logical(tensor) for tensor in weights)]
    value = e.node(operator, inputs, epsilon=float(op.attr("epsilon")))
    unused = constant(np.zeros(0, np.float32), "float32")
    return [data.result(op, value, data.channels, data.sizes), mean, variance, mean, variance, unused][
        : len(op.tf.outputs)
    ]


def _require_one(op: Operation, data: Spatial) -> None:
    """A batch of one has no statistics but the tensor's own, as Keras 2 writes LayerNormalization."""
    if data.batch != 1:
        raise RefusedError("normalizes by the statistics of its batch, as in training")
    given = [output for output in getattr(op.tf.graph, "outputs", ()) if output.op is op.tf and output.value_index]
    if given or any(output.consumers() for output in op.tf.outputs[1:]):
        raise RefusedError("gives the statistics of its batch, as in training")


@handles("Softmax", "LogSoftmax")
def softmax(e: Emitter, op: Operation) -> Tensor:
    """Over the last axis."""
    (tensor,) = op.inputs
    if e.is_channels_first(tensor):
        return op.result(e.node(op.type, [e.channels_first(tensor)], axis=1), tensor.shape, layout="channels first")
    return op.result(e.node(op.type, [e.logical(tensor)], axis=-1), tensor.shape)
