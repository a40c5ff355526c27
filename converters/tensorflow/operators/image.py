"""Colours, crops and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import END, size
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor

Channels = Sequence[ir.Value]


class Arithmetic:
    """Formulas of values of one dtype, written as they are said."""

    def __init__(self, e: Emitter, dtype: Any) -> None:
        self.e, self.dtype = e, dtype

    def do(self, operator: str, *operands: ir.Value | float) -> ir.Value:
        """An operator of values and numbers."""
        values = [x if isinstance(x, ir.Value) else self.e.constant(np.array(x, self.dtype)) for x in operands]
        return self.e.node(operator, values)

    def clipped(self, value: ir.Value) -> ir.Value:
        """Between 0 and 1."""
        return self.do("Clip", value, 0.0, 1.0)


def _channels(e: Emitter, tensor: Tensor) -> tuple[ir.Value, ir.Value, ir.Value]:
    value = e.logical(tensor)
    a, b, c = e.nodes("Split", [value, e.ints(1, 1, 1)], 3, axis=-1)
    return a, b, c


@handles("RGBToHSV")
def rgb_to_hsv(e: Emitter, op: Operation) -> Tensor:
    """Hue, saturation and value."""
    (tensor,) = op.inputs
    parts = to_hsv(Arithmetic(e, tensor.dtype_numpy), _channels(e, tensor))
    return op.result(e.node("Concat", list(parts), axis=-1), tensor.shape)


def to_hsv(a: Arithmetic, rgb: Channels) -> Channels:
    """Each of the three as a value."""
    red, green, blue = rgb
    high, low = a.e.node("Max", list(rgb)), a.e.node("Min", list(rgb))
    spread = a.do("Sub", high, low)
    saturation = a.do("Where", a.do("Greater", high, 0.0), a.do("Div", spread, high), 0.0)
    norm = a.do("Div", 1.0 / 6, spread)
    third = np.float32(1 / 3)
    of_red = a.do("Mul", norm, a.do("Sub", green, blue))
    of_green = a.do("Add", a.do("Mul", norm, a.do("Sub", blue, red)), float(third))
    of_blue = a.do("Add", a.do("Mul", norm, a.do("Sub", red, green)), float(2 * third))
    hue = a.do("Where", a.do("Equal", green, high), of_green, of_blue)
    hue = a.do("Where", a.do("Equal", red, high), of_red, hue)
    hue = a.do("Where", a.do("Greater", spread, 0.0), hue, 0.0)
    hue = a.do("Where", a.do("Less", hue, 0.0), a.do("Add", hue, 1.0), hue)
    return hue, saturation, high


@handles("HSVToRGB")
def hsv_to_rgb(e: Emitter, op: Operation) -> Tensor:
    """Red, green and blue."""
    (tensor,) = op.inputs
    parts = to_rgb(Arithmetic(e, tensor.dtype_numpy), _channels(e, tensor))
    return op.result(e.node("Concat", list(parts), axis=-1), tensor.shape)


def to_rgb(a: Arithmetic, hsv: Channels) -> Channels:
    """Each of the three as a value."""
    hue, saturation, value = hsv
    turn = a.do("Mul", hue, 6.0)
    bands = (
        a.do("Sub", a.do("Abs", a.do("Sub", turn, 3.0)), 1.0),
        a.do("Sub", 2.0, a.do("Abs", a.do("Sub", turn, 2.0))),
        a.do("Sub", 2.0, a.do("Abs", a.do("Sub", turn, 4.0))),
    )
    grey = a.do("Sub", 1.0, saturation)
    return [a.do("Mul", a.do("Add", grey, a.do("Mul", saturation, a.clipped(band))), value) for band in bands]


@handles("AdjustHue", "AdjustSaturation")
def adjust(e: Emitter, op: Operation) -> Tensor:
    """The hue turned, or the saturation scaled."""
    tensor, amount = op.inputs
    a = Arithmetic(e, tensor.dtype_numpy)
    hue, saturation, value = to_hsv(a, _channels(e, tensor))
    by = e.node("Cast", [e.logical(amount)], to=op.onnx_dtype())
    if op.type == "AdjustHue":
        turned = a.do("Add", hue, by)
        hue = a.do("Sub", turned, a.do("Floor", turned))
    else:
        saturation = a.clipped(a.do("Mul", saturation, by))
    return op.result(e.node("Concat", list(to_rgb(a, (hue, saturation, value))), axis=-1), tensor.shape)


@handles("AdjustContrastv2")
def adjust_contrast(e: Emitter, op: Operation) -> Tensor:
    """The distance from the mean of each channel, scaled."""
    tensor, factor = op.inputs
    if tensor.rank is None:
        raise RefusedError("gets images of unknown rank")
    value = e.logical(tensor)
    axes = [tensor.rank - 3, tensor.rank - 2]
    mean = e.node("ReduceMean", [value, e.ints(*axes)]) if e.opset >= 18 else e.node("ReduceMean", [value], axes=axes)
    by = e.node("Cast", [e.logical(factor)], to=op.onnx_dtype())
    return op.result(e.node("Add", [e.node("Mul", [e.node("Sub", [value, mean]), by]), mean]), tensor.shape)


@handles("CropAndResize")
def crop_and_resize(e: Emitter, op: Operation) -> Tensor:
    """Boxes of images sampled at the points of a grid; what lies outside has a value of its own."""
    image, boxes, owner, _ = op.inputs
    if image.shape is None:
        raise RefusedError("gets images of unknown rank")
    height, width = (int(n) for n in op.array(3, "size of the crop"))
    a = Arithmetic(e, np.float32)
    rows, columns = (_grid(a, image, boxes, axis, count) for axis, count in enumerate((height, width)))
    rows, columns = e.node("Unsqueeze", [rows, e.ints(2)]), e.node("Unsqueeze", [columns, e.ints(1)])
    value = e.logical(image)
    if image.dtype != "float32":
        value = e.node("Cast", [value], to=ir.DataType.FLOAT)
    corners = _nearest(a, rows, columns) if op.attr("method") == "nearest" else _linear(a, rows, columns)
    found = _sampled(a, value, e.node("Reshape", [e.int64(owner), e.ints(-1, 1, 1)]), image, corners)
    inside = e.node("And", [_within(a, image, rows, 1), _within(a, image, columns, 2)])
    inside = e.node("Unsqueeze", [inside, e.ints(3)])
    outside = float(op.attr("extrapolation_value"))
    return op.result(a.do("Where", inside, found, outside), [boxes.dim(0), height, width, image.shape[3]])


def _grid(a: Arithmetic, image: Tensor, boxes: Tensor, axis: int, count: int) -> ir.Value:
    """Where the points lie along an axis: one row a box."""
    e = a.e
    last = e.node("Cast", [e.node("Sub", [size(e, image, 1 + axis), e.ints(1)])], to=ir.DataType.FLOAT)
    sides = e.logical(boxes)
    first, end = (e.node("Slice", [sides, e.ints(n), e.ints(n + 1), e.ints(1)]) for n in (axis, axis + 2))
    if count == 1:
        return a.do("Mul", a.do("Mul", 0.5, a.do("Add", first, end)), last)
    step = a.do("Div", a.do("Mul", a.do("Sub", end, first), last), float(count - 1))
    places = e.constant(np.arange(count, dtype=np.float32))
    return a.do("Add", a.do("Mul", first, last), a.do("Mul", places, step))


def _within(a: Arithmetic, image: Tensor, places: ir.Value, axis: int) -> ir.Value:
    last = a.e.node("Cast", [a.e.node("Sub", [size(a.e, image, axis), a.e.ints(1)])], to=ir.DataType.FLOAT)
    return a.e.node("And", [a.do("GreaterOrEqual", places, 0.0), a.do("LessOrEqual", places, last)])


Corner = tuple[ir.Value, ir.Value, ir.Value | None]


def _nearest(a: Arithmetic, rows: ir.Value, columns: ir.Value) -> list[Corner]:
    """The pixel next to each point; halves go away from zero."""
    return [(a.do("Floor", a.do("Add", rows, 0.5)), a.do("Floor", a.do("Add", columns, 0.5)), None)]


def _linear(a: Arithmetic, rows: ir.Value, columns: ir.Value) -> list[Corner]:
    """The four pixels around each point, and their weights."""
    found: list[Corner] = []
    for row in ("Floor", "Ceil"):
        for column in ("Floor", "Ceil"):
            y, x = (a.do("Sub", place, a.do("Floor", place)) for place in (rows, columns))
            y, x = (part if side == "Ceil" else a.do("Sub", 1.0, part) for part, side in ((y, row), (x, column)))
            found.append((a.do(row, rows), a.do(column, columns), a.do("Mul", y, x)))
    return found


def _sampled(a: Arithmetic, value: ir.Value, owner: ir.Value, image: Tensor, corners: list[Corner]) -> ir.Value:
    e, total = a.e, None
    for row, column, weight in corners:
        index = [_bounded(e, image, place, axis) for axis, place in ((1, row), (2, column))]
        shape = e.node("Shape", [e.node("Add", index)])
        parts = [e.node("Unsqueeze", [e.node("Expand", [part, shape]), e.ints(3)]) for part in (owner, *index)]
        pixel = e.node("GatherND", [value, e.node("Concat", parts, axis=3)])
        if weight is not None:
            pixel = a.do("Mul", pixel, e.node("Unsqueeze", [weight, e.ints(3)]))
        total = pixel if total is None else a.do("Add", total, pixel)
    assert total is not None
    return total


def _bounded(e: Emitter, image: Tensor, place: ir.Value, axis: int) -> ir.Value:
    index = e.node("Cast", [place], to=ir.DataType.INT64)
    return e.node("Max", [e.node("Min", [index, e.node("Sub", [size(e, image, axis), e.ints(1)])]), e.ints(0)])


@handles(*(f"NonMaxSuppressionV{version}" for version in (2, 3, 4, 5)), "NonMaxSuppression")
def non_max_suppression(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The boxes that stay, in falling order of their scores."""
    boxes, scores, many = op.inputs[:3]
    version = op.type.removeprefix("NonMaxSuppression")
    if version == "V5" and float(op.array(5, "sigma of soft suppression")) != 0:
        raise RefusedError("lowers scores rather than dropping boxes (soft suppression)")
    limits = [e.node("Cast", [e.logical(limit)], to=ir.DataType.FLOAT) for limit in op.inputs[3:5]]
    if version == "":
        limits = [e.constant(np.array(op.attr("iou_threshold"), np.float32))]
    limits = [e.node("Reshape", [limit, e.ints(1)]) for limit in limits]
    value = e.node("Cast", [e.logical(scores)], to=ir.DataType.FLOAT)
    count = e.node("Reshape", [e.int64(many), e.ints(1)])
    stacked = e.node("Unsqueeze", [e.node("Cast", [e.logical(boxes)], to=ir.DataType.FLOAT), e.ints(0)])
    chosen = e.node("NonMaxSuppression", [stacked, e.node("Unsqueeze", [value, e.ints(0, 1)]), count, *limits])
    index = e.node("Reshape", [e.node("Slice", [chosen, e.ints(2), e.ints(END), e.ints(1)]), e.ints(-1)])
    length: Dim = Symbol()
    found = e.node("Cast", [index], to=ir.DataType.INT32)
    valid = e.node("Cast", [e.node("Size", [index])], to=ir.DataType.INT32)
    kept = e.node("Gather", [e.logical(scores), index], axis=0)
    if version in ("V4", "V5") and op.attr("pad_to_max_output_size"):
        missing = e.node("Concat", [e.ints(0), e.node("Sub", [count, e.node("Shape", [index])])], axis=0)
        found, kept = e.node("Pad", [found, missing]), e.node("Pad", [kept, missing])
    results = [op.result(found, [length])]
    if version == "V5":
        results.append(op.result(kept, [length], index=1))
    if version in ("V4", "V5"):
        results.append(op.result(valid, [], index=len(results)))
    return results
