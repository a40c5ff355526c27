"""Images of another size: by ONNX's Resize where it does the same, else by gathers or by TensorFlow's own weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import tensorflow as tf
from numpy.typing import NDArray

from assay.converters.tensorflow.emitter import CHANNELS_FIRST, Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import counted, size
from assay.converters.tensorflow.operators.slicing import element
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Dim, Symbol, Tensor, affine

FLOAT = ir.DataType.FLOAT
_LARGEST = 32  # factor of growth that is looked for


def _shape(op: Operation) -> list[Dim]:
    tensor, wanted = op.inputs[:2]
    if tensor.shape is None:
        raise RefusedError("gets images of unknown rank")
    sides: tuple[Dim, ...] = wanted.sizes or (Symbol(), Symbol())
    return [tensor.shape[0], *sides, tensor.shape[3]]


@handles("ResizeNearestNeighbor")
def nearest(e: Emitter, op: Operation) -> Tensor:
    """By the index of each row and column, computed in float32 as TensorFlow does."""
    tensor, wanted = op.inputs
    shape = _shape(op)
    value = e.channels_first(tensor)
    factors = _factors(tensor, wanted)
    if factors is not None and tensor.dtype in ("float32", "int32", "int8", "uint8") and not op.attr("align_corners"):
        return op.result(_scaled(e, value, factors, "nearest", "asymmetric"), shape, layout=CHANNELS_FIRST)
    for n in range(2):
        rows = _source_rows(e, op, size(e, tensor, 1 + n), element(e, wanted, n))
        value = e.node("Gather", [value, rows], axis=2 + n)
    return op.result(value, shape, layout=CHANNELS_FIRST)


def _factors(tensor: Tensor, wanted: Tensor) -> list[int] | None:
    """By which whole numbers both sides grow, where that is known."""
    pairs = list(zip((tensor.shape or ())[1:3], wanted.sizes or (), strict=False))
    found = [next((n for n in range(1, _LARGEST + 1) if _same(affine(have, n, 0), want)), 0) for have, want in pairs]
    return found if len(found) == 2 and all(found) else None


def _same(a: Dim, b: Dim) -> bool:
    return a is b or (isinstance(a, int) and a == b)


def _scaled(e: Emitter, value: ir.Value, factors: list[int], mode: str, places: str) -> ir.Value:
    scales = e.constant(np.array([1, 1, *factors], np.float32))
    rounding = "floor" if mode == "nearest" else None
    return e.node(
        "Resize", [value, None, scales], mode=mode, coordinate_transformation_mode=places, nearest_mode=rounding
    )


def _source_rows(e: Emitter, op: Operation, have: ir.Value, want: int | ir.Value) -> ir.Value:
    corners, centres = bool(op.attr("align_corners")), bool(op.attr("half_pixel_centers"))
    if have.const_value is not None and isinstance(want, int):
        return e.constant(_nearest_rows(int(have.const_value.numpy()[0]), want, corners, centres))
    due = e.ints(want) if isinstance(want, int) else want
    index = e.node("Cast", [counted(e, due)], to=FLOAT)
    if centres:
        index = e.node("Add", [index, e.constant(np.array(0.5, np.float32))])
    place = e.node("Mul", [index, _scale(e, have, due, corners)])
    if corners:  # halves go up, as roundf takes them
        place = e.node("Add", [place, e.constant(np.array(0.5, np.float32))])
    rows = e.node("Cast", [e.node("Floor", [place])], to=ir.DataType.INT64)
    return e.node("Min", [rows, e.node("Sub", [have, e.ints(1)])])


def _nearest_rows(have: int, want: int, corners: bool, centres: bool) -> NDArray[np.int64]:
    index = np.arange(want, dtype=np.float32) + np.float32(0.5 if centres else 0)
    scale = _static_scale(have, want, corners)
    place = index * scale
    rows = np.floor(place + np.float32(0.5)) if corners else np.floor(place)
    return np.asarray(np.minimum(rows.astype(np.int64), have - 1))


def _static_scale(have: int, want: int, corners: bool) -> np.float32:
    if corners and want > 1:
        return np.float32(have - 1) / np.float32(want - 1)
    return np.float32(have) / np.float32(want)


def _scale(e: Emitter, have: ir.Value, due: ir.Value, corners: bool) -> ir.Value:
    plain = e.node("Div", [e.node("Cast", [have], to=FLOAT), e.node("Cast", [due], to=FLOAT)])
    if not corners:
        return plain
    less = [e.node("Cast", [e.node("Sub", [side, e.ints(1)])], to=FLOAT) for side in (have, due)]
    return e.node("Where", [e.node("Greater", [due, e.ints(1)]), e.node("Div", less), plain])


@handles("ResizeBilinear")
def bilinear(e: Emitter, op: Operation) -> Tensor:
    """ONNX's linear Resize has the same three ways to place pixels."""
    tensor, wanted = op.inputs
    shape = _shape(op)
    value = _as_float(e, tensor)
    mode = (
        "align_corners" if op.attr("align_corners") else "half_pixel" if op.attr("half_pixel_centers") else "asymmetric"
    )
    factors = _factors(tensor, wanted)
    if factors is not None and mode != "align_corners":
        return op.result(_scaled(e, value, factors, "linear", mode), shape, layout=CHANNELS_FIRST)
    around = [element(e, wanted, n) for n in range(2)]
    sides = [e.ints(side) if isinstance(side, int) else side for side in around]
    whole = e.node("Shape", [value], start=0, end=2)
    sizes = e.node("Concat", [whole, *sides], axis=0)
    value = e.node("Resize", [value, None, None, sizes], mode="linear", coordinate_transformation_mode=mode)
    return op.result(value, shape, layout=CHANNELS_FIRST)


