"""Rewrites that change the order or the scale of arithmetic: results move by rounding alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, TensorProto, helper

from verdicts.equivalence import jittered
from verdicts.graph import Graph, attribute, is_float, set_attribute
from verdicts.rewrites.registry import Origin, Rewritten, rewrite


@rewrite("one-ulp", "weights are moved by one unit in the last place")
def one_ulp(origin: Origin) -> Iterator[Rewritten]:
    """Two draws."""
    for seed in (11, 12):
        yield Rewritten(str(seed), jittered(origin.subject.model, seed))


@rewrite("gemm-to-matmul", "Gemm becomes MatMul and Add")
def gemm_to_matmul(origin: Origin) -> Iterator[Rewritten]:
    """Each that has no scales."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Gemm")):
        weight = graph.constant(node.input[1])
        if (
            weight is None
            or len(node.input) < 3
            or attribute(node, "alpha", 1.0) != 1.0
            or attribute(node, "transA", 0)
        ):
            continue
        turned = weight.T if attribute(node, "transB", 0) else weight
        product = graph.fresh("product")
        made = [
            helper.make_node("MatMul", [node.input[0], graph.add_constant(turned)], [product]),
            helper.make_node("Add", [product, node.input[2]], node.output, name=node.name),
        ]
        graph.replace(node, made)
    yield Rewritten("", graph.model)


@rewrite("matmul-to-gemm", "MatMul and Add of two axes become Gemm")
def matmul_to_gemm(origin: Origin) -> Iterator[Rewritten]:
    """Where the bias is a constant vector."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Add")):
        maker = next((m for m in map(graph.producer, node.input) if m is not None and m.op_type == "MatMul"), None)
        bias = next((n for n in node.input if is_float(graph.constant(n))), None)
        if maker is None or bias is None or len(graph.consumers(maker.output[0])) != 1:
            continue
        if origin.subject.values[maker.output[0]].ndim != 2 or origin.subject.values[maker.input[0]].ndim != 2:
            continue
        graph.proto.node.remove(maker)
        graph.replace(node, [helper.make_node("Gemm", [*maker.input, bias], node.output, name=node.name)])
    yield Rewritten("", graph.model)


@rewrite("conv-as-conv-bn", "a convolution becomes one with a batch normalisation behind it")
def conv_to_conv_bn(origin: Origin) -> Iterator[Rewritten]:
    """Its weights are divided by the scale that the normalisation gives back: the inverse of folding."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Conv")):
        weight = graph.constant(node.input[1])
        if weight is None or weight.dtype != np.float32:
            continue
        generator, width = np.random.default_rng(5), weight.shape[0]
        scale, variance = generator.uniform(0.5, 2, width), generator.uniform(0.5, 2, width)
        factor = scale / np.sqrt(variance + 1e-5)
        node.input[1] = graph.add_constant(
            np.asarray(weight / factor.reshape(-1, *[1] * (weight.ndim - 1)), np.float32)
        )
        bias = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(width, np.float32)
        if bias is None:
            continue
        del node.input[2:]
        operands = [graph.add_constant(np.asarray(v, np.float32)) for v in (scale, bias, np.zeros(width), variance)]
        graph.insert_after(node.output[0], "BatchNormalization", operands, epsilon=1e-5)
    yield Rewritten("", graph.model)


@rewrite("rescale", "channels between two layers are scaled up and down again")
def rescale(origin: Origin) -> Iterator[Rewritten]:
    """By 10, 100 and 1000 around a ReLU, which keeps the function."""
    for factor in (10.0, 100.0, 1000.0):
        graph = Graph.copy(origin.subject.model)
        for _, relu in list(graph.of("Relu", "LeakyRelu")):
            _rescale(graph, relu, factor)
        yield Rewritten(f"{factor:g}", graph.model)


def _rescale(graph: Graph, relu: NodeProto, factor: float) -> None:
    before, after = graph.producer(relu.input[0]), graph.consumers(relu.output[0])
    kinds = ("Conv", "Gemm")
    if before is None or before.op_type not in kinds or len(graph.consumers(before.output[0])) != 1:
        return
    if len(after) != 1 or after[0].op_type not in kinds or relu.output[0] in graph.outputs():
        return
    if after[0].input[0] != relu.output[0]:
        return
    wanted = [(before, 1, factor), (before, 2, factor), (after[0], 1, 1 / factor)]
    for node, index, by in wanted:
        array = graph.constant(node.input[index]) if len(node.input) > index else None
        if array is not None:
            node.input[index] = graph.add_constant((array * by).astype(array.dtype))


