"""A convolution between SpaceToBatchND and BatchToSpaceND, which is how TensorFlow says a dilated one.

For any padding and cropping: blocks of space that go through a convolution of stride 1 and come back are the
padded tensor's convolution with the block as dilation, cropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
import tensorflow as tf

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import RefusedError, shortens
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

_CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")


@dataclass(frozen=True)
class _Chain:
    """The operations of TensorFlow from the blocks to the convolution."""

    blocks: Any
    convolution: Any

    @staticmethod
    def before(operation: Any) -> _Chain | None:
        """What a BatchToSpaceND reads, where it is such a chain."""
        source = operation.inputs[0].op
        widened = source.type == "Squeeze"  # of one axis, it is made two for the convolution
        convolution = source.inputs[0].op if widened else source
        if convolution.type not in _CONVOLUTIONS or not _is_plain(convolution):
            return None
        first = convolution.inputs[0].op
        if widened:
            if first.type != "ExpandDims" or tf.get_static_value(first.inputs[1]) not in (1, -3):
                return None
            first = first.inputs[0].op
        if first.type != "SpaceToBatchND" or first.inputs[0].shape.rank is None:
            return None
        sizes = [tf.get_static_value(block) for block in (first.inputs[1], operation.inputs[1])]
        same = sizes[0] is not None and sizes[1] is not None and np.array_equal(*sizes)
        return _Chain(first, convolution) if same else None


def _is_plain(convolution: Any) -> bool:
    numbers = (*convolution.get_attr("strides"), *convolution.get_attr("dilations"))
    last = convolution.get_attr("data_format").endswith(b"C")
    return set(numbers) == {1} and convolution.get_attr("padding") == b"VALID" and last


def dilated(operation: Any) -> Sequence[Any] | None:
    """The tensor, the weights, the padding and the cropping of a dilated convolution that ends here."""
    chain = _Chain.before(operation)
    if chain is None:
        return None
    return chain.blocks.inputs[0], chain.convolution.inputs[1], chain.blocks.inputs[2], operation.inputs[2]


@shortens("BatchToSpaceND", dilated)
def dilated_convolution(e: Emitter, op: Operation) -> Tensor:
    """Conv with dilations, between a Pad and a Slice where these are not known to do nothing."""
    tensor, weights, pads, crops = op.inputs
    chain = _Chain.before(op.tf)
    assert chain is not None
    assert tensor.shape is not None
    rank = len(tensor.shape) - 2
    value = _padded(e, e.channels_first(tensor), pads, rank)
    kernel, outputs, group = _kernel(e, op, weights, tensor, chain.convolution.type)
    known = tf.get_static_value(op.tf.inputs[1]).tolist()
    value = e.node("Conv", [value, kernel], group=group, dilations=[*known, *[1] * (rank - len(known))])
    around = tuple(Symbol() for _ in range(rank))
    return op.result(_cropped(e, value, crops), (tensor.shape[0], *around, outputs), layout=CHANNELS_FIRST)


def _kernel(e: Emitter, op: Operation, weights: Tensor, tensor: Tensor, kind: str) -> tuple[ir.Value, Dim, int]:
    """The weights as [outputs, inputs, spatial...], how many outputs, and how many groups."""
    shape, channels = weights.static_shape, tensor.dim(-1)
    if shape is None or not isinstance(channels, int):
        raise RefusedError("has weights or channels of unknown size")
    if kind == "DepthwiseConv2dNative":
        *spatial, inputs, multiplier = shape
        order, group, outputs = (*range(len(spatial), len(shape)), *range(len(spatial))), inputs, inputs * multiplier
    else:
        *spatial, inputs, outputs = shape
        order, group = (len(shape) - 1, len(shape) - 2, *range(len(spatial))), channels // inputs
    whole = [outputs, 1 if kind == "DepthwiseConv2dNative" else inputs, *spatial]
    if len(whole) > len(tensor.shape or ()):  # an axis that was made for the convolution
        del whole[2]
    if weights.array is not None:
        return e.constant(weights.array.transpose(order).reshape(whole), name=weights.label or op.name), outputs, group
    turned = e.node("Transpose", [e.logical(weights)], perm=list(order))
    return e.node("Reshape", [turned, e.ints(*whole)]), outputs, group


def _padded(e: Emitter, value: ir.Value, pads: Tensor, rank: int) -> ir.Value:
    if pads.array is not None:
        if not pads.array.any():
            return value
        edges = np.zeros((rank + 2, 2), np.int64)
        edges[2 : 2 + len(pads.array)] = pads.array
        return e.node("Pad", [value, e.constant(edges.T.reshape(-1))])
    before, after = _columns(e, pads)
    axes = pads.dim(0)
    if not isinstance(axes, int):
        raise RefusedError("pads a number of axes that is not known")
    rest = [e.ints(*[0] * (rank - axes))] if rank > axes else []
    none = e.ints(0, 0)
    return e.node("Pad", [value, e.node("Concat", [none, before, *rest, none, after, *rest], axis=0)])


def _columns(e: Emitter, pairs: Tensor) -> list[ir.Value]:
    value = e.int64(pairs)
    return [e.node("Gather", [value, e.constant(np.array(side, np.int64))], axis=1) for side in (0, 1)]


def _cropped(e: Emitter, value: ir.Value, crops: Tensor) -> ir.Value:
    if crops.array is not None and not crops.array.any():
        return value
    axes = crops.dim(0)
    if not isinstance(axes, int):
        raise RefusedError("crops a number of axes that is not known")
    before, after = _columns(e, crops)
    sizes = e.node("Shape", [value], start=2, end=2 + axes)
    places = e.ints(*range(2, 2 + axes))
    return e.node("Slice", [value, before, e.node("Sub", [sizes, after]), places])
