"""N: activations and softmax with another meaning than the source's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, attribute
from verdicts.mutations.numerics import after, renamed, set_to
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject


@mutation("N3", "GELU by tanh, where the source has erf, or the other way round")
def gelu_form(subject: Subject) -> Iterator[Edit]:
    """The two forms differ by 1e-4 at most."""
    for place, node in subject.graph.of("Gelu"):
        other = "none" if attribute(node, "approximate", b"none") == b"tanh" else "tanh"
        yield Edit(place, set_to("approximate", other))
    for place, _ in subject.graph.of("Erf"):
        yield Edit(place, _tanh_of_erf)


def _tanh_of_erf(graph: Graph, node: NodeProto) -> None:
    """erf(x / sqrt 2) is nearly tanh(sqrt(2 / pi) (x + 0.044715 x^3))."""
    x, y = node.input[0], node.output[0]
    names = [graph.fresh("erf")]
    steps: list[NodeProto] = []
    for op_type, first, second in (
        ("Mul", x, x),
        ("Mul", "", 2 * 0.044715),
        ("Add", "", 1.0),
        ("Mul", "", x),
        ("Mul", "", 2 / np.sqrt(np.pi)),
    ):
        out = graph.fresh("erf")
        names.append(out)
        other = second if isinstance(second, str) else graph.add_constant(np.array(second, np.float32))
        steps.append(helper.make_node(op_type, [first or steps[-1].output[0], other], [f"{out}_{len(steps)}"]))
    last = helper.make_node("Tanh", [steps[-1].output[0]], [y], name=node.name)
    graph.replace(node, [*steps, last])


@mutation("N4", "GELU is x sigmoid(1.702 x)")
def gelu_sigmoid(subject: Subject) -> Iterator[Edit]:
    """The quick form that some models do have."""

    def apply(graph: Graph, node: NodeProto) -> None:
        scaled, gate = graph.fresh("scaled"), graph.fresh("gate")
        factor = graph.add_constant(np.array(1.702, np.float32))
        made = [
            helper.make_node("Mul", [node.input[0], factor], [scaled]),
            helper.make_node("Sigmoid", [scaled], [gate]),
            helper.make_node("Mul", [node.input[0], gate], [node.output[0]], name=node.name),
        ]
        graph.replace(node, made)

    return (Edit(place, apply) for place, _ in subject.graph.of("Gelu"))


@mutation("N5", "Softmax runs along another axis")
def softmax_axis(subject: Subject) -> Iterator[Edit]:
    """The axis before it."""
    for place, node in subject.graph.of("Softmax", "LogSoftmax"):
        rank = subject.values[node.input[0]].ndim
        if rank > 1:
            axis = int(attribute(node, "axis", -1)) % rank
            yield Edit(place, set_to("axis", (axis - 1) % rank))


@mutation("N6", "Softmax or Sigmoid is missing, or there twice")
def probabilities(subject: Subject) -> Iterator[Edit]:
    """Logits for probabilities, and probabilities of probabilities."""
    for place, node in subject.graph.of("Softmax", "Sigmoid", "LogSoftmax"):
        yield Edit(place, lambda graph, node: graph.bypass(node), "missing")
        axis = {} if node.op_type == "Sigmoid" else {"axis": -1}
        yield Edit(place, after("Sigmoid" if node.op_type == "Sigmoid" else "Softmax", **axis), "twice")


@mutation("N8", "ReLU has another form")
def relu_form(subject: Subject) -> Iterator[Edit]:
    """ReLU6 is the same below 6; LeakyReLU(0.01) is near below 0."""
    for place, _ in subject.graph.of("Relu"):
        yield Edit(place, _relu6, "relu6")
        yield Edit(place, renamed("LeakyRelu", alpha=0.01), "leaky")


def _relu6(graph: Graph, node: NodeProto) -> None:
    low, high = (graph.add_constant(np.array(v, np.float32)) for v in (0, 6))
    made = helper.make_node("Clip", [node.input[0], low, high], node.output, name=node.name)
    graph.replace(node, [made])


@mutation("N9", "the slope or shape of an activation is another")
def alpha(subject: Subject) -> Iterator[Edit]:
    """Alpha 1 % and 20 % larger."""
    defaults = {"LeakyRelu": 0.01, "Elu": 1.0, "Selu": 1.67326, "HardSigmoid": 0.2, "Celu": 1.0}
    for place, node in subject.graph.of(*defaults):
        own = float(attribute(node, "alpha", defaults[node.op_type]))
        for factor in (1.01, 1.2):
            yield Edit(place, set_to("alpha", own * factor), f"{factor:g}")


@mutation("N11", "an activation is another")
def activation(subject: Subject) -> Iterator[Edit]:
    """Tanh for sigmoid, ELU for SELU, ReLU for SiLU's parts."""
    others = {
        "Tanh": "Sigmoid",
        "Sigmoid": "HardSigmoid",
        "Selu": "Elu",
        "Elu": "Celu",
        "HardSwish": "Relu",
        "Mish": "Softplus",
    }
    return (Edit(place, renamed(others[node.op_type])) for place, node in subject.graph.of(*others))


@mutation("N13", "log-softmax is the logarithm of a softmax")
def log_of_softmax(subject: Subject) -> Iterator[Edit]:
    """Minus infinity where logits are more than 88 apart."""

    def apply(graph: Graph, node: NodeProto) -> None:
        middle, axis = graph.fresh("softmax"), attribute(node, "axis", -1)
        made = [
            helper.make_node("Softmax", node.input, [middle], axis=axis),
            helper.make_node("Log", [middle], node.output, name=node.name),
        ]
        graph.replace(node, made)

    return (Edit(place, apply) for place, _ in subject.graph.of("LogSoftmax"))


@mutation("N14", "softplus or tanh is written with an exponential that overflows")
def overflowing(subject: Subject) -> Iterator[Edit]:
    """log(1 + exp x) for softplus; (e^2x - 1) / (e^2x + 1) for tanh."""

    def softplus(graph: Graph, node: NodeProto) -> None:
        names = [graph.fresh("exp"), graph.fresh("sum")]
        one = graph.add_constant(np.array(1, np.float32))
        made = [
            helper.make_node("Exp", node.input, [names[0]]),
            helper.make_node("Add", [names[0], one], [names[1]]),
            helper.make_node("Log", [names[1]], node.output, name=node.name),
        ]
        graph.replace(node, made)

    def tanh(graph: Graph, node: NodeProto) -> None:
        stem = graph.fresh("tanh")
        one, two = (graph.add_constant(np.array(v, np.float32)) for v in (1, 2))
        made = [
            helper.make_node("Mul", [node.input[0], two], [f"{stem}_twice"]),
            helper.make_node("Exp", [f"{stem}_twice"], [f"{stem}_exp"]),
            helper.make_node("Sub", [f"{stem}_exp", one], [f"{stem}_above"]),
            helper.make_node("Add", [f"{stem}_exp", one], [f"{stem}_below"]),
            helper.make_node("Div", [f"{stem}_above", f"{stem}_below"], node.output, name=node.name),
        ]
        graph.replace(node, made)

    for place, node in subject.graph.of("Softplus", "Tanh"):
        if subject.values[node.output[0]].dtype == np.float32:
            yield Edit(place, softplus if node.op_type == "Softplus" else tanh, node.op_type.lower())
