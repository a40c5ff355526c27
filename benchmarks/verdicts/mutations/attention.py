"""A: attention, masks, caches and recurrences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, attribute
from verdicts.mutations.numerics import set_to
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject

_SCORES = ("MatMul", "Mul", "Div", "Einsum")


def _reached(subject: Subject, sources: set[str]) -> set[str]:
    """Every value that depends on these."""
    reached = set(sources)
    for node in subject.graph.nodes:
        if reached & set(node.input):
            reached |= set(node.output)
    return reached


def masks(subject: Subject) -> list[tuple[int, NodeProto, int]]:
    """Adds in front of a Softmax: place, node, and which operand is the mask (or bias)."""
    graph, found = subject.graph, []
    for _, softmax in graph.of("Softmax"):
        maker = graph.producer(softmax.input[0])
        if maker is not None and maker.op_type == "Add":
            makers = [graph.producer(name) for name in maker.input]
            scores = next((i for i in (0, 1) if (m := makers[i]) is not None and m.op_type in _SCORES), None)
            if scores is not None:
                found.append((list(graph.nodes).index(maker), maker, 1 - scores))
    return found


@mutation("A1", "the mask is not added")
def no_mask(subject: Subject) -> Iterator[Edit]:
    """Invisible with a mask of ones."""
    for place, _, index in masks(subject):
        yield Edit(place, lambda graph, node, index=index: graph.bypass(node, 1 - index))  # type: ignore[misc]


@mutation("A2", "the mask has the other sign")
def inverted_mask(subject: Subject) -> Iterator[Edit]:
    """What was hidden is all that is seen."""
    for place, _, index in masks(subject):
        yield Edit(place, lambda graph, node, index=index: _negate(graph, node, index))  # type: ignore[misc]


def _negate(graph: Graph, node: NodeProto, index: int) -> None:
    graph.insert_before(node, index, "Neg")


@mutation("A3", "the fill of the mask is another number")
def fill(subject: Subject) -> Iterator[Edit]:
    """Minus infinity gives NaN by (1 - m) * fill; -10 hides too little; the lowest float."""
    for place, node in subject.graph.of("Mul", "Where"):
        for index, name in enumerate(node.input):
            value = subject.graph.constant(name)
            if value is None or value.dtype != np.float32 or value.size != 1 or value.reshape(-1)[0] > -1e3:
                continue
            for severity, other in (("-inf", -np.inf), ("-10", -10.0), ("-5", -5.0)):

                def apply(
                    graph: Graph, node: NodeProto, index: int = index, v: np.ndarray = value, o: float = other
                ) -> None:
                    node.input[index] = graph.add_constant(np.full_like(v, o))

                yield Edit(place, apply, severity)


@mutation("A7", "positions are shifted by one")
def shifted_positions(subject: Subject) -> Iterator[Edit]:
    """Every index into a table of positions, or every row of a constant table, is the one before."""
    taken = _reached(subject, set(subject.feeds))
    for place, node in subject.graph.of("Gather"):
        table = subject.graph.constant(node.input[0])
        index = subject.values.get(node.input[1])
        computed = subject.graph.constant(node.input[1]) is None and node.input[1] not in subject.feeds
        if table is not None and table.ndim == 2 and index is not None and computed and node.input[1] in taken:
            yield Edit(place, _earlier)
    for place, node in subject.graph.of("Slice"):
        table = subject.graph.constant(node.input[0])
        if table is not None and table.ndim == 2 and len(table) > 4:

            def rolled(graph: Graph, node: NodeProto, table: np.ndarray = table) -> None:
                node.input[0] = graph.add_constant(np.roll(table, 1, 0))

            yield Edit(place, rolled, "table")


def _earlier(graph: Graph, node: NodeProto) -> None:
    maker = graph.insert_before(node, 1, "Sub", [graph.add_constant(np.array(1, np.int64))])
    graph.insert_before(node, 1, "Max", [graph.add_constant(np.array(0, np.int64))])
    del maker


@mutation("A8", "the causal mask is off by one, or gone")
def causal(subject: Subject) -> Iterator[Edit]:
    """The diagonal of the triangle; the Where that applies it."""
    for place, node in subject.graph.of("Trilu"):
        k = subject.graph.constant(node.input[1]) if len(node.input) > 1 else np.array(0, np.int64)
        if k is not None:
            for step in (1, -1):

                def apply(graph: Graph, node: NodeProto, k: np.ndarray = k, step: int = step) -> None:
                    name = graph.add_constant(np.asarray(k + step, np.int64))
                    kept = node.input[0]
                    del node.input[:]
                    node.input.extend([kept, name])

                yield Edit(place, apply, f"{step:+d}")
    for place, node in subject.graph.of("GreaterOrEqual", "Greater", "LessOrEqual", "Less"):
        if subject.values[node.output[0]].ndim >= 2 and all(
            n in subject.values and subject.values[n].dtype.kind == "i" for n in node.input
        ):
            yield Edit(place, _later, "compare")
    for place, node in subject.graph.of("Where"):
        followers = [c for name in node.output for c in subject.graph.consumers(name)]
        if any(c.op_type == "Softmax" for c in followers):
            scores = max((1, 2), key=lambda i: getattr(subject.values.get(node.input[i]), "size", 0))
            yield Edit(place, lambda graph, node, scores=scores: graph.bypass(node, scores), "gone")  # type: ignore[misc]


def _later(graph: Graph, node: NodeProto) -> None:
    graph.insert_before(node, 1, "Add", [graph.add_constant(np.array(1, np.int64))])


@mutation("A9", "the cache is ignored, or joined in the wrong order")
def cache(subject: Subject) -> Iterator[Edit]:
    """The operands of the Concat that grows it change places; the past is zeros."""
    for place, node in subject.graph.of("Concat"):
        past = [i for i, n in enumerate(node.input) if n in subject.feeds and "past" in n]
        if len(node.input) == 2 and past:
            yield Edit(place, lambda graph, node: _swap(node), "order")
            yield Edit(place, lambda graph, node, index=past[0]: _zeros(graph, node, index), "ignored")  # type: ignore[misc]


def _swap(node: NodeProto) -> None:
    node.input[0], node.input[1] = node.input[1], node.input[0]


def _zeros(graph: Graph, node: NodeProto, index: int) -> None:
    graph.insert_before(node, index, "Mul", [graph.add_constant(np.array(0, np.float32))])


@mutation("A10", "key and value of the cache change places on their way out")
def present(subject: Subject) -> Iterator[Edit]:
    """Two outputs of the same shape that come from a Concat, under each other's name."""
    made = [
        (list(subject.graph.nodes).index(n), n)
        for name in subject.graph.outputs()
        if (n := subject.graph.producer(name)) and n.op_type == "Concat"
    ]
    if len(made) == 2:

        def apply(graph: Graph, node: NodeProto, other: str = made[1][1].output[0]) -> None:
            twin = graph.producer(other)
            if twin is not None:
                node.output[0], twin.output[0] = twin.output[0], node.output[0]

        yield Edit(made[0][0], apply)


