"""R: training modes and randomness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, set_attribute
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject


def _float_outputs(subject: Subject) -> Iterator[tuple[int, NodeProto, np.ndarray]]:
    """Nodes whose first output is float32 with a batch, and is not an output of the graph."""
    outputs = subject.graph.outputs()
    for place, node in enumerate(subject.graph.nodes):
        value = subject.values.get(node.output[0])
        if value is not None and value.dtype == np.float32 and value.ndim >= 2 and node.output[0] not in outputs:
            yield place, node, value


@mutation("R1", "Dropout is in training mode")
def dropout(subject: Subject) -> Iterator[Edit]:
    """The runtime's optimizer removes it, other runtimes do not."""

    def apply(graph: Graph, node: NodeProto) -> None:
        ratio, training = graph.add_constant(np.array(0.3, np.float32)), graph.add_constant(np.array(True))
        graph.insert_after(node.output[0], "Dropout", [ratio, training])

    return (Edit(place, apply) for place, _, _ in _float_outputs(subject))


@mutation("R2", "batch normalisation is in training mode")
def training_mode(subject: Subject) -> Iterator[Edit]:
    """It uses the statistics of the batch at hand."""
    for place, node in subject.graph.of("BatchNormalization"):

        def apply(graph: Graph, node: NodeProto) -> None:
            set_attribute(node, "training_mode", 1)
            node.output.extend([graph.fresh("mean"), graph.fresh("variance")])

        yield Edit(place, apply)


@mutation("R2b", "a folded batch normalisation is computed from the batch")
def batch_statistics(subject: Subject) -> Iterator[Edit]:
    """A convolution's output minus its mean over batch and places: what training mode does first."""
    for place, node in subject.graph.of("Conv"):
        value = subject.values[node.output[0]]
        axes = np.array([0, *range(2, value.ndim)], np.int64)

        def apply(graph: Graph, node: NodeProto, axes: np.ndarray = axes) -> None:
            mean = graph.fresh("mean")
            sub = graph.insert_after(node.output[0], "Sub", [mean])
            reduced = helper.make_node(
                "ReduceMean",
                [sub.input[0], graph.add_constant(axes)],
                [mean],
                name=graph.fresh("Mean_node"),
                keepdims=1,
            )
            graph.proto.node.insert(list(graph.nodes).index(sub), reduced)

        yield Edit(place, apply)


@mutation("R3", "noise is added at run time")
def noise(subject: Subject) -> Iterator[Edit]:
    """RandomNormalLike, with a deviation of a hundredth or a millionth of the value's size."""
    for place, _, value in _float_outputs(subject):
        for size in (1e-2, 1e-5):
            deviation = size * float(np.sqrt(np.mean(np.square(value))) or 1.0)

            def apply(graph: Graph, node: NodeProto, deviation: float = deviation) -> None:
                random = graph.fresh("noise")
                add = graph.insert_after(node.output[0], "Add", [random])
                made = helper.make_node(
                    "RandomNormalLike", [add.input[0]], [random], name=graph.fresh("Random_node"), scale=deviation
                )
                graph.proto.node.insert(list(graph.nodes).index(add), made)

            yield Edit(place, apply, f"{size:g}")


@mutation("R3b", "noise of the trace is frozen into the graph")
def frozen_noise(subject: Subject) -> Iterator[Edit]:
    """A constant along the last axis is added."""
    for place, _, value in _float_outputs(subject):
        drawn = np.asarray(np.random.default_rng(3).normal(0, 0.01, value.shape[-1]), np.float32)
        if value.ndim == 2 and value.shape[-1] > 1 and subject.graph.consumers(subject.graph.nodes[place].output[0]):

            def apply(graph: Graph, node: NodeProto, drawn: np.ndarray = drawn) -> None:
                graph.insert_after(node.output[0], "Add", [graph.add_constant(drawn)])

            yield Edit(place, apply)


@mutation("R4", "a decision is drawn, where it should be the largest")
def drawn(subject: Subject) -> Iterator[Edit]:
    """A Bernoulli mask over an activation, which keeps 99 %."""

    def apply(graph: Graph, node: NodeProto) -> None:
        stem, chance = graph.fresh("keep"), graph.add_constant(np.array(0.99, np.float32))
        mul = graph.insert_after(node.output[0], "Mul", [f"{stem}_mask"])
        place = list(graph.nodes).index(mul)
        made = [
            helper.make_node("Shape", [mul.input[0]], [f"{stem}_shape"], name=f"{stem}_shape"),
            helper.make_node("Expand", [chance, f"{stem}_shape"], [f"{stem}_chance"], name=f"{stem}_expand"),
            helper.make_node("Bernoulli", [f"{stem}_chance"], [f"{stem}_mask"], name=f"{stem}_draw"),
        ]
        for offset, new in enumerate(made):
            graph.proto.node.insert(place + offset, new)

    return (Edit(place, apply) for place, _, _ in _float_outputs(subject))
