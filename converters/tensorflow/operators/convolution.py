"""Convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx_ir as ir

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, LOGICAL, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import vector
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor


@dataclass(frozen=True)
class Window:
    """How a window slides over the spatial axes: one number an axis."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]

    def pads(self, padding: str, sizes: Sequence[Dim]) -> dict[str, object]:
        """ONNX's attribute: explicit where the sizes tell, else left to the runtime."""
        if padding == "VALID":
            return {}
        if padding != "SAME":
            raise RefusedError(f"has the padding {padding}, which is not known")
        pairs = [self._pair(axis, size) for axis, size in enumerate(sizes)]
        known = [pair for pair in pairs if pair is not None]
        if len(known) < len(pairs):
            return {"auto_pad": "SAME_UPPER"}
        both = [before for before, _ in known] + [after for _, after in known]
        return {"pads": both} if any(both) else {}

    def steps_over(self, sizes: Sequence[Dim]) -> bool:
        """Whether padding depends on the size of an axis on which steps are wider than the window."""
        return any(isinstance(size, Symbol) and 1 < self.reach(n) < self.strides[n] for n, size in enumerate(sizes))

    def reach(self, axis: int) -> int:
        """How many elements of an axis the window spans."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def totals(self, e: Emitter, value: ir.Value) -> list[ir.Value]:
        """The padding of each spatial axis of a value with channels first, as vectors of one int64."""
        found = []
        for axis, stride in enumerate(self.strides):
            before = e.node("Sub", [e.node("Shape", [value], start=2 + axis, end=3 + axis), e.ints(1)])
            left = e.node("Add", [e.node("Mod", [before, e.ints(stride)]), e.ints(1)])
            found.append(e.node("Max", [e.node("Sub", [e.ints(self.reach(axis)), left]), e.ints(0)]))
        return found

    def _pair(self, axis: int, size: Dim) -> tuple[int, int] | None:
        """Padding before and after one axis, as TensorFlow counts it; None where it depends on the size."""
        reach, stride = self.reach(axis), self.strides[axis]
        if isinstance(size, Symbol) and stride != 1:
            if 1 < reach < stride:  # ONNX Runtime's own padding goes wrong there
                raise RefusedError(
                    "pads by a size that is known only when it runs, and has steps wider than its window"
                )
            return (0, 0) if reach == 1 else None
        left = size % stride if isinstance(size, int) else 0
        total = max(reach - (stride if left == 0 else left), 0)
        return total // 2, total - total // 2


@dataclass(frozen=True)
class Spatial:
    """The input of an operator with channels, with channels first, and how its result goes back."""

    value: ir.Value
    batch: Dim
    channels: Dim
    sizes: tuple[Dim, ...]
    layout: str

    def result(self, op: Operation, value: ir.Value, channels: Dim, sizes: Sequence[Dim] | None = None) -> Tensor:
        """The output; spatial sizes that are not given are what TensorFlow says."""
        around = tuple(sizes) if sizes is not None else tuple(Symbol() for _ in self.sizes)
        shape = (self.batch, channels, *around) if self.layout == LOGICAL else (self.batch, *around, channels)
        return op.result(value, shape, layout=self.layout)

    def pick(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """The spatial ones of numbers that an attribute has for each axis."""
        return tuple(numbers[2:]) if self.layout == LOGICAL else tuple(numbers[1:-1])


def spatial(e: Emitter, op: Operation, index: int = 0) -> Spatial:
    """The input of this index by the operation's data format."""
    tensor, last = op.inputs[index], op.attr("data_format").endswith("C")
    if tensor.shape is None:
        raise RefusedError("gets an input of unknown rank")
    shape = tensor.shape
    if last:
        return Spatial(e.channels_first(tensor), shape[0], shape[-1], shape[1:-1], CHANNELS_FIRST)
    return Spatial(e.logical(tensor), shape[0], shape[1], shape[2:], LOGICAL)


def _explicit(op: Operation, data: Spatial) -> dict[str, object]:
    numbers = list(op.attr("explicit_paddings"))
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    around = pairs[2:] if data.layout == LOGICAL else pairs[1:-1]
    return {"pads": [before for before, _ in around] + [after for _, after in around]}


