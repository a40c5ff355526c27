"""P and Q: fewer bits in arithmetic, and quantization that goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, TensorProto

from verdicts.graph import Graph, is_float
from verdicts.mutations.registry import Edit, mutation
from verdicts.mutations.weights import quantized
from verdicts.subject import Subject

_PRODUCTS = ("MatMul", "Gemm", "Conv", "ConvTranspose")


def _products(subject: Subject) -> Iterator[tuple[int, NodeProto]]:
    for place, node in subject.graph.of(*_PRODUCTS):
        value = subject.values.get(node.input[0])
        if value is not None and value.dtype == np.float32 and value.size:
            yield place, node


def _cast_there_and_back(graph: Graph, node: NodeProto, index: int, kind: int) -> None:
    graph.insert_before(node, index, "Cast", to=kind)
    graph.insert_before(node, index, "Cast", to=TensorProto.FLOAT)


@mutation("P1", "a layer takes its input in fewer bits")
def half_input(subject: Subject) -> Iterator[Edit]:
    """float16 and bfloat16."""
    for place, _ in _products(subject):
        for severity, kind in (("float16", TensorProto.FLOAT16), ("bfloat16", TensorProto.BFLOAT16)):
            yield Edit(place, lambda graph, node, kind=kind: _cast_there_and_back(graph, node, 0, kind), severity)  # type: ignore[misc]


@mutation("P2", "a product is in TF32")
def tf32(subject: Subject) -> Iterator[Edit]:
    """Its input is rounded to ten bits of mantissa, by adding and subtracting a multiple of itself."""
    for place, _ in _products(subject):
        yield Edit(place, _round_to_ten_bits)


def _round_to_ten_bits(graph: Graph, node: NodeProto) -> None:
    """Dekker's splitting: c = (2^13 + 1) x; high = c - (c - x)."""
    original = node.input[0]
    big = graph.insert_before(node, 0, "Mul", [graph.add_constant(np.array(2**13 + 1, np.float32))]).output[0]
    rest = graph.insert_before(node, 0, "Sub", [original]).output[0]
    last = graph.insert_before(node, 0, "Sub", [rest])
    last.input[0], last.input[1] = big, rest


@mutation("P3", "an epsilon is below the smallest number of float16")
def tiny_epsilon(subject: Subject) -> Iterator[Edit]:
    """A tiny constant that is added becomes zero: rows of zeros give NaN."""
    for place, node in subject.graph.of("Add", "Max", "Clip"):
        for index, name in enumerate(node.input):
            value = subject.graph.constant(name)
            if value is not None and is_float(value) and value.size == 1 and 0 < float(value.reshape(-1)[0]) < 1e-2:

                def apply(graph: Graph, node: NodeProto, index: int = index, value: np.ndarray = value) -> None:
                    node.input[index] = graph.add_constant(np.zeros_like(value))

                yield Edit(place, apply)


@mutation("P6", "one operator works in float16")
def half_operator(subject: Subject) -> Iterator[Edit]:
    """Its output is rounded."""
    outputs = subject.graph.outputs()
    for place, node in enumerate(subject.graph.nodes):
        value = subject.values.get(node.output[0])
        if value is not None and value.dtype == np.float32 and value.size > 1 and node.output[0] not in outputs:
            yield Edit(place, _round_output)


def _round_output(graph: Graph, node: NodeProto) -> None:
    name = node.output[0]
    graph.insert_after(name, "Cast", to=TensorProto.FLOAT)
    middle = next(other.input[0] for other in graph.nodes if name in other.output)
    graph.insert_after(middle, "Cast", to=TensorProto.FLOAT16)


def _fake_quantize(graph: Graph, node: NodeProto, scale: float) -> None:
    """QuantizeLinear and DequantizeLinear, uint8 around 128, in front of the node."""
    steps = [graph.add_constant(np.array(scale, np.float32)), graph.add_constant(np.array(128, np.uint8))]
    graph.insert_before(node, 0, "QuantizeLinear", steps)
    graph.insert_before(node, 0, "DequantizeLinear", steps)


@mutation("Q2", "an activation is quantized and back")
def fake_quantized(subject: Subject) -> Iterator[Edit]:
    """With the right scale, with twice it, and with half of it, which cuts off."""
    for place, node in _products(subject):
        right = float(np.abs(subject.values[node.input[0]]).max() or 1) / 127
        for severity, factor in (("right", 1.0), ("double", 2.0), ("half", 0.5)):
            scale = right * factor
            yield Edit(place, lambda graph, node, scale=scale: _fake_quantize(graph, node, scale), severity)  # type: ignore[misc]


@mutation("Q3", "weights of all layers are quantized and back, per channel")
def all_weights(subject: Subject) -> Iterator[Edit]:
    """Eight bits along the first axis: the healthy form of weight quantization, which is not the source."""

    def apply(graph: Graph, node: NodeProto) -> None:
        for _, other in list(graph.of(*_PRODUCTS)):
            value = graph.constant(other.input[1])
            if value is not None and is_float(value) and value.ndim >= 2:
                other.input[1] = graph.add_constant(quantized(value, 8, 0).astype(value.dtype))

    yield Edit(None, apply)


@mutation("Q6", "an activation was calibrated on other data")
def badly_calibrated(subject: Subject) -> Iterator[Edit]:
    """Data a twentieth, or ten times, as large."""
    for place, node in _products(subject):
        right = float(np.abs(subject.values[node.input[0]]).max() or 1) / 127
        for severity, factor in (("0.05", 0.05), ("10", 10.0)):
            scale = right * factor
            yield Edit(place, lambda graph, node, scale=scale: _fake_quantize(graph, node, scale), severity)  # type: ignore[misc]


@mutation("Q7", "the output of a softmax or normalisation is quantized and back")
def sensitive_output(subject: Subject) -> Iterator[Edit]:
    """The operators whose outputs lose most."""
    for place, node in subject.graph.of("Softmax", "LayerNormalization", "Gelu", "Sigmoid"):
        value = subject.values[node.output[0]]
        top = float(np.abs(value).max() or 1) / 127
        if value.dtype == np.float32:
            yield Edit(place, lambda graph, node, top=top: _quantize_output(graph, node, top))  # type: ignore[misc]


def _quantize_output(graph: Graph, node: NodeProto, scale: float) -> None:
    steps = [graph.add_constant(np.array(scale, np.float32)), graph.add_constant(np.array(128, np.uint8))]
    name = node.output[0]
    graph.insert_after(name, "DequantizeLinear", steps)
    middle = next(other.input[0] for other in graph.nodes if name in other.output)
    graph.insert_after(middle, "QuantizeLinear", steps)
