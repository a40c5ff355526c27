"""N: operators with another meaning than the source's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, attribute, is_float, set_attribute
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject

_NORMALISATIONS = ("LayerNormalization", "BatchNormalization", "InstanceNormalization", "GroupNormalization")


def set_to(name: str, value: object) -> Callable[[Graph, NodeProto], None]:
    """Set an attribute of the node."""

    def apply(graph: Graph, node: NodeProto) -> None:
        set_attribute(node, name, value)

    return apply


def renamed(op_type: str, **attributes: Any) -> Callable[[Graph, NodeProto], None]:
    """Another operator with the same inputs and outputs."""

    def apply(graph: Graph, node: NodeProto) -> None:
        made = helper.make_node(op_type, node.input, node.output, name=node.name, **attributes)
        graph.replace(node, [made])

    return apply


def after(
    op_type: str, *constants: np.ndarray, output: int = 0, **attributes: Any
) -> Callable[[Graph, NodeProto], None]:
    """One more operator behind the node."""

    def apply(graph: Graph, node: NodeProto) -> None:
        graph.insert_after(node.output[output], op_type, [graph.add_constant(c) for c in constants], **attributes)

    return apply


@mutation("N1", "the epsilon of a normalisation is another")
def epsilon(subject: Subject) -> Iterator[Edit]:
    """1e-12 to 1e-5 is below an absolute tolerance of 1e-4."""
    for place, node in subject.graph.of(*_NORMALISATIONS):
        own = float(attribute(node, "epsilon", 1e-5))
        for value in (1e-5, 1e-3):
            if not 0.5 < own / value < 2:
                yield Edit(place, set_to("epsilon", value), f"{value:g}")


@mutation("N1b", "an epsilon that is added is a hundred times as large")
def added_epsilon(subject: Subject) -> Iterator[Edit]:
    """In normalisations that are written out: a tiny constant of an Add or a Max."""
    for place, node in subject.graph.of("Add", "Max", "Clip"):
        for index, name in enumerate(node.input):
            value = subject.graph.constant(name)
            if value is not None and is_float(value) and value.size == 1 and 0 < float(value.reshape(-1)[0]) < 1e-2:

                def apply(graph: Graph, node: NodeProto, index: int = index, value: np.ndarray = value) -> None:
                    node.input[index] = graph.add_constant((value * 100).astype(value.dtype))

                yield Edit(place, apply)


@mutation("N2", "a folded batch normalisation used another epsilon")
def folded_epsilon(subject: Subject) -> Iterator[Edit]:
    """The weights of a convolution are 0.9995 or 0.99995 times what they should be."""
    for place, node in subject.graph.of("Conv", "ConvTranspose", "Gemm"):
        for factor in (0.9995, 0.99995):

            def apply(graph: Graph, node: NodeProto, factor: float = factor) -> None:
                value = graph.constant(node.input[1])
                if value is not None:
                    node.input[1] = graph.add_constant((value * factor).astype(value.dtype), "folded")

            if is_float(subject.graph.constant(node.input[1])):
                yield Edit(place, apply, f"{factor:g}")


@mutation("N7", "a scalar factor is another")
def scale(subject: Subject) -> Iterator[Edit]:
    """The scale of attention, and every other factor that a node has: 1.0001, 1.01 times, and none."""
    for place, node in subject.graph.of("Mul", "Div"):
        index = next(
            (
                i
                for i, n in enumerate(node.input)
                if is_float(c := subject.graph.constant(n)) and c is not None and c.size == 1
            ),
            None,
        )
        if index is None:
            continue
        for severity, factor in (("1.0001", 1.0001), ("1.01", 1.01), ("none", None)):

            def apply(graph: Graph, node: NodeProto, index: int = index, factor: float | None = factor) -> None:
                value = graph.constant(node.input[index])
                if value is not None:
                    new = np.ones_like(value) if factor is None else (value * factor).astype(value.dtype)
                    node.input[index] = graph.add_constant(new)

            yield Edit(place, apply, severity)


@mutation("N10", "a mean is a maximum or a sum")
def reduction(subject: Subject) -> Iterator[Edit]:
    """The same axes, another reduction."""
    others = {"ReduceMean": ("ReduceMax", "ReduceSum"), "ReduceMax": ("ReduceMean",), "ReduceSum": ("ReduceMean",)}
    for place, node in subject.graph.of(*others):
        if subject.values[node.output[0]].dtype.kind == "f":
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            for other in others[node.op_type]:
                yield Edit(place, renamed(other, **attributes), other)
    for place, _ in subject.graph.of("GlobalAveragePool"):
        yield Edit(place, renamed("GlobalMaxPool"), "ReduceMax")


@mutation("N12", "the axis of a concatenation's operands is kept, their order is not")
def concat_order(subject: Subject) -> Iterator[Edit]:
    """Two operands of the same shape change places."""
    for place, node in subject.graph.of("Concat"):
        shapes = [getattr(subject.values.get(name, subject.graph.constant(name)), "shape", None) for name in node.input]
        pair = next(
            ((i, j) for i in range(len(shapes)) for j in range(i + 1, len(shapes)) if shapes[i] == shapes[j]), None
        )
        if pair and subject.values[node.output[0]].dtype.kind == "f" and node.input[pair[0]] != node.input[pair[1]]:

            def apply(graph: Graph, node: NodeProto, pair: tuple[int, int] = pair) -> None:
                i, j = pair
                node.input[i], node.input[j] = node.input[j], node.input[i]

            yield Edit(place, apply)


@mutation("N15", "a variance divides by n - 1")
def unbiased_variance(subject: Subject) -> Iterator[Edit]:
    """Bessel's correction in a layer normalisation: its result is smaller by sqrt((n - 1) / n)."""
    for place, node in subject.graph.of("LayerNormalization"):
        scale = subject.graph.constant(node.input[1])
        if scale is not None:

            def apply(graph: Graph, node: NodeProto, scale: np.ndarray = scale) -> None:
                n = scale.size
                node.input[1] = graph.add_constant((scale * ((n - 1) / n) ** 0.5).astype(scale.dtype))

            yield Edit(place, apply)