@mutation("A11", "heads are split in another order")
def heads(subject: Subject) -> Iterator[Edit]:
    """Query and key, or key and value, change places: the parts of one projection, or two projections."""
    for place, node in subject.graph.of("Split"):
        shapes = [subject.values[n].shape for n in node.output if n in subject.values]
        if len(shapes) >= 2 and shapes[0] == shapes[1]:
            yield Edit(place, lambda graph, node: _swap_outputs(node))

    for place, node in subject.graph.of("Slice"):
        shape = subject.values[node.output[0]].shape
        twins = [
            n for n in subject.graph.consumers(node.input[0]) if n.op_type == "Slice" and n.output[0] != node.output[0]
        ]
        twin = next((n for n in twins if subject.values[n.output[0]].shape == shape), None)
        if twin is not None and subject.values[node.output[0]].dtype.kind == "f":

            def apply(graph: Graph, node: NodeProto, other: str = twin.output[0]) -> None:
                twin = graph.producer(other)
                if twin is not None:
                    node.output[0], twin.output[0] = twin.output[0], node.output[0]

            yield Edit(place, apply, "slices")


def _swap_outputs(node: NodeProto) -> None:
    node.output[0], node.output[1] = node.output[1], node.output[0]


@mutation("A12", "the weights of attention are multiplied along the wrong side")
def weights_transposed(subject: Subject) -> Iterator[Edit]:
    """The square of attention weights is transposed."""
    for place, node in subject.graph.of("Softmax"):
        shape = subject.values[node.output[0]].shape
        if len(shape) >= 3 and shape[-1] == shape[-2] > 1:
            permutation = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]

            def apply(graph: Graph, node: NodeProto, permutation: list[int] = permutation) -> None:
                graph.insert_after(node.output[0], "Transpose", perm=permutation)

            yield Edit(place, apply)


