"""I: names, order, dtypes and layouts at the edge of the model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper

from verdicts.graph import Graph, is_float
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject

_DTYPES = {np.dtype(np.float32): TensorProto.DOUBLE, np.dtype(np.int64): TensorProto.INT32}


@mutation("I1", "outputs are in another order")
def output_order(subject: Subject) -> Iterator[Edit]:
    """The first becomes the last; all names stay with their values."""
    if len(subject.model.graph.output) > 1:
        yield Edit(None, _reorder)


def _reorder(graph: Graph, node: NodeProto) -> None:
    values = list(graph.proto.output)
    del graph.proto.output[:]
    graph.proto.output.extend([*values[1:], values[0]])


@mutation("I2", "an output is gone")
def dropped_output(subject: Subject) -> Iterator[Edit]:
    """The last, and the first."""
    count = len(subject.model.graph.output)
    for severity, number in (("last", count - 1), ("first", 0)):
        if count > 1:
            yield Edit(None, lambda graph, node, number=number: graph.proto.output.__delitem__(number), severity)  # type: ignore[misc]


@mutation("I3", "an output or input has another name")
def renamed(subject: Subject) -> Iterator[Edit]:
    """A number is hung on it, as exporters do."""
    name = subject.graph.outputs()[0]
    yield Edit(None, lambda graph, node: _rename(graph, name, f"{name}_1"), "output")
    taken = subject.graph.inputs()[0]
    yield Edit(None, lambda graph, node: _rename(graph, taken, f"{taken}_1"), "input")


def _rename(graph: Graph, old: str, new: str) -> None:
    for names in (n for node in graph.nodes for n in (node.input, node.output)):
        for place, name in enumerate(names):
            if name == old:
                names[place] = new
    for value in (*graph.proto.input, *graph.proto.output):
        if value.name == old:
            value.name = new


@mutation("I4", "two outputs of the same shape are under each other's name")
def swapped(subject: Subject) -> Iterator[Edit]:
    """All pairs of the same shape and dtype."""
    names = subject.graph.outputs()
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            a, b = subject.values[first], subject.values[second]
            if a.shape == b.shape and a.dtype == b.dtype:
                yield Edit(None, lambda graph, node, a=first, b=second: _swap(graph, a, b))  # type: ignore[misc]


def _swap(graph: Graph, first: str, second: str) -> None:
    away = graph.fresh("away")
    for old, new in ((first, away), (second, first), (away, second)):
        for node in graph.nodes:
            for names in (node.input, node.output):
                for place, name in enumerate(names):
                    if name == old:
                        names[place] = new


@mutation("I4b", "two inputs of the same dtype and shape are under each other's name")
def swapped_inputs(subject: Subject) -> Iterator[Edit]:
    """As after sorting by name."""
    names = list(subject.feeds)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            a, b = subject.feeds[first], subject.feeds[second]
            if a.shape == b.shape and a.dtype == b.dtype:
                yield Edit(None, lambda graph, node, a=first, b=second: _swap(graph, a, b))  # type: ignore[misc]


@mutation("I5", "an output has another dtype")
def output_dtype(subject: Subject) -> Iterator[Edit]:
    """float32 as float64, int64 as int32; and float32 by way of float16."""
    for name in subject.graph.outputs():
        dtype = subject.values[name].dtype
        if dtype in _DTYPES:
            kind = _DTYPES[dtype]
            yield Edit(None, lambda graph, node, name=name, kind=kind: _cast(graph, name, kind), "wider")  # type: ignore[misc]
        if dtype == np.float32:
            yield Edit(None, lambda graph, node, name=name: _through_half(graph, name), "half")  # type: ignore[misc]


def _cast(graph: Graph, name: str, kind: int) -> None:
    graph.insert_after(name, "Cast", to=kind)
    for value in graph.proto.output:
        if value.name == name:
            value.type.tensor_type.elem_type = kind


def _through_half(graph: Graph, name: str) -> None:
    graph.insert_after(name, "Cast", to=TensorProto.FLOAT)
    middle = next(node.input[0] for node in graph.nodes if name in node.output)
    graph.insert_after(middle, "Cast", to=TensorProto.FLOAT16)


@mutation("I5b", "an input has another dtype")
def input_dtype(subject: Subject) -> Iterator[Edit]:
    """float32 as float64, int64 as int32, with a cast behind it."""
    for name, value in subject.feeds.items():
        if value.dtype in _DTYPES and subject.graph.consumers(name):
            own = helper.np_dtype_to_tensor_dtype(value.dtype)
            yield Edit(None, lambda graph, node, n=name, o=own, k=_DTYPES[value.dtype]: _cast_input(graph, n, o, k))  # type: ignore[misc]


def _cast_input(graph: Graph, name: str, own: int, kind: int) -> None:
    graph.insert_after(name, "Cast", to=own)
    for value in graph.proto.input:
        if value.name == name:
            value.type.tensor_type.elem_type = kind


@mutation("I6", "an input is gone")
def missing_input(subject: Subject) -> Iterator[Edit]:
    """Its traced value, or one that the batch broadcasts over, is in the graph."""
    if len(subject.feeds) < 2:
        return
    for name, value in subject.feeds.items():
        yield Edit(None, lambda graph, node, name=name, value=value: _without(graph, name, value))  # type: ignore[misc]


def _without(graph: Graph, name: str, value: np.ndarray) -> None:
    for place, declared in enumerate(graph.proto.input):
        if declared.name == name:
            del graph.proto.input[place]
            break
    baked = value[:1] if value.ndim and value.dtype.kind == "f" else value
    graph.proto.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(baked), name))


@mutation("I7", "a weight is an input")
def promoted_weight(subject: Subject) -> Iterator[Edit]:
    """It has no value of its own any more, or its value is only a default."""
    for tensor in subject.model.graph.initializer:
        array = subject.graph.constant(tensor.name)
        if is_float(array) and array is not None and array.ndim >= 1:
            yield Edit(None, lambda graph, node, name=tensor.name: _promote(graph, name, False), "required")  # type: ignore[misc]


def _promote(graph: Graph, name: str, default: bool) -> None:
    tensor = graph.initializer(name)
    if tensor is None:
        return
    graph.proto.input.append(helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
    if not default:
        graph.proto.initializer.remove(tensor)


@mutation("I8", "an output has one axis more, or less")
def other_rank(subject: Subject) -> Iterator[Edit]:
    """An axis of size one in front; the batch is flattened into the next axis."""
    for name in subject.graph.outputs():
        value = subject.values[name]

        def wider(graph: Graph, node: NodeProto, name: str = name) -> None:
            graph.insert_after(name, "Unsqueeze", [graph.add_constant(np.array([0], np.int64))])
            _undeclare(graph, name)

        def flat(graph: Graph, node: NodeProto, name: str = name) -> None:
            graph.insert_after(name, "Reshape", [graph.add_constant(np.array([-1], np.int64))])
            _undeclare(graph, name)

        yield Edit(None, wider, "more")
        if value.ndim > 1:
            yield Edit(None, flat, "flat")


def _undeclare(graph: Graph, name: str) -> None:
    for value in graph.proto.output:
        if value.name == name:
            value.type.tensor_type.ClearField("shape")


@mutation("I9", "two axes of an output change places")
def axes_swapped(subject: Subject) -> Iterator[Edit]:
    """Batch and time, or the next pair, as from a model whose batch comes second."""
    for name in subject.graph.outputs():
        rank = subject.values[name].ndim
        if rank >= 2:
            permutation = [1, 0, *range(2, rank)]

            def apply(graph: Graph, node: NodeProto, name: str = name, permutation: list[int] = permutation) -> None:
                graph.insert_after(name, "Transpose", perm=permutation)
                dims = next(v for v in graph.proto.output if v.name == name).type.tensor_type.shape.dim
                first, second = (onnx.TensorShapeProto.Dimension() for _ in range(2))
                first.CopyFrom(dims[0])
                second.CopyFrom(dims[1])
                dims[0].CopyFrom(second)
                dims[1].CopyFrom(first)

            yield Edit(None, apply)


@mutation("I10", "the metadata say something else")
def metadata(subject: Subject) -> Iterator[Edit]:
    """The values of two entries change places."""
    if len(subject.model.metadata_props) > 1:
        yield Edit(None, _shuffle_metadata)


def _shuffle_metadata(graph: Graph, node: NodeProto) -> None:
    entries = graph.model.metadata_props
    entries[0].value, entries[-1].value = entries[-1].value, entries[0].value


@mutation("I11", "an output is constant")
def constant_output(subject: Subject) -> Iterator[Edit]:
    """It is what the traced input gave, in every row."""
    for name in subject.graph.outputs():
        value = subject.values[name]
        maker = subject.graph.producer(name)
        if value.dtype != np.float32 or maker is None:
            continue

        def apply(graph: Graph, node: NodeProto, name: str = name, value: np.ndarray = value) -> None:
            none = graph.insert_after(name, "Mul", [graph.add_constant(np.array(0, np.float32))])
            del none
            graph.insert_after(
                name, "Add", [graph.add_constant(value[:1] if value.ndim > 1 else value.reshape(-1)[:1])]
            )

        yield Edit(list(subject.graph.nodes).index(maker), apply)
