"""Normalizations and softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.convolution import spatial
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor, constant


@handles("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_normalization(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """With the statistics that the model has learnt; one that takes its own batch's is refused."""
    if op.attr("is_training"):
        raise RefusedError("normalizes by the statistics of its batch, as in training")
    data, (_, scale, offset, mean, variance) = spatial(e, op), op.inputs
    value = e.node(
        "BatchNormalization",
        [data.value, *(e.logical(tensor) for tensor in (scale, offset, mean, variance))],
        epsilon=float(op.attr("epsilon")),
    )
    unused = constant(np.zeros(0, np.float32), "float32")
    return [data.result(op, value, data.channels, data.sizes), mean, variance, mean, variance, unused][
        : len(op.tf.outputs)
    ]


@handles("Softmax", "LogSoftmax")
def softmax(e: Emitter, op: Operation) -> Tensor:
    """Over the last axis."""
    (tensor,) = op.inputs
    if e.is_channels_first(tensor):
        return op.result(e.node(op.type, [e.channels_first(tensor)], axis=1), tensor.shape, layout="channels first")
    return op.result(e.node(op.type, [e.logical(tensor)], axis=-1), tensor.shape)