@mutation("N16", "an integer division truncates, where it should round down")
def truncated_division(subject: Subject) -> Iterator[Edit]:
    """Where the floor is written out as a correction, that is lost; where it is by floats, the rounding is another."""
    for place, _ in subject.graph.of("Floor"):
        yield Edit(place, renamed("Ceil"), "ceil")
    for place, node in subject.graph.of("Sub", "Where"):
        made = subject.values[node.output[0]]
        maker = (
            subject.graph.producer(node.input[0]) if node.op_type == "Sub" else subject.graph.producer(node.input[2])
        )
        if made.dtype.kind == "i" and maker is not None and maker.op_type == "Div":
            index = 0 if node.op_type == "Sub" else 2
            yield Edit(place, lambda graph, node, index=index: graph.bypass(node, index), "truncated")  # type: ignore[misc]


@mutation("N17", "Mod takes the sign of the dividend, where it should take the divisor's")
def modulo(subject: Subject) -> Iterator[Edit]:
    """The attribute fmod."""
    for place, node in subject.graph.of("Mod"):
        yield Edit(place, set_to("fmod", 1 - int(attribute(node, "fmod", 0))))


@mutation("N18", "a rounding or comparison is strict, where it should not be, or the other way round")
def strictness(subject: Subject) -> Iterator[Edit]:
    """Greater for GreaterOrEqual, Less for LessOrEqual."""
    others = {"Greater": "GreaterOrEqual", "GreaterOrEqual": "Greater", "Less": "LessOrEqual", "LessOrEqual": "Less"}
    return (Edit(place, renamed(others[node.op_type])) for place, node in subject.graph.of(*others))


@mutation("N19", "ArgMax takes the last of equals")
def last_index(subject: Subject) -> Iterator[Edit]:
    """Another answer at exact ties alone."""
    for place, node in subject.graph.of("ArgMax", "ArgMin"):
        yield Edit(place, set_to("select_last_index", 1 - int(attribute(node, "select_last_index", 0))))


@mutation("N20", "TopK takes the smallest, or sorts by nothing")
def topk_order(subject: Subject) -> Iterator[Edit]:
    """The attribute largest."""
    return (Edit(place, set_to("largest", 0)) for place, _ in subject.graph.of("TopK"))


@mutation("N21", "a scatter overwrites, where it should add, or the other way round")
def scatter_reduction(subject: Subject) -> Iterator[Edit]:
    """The attribute reduction: shows where indices repeat, or where something was there before."""
    for place, node in subject.graph.of("ScatterElements", "ScatterND"):
        own = attribute(node, "reduction", b"none")
        yield Edit(place, set_to("reduction", "none" if own == b"add" else "add"))


