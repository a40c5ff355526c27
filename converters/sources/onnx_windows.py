"""Convolution and average pooling as sums over the places of their window: slices, products of matrices, additions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import onnx_ir as ir

from assay.converters.sources.onnx_expansions import Expansion

_END = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Window:
    """A window that moves over the axes after the channels."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[int, ...]


def window_of(e: Expansion, sizes: Sequence[int]) -> Window | None:
    """The node's window, or None where its padding depends on the size of the input."""
    strides = tuple(e.attribute("strides") or [1] * len(sizes))
    dilations = tuple(e.attribute("dilations") or [1] * len(sizes))
    auto = e.attribute("auto_pad", "NOTSET")
    pads = tuple(e.attribute("pads") or [0] * 2 * len(sizes))
    if auto.startswith("SAME"):
        if any(stride != 1 for stride in strides):
            return None
        total = [(size - 1) * dilation for size, dilation in zip(sizes, dilations, strict=True)]
        small, large = [t // 2 for t in total], [t - t // 2 for t in total]
        pads = tuple(small + large if auto == "SAME_UPPER" else large + small)
    return Window(tuple(sizes), strides, dilations, pads)


def conv(e: Expansion) -> ir.Value | None:
    """For each place of the kernel: the slice of the input that it meets, times the weights of that place."""
    x, weights, bias = e.input(0), e.input(1), e.input(2)
    shape = weights.shape
    if shape is None or not shape.is_static():
        return None
    out, channels, *sizes = (int(size) for size in shape)
    window = window_of(e, sizes)
    if window is None:
        return None
    group = e.attribute("group", 1)
    by_place = e.op("Reshape", weights, e.integers([group, out // group, channels, prod(sizes)]))
    pieces = slices(e, x, window)
    tail = e.op("Slice", e.op("Shape", pieces[0]), e.integers([2]), e.integers([_END]))
    terms = [_term(e, piece, by_place, place, (group, channels, out)) for place, piece in enumerate(pieces)]
    total = _sum(e, terms)
    result = e.op("Reshape", total, e.op("Concat", e.integers([0, out]), tail, axis=0))
    if bias is None:
        return result
    return e.op("Add", result, e.op("Reshape", bias, e.integers([1, -1] + [1] * len(sizes))))


def _term(e: Expansion, piece: ir.Value, weights: ir.Value, place: int, sizes: tuple[int, int, int]) -> ir.Value:
    group, channels, out = sizes
    grouped = e.op("Reshape", piece, e.integers([0, group, channels, -1]))
    index = e.op("Constant", value=ir.tensor(np.array(place, np.int64)))
    matrix = e.op("Gather", weights, index, axis=3)
    return e.op("Mul" if channels == 1 and out == group else "MatMul", matrix, grouped)


def average_pool(e: Expansion) -> ir.Value | None:
    """The sum over the window, over the number of its places that count."""
    window = window_of(e, e.attribute("kernel_shape"))
    if window is None or e.attribute("ceil_mode", 0):
        return None
    x = e.input()
    total = _sum(e, slices(e, x, window))
    if not any(window.pads) or e.attribute("count_include_pad", 0):
        return e.op("Div", total, e.number(float(prod(window.sizes))))
    ones = e.op("Expand", e.number(1.0), e.op("Shape", x))
    return e.op("Div", total, _sum(e, slices(e, ones, window)))


def slices(e: Expansion, x: ir.Value, window: Window) -> list[ir.Value]:
    """For each place of the window, the elements that it meets while the window moves, in the result's shape."""
    axes = len(window.sizes)
    if any(window.pads):
        starts, ends = window.pads[:axes], window.pads[axes:]
        x = e.op("Pad", x, e.integers([0, 0, *starts, 0, 0, *ends]), e.number(0.0))
    if prod(window.sizes) == 1 and set(window.strides) == {1}:
        return [x]
    return [_slice(e, x, window, place) for place in np.ndindex(*window.sizes)]


def _slice(e: Expansion, x: ir.Value, window: Window, place: tuple[int, ...]) -> ir.Value:
    starts = [index * dilation for index, dilation in zip(place, window.dilations, strict=True)]
    left = [(size - 1 - i) * d for size, i, d in zip(window.sizes, place, window.dilations, strict=True)]
    ends = [-rest if rest else _END for rest in left]
    axes = range(2, 2 + len(place))
    return e.op("Slice", x, *(e.integers(part) for part in (starts, ends, axes, window.strides)))


def _sum(e: Expansion, terms: Sequence[ir.Value]) -> ir.Value:
    total = terms[0]
    for term in terms[1:]:
        total = e.op("Add", total, term)
    return total