@mutation("A13", "a recurrence runs the other way, or is of another form")
def recurrence(subject: Subject) -> Iterator[Edit]:
    """The direction; the place of a GRU's reset gate; biases of the two directions; an initial state."""
    for place, node in subject.graph.of("LSTM", "GRU", "RNN"):
        if attribute(node, "direction", b"forward") == b"forward":
            yield Edit(place, set_to("direction", "reverse"), "direction")
        if node.op_type == "GRU":
            yield Edit(
                place, set_to("linear_before_reset", 1 - int(attribute(node, "linear_before_reset", 0))), "reset"
            )
        bias = subject.graph.constant(node.input[3]) if len(node.input) > 3 and node.input[3] else None
        if bias is not None:

            def apply(graph: Graph, node: NodeProto, bias: np.ndarray = bias) -> None:
                halved = bias.copy()
                halved[:, bias.shape[1] // 2 :] = 0
                node.input[3] = graph.add_constant(halved)

            yield Edit(place, apply, "bias")


@mutation("A14", "gates of a recurrence are in another framework's order")
def gates(subject: Subject) -> Iterator[Edit]:
    """Two blocks of the recurrent weights change places."""
    for place, node in subject.graph.of("LSTM", "GRU"):
        weight = subject.graph.constant(node.input[2])
        if weight is not None:

            def apply(graph: Graph, node: NodeProto, weight: np.ndarray = weight) -> None:
                size, changed = weight.shape[2], weight.copy()
                changed[:, :size], changed[:, size : 2 * size] = weight[:, size : 2 * size], weight[:, :size]
                node.input[2] = graph.add_constant(changed)

            yield Edit(place, apply)


@mutation("A15", "a mask is reduced to its length")
def length_mask(subject: Subject) -> Iterator[Edit]:
    """As fused attention does, which assumes that the padding is on the right."""
    for name, value in subject.feeds.items():
        fed = subject.graph.consumers(name)
        if "mask" not in name or value.ndim != 2 or value.dtype != np.int64 or not fed:
            continue

        def apply(graph: Graph, node: NodeProto, name: str = name) -> None:
            stem = graph.fresh("length")
            start, end = (graph.add_constant(np.array([v], np.int64)) for v in (1, 2))
            best = graph.insert_after(name, "TopK", [f"{stem}_k"], axis=1)
            best.output.append(f"{stem}_indices")
            k = helper.make_node("Slice", [f"{stem}_shape", start, end], [f"{stem}_k"], name=f"{stem}_slice")
            graph.proto.node.insert(0, k)
            graph.proto.node.insert(0, helper.make_node("Shape", [name], [f"{stem}_shape"], name=f"{stem}_shape"))

        yield Edit(list(subject.graph.nodes).index(fed[0]), apply)


@mutation("A16", "the output is of the wrong step")
def wrong_step(subject: Subject) -> Iterator[Edit]:
    """A Gather or Slice along time takes the first element for the last, or the second for the first."""
    for place, node in subject.graph.of("Gather"):
        index = subject.graph.constant(node.input[1])
        data = subject.values.get(node.input[0])
        if index is None or index.ndim or data is None or data.dtype.kind != "f":
            continue
        axis = int(attribute(node, "axis", 0))
        other = 1 if int(index) == 0 else 0
        if data.shape[axis] > other:

            def apply(graph: Graph, node: NodeProto, other: int = other) -> None:
                node.input[1] = graph.add_constant(np.array(other, np.int64))

            yield Edit(place, apply)