def _as_float(e: Emitter, tensor: Tensor) -> ir.Value:
    value = e.channels_first(tensor)
    if tensor.dtype == "float64":
        raise RefusedError("resizes float64")
    return value if tensor.dtype == "float32" else e.node("Cast", [value], to=FLOAT)


def _by_matrices(e: Emitter, op: Operation, resized: Callable[[int, int, int], NDArray[np.float32]]) -> Tensor:
    """Rows and columns times the weights that TensorFlow gives to an image of one axis."""
    tensor, wanted = op.inputs[:2]
    shape = _shape(op)
    sides = [(tensor.dim(1 + n), side) for n, side in enumerate(wanted.sizes or ())]
    if not sides or any(not isinstance(side, int) for pair in sides for side in pair):
        raise RefusedError("resizes by sizes that are known only when it runs")
    value = _as_float(e, tensor)
    rows, columns = (resized(axis, int(have), int(want)) for axis, (have, want) in enumerate(sides))  # type: ignore[arg-type]
    if rows.shape[0] != rows.shape[1] or not np.array_equal(rows, np.eye(len(rows))):
        value = e.node("MatMul", [e.constant(rows), value])
    if columns.shape[0] != columns.shape[1] or not np.array_equal(columns, np.eye(len(columns))):
        value = e.node("MatMul", [value, e.constant(columns.T)])
    return op.result(value, shape, layout=CHANNELS_FIRST)


def _unit_images(have: int) -> NDArray[np.float32]:
    """An image of one column whose channels are the unit vectors."""
    return np.eye(have, dtype=np.float32).reshape(1, have, 1, have)


@handles("ResizeBicubic", "ResizeArea")
def by_weights(e: Emitter, op: Operation) -> Tensor:
    """Cubic weights come from a table of 1024 steps, and areas are exact: so they are asked of TensorFlow."""

    def resized(_axis: int, have: int, want: int) -> NDArray[np.float32]:
        options = {"align_corners": op.attr("align_corners")}
        if op.type == "ResizeBicubic":
            options["half_pixel_centers"] = op.attr("half_pixel_centers")
        image = getattr(tf.raw_ops, op.type)(images=_unit_images(have), size=[want, 1], **options)
        return np.asarray(image).reshape(want, have)

    return _by_matrices(e, op, resized)


@handles("ScaleAndTranslate")
def scale_and_translate(e: Emitter, op: Operation) -> Tensor:
    """Lanczos, Gauss, Mitchell and antialiased kernels, by the weights that TensorFlow computes."""
    scales, moves = op.array(2, "scale"), op.array(3, "translation")

    def resized(axis: int, have: int, want: int) -> NDArray[np.float32]:
        image = tf.raw_ops.ScaleAndTranslate(
            images=_unit_images(have),
            size=[want, 1],
            scale=[float(scales[axis]), 1.0],
            translation=[float(moves[axis]), 0.0],
            kernel_type=op.attr("kernel_type"),
            antialias=op.attr("antialias"),
        )
        return np.asarray(image).reshape(want, have)

    return _by_matrices(e, op, resized)
