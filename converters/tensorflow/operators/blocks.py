"""Blocks of space moved into the batch or into the channels, and patches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.convolution import Window, spatial
from assay.converters.tensorflow.operators.sizes import END, size, vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor, affine


def _blocks(op: Operation) -> tuple[list[int], np.ndarray]:
    """The size of a block for each axis after the batch, and what is padded or cropped there."""
    if op.type.endswith("ND"):
        return [int(n) for n in op.array(1, "block").reshape(-1)], op.array(2, "padding").reshape(-1, 2)
    return [int(op.attr("block_size"))] * 2, op.array(1, "padding").reshape(-1, 2)


@handles("SpaceToBatchND", "SpaceToBatch")
def space_to_batch(e: Emitter, op: Operation) -> Tensor:
    """Each place in a block becomes an element of the batch of its own."""
    (tensor, *_), (blocks, pads) = op.inputs, _blocks(op)
    if tensor.shape is None:
        raise RefusedError("gets a tensor of unknown rank")
    axes, rank = len(blocks), len(tensor.shape)
    value = e.logical(tensor)
    if pads.any():
        edges = [[0, 0], *pads.tolist(), *[[0, 0]] * (rank - 1 - axes)]
        value = e.node("Pad", [value, e.constant(np.array(edges, np.int64).T.reshape(-1))])
    around = [affine(dim, 1, int(sum(pair))) for dim, pair in zip(tensor.shape[1:], pads, strict=False)]
    parts: list[int | ir.Value] = [size(e, tensor, 0)]
    made: list[int | ir.Value] = []
    shape: list[Dim] = [affine(tensor.shape[0], int(np.prod(blocks)), 0)]
    for axis, (block, dim) in enumerate(zip(blocks, around, strict=True)):
        count = _quotient(e, tensor, axis + 1, dim, block, int(sum(pads[axis])))
        parts += [count, block]
        made.append(count)
        shape.append(dim // block if isinstance(dim, int) else Symbol())
    rest: list[int | ir.Value] = [size(e, tensor, n) for n in range(axes + 1, rank)]
    value = e.node("Reshape", [value, vector(e, [*parts, *rest])], allowzero=1)
    turn = [*(2 + 2 * n for n in range(axes)), 0, *(1 + 2 * n for n in range(axes)), *range(1 + 2 * axes, rank + axes)]
    value = e.node("Transpose", [value], perm=turn)
    value = e.node("Reshape", [value, vector(e, [-1, *made, *rest])], allowzero=1)
    return op.result(value, [*shape, *tensor.shape[axes + 1 :]])


def _quotient(e: Emitter, tensor: Tensor, axis: int, dim: Dim, block: int, more: int) -> int | ir.Value:
    if isinstance(dim, int):
        return dim // block
    return e.node("Div", [e.node("Add", [size(e, tensor, axis), e.ints(more)]), e.ints(block)])


@handles("BatchToSpaceND", "BatchToSpace")
def batch_to_space(e: Emitter, op: Operation) -> Tensor:
    """The inverse of SpaceToBatchND."""
    (tensor, *_), (blocks, crops) = op.inputs, _blocks(op)
    if tensor.shape is None:
        raise RefusedError("gets a tensor of unknown rank")
    axes, rank, whole = len(blocks), len(tensor.shape), int(np.prod(blocks))
    batch = tensor.shape[0]
    count = batch // whole if isinstance(batch, int) else e.node("Div", [size(e, tensor, 0), e.ints(whole)])
    around = [size(e, tensor, n) for n in range(1, rank)]
    value = e.node("Reshape", [e.logical(tensor), vector(e, [*blocks, count, *around])], allowzero=1)
    turn = [axes, *(n for axis in range(axes) for n in (axes + 1 + axis, axis)), *range(1 + 2 * axes, rank + axes)]
    value = e.node("Transpose", [value], perm=turn)
    wide = [e.node("Mul", [around[n], e.ints(block)]) for n, block in enumerate(blocks)]
    value = e.node("Reshape", [value, vector(e, [count, *wide, *around[axes:]])], allowzero=1)
    if crops.any():
        starts, ends = crops[:, 0].tolist(), [-int(n) if n else END for n in crops[:, 1]]
        value = e.node("Slice", [value, e.ints(*starts), e.ints(*ends), e.ints(*range(1, axes + 1))])
    made = [affine(dim, block, -int(sum(c))) for dim, block, c in zip(tensor.shape[1:], blocks, crops, strict=False)]
    first: Dim = batch // whole if isinstance(batch, int) else Symbol()
    return op.result(value, [first, *made, *tensor.shape[axes + 1 :]])


@handles("SpaceToDepth", "DepthToSpace")
def depth(e: Emitter, op: Operation) -> Tensor:
    """Blocks of space as channels, or back."""
    if op.attr("data_format") == "NCHW_VECT_C":
        raise RefusedError("has the data format NCHW_VECT_C")
    data, block = spatial(e, op), int(op.attr("block_size"))
    inward = op.type == "SpaceToDepth"
    scale = block * block
    channels: Dim = Symbol()
    if isinstance(data.channels, int):
        channels = data.channels * scale if inward else data.channels // scale
    around = [(n // block if inward else n * block) if isinstance(n, int) else affine(n, block, 0) for n in data.sizes]
    if inward:
        around = [n if isinstance(n, int) else Symbol() for n in around]
    if op.inputs[0].dtype in _HAVE_KERNELS:
        mode = None if inward else "DCR"
        return data.result(op, e.node(op.type, [data.value], blocksize=block, mode=mode), channels, around)
    return data.result(op, _reshaped(e, data.value, block, inward), channels, around)


_HAVE_KERNELS = ("float32", "float64", "float16", "bfloat16", "int8", "uint8")


def _reshaped(e: Emitter, value: ir.Value, block: int, inward: bool) -> ir.Value:
    """The same by reshapes, for dtypes that have no kernel."""
    batch, channels, height, width = (e.node("Shape", [value], start=n, end=n + 1) for n in range(4))
    b = e.ints(block)
    squared = e.ints(block * block)
    if inward:
        height, width = e.node("Div", [height, b]), e.node("Div", [width, b])
        value = e.node("Reshape", [value, vector(e, [batch, channels, height, block, width, block])], allowzero=1)
        value = e.node("Transpose", [value], perm=[0, 3, 5, 1, 2, 4])
        return e.node(
            "Reshape", [value, vector(e, [batch, e.node("Mul", [channels, squared]), height, width])], allowzero=1
        )
    channels = e.node("Div", [channels, squared])
    value = e.node("Reshape", [value, vector(e, [batch, block, block, channels, height, width])], allowzero=1)
    value = e.node("Transpose", [value], perm=[0, 3, 4, 1, 5, 2])
    wide = [e.node("Mul", [side, b]) for side in (height, width)]
    return e.node("Reshape", [value, vector(e, [batch, channels, *wide])], allowzero=1)


def patches(
    e: Emitter, value: ir.Value, window: Window, sizes: Sequence[Dim], padding: str, fill: ir.Value | None
) -> list[ir.Value]:
    """What each place of a window sees, one value a place, with channels first."""
    pads = [0] * (2 * len(sizes))
    if padding == "SAME":
        given = window.pads(padding, sizes)
        if "auto_pad" in given:
            raise RefusedError("pads by sizes that are known only when it runs")
        pads = list(given.get("pads", pads))  # type: ignore[call-overload]
    if any(pads):
        half = len(pads) // 2
        whole = [0, 0, *pads[:half], 0, 0, *pads[half:]]
        value = e.node("Pad", [value, e.ints(*whole), fill])
    axes = range(2, 2 + len(sizes))
    found = []
    for place in np.ndindex(*window.kernel):
        starts = [n * rate for n, rate in zip(place, window.dilations, strict=True)]
        left = [(k - 1 - n) * rate for k, n, rate in zip(window.kernel, place, window.dilations, strict=True)]
        ends = [-n if n else END for n in left]
        found.append(e.node("Slice", [value, e.ints(*starts), e.ints(*ends), e.ints(*axes), e.ints(*window.strides)]))
    return found


@handles("ExtractImagePatches")
def extract_patches(e: Emitter, op: Operation) -> Tensor:
    """What each place of a window sees, as channels."""
    (tensor,) = op.inputs
    if tensor.shape is None:
        raise RefusedError("gets an input of unknown rank")
    window = Window(*(tuple(op.attr(name)[1:3]) for name in ("ksizes", "strides", "rates")))
    parts = patches(e, e.channels_first(tensor), window, tensor.shape[1:3], op.attr("padding"), None)
    channels = affine(tensor.shape[3], len(parts), 0)
    value = parts[0] if len(parts) == 1 else e.node("Concat", parts, axis=1)
    return op.result(value, [tensor.shape[0], Symbol(), Symbol(), channels], layout=CHANNELS_FIRST)


@handles("Dilation2D")
def dilation(e: Emitter, op: Operation) -> Tensor:
    """The largest of the window's elements, each with its weight added."""
    tensor, weights = op.inputs
    if tensor.shape is None or weights.static_shape is None:
        raise RefusedError("gets an input of unknown size")
    height, width, channels = weights.static_shape
    window = Window((height, width), tuple(op.attr("strides")[1:3]), tuple(op.attr("rates")[1:3]))
    lowest = e.constant(np.array(np.finfo(tensor.dtype_numpy).min, tensor.dtype_numpy))
    parts = patches(e, e.channels_first(tensor), window, tensor.shape[1:3], op.attr("padding"), lowest)
    filters = e.node("Reshape", [e.logical(weights), e.ints(height * width, channels, 1, 1)])
    found = None
    for index, part in enumerate(parts):
        weight = e.node("Gather", [filters, e.constant(np.array(index, np.int64))], axis=0)
        raised = e.node("Add", [part, weight])
        found = raised if found is None else e.node("Max", [found, raised])
    assert found is not None
    return op.result(found, [tensor.shape[0], Symbol(), Symbol(), channels], layout=CHANNELS_FIRST)