def _pads(op: Operation, data: Spatial, window: Window) -> dict[str, object]:
    padding = op.attr("padding")
    return _explicit(op, data) if padding == "EXPLICIT" else window.pads(padding, data.sizes)


def _padded(e: Emitter, op: Operation, data: Spatial, window: Window) -> tuple[ir.Value, dict[str, object]]:
    """The input of a convolution and its attributes of padding; zeros are put around it where none can say how many."""
    if op.attr("padding") != "SAME" or not window.steps_over(data.sizes):
        return data.value, _pads(op, data, window)
    totals = window.totals(e, data.value)
    before = [e.node("Div", [total, e.ints(2)]) for total in totals]
    after = [e.node("Sub", [total, half]) for total, half in zip(totals, before, strict=True)]
    return e.node("Pad", [data.value, vector(e, [0, 0, *before, 0, 0, *after])]), {}


@handles("Conv2D", "Conv3D")
def convolution(e: Emitter, op: Operation) -> Tensor:
    """Weights are [spatial..., inputs, outputs] there, and [outputs, inputs, spatial...] here."""
    data, weights = spatial(e, op), op.inputs[1]
    if weights.static_shape is None or not isinstance(data.channels, int):
        raise RefusedError("has weights or channels of unknown size")
    *kernel, inputs, outputs = weights.static_shape
    window = Window(tuple(kernel), data.pick(op.attr("strides")), data.pick(op.attr("dilations")))
    turn = (len(kernel) + 1, len(kernel), *range(len(kernel)))
    content, pads = _padded(e, op, data, window)
    value = e.node(
        "Conv",
        [content, _turned(e, weights, turn)],
        group=data.channels // inputs,
        kernel_shape=kernel,
        strides=list(window.strides),
        dilations=list(window.dilations),
        **pads,
    )
    return data.result(op, value, outputs)


@handles("DepthwiseConv2dNative")
def depthwise(e: Emitter, op: Operation) -> Tensor:
    """One group a channel; weights are [height, width, inputs, multiplier]."""
    data, weights = spatial(e, op), op.inputs[1]
    if weights.static_shape is None:
        raise RefusedError("has weights of unknown size")
    height, width, inputs, multiplier = weights.static_shape
    window = Window((height, width), data.pick(op.attr("strides")), data.pick(op.attr("dilations")))
    if weights.array is not None:
        turned = weights.array.transpose(2, 3, 0, 1).reshape(inputs * multiplier, 1, height, width)
        kernel = e.constant(turned, name=weights.label or op.name)
    else:
        first = e.node("Transpose", [e.logical(weights)], perm=[2, 3, 0, 1])
        kernel = e.node("Reshape", [first, e.ints(inputs * multiplier, 1, height, width)])
    content, pads = _padded(e, op, data, window)
    value = e.node(
        "Conv",
        [content, kernel],
        group=inputs,
        kernel_shape=[height, width],
        strides=list(window.strides),
        dilations=list(window.dilations),
        **pads,
    )
    return data.result(op, value, inputs * multiplier)


def _turned(e: Emitter, weights: Tensor, turn: Sequence[int]) -> ir.Value:
    if weights.array is not None:
        return e.constant(weights.array.transpose(turn), name=weights.label or "kernel")
    return e.node("Transpose", [e.logical(weights)], perm=list(turn))


@handles("MaxPool", "MaxPool3D", "AvgPool", "AvgPool3D")
def pool(e: Emitter, op: Operation) -> Tensor:
    """The padding of an average counts for nothing."""
    data = spatial(e, op)
    window = Window(data.pick(op.attr("ksize")), data.pick(op.attr("strides")), (1,) * len(data.sizes))
    value = e.node(
        "MaxPool" if op.type.startswith("Max") else "AveragePool",
        [data.value],
        kernel_shape=list(window.kernel),
        strides=list(window.strides),
        **_pads(op, data, window),
    )
    return data.result(op, value, data.channels)
