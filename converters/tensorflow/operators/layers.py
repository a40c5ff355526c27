"""Layers of Keras that ONNX has as an operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, LOGICAL, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.reduction import reduced_over
from assay.converters.tensorflow.registry import Call, composes
from assay.converters.tensorflow.tensor import Tensor
from assay.converters.tensorflow.tensor_list import fixed


@composes("layer_normalization")
def layer_normalization(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """Over the last axes; the channels of a tensor that has them first are normalized where they are."""
    tensor, scale, offset = call["tensor"], call.get("scale"), call.get("offset")
    if _is_over_channels(e, tensor, call.settings["axes"]):
        return [_over_channels(e, op, call)]
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


def _is_over_channels(e: Emitter, tensor: Tensor, axes: Sequence[int]) -> bool:
    """Whether the only axis is that of the channels, which are first."""
    if tensor.dtype != "float32" or tensor.rank is None or not e.is_channels_first(tensor):
        return False
    return [axis % tensor.rank for axis in axes] == [tensor.rank - 1]


def _over_channels(e: Emitter, op: Operation, call: Call) -> Tensor:
    """The mean is taken off before anything is scaled, so that nothing cancels: Keras's own order loses digits."""
    tensor = call["tensor"]
    data, channels = e.channels_first(tensor), e.ints(1)
    centred = e.node("Sub", [data, reduced_over(e, "ReduceMean", data, channels, keep=True)])
    variance = reduced_over(e, "ReduceMean", e.node("Mul", [centred, centred]), channels, keep=True)
    epsilon = e.constant(np.array(call.settings["epsilon"], np.float32))
    value = e.node("Div", [centred, e.node("Sqrt", [e.node("Add", [variance, epsilon])])])
    for operator, role in (("Mul", "scale"), ("Add", "offset")):
        weight = call.get(role)
        if weight is not None:
            operands, _ = e.aligned([op.result(value, tensor.shape, layout=CHANNELS_FIRST), weight])
            value = e.node(operator, operands)
    return op.result(value, tensor.shape, layout=CHANNELS_FIRST)


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


@composes("group_normalization")
def group_normalization(e: Emitter, op: Operation, call: Call) -> Sequence[Tensor] | None:
    """With channels first; other tensors keep to the parts, which need no transposition."""
    tensor, axis = call["tensor"], call.settings["axis"]
    if tensor.dtype != "float32" or tensor.rank is None or tensor.rank < 3:
        return None
    last = axis % tensor.rank == tensor.rank - 1
    channels = tensor.dim(axis)
    if not isinstance(channels, int) or (e.is_channels_first(tensor) != last) or (not last and axis != 1):
        return None
    layout = CHANNELS_FIRST if last else LOGICAL
    data = e.channels_first(tensor) if last else e.logical(tensor)
    scale, offset = (_per_channel(e, call.get(role), fill, channels) for role, fill in (("scale", 1), ("offset", 0)))
    write = _group_normalization_21 if e.opset >= 21 else _group_normalization_17
    value = write(e, data, scale, offset, call.settings, tensor.rank)
    return [op.result(value, tensor.shape, layout=layout)]


def _per_channel(e: Emitter, weight: Tensor | None, fill: int, channels: int) -> ir.Value:
    return e.constant(np.full(channels, fill, np.float32)) if weight is None else e.logical(weight)


def _group_normalization_21(
    e: Emitter, data: ir.Value, scale: ir.Value, offset: ir.Value, settings: Mapping[str, Any], _rank: int
) -> ir.Value:
    return e.node(
        "GroupNormalization", [data, scale, offset], num_groups=settings["groups"], epsilon=settings["epsilon"]
    )


def _group_normalization_17(
    e: Emitter, data: ir.Value, scale: ir.Value, offset: ir.Value, settings: Mapping[str, Any], rank: int
) -> ir.Value:
    """Groups are the channels of an InstanceNormalization; older forms of the operator scale groups, not channels."""
    groups = settings["groups"]
    ones, zeros = (e.constant(np.full(groups, fill, np.float32)) for fill in (1, 0))
    grouped = e.node("Reshape", [data, e.ints(0, groups, -1)])
    normal = e.node("InstanceNormalization", [grouped, ones, zeros], epsilon=settings["epsilon"])
    whole = e.node("Reshape", [normal, e.node("Shape", [data])])
    axes = e.ints(*range(1, rank - 1))
    return e.node(
        "Add",
        [e.node("Mul", [whole, e.node("Unsqueeze", [scale, axes])]), e.node("Unsqueeze", [offset, axes])],
    )


def _first_axis(e: Emitter, tensor: Tensor, axes: Sequence[int]) -> int | None:
    """The first of the axes where they are the last ones of a float32 tensor that is not turned."""
    if tensor.dtype != "float32" or tensor.rank is None or e.is_channels_first(tensor):
        return None
    places = sorted(axis % tensor.rank for axis in axes)
    return places[0] if places == list(range(tensor.rank - len(places), tensor.rank)) else None
