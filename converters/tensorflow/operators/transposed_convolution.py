"""Convolutions the other way: each element spreads over what a window would have seen."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.convolution import Spatial, Window, spatial
from assay.converters.tensorflow.operators.sizes import vector
from assay.converters.tensorflow.operators.slicing import element
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Tensor, affine


@handles("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def transposed_convolution(e: Emitter, op: Operation) -> Tensor:
    """Weights are [spatial..., outputs, inputs] there, and [inputs, outputs, spatial...] here."""
    wanted, weights = op.inputs[:2]
    data = spatial(e, op, 2)
    if weights.static_shape is None or not isinstance(data.channels, int):
        raise RefusedError("has weights or channels of unknown size")
    *kernel, outputs, inputs = weights.static_shape
    if data.channels != inputs:
        raise RefusedError("has groups")
    strides, rates = data.pick(op.attr("strides")), data.pick(op.attr("dilations"))
    reach = [(k - 1) * rate + 1 for k, rate in zip(kernel, rates, strict=True)]
    turn = [len(kernel) + 1, len(kernel), *range(len(kernel))]
    if weights.array is not None:
        turned = e.constant(weights.array.transpose(turn), name=weights.label or "kernel")
    else:
        turned = e.node("Transpose", [e.logical(weights)], perm=turn)
    known = _around(data, wanted.sizes) if wanted.sizes is not None and len(wanted.sizes) == len(kernel) + 2 else None
    margins = None if known is None else _margins(data.sizes, known, strides, reach)
    written = _attributes(op, data, margins)
    value = e.node(
        "ConvTranspose",
        [data.value, turned],
        kernel_shape=kernel,
        strides=list(strides),
        dilations=list(rates),
        **(written or {}),
    )
    if written is None:
        value = _cut(e, op, data, value)
    return data.result(op, value, outputs, known)


def _around(data: Spatial, sizes: Sequence[Dim]) -> tuple[Dim, ...]:
    """The spatial ones of the sizes of all axes."""
    return tuple(sizes[1:-1] if data.layout == CHANNELS_FIRST else sizes[2:])


def _margins(
    have: Sequence[Dim], want: Sequence[Dim], strides: Sequence[int], reach: Sequence[int]
) -> list[int] | None:
    """By how much the spread is wider than what is wanted; None where that depends on sizes."""
    found = []
    for size, due, stride, width in zip(have, want, strides, reach, strict=True):
        spread = affine(size, stride, width - stride)
        if isinstance(spread, int) and isinstance(due, int):
            found.append(spread - due)
            continue
        least = next((n for n in range(-stride, width + stride) if affine(due, 1, n) is spread), None)
        if least is None:
            return None
        found.append(least)
    return found


def _attributes(op: Operation, data: Spatial, margins: list[int] | None) -> dict[str, object] | None:
    """Padding that is cut away, or more that is added at the end; None where it must be computed."""
    padding = op.attr("padding")
    if padding == "EXPLICIT":
        pairs = list(op.attr("explicit_paddings"))
        around = [data.pick(pairs[n::2]) for n in (0, 1)]
        if margins is None:
            return None
        more = [both - m for both, m in zip(map(sum, zip(*around, strict=True)), margins, strict=True)]
        return {"pads": [*around[0], *around[1]], "output_padding": more if any(more) else None}
    if margins is None:
        return None
    cut = [max(margin, 0) for margin in margins]
    before = [margin // 2 if padding == "SAME" else 0 for margin in cut]
    after = [margin - n for margin, n in zip(cut, before, strict=True)]
    more = [max(-margin, 0) for margin in margins]
    return {
        "pads": [*before, *after] if any(cut) else None,
        "output_padding": more if any(more) else None,
    }


def _cut(e: Emitter, op: Operation, data: Spatial, value: ir.Value) -> ir.Value:
    """What is wanted of the whole spread, by sizes that are computed."""
    if op.attr("padding") == "EXPLICIT":
        raise RefusedError("has explicit padding and a size that is computed")
    wanted, count = op.inputs[0], len(data.sizes)
    first = 1 if data.layout == CHANNELS_FIRST else 2
    if (wanted.sizes is not None and len(wanted.sizes) == count) or wanted.dim(0) == count:
        first = 0
    due = vector(e, [element(e, wanted, first + n) for n in range(count)])
    zero = e.ints(*[0] * count)
    spread = e.node("Shape", [value], start=2)
    margin = e.node("Sub", [spread, due])
    missing = e.node("Max", [e.node("Neg", [margin]), zero])
    value = e.node("Pad", [value, vector(e, [e.ints(*[0] * (count + 4)), missing])])
    margin = e.node("Max", [margin, zero])
    start = e.node("Div", [margin, e.ints(2)]) if op.attr("padding") == "SAME" else zero
    axes = e.ints(*range(2, 2 + count))
    return e.node("Slice", [value, start, e.node("Add", [start, due]), axes])


@handles("MaxPoolWithArgmax")
def max_pool_with_argmax(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The largest of each window, and where it stands with channels last."""
    tensor = op.inputs[0]
    if tensor.static_shape is None and (tensor.shape is None or any(not isinstance(n, int) for n in tensor.shape[1:])):
        raise RefusedError("tells places in an input whose size is known only when it runs")
    if op.attr("include_batch_in_index"):
        raise RefusedError("tells places that count the batch")
    height, width, channels = (int(n) for n in (tensor.shape or ())[1:])  # type: ignore[arg-type]
    window = Window(tuple(op.attr("ksize")[1:3]), tuple(op.attr("strides")[1:3]), (1, 1))
    value, places = e.nodes(
        "MaxPool",
        [e.channels_first(tensor)],
        2,
        kernel_shape=list(window.kernel),
        strides=list(window.strides),
        **dict(window.pads(op.attr("padding"), (height, width))),  # type: ignore[arg-type]
    )
    inside = e.node("Mod", [places, e.ints(height * width)])
    own = e.constant(range(channels), "int64")
    where = e.node("Add", [e.node("Mul", [inside, e.ints(channels)]), e.node("Reshape", [own, e.ints(-1, 1, 1)])])
    where = e.node("Cast", [where], to=op.onnx_dtype(1))
    return [
        op.result(value, None, layout=CHANNELS_FIRST),
        op.result(where, None, index=1, layout=CHANNELS_FIRST),
    ]


@handles("LRN")
def local_response_normalization(e: Emitter, op: Operation) -> Tensor:
    """ONNX divides alpha by the number of channels that it sums; TensorFlow does not."""
    (tensor,) = op.inputs
    size = 2 * int(op.attr("depth_radius")) + 1
    value = e.node(
        "LRN",
        [e.channels_first(tensor)],
        size=size,
        alpha=float(op.attr("alpha")) * size,
        beta=float(op.attr("beta")),
        bias=float(op.attr("bias")),
    )
    return op.result(value, tensor.shape, layout=CHANNELS_FIRST)
