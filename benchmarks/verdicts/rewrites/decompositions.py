"""Composed operators written out, as exporters of other versions do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, attribute
from verdicts.rewrites.registry import Origin, Rewritten, rewrite

Step = tuple[str, Sequence[str | np.ndarray], str, dict[str, Any]]


def _expand(
    origin: Origin, op_type: str, write: Callable[[Graph, NodeProto], list[Step] | None]
) -> Iterator[Rewritten]:
    graph = Graph.copy(origin.subject.model)
    for _, node in list(graph.of(op_type)):
        steps = write(graph, node)
        if steps is not None and origin.subject.values[node.output[0]].dtype == np.float32:
            graph.replace(node, _nodes(graph, node, steps))
    yield Rewritten("", graph.model)


def _nodes(graph: Graph, node: NodeProto, steps: list[Step]) -> list[NodeProto]:
    """Each step's operands are constants, values of the graph, or outputs of steps before it, by name."""
    stem = graph.fresh("written")
    own = {name: f"{stem}_{name}" for _, _, name, _ in steps[:-1]}
    made = []
    for op_type, operands, name, attributes in steps:
        given = [graph.add_constant(o) if isinstance(o, np.ndarray) else own.get(o, o) for o in operands]
        made.append(helper.make_node(op_type, given, [own.get(name, node.output[0])], **attributes))
    made[-1].name = node.name
    return made


def _scalar(value: float) -> np.ndarray:
    return np.array(value, np.float32)


@rewrite("gelu-written-out", "GELU is written with Erf or Tanh")
def gelu(origin: Origin) -> Iterator[Rewritten]:
    """The form that the node has."""

    def write(graph: Graph, node: NodeProto) -> list[Step]:
        x = node.input[0]
        half: list[Step] = [("Mul", [x, _scalar(0.5)], "half", {}), ("Mul", ["half", "above"], "", {})]
        if attribute(node, "approximate", b"none") == b"tanh":
            return [
                ("Mul", [x, x], "square", {}),
                ("Mul", ["square", x], "cube", {}),
                ("Mul", ["cube", _scalar(0.044715)], "small", {}),
                ("Add", ["small", x], "sum", {}),
                ("Mul", ["sum", _scalar((2 / np.pi) ** 0.5)], "scaled", {}),
                ("Tanh", ["scaled"], "tanh", {}),
                ("Add", ["tanh", _scalar(1)], "above", {}),
                *half,
            ]
        return [
            ("Div", [x, _scalar(2**0.5)], "scaled", {}),
            ("Erf", ["scaled"], "erf", {}),
            ("Add", ["erf", _scalar(1)], "above", {}),
            *half,
        ]

    yield from _expand(origin, "Gelu", write)


@rewrite("layer-norm-written-out", "layer normalisation is written with means")
def layer_norm(origin: Origin) -> Iterator[Rewritten]:
    """Along the last axis."""

    def write(graph: Graph, node: NodeProto) -> list[Step] | None:
        if attribute(node, "axis", -1) != -1 or len(node.input) < 3:
            return None
        last, epsilon = np.array([-1], np.int64), float(attribute(node, "epsilon", 1e-5))
        return [
            ("ReduceMean", [node.input[0], last], "mean", {}),
            ("Sub", [node.input[0], "mean"], "centred", {}),
            ("Mul", ["centred", "centred"], "square", {}),
            ("ReduceMean", ["square", last], "variance", {}),
            ("Add", ["variance", _scalar(epsilon)], "guarded", {}),
            ("Sqrt", ["guarded"], "deviation", {}),
            ("Div", ["centred", "deviation"], "normal", {}),
            ("Mul", ["normal", node.input[1]], "scaled", {}),
            ("Add", ["scaled", node.input[2]], "", {}),
        ]

    yield from _expand(origin, "LayerNormalization", write)


@rewrite("softmax-written-out", "softmax is written with exponentials")
def softmax(origin: Origin) -> Iterator[Rewritten]:
    """The maximum is taken off first."""

    def write(graph: Graph, node: NodeProto) -> list[Step]:
        axis = np.array([attribute(node, "axis", -1)], np.int64)
        return [
            ("ReduceMax", [node.input[0], axis], "top", {}),
            ("Sub", [node.input[0], "top"], "below", {}),
            ("Exp", ["below"], "exp", {}),
            ("ReduceSum", ["exp", axis], "sum", {}),
            ("Div", ["exp", "sum"], "", {}),
        ]

    yield from _expand(origin, "Softmax", write)


@rewrite("sigmoid-written-out", "sigmoid is written with a tanh")
def sigmoid(origin: Origin) -> Iterator[Rewritten]:
    """(1 + tanh(x / 2)) / 2: exact for large and small x alike."""

    def write(graph: Graph, node: NodeProto) -> list[Step]:
        return [
            ("Mul", [node.input[0], _scalar(0.5)], "half", {}),
            ("Tanh", ["half"], "tanh", {}),
            ("Add", ["tanh", _scalar(1)], "above", {}),
            ("Mul", ["above", _scalar(0.5)], "", {}),
        ]

    yield from _expand(origin, "Sigmoid", write)


@rewrite("relu-written-out", "ReLU is a maximum with zero")
def relu(origin: Origin) -> Iterator[Rewritten]:
    """Bit for bit the same."""

    def write(graph: Graph, node: NodeProto) -> list[Step]:
        return [("Max", [node.input[0], _scalar(0)], "", {})]

    yield from _expand(origin, "Relu", write)


@rewrite("pow-written-out", "a square is a product")
def square(origin: Origin) -> Iterator[Rewritten]:
    """Pow with the exponent two."""

    def write(graph: Graph, node: NodeProto) -> list[Step] | None:
        value = graph.constant(node.input[1])
        two = value is not None and value.size == 1 and float(value.reshape(-1)[0]) == 2
        return [("Mul", [node.input[0], node.input[0]], "", {})] if two else None

    yield from _expand(origin, "Pow", write)
