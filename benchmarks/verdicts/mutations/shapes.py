"""S: sizes of the traced input that are baked into the graph."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, helper

from verdicts.graph import Graph, attribute
from verdicts.mutations.registry import Change, Edit, mutation
from verdicts.subject import Subject


def _dynamic(subject: Subject, node: NodeProto, index: int) -> np.ndarray | None:
    """The traced value of an input that the graph computes, if it is a small array."""
    if len(node.input) <= index or not node.input[index]:
        return None
    name = node.input[index]
    if subject.graph.constant(name) is not None or name in subject.graph.inputs():
        return None
    return subject.values.get(name)


def _bake(value: np.ndarray, index: int) -> Change:
    def apply(graph: Graph, node: NodeProto) -> None:
        node.input[index] = graph.add_constant(value, "baked")

    return apply


def _baked(subject: Subject, op_types: tuple[str, ...], index: int) -> Iterator[Edit]:
    for place, node in subject.graph.of(*op_types):
        value = _dynamic(subject, node, index)
        if value is not None:
            yield Edit(place, _bake(value, index))


@mutation("S1", "the target of a Reshape is the traced shape")
def reshape_target(subject: Subject) -> Iterator[Edit]:
    """A target that the graph computes, or one whose free axis is fixed."""
    yield from _baked(subject, ("Reshape",), 1)
    for place, node in subject.graph.of("Reshape"):
        target, shape = subject.graph.constant(node.input[1]), subject.values[node.output[0]].shape
        if target is not None and ((target == -1).any() or (target == 0).any()):
            yield Edit(place, _bake(np.array(shape, np.int64), 1))


@mutation("S2", "the batch of a Reshape is the traced one")
def reshape_batch(subject: Subject) -> Iterator[Edit]:
    """The first axis is the traced size; another axis is free."""
    batch = max((array.shape[0] for array in subject.feeds.values() if array.ndim), default=0)
    for place, node in subject.graph.of("Reshape"):
        shape = list(subject.values[node.output[0]].shape)
        target = subject.graph.constant(node.input[1])
        if len(shape) < 2 or shape[0] != batch or (target is not None and target[0] == batch):
            continue
        shape[1] = -1
        yield Edit(place, _bake(np.array(shape, np.int64), 1))


@mutation("S3", "the shape of an Expand, ConstantOfShape or Tile is the traced one")
def expand_shape(subject: Subject) -> Iterator[Edit]:
    """A constant stands for the computed shape."""
    yield from _baked(subject, ("Expand", "Tile"), 1)
    yield from _baked(subject, ("ConstantOfShape",), 0)


@mutation("S4", "a Range is the traced one")
def range_of_traced(subject: Subject) -> Iterator[Edit]:
    """An initializer of the traced length stands for it."""
    for place, node in subject.graph.of("Range"):
        yield Edit(place, _constant_output(subject.values[node.output[0]]))


def _constant_output(value: np.ndarray) -> Change:
    def apply(graph: Graph, node: NodeProto) -> None:
        name = graph.add_constant(value, "baked")
        graph.replace(node, [helper.make_node("Identity", [name], [node.output[0]], name=node.name)])

    return apply


@mutation("S4b", "positions stop at the traced length")
def clamped_positions(subject: Subject) -> Iterator[Edit]:
    """The last traced position stands for all later ones: nothing raises."""
    for place, node in subject.graph.of("Range"):
        value = subject.values[node.output[0]]
        if value.size:

            def apply(graph: Graph, node: NodeProto, traced: np.ndarray = value) -> None:
                graph.insert_after(node.output[0], "Min", [graph.add_constant(np.array([traced.max()]))])

            yield Edit(place, apply)


@mutation("S7", "a global pooling has the traced size as its kernel")
def pooling_kernel(subject: Subject) -> Iterator[Edit]:
    """GlobalAveragePool, or a mean over the two last axes, becomes a pooling with a fixed window."""
    for place, node in subject.graph.of("GlobalAveragePool", "GlobalMaxPool"):
        shape = subject.values[node.input[0]].shape
        kind = node.op_type.removeprefix("Global")

        def apply(graph: Graph, node: NodeProto, kind: str = kind, kernel: tuple[int, ...] = shape[2:]) -> None:
            made = helper.make_node(kind, node.input, node.output, name=node.name, kernel_shape=list(kernel))
            graph.replace(node, [made])

        yield Edit(place, apply)
    for place, node in subject.graph.of("ReduceMean"):
        shape, axes = (
            subject.values[node.input[0]].shape,
            subject.graph.constant(node.input[1]) if len(node.input) > 1 else None,
        )
        if len(shape) == 4 and axes is not None and sorted(axes % 4) == [2, 3] and attribute(node, "keepdims", 1):
            yield Edit(place, _pool(shape[2:]))


def _pool(kernel: tuple[int, ...]) -> Change:
    def apply(graph: Graph, node: NodeProto) -> None:
        made = helper.make_node("AveragePool", node.input[:1], node.output, name=node.name, kernel_shape=list(kernel))
        graph.replace(node, [made])

    return apply


@mutation("S8", "a Resize has the traced sizes, or the traced scales")
def resize_sizes(subject: Subject) -> Iterator[Edit]:
    """Computed sizes become constant; scales become sizes and sizes scales."""
    for place, node in subject.graph.of("Resize"):
        before, after = subject.values[node.input[0]].shape, subject.values[node.output[0]].shape
        scales = np.array([b / a for a, b in zip(before, after, strict=True)], np.float32)
        for index, value in ((3, np.array(after, np.int64)), (2, scales)):

            def apply(graph: Graph, node: NodeProto, index: int = index, value: np.ndarray = value) -> None:
                kept = [*node.input, "", "", "", ""][:4]
                kept[2:4] = ["", ""]
                kept[index] = graph.add_constant(value, "baked")
                del node.input[:]
                node.input.extend(kept[: index + 1])

            yield Edit(place, apply, "sizes" if index == 3 else "scales")


@mutation("S9", "the end of a Slice is the traced length")
def slice_end(subject: Subject) -> Iterator[Edit]:
    """A computed end becomes constant."""
    yield from _baked(subject, ("Slice",), 2)


@mutation("S10", "a Where has lost its condition")
def traced_branch(subject: Subject) -> Iterator[Edit]:
    """The branch that the traced input takes most often, without the other."""
    for place, node in subject.graph.of("Where"):
        condition = subject.values[node.input[0]]
        shapes = {subject.values[name].shape for name in node.input[1:] if name in subject.values}
        chosen = 1 if condition.mean() >= 0.5 else 2
        if subject.values.get(node.input[chosen], np.array(0)).shape == subject.values[node.output[0]].shape and shapes:

            def apply(graph: Graph, node: NodeProto, chosen: int = chosen) -> None:
                graph.bypass(node, chosen)

            yield Edit(place, apply)


@mutation("S11", "an input is not read; its traced value stands in its place")
def dead_input(subject: Subject) -> Iterator[Edit]:
    """The input stays declared."""
    for name, value in subject.feeds.items():
        fed = subject.graph.consumers(name)
        broadcastable = value[:1] if value.ndim and value.dtype.kind == "f" else value

        def apply(graph: Graph, node: NodeProto, name: str = name, value: np.ndarray = broadcastable) -> None:
            baked = graph.add_constant(value, "baked")
            for consumer in graph.consumers(name):
                for index, taken in enumerate(consumer.input):
                    if taken == name:
                        consumer.input[index] = baked

        if fed:
            yield Edit(list(subject.graph.nodes).index(fed[0]), apply)


@mutation("S12", "a dynamic axis is declared with the traced size")
def declared_size(subject: Subject) -> Iterator[Edit]:
    """Of an input, or of an output."""
    for side in ("input", "output"):
        for number, value in enumerate(getattr(subject.model.graph, side)):
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if dim.dim_param:
                    traced = subject.values[value.name].shape[axis]
                    yield Edit(None, _declare(side, number, axis, traced), side)


def _declare(side: str, number: int, axis: int, size: int) -> Change:
    def apply(graph: Graph, node: NodeProto) -> None:
        getattr(graph.proto, side)[number].type.tensor_type.shape.dim[axis].dim_value = size

    return apply


@mutation("S13", "an output is declared with another size than it has")
def declared_wrongly(subject: Subject) -> Iterator[Edit]:
    """One more than the fixed axis has, on which the runtime only warns."""
    for number, value in enumerate(subject.model.graph.output):
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_value > 1:
                yield Edit(None, _declare("output", number, axis, dim.dim_value + 1))


@mutation("S14", "a mask that follows the length is the traced one")
def baked_mask(subject: Subject) -> Iterator[Edit]:
    """The triangle of a causal mask becomes a constant."""
    for place, node in subject.graph.of("Trilu"):
        yield Edit(place, _constant_output(subject.values[node.output[0]]))


@mutation("S15", "a table of positions is cut at the traced length, and longer inputs read its end")
def clamped_table(subject: Subject) -> Iterator[Edit]:
    """Indices that come from positions are bounded by the largest traced one."""
    for place, node in subject.graph.of("Gather"):
        table, index = subject.graph.constant(node.input[0]), subject.values.get(node.input[1])
        if table is None or table.ndim != 2 or index is None or index.size == 0 or node.input[1] in subject.feeds:
            continue
        if index.max() < len(table) - 1:

            def apply(graph: Graph, node: NodeProto, traced: np.ndarray = index) -> None:
                graph.insert_before(node, 1, "Min", [graph.add_constant(np.array(traced.max()))])

            yield Edit(place, apply)


@mutation("S16", "the number of best elements is one less")
def fewer_kept(subject: Subject) -> Iterator[Edit]:
    """K of a TopK, with the rest cut or padded by nothing: shapes shrink."""
    for place, node in subject.graph.of("TopK"):
        k = subject.values.get(node.input[1], subject.graph.constant(node.input[1]))
        if k is not None and int(k[0]) > 1:
            yield Edit(place, _bake(np.array([int(k[0]) - 1], np.int64), 1))