@mutation("N22", "an operand of a subtraction or division is the other one")
def operand_order(subject: Subject) -> Iterator[Edit]:
    """Both change places, where they have the same shape."""
    for place, node in subject.graph.of("Sub", "Div"):
        shapes = [getattr(subject.values.get(n, subject.graph.constant(n)), "shape", None) for n in node.input]
        if shapes[0] == shapes[1] and subject.values[node.output[0]].dtype.kind == "f":
            yield Edit(place, _swap_operands)


def _swap_operands(graph: Graph, node: NodeProto) -> None:
    node.input[0], node.input[1] = node.input[1], node.input[0]


@mutation("N23", "a clip has another bound")
def clip_bound(subject: Subject) -> Iterator[Edit]:
    """The upper one is 1 % lower; the lower one is missing."""
    for place, node in subject.graph.of("Clip"):
        if len(node.input) > 2 and (high := subject.graph.constant(node.input[2])) is not None and is_float(high):

            def lower(graph: Graph, node: NodeProto, high: np.ndarray = high) -> None:
                node.input[2] = graph.add_constant((high * 0.99).astype(high.dtype))

            yield Edit(place, lower, "lower")
        if len(node.input) > 1 and node.input[1]:
            yield Edit(place, _no_lower_bound, "open")


def _no_lower_bound(graph: Graph, node: NodeProto) -> None:
    node.input[1] = ""


@mutation("N24", "a residual sum has lost one of its terms")
def lost_term(subject: Subject) -> Iterator[Edit]:
    """An Add of two computed values of the same shape gives the first alone."""
    for place, node in subject.graph.of("Add"):
        shapes = [subject.values[n].shape if n in subject.values else None for n in node.input]
        if None not in shapes and shapes[0] == shapes[1] and subject.values[node.output[0]].dtype.kind == "f":
            yield Edit(place, lambda graph, node: graph.bypass(node))


@mutation("N25", "an update in place is lost")
def lost_update(subject: Subject) -> Iterator[Edit]:
    """A scatter gives its data back as they came."""
    return (
        Edit(place, lambda graph, node: graph.bypass(node))
        for place, _ in subject.graph.of("ScatterND", "ScatterElements")
    )


@mutation("N26", "what is not a number becomes a zero")
def nan_dropped(subject: Subject) -> Iterator[Edit]:
    """A Where in front of an activation."""
    for place, node in subject.graph.of("Relu", "Clip", "Max"):
        if subject.values[node.output[0]].dtype == np.float32:
            yield Edit(place, _drop_nan)


def _drop_nan(graph: Graph, node: NodeProto) -> None:
    test = graph.insert_before(node, 0, "IsNaN")
    chosen = graph.fresh("chosen")
    zero = graph.add_constant(np.array(0, np.float32))
    where = helper.make_node("Where", [test.output[0], zero, test.input[0]], [chosen], name=graph.fresh("Where_node"))
    graph.proto.node.insert(list(graph.nodes).index(node), where)
    node.input[0] = chosen


@mutation("N27", "non-maximum suppression has another threshold or limit")
def suppression(subject: Subject) -> Iterator[Edit]:
    """Boxes kept at most, overlap and score: inputs 2, 3 and 4."""
    for place, node in subject.graph.of("NonMaxSuppression"):
        for index, severity, factor in ((2, "limit", 0.5), (3, "overlap", 0.8), (4, "score", 1.3)):
            value = (
                subject.values.get(node.input[index], subject.graph.constant(node.input[index]))
                if len(node.input) > index
                else None
            )
            if value is not None:

                def apply(
                    graph: Graph, node: NodeProto, index: int = index, value: np.ndarray = value, factor: float = factor
                ) -> None:
                    node.input[index] = graph.add_constant((value * factor).astype(value.dtype))

                yield Edit(place, apply, severity)


@mutation("N28", "a power, root or logarithm is of another base")
def base(subject: Subject) -> Iterator[Edit]:
    """The exponent of a Pow 1 % larger; log with 1e-3 added."""
    for place, node in subject.graph.of("Pow"):
        value = subject.graph.constant(node.input[1])
        if value is not None and is_float(value):

            def apply(graph: Graph, node: NodeProto, value: np.ndarray = value) -> None:
                node.input[1] = graph.add_constant((value * 1.5).astype(value.dtype))

            yield Edit(place, apply, "pow")
    for place, node in subject.graph.of("Log"):
        if subject.values[node.input[0]].dtype == np.float32:
            yield Edit(place, _log_offset, "log")


def _log_offset(graph: Graph, node: NodeProto) -> None:
    graph.insert_before(node, 0, "Add", [graph.add_constant(np.array(1e-3, np.float32))])
