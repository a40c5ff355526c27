"""Layers of Keras that ONNX has as an operator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import Call, composes
from assay.converters.tensorflow.tensor import Tensor
from assay.converters.tensorflow.tensor_list import fixed


@composes("layer_normalization")
def layer_normalization(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Over the last axes; a tensor with channels first keeps to the parts, which need no transposition."""
    tensor, scale, offset = call["tensor"], call.get("scale"), call.get("offset")
    first = _first_axis(e, tensor, call.settings["axes"])
    if first is None or tensor.rank is None or tensor.shape is None:
        return None
    sizes = fixed(tensor.shape[first:])
    if scale is None and sizes is None:
        return None
    factor = e.logical(scale) if scale is not None else e.constant(np.ones(sizes or (), np.float32))
    value = e.node(
        "LayerNormalization",
        [e.logical(tensor), factor, None if offset is None else e.logical(offset)],
        axis=first - tensor.rank,
        epsilon=call.settings["epsilon"],
    )
    return [op.result(value, tensor.shape)]


@composes("rms_normalization")
def rms_normalization(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Over the last axes, from opset 23 on."""
    tensor = call["tensor"]
    first = _first_axis(e, tensor, call.settings["axes"])
    if e.opset < 23 or first is None or tensor.rank is None:
        return None
    value = e.node(
        "RMSNormalization",
        [e.logical(tensor), e.logical(call["scale"])],
        axis=first - tensor.rank,
        epsilon=call.settings["epsilon"],
    )
    return [op.result(value, tensor.shape)]


def _first_axis(e: Emitter, tensor: Tensor, axes: Sequence[int]) -> int | None:
    """The first of the axes where they are the last ones of a float32 tensor that is not turned."""
    if tensor.dtype != "float32" or tensor.rank is None or e.is_channels_first(tensor):
        return None
    places = sorted(axis % tensor.rank for axis in axes)
    return places[0] if places == list(range(tensor.rank - len(places), tensor.rank)) else None
