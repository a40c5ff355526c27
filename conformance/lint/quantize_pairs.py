"""QT: QuantizeLinear and DequantizeLinear around the operators between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of, origin, readers
from assay.conformance.lint.redundancy import together
from assay.conformance.lint.registry import Violation, rule
from assay.conformance.lint.weight_statistics import Array

_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_SENSITIVE = ("Softmax", "LogSoftmax", "LayerNormalization", "RMSNormalization", "Gelu", "Erf", "InstanceNormalization")
_TURNED = frozenset({"Transpose", "Reshape", "Identity", "Squeeze", "Unsqueeze"})
_BIAS_TOLERANCE = 1e-3
_REDUCED = 64  # magnitude that 7 bits hold
_STORED = 1024
_INTEGER_FACTORS = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3), "MatMulInteger": (0, 1), "ConvInteger": (0, 1)}


def _dequantize(value: ir.Value | None) -> ir.Node | None:
    """The DequantizeLinear that gives this value, turned or not."""
    source = origin(value, _TURNED)
    node = None if source is None else source.producer()
    return node if node is not None and node.op_type == "DequantizeLinear" else None


@rule("QT003")
def bias_scale_is_the_product(candidate: StaticCandidate) -> Iterator[Violation]:
    """The scale of a bias is that of the data times that of the weights."""
    for node in candidate.nodes("Conv", "ConvTranspose", "Gemm"):
        scales = [_scale(candidate, input_of(node, index)) for index in (0, 1, 2)]
        data, weight, bias = scales
        if data is None or weight is None or bias is None or data.size != 1:
            continue
        due = data.reshape(-1) * weight.reshape(-1)
        if bias.size not in (1, due.size) or due.size == 0:
            continue
        ratio = bias.reshape(-1) / due
        worst = int(np.argmax(np.abs(ratio - 1)))
        if abs(ratio[worst] - 1) > _BIAS_TOLERANCE:
            got = f"scale of the bias is {ratio[worst]:.3g} times that of data and weights in channel {worst}"
            yield Violation(node, f"{got}, but should be 1 times", {"channel": worst})


def _scale(candidate: StaticCandidate, value: ir.Value | None) -> Array | None:
    node = _dequantize(value)
    scale = None if node is None else candidate.constant(input_of(node, 1))
    return None if scale is None else scale.astype(np.float64)


@rule("QT005")
def products_do_not_saturate(candidate: StaticCandidate) -> Iterator[Violation]:
    """Unsigned data meet signed weights of 7 bits at most: the products of 8 saturate on older processors."""
    found = (node for node, data, weight in _products(candidate) if _may_saturate(candidate, data, weight))
    got = "multiplies uint8 data by int8 weights of the full range, which saturates on processors without VNNI"
    yield from together(found, got, "have a reduced range, or int8 data")


def _products(candidate: StaticCandidate) -> Iterator[tuple[ir.Node, ir.Value | None, ir.Value | None]]:
    """Each product of quantized data and weights: the operator and the two integer tensors."""
    for node in candidate.nodes(*_LAYERS):
        pair = [_dequantize(input_of(node, index)) for index in (0, 1)]
        if pair[0] is not None and pair[1] is not None:
            yield node, pair[0].inputs[0], pair[1].inputs[0]
    for operator, (data, weight) in _INTEGER_FACTORS.items():
        for node in candidate.nodes(operator):
            yield node, input_of(node, data), input_of(node, weight)


def _may_saturate(candidate: StaticCandidate, data: ir.Value | None, weight: ir.Value | None) -> bool:
    values = candidate.constant(origin(weight, _TURNED))
    if candidate.dtype_of(data) != ir.DataType.UINT8 or values is None or values.dtype != np.int8:
        return False
    return bool(np.abs(values.astype(np.int16)).max(initial=0) > _REDUCED)


@rule("QT006")
def sensitive_operators_keep_floats(candidate: StaticCandidate) -> Iterator[Violation]:
    """Softmax, normalizations and GELU are not squeezed between eight-bit values."""
    for node in candidate.nodes(*_SENSITIVE):
        after = readers(node.outputs[0])
        if _dequantize(input_of(node, 0)) is not None and after and all(n.op_type == "QuantizeLinear" for n in after):
            got = f"{node.op_type} has quantized input and output"
            yield Violation(node, f"{got}, but should stay in float, for its accuracy falls first")


@rule("QT007")
def value_is_quantized_once(candidate: StaticCandidate) -> Iterator[Violation]:
    """No value is quantized again right after it was dequantized."""
    again = (node for node in candidate.nodes("QuantizeLinear") if _reads_dequantized(node))
    yield from together(again, "quantizes again what was just dequantized", "be left out with its pair")


def _reads_dequantized(node: ir.Node) -> bool:
    value = input_of(node, 0)
    producer = None if value is None else value.producer()
    return producer is not None and producer.op_type == "DequantizeLinear"


@rule("QT008")
def weights_are_symmetric(candidate: StaticCandidate) -> Iterator[Violation]:
    """The zero point of int8 weights is 0."""
    for node in (_dequantize(input_of(layer, 1)) for layer in candidate.nodes(*_LAYERS)):
        zero_point = None if node is None else candidate.constant(input_of(node, 2))
        if node is None or zero_point is None or ir.convenience.get_const_tensor(node.inputs[0]) is None:  # type: ignore[arg-type]
            continue
        if zero_point.dtype == np.int8 and zero_point.any():
            got = f"zero point of int8 weights is {int(zero_point[zero_point != 0].reshape(-1)[0])}"
            yield Violation(node, f"{got}, but should be 0, which kernels take for granted")


@rule("QT011")
def weights_are_stored_quantized(candidate: StaticCandidate) -> Iterator[Violation]:
    """Weights are stored as integers, not as floats that each start quantizes."""
    stored = (node for node in candidate.nodes("QuantizeLinear") if _stored_bytes(input_of(node, 0)) > _STORED)
    yield from together(stored, "quantizes float weights at run time", "hold the quantized weights")


def _stored_bytes(value: ir.Value | None) -> int:
    tensor = None if value is None else ir.convenience.get_const_tensor(value)
    return 0 if tensor is None else tensor.nbytes


@rule("QT013")
def pair_has_one_scale(candidate: StaticCandidate) -> Iterator[Violation]:
    """What quantizes a value and what dequantizes it have one scale and one zero point."""
    for node in candidate.nodes("DequantizeLinear"):
        value = input_of(node, 0)
        quantize = None if value is None else value.producer()
        if quantize is None or quantize.op_type != "QuantizeLinear":
            continue
        for index, name in ((1, "scale"), (2, "zero point")):
            there, here = (candidate.constant(input_of(each, index)) for each in (quantize, node))
            if there is not None and here is not None and not np.array_equal(there, here):
                got = f"{name} is {here.reshape(-1)[0]:g}"
                yield Violation(
                    node, f"{got}, but should be {there.reshape(-1)[0]:g} as in the QuantizeLinear before it"
                )