@rewrite("permute-hidden", "hidden units between two dense layers are in another order")
def permute_hidden(origin: Origin) -> Iterator[Rewritten]:
    """Rows of one weight and columns of the next: sums run in another order."""
    graph = Graph.copy(origin.subject.model)
    elementwise = ("Relu", "Gelu", "LeakyRelu", "Tanh", "Selu", "Softplus", "Sigmoid", "Elu", "Celu")
    for _, node in list(graph.of(*elementwise)):
        before, after = graph.producer(node.input[0]), graph.consumers(node.output[0])
        if before is None or before.op_type != "Gemm" or len(graph.consumers(before.output[0])) != 1 or len(after) != 1:
            continue
        if after[0].op_type != "Gemm" or len(before.input) < 3 or after[0].input[0] != node.output[0]:
            continue
        _permute(graph, before, after[0])
    yield Rewritten("", graph.model)


def _permute(graph: Graph, before: NodeProto, after: NodeProto) -> None:
    first, bias, second = (graph.constant(n) for n in (before.input[1], before.input[2], after.input[1]))
    if first is None or bias is None or second is None:
        return
    order = np.random.default_rng(9).permutation(len(bias))
    rows = 0 if attribute(before, "transB", 0) else 1
    columns = 1 if attribute(after, "transB", 0) else 0
    before.input[1] = graph.add_constant(np.take(first, order, rows))
    before.input[2] = graph.add_constant(bias[order])
    after.input[1] = graph.add_constant(np.take(second, order, columns))


@rewrite("commute", "operands of sums and products change places")
def commute(origin: Origin) -> Iterator[Rewritten]:
    """Every Add and Mul."""
    graph = Graph.copy(origin.subject.model)
    for _, node in graph.of("Add", "Mul"):
        node.input[0], node.input[1] = node.input[1], node.input[0]
    yield Rewritten("", graph.model)


@rewrite("pad-apart", "the padding of a convolution is a node of its own")
def pad_apart(origin: Origin) -> Iterator[Rewritten]:
    """Zeros around, then a convolution without padding."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Conv")):
        pads = attribute(node, "pads")
        if isinstance(pads, list) and sum(pads):
            half = len(pads) // 2
            amount = np.array([0, 0, *pads[:half], 0, 0, *pads[half:]], np.int64)
            graph.insert_before(node, 0, "Pad", [graph.add_constant(amount)])
            set_attribute(node, "pads", [0] * len(pads))
    yield Rewritten("", graph.model)


@rewrite("float64-island", "one layer works in float64")
def float64_island(origin: Origin) -> Iterator[Rewritten]:
    """More exact than the source is."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("MatMul", "Gemm"))[::2]:
        value = origin.subject.values.get(node.output[0])
        if value is None or value.dtype != np.float32:
            continue
        name = node.output[0]
        for index, taken in enumerate(node.input):
            if taken:
                graph.insert_before(node, index, "Cast", to=TensorProto.DOUBLE)
        graph.insert_after(name, "Cast", to=TensorProto.FLOAT)
    yield Rewritten("", graph.model)


@rewrite("scaled-product", "a scalar factor moves from a product to its operand")
def factor_to_weight(origin: Origin) -> Iterator[Rewritten]:
    """x / c becomes x (1 / c); a division by a constant is a product."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Div")):
        value = graph.constant(node.input[1])
        if value is not None and value.dtype == np.float32:
            node.op_type = "Mul"
            node.input[1] = graph.add_constant((1 / value).astype(np.float32))
    for _, node in list(graph.of("Sub")):
        value = graph.constant(node.input[1])
        if value is not None and value.dtype == np.float32:
            node.op_type = "Add"
            node.input[1] = graph.add_constant(-value)
    yield Rewritten("", graph.model)


@rewrite("bias-apart", "the bias of a layer is added by a node of its own")
def bias_apart(origin: Origin) -> Iterator[Rewritten]:
    """Conv with a bias becomes Conv and Add."""
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of("Conv", "ConvTranspose")):
        bias = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        if bias is not None:
            rank = origin.subject.values[node.output[0]].ndim
            del node.input[2:]
            graph.insert_after(node.output[0], "Add", [graph.add_constant(bias.reshape(-1, *[1] * (rank - 2)))])
    yield Rewritten("", graph.model)
