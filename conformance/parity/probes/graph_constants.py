"""Whole numbers that a candidate's graph holds: sizes around which its behaviour may change."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.converters.files import read_model

_LARGEST = 1 << 20
_MOST_ELEMENTS = 16
_OPERANDS = {
    **dict.fromkeys(("Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Equal"), 0),
    **dict.fromkeys(("Min", "Max", "Clip", "Mod"), 1),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND", "Trilu"), 2),
    **dict.fromkeys(("Slice", "Range", "TopK", "Split", "Pad"), 3),
    **dict.fromkeys(("Reshape", "Expand", "ConstantOfShape", "Tile", "Resize"), 4),
}


def graph_constants(model: str | os.PathLike[str]) -> tuple[int, ...]:
    """Thresholds first, then sizes of tables, ends of slices and targets of reshapes; without 0, 1 and "to the end"."""
    found: Counter[tuple[int, int]] = Counter()
    for node in read_model(model).graph.all_nodes():
        rank = _OPERANDS.get(node.op_type)
        if rank is not None:
            found.update((rank, number) for number in _numbers(node))
    ordered = sorted(found, key=lambda entry: (entry[0], -found[entry], entry[1]))
    return tuple(dict.fromkeys(number for _, number in ordered))


def _numbers(node: ir.Node) -> Iterator[int]:
    for index, value in enumerate(node.inputs):
        constant = ir.convenience.get_const_tensor(value) if value is not None else None
        if constant is None:
            continue
        if node.op_type.startswith("Gather") and index == 0:
            yield from (size for size in constant.shape.numpy()[:1] if 1 < size <= _LARGEST)
        elif constant.size <= _MOST_ELEMENTS and not isinstance(constant, ir.ExternalTensor):
            yield from _whole(constant.numpy())


def _whole(array: np.ndarray) -> Iterator[int]:
    if array.dtype.kind not in "iuf":
        return
    for number in np.atleast_1d(array).ravel().tolist():
        if 1 < number <= _LARGEST and number == int(number):
            yield int(number)
