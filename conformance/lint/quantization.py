"""QT: scales, zero points, and what they belong to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of
from assay.conformance.lint.dtypes import profile_name
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.conformance.lint.weight_statistics import Array

PRECISION_KEY = "assay.precision"
_SYMMETRIC = frozenset({ir.DataType.INT32, *(dtype for dtype in ir.DataType if dtype.name.startswith("FLOAT"))})
_INTEGER_OPERATORS = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "MatMulInteger"}
    | {"ConvInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits", "QGemm", "DynamicQuantizeLSTM"}
)
_QLINEAR_SCALES = {
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearMul"), (1, 4, 6)),
    "QGemm": (1, 4, 7),
    **dict.fromkeys(("QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool"), (1, 3)),
}
_DEAD_SHARE = 1e-4


@rule("QT001")
def quantization_is_valid(candidate: StaticCandidate) -> Iterator[Violation]:
    """Scales are positive and finite; zero points fit."""
    for node in candidate.nodes("QuantizeLinear", "DequantizeLinear", domain=None):
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
    quantized = node.outputs[0] if node.op_type == "QuantizeLinear" else input_of(node, 0)
    dtype, due = candidate.dtype_of(value), candidate.dtype_of(quantized)
    if dtype is not None and due is not None and dtype != due:
        return f"zero point is {profile_name(dtype)}, but should be {profile_name(due)} as the quantized tensor"
    if dtype in _SYMMETRIC and zero_point.any():
        return f"zero point of {profile_name(dtype)} is {zero_point.reshape(-1)[0]}, but should be 0"
    return None


@rule("QT002")
def scale_fits_axis(candidate: StaticCandidate) -> Iterator[Violation]:
    """There is one scale a channel along an axis that the tensor has."""
    for node in candidate.nodes("QuantizeLinear", "DequantizeLinear", domain=None):
        scale, shape = candidate.shape_of(input_of(node, 1)), candidate.shape_of(input_of(node, 0))
        if not scale or scale == (1,) or shape is None or node.attributes.get_int("block_size", 0) > 0:
            continue
        axis = node.attributes.get_int("axis", 1)
        if not -len(shape) <= axis < len(shape):
            yield Violation(node, f"axis is {axis}, but should be within the {len(shape)} axes of the tensor")
        elif isinstance(shape[axis], int) and isinstance(scale[0], int) and shape[axis] != scale[0]:
            yield Violation(
                node, f"has {scale[0]} scales along axis {axis}, but should have {shape[axis]}, one a channel"
            )


@rule("QT004")
def bias_is_not_clipped(candidate: StaticCandidate) -> Iterator[Violation]:
    """No int32 bias lies at the end of its range."""
    limits = np.iinfo(np.int32)
    for node in candidate.nodes("DequantizeLinear"):
        bias = candidate.constant(node.inputs[0])
        if bias is None or bias.dtype != np.int32:
            continue
        clipped = int(np.count_nonzero((bias == limits.max) | (bias == limits.min)))
        if clipped:
            got = f"{clipped} of {bias.size} values of the bias are at the end of int32"
            yield Violation(
                node, f"{got}, but should fit: the scale of such a channel is too small", {"clipped": clipped}
            )


@rule("QT009")
def precision_is_true(candidate: StaticCandidate) -> Iterator[Violation]:
    """The label names the precision that the graph has."""
    label = candidate.model.metadata_props.get(PRECISION_KEY)
    if not label:
        return
    count = sum(node.op_type in _INTEGER_OPERATORS for node in candidate.all_nodes)
    part = FilePart(candidate.path.name, PRECISION_KEY)
    if "int" in label and not count:
        yield Violation(part, f"is {label} and no node is quantized, but should name the precision of the graph")
    elif label.startswith("float") and count:
        yield Violation(part, f"is {label} and {count} nodes are quantized, but should name the precision of the graph")


@rule("QT010")
def channel_is_not_lost(candidate: StaticCandidate) -> Iterator[Violation]:
    """No channel's scale is a tiny fraction of the others': its bias clips."""
    for node in candidate.nodes("DequantizeLinear"):
        scale = candidate.constant(input_of(node, 1))
        if scale is None or scale.size < 2:
            continue
        scales = scale.astype(np.float64)
        tiny = int(np.count_nonzero(scales < _DEAD_SHARE * np.median(scales)))
        if tiny:
            got = f"{tiny} of {scale.size} scales are below {_DEAD_SHARE:g} of the median"
            yield Violation(
                node, f"{got}, but should be of one magnitude, or their channels be left out", {"tiny": tiny}
            )


@rule("QT012")
def integer_operator_is_valid(candidate: StaticCandidate) -> Iterator[Violation]:
    """The scales of operators on integers are positive and finite."""
    for operator, places in _QLINEAR_SCALES.items():
        for node in candidate.nodes(operator, domain=None):
            for index in places:
                fault = _scale_fault(candidate.constant(input_of(node, index)))
                if fault:
                    yield Violation(node, f"input {index}: {fault}", {"input": index})
