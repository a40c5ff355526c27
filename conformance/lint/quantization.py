"""QT: scales and zero points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of
from assay.conformance.lint.registry import Violation, rule
from assay.conformance.lint.weight_statistics import Array

_SYMMETRIC = frozenset({ir.DataType.INT32, *(dtype for dtype in ir.DataType if dtype.name.startswith("FLOAT"))})


@rule("QT001")
def quantization_is_valid(candidate: StaticCandidate) -> Iterator[Violation]:
    """Scales are positive and finite; zero points fit."""
    for node in candidate.nodes("QuantizeLinear", "DequantizeLinear", domain=None):
        yield from _faulty(candidate, node)


def _faulty(candidate: StaticCandidate, node: ir.Node) -> Iterator[Violation]:
    scale = candidate.constant(input_of(node, 1))
    for fault in (_scale_fault(scale), _zero_point_fault(candidate, node, scale)):
        if fault:
            yield Violation(node, fault)


def _scale_fault(scale: Array | None) -> str | None:
    if scale is None:
        return None
    wrong = scale[~(np.isfinite(scale) & (scale > 0))]
    return f"scale is {float(wrong[0]):g}, but should be positive and finite" if wrong.size else None


def _zero_point_fault(candidate: StaticCandidate, node: ir.Node, scale: Array | None) -> str | None:
    value = input_of(node, 2)
    zero_point = candidate.constant(value)
    if value is None or zero_point is None:
        return None
    if scale is not None and zero_point.size != scale.size:
        return f"zero point has the shape {list(zero_point.shape)}, but should have {list(scale.shape)} as its scale"
    dtype, quantized = _dtype(value), _quantized(node)
    if None not in (dtype, quantized) and dtype != quantized:
        return f"zero point is {_name(dtype)}, but should be {_name(quantized)} as the quantized tensor"
    if dtype in _SYMMETRIC and zero_point.any():
        return f"zero point of {_name(dtype)} is {zero_point.reshape(-1)[0]}, but should be 0"
    return None


def _quantized(node: ir.Node) -> ir.DataType | None:
    """The dtype of the quantized side, where the file tells it."""
    value = node.outputs[0] if node.op_type == "QuantizeLinear" else input_of(node, 0)
    return None if value is None else _dtype(value)


def _dtype(value: ir.Value) -> ir.DataType | None:
    tensor = ir.convenience.get_const_tensor(value)
    return value.dtype if tensor is None else tensor.dtype


def _name(dtype: ir.DataType | None) -> str:
    return "unknown" if dtype is None else dtype.name.lower()
