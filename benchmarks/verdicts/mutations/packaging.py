"""K: the file itself: versions, domains, external data, metadata."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import NodeProto, helper

from verdicts.graph import Graph, is_float, opset
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject


@mutation("K1", "the version of the file's format is one that no runtime knows")
def ir_version(subject: Subject) -> Iterator[Edit]:
    """Far above what is published."""
    yield Edit(None, lambda graph, node: setattr(graph.model, "ir_version", 99))


@mutation("K2", "the version of the operators is one that does not exist, or one whose operators were others")
def operators_version(subject: Subject) -> Iterator[Edit]:
    """99; and 8, at which many forms were attributes."""
    for version in (99, 8):
        yield Edit(None, lambda graph, node, version=version: _set_opset(graph, version), str(version))  # type: ignore[misc]


def _set_opset(graph: Graph, version: int) -> None:
    for entry in graph.model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = version


@mutation("K3", "an operator is of an unknown name or domain")
def unknown_operator(subject: Subject) -> Iterator[Edit]:
    """As a missing custom library gives it."""
    for place, _ in enumerate(subject.graph.nodes):
        yield Edit(place, lambda graph, node: setattr(node, "op_type", f"{node.op_type}X"), "name")
        yield Edit(place, _foreign, "domain")


def _foreign(graph: Graph, node: NodeProto) -> None:
    node.domain = "com.example"
    graph.model.opset_import.append(helper.make_opsetid("com.example", 1))


@mutation("K4", "the version of the operators is not stated")
def no_opset(subject: Subject) -> Iterator[Edit]:
    """The list of imports is empty."""
    yield Edit(None, lambda graph, node: graph.model.ClearField("opset_import"))


@mutation("K5", "weights lie in a file that is missing or outside the folder")
def external_data(subject: Subject) -> Iterator[Edit]:
    """A location that is not there, an absolute one, one that climbs out, and a length beyond the file."""
    for severity, location in (("missing", "gone.bin"), ("absolute", "/etc/passwd"), ("outside", "../weights.bin")):
        yield Edit(None, lambda graph, node, location=location: _move_out(graph, location), severity)  # type: ignore[misc]


def _move_out(graph: Graph, location: str) -> None:
    tensor = max(graph.proto.initializer, key=lambda t: len(t.raw_data), default=None)
    if tensor is not None and tensor.raw_data:
        onnx.external_data_helper.set_external_data(tensor, location, 0, len(tensor.raw_data))
        tensor.ClearField("raw_data")


@mutation("K6", "a weight is there twice")
def duplicate(subject: Subject) -> Iterator[Edit]:
    """One of its users has a copy of its own: the file grows, nothing else changes."""
    for tensor in subject.model.graph.initializer:
        if is_float(subject.graph.constant(tensor.name)) and len(subject.graph.consumers(tensor.name)) > 1:
            yield Edit(None, lambda graph, node, name=tensor.name: _duplicate(graph, name))  # type: ignore[misc]


def _duplicate(graph: Graph, name: str) -> None:
    array, consumer = graph.constant(name), graph.consumers(name)[-1]
    if array is not None:
        consumer.input[list(consumer.input).index(name)] = graph.add_constant(array, "copy")


@mutation("K7", "the metadata are gone")
def no_metadata(subject: Subject) -> Iterator[Edit]:
    """As some tools leave a model."""
    if subject.model.metadata_props:
        yield Edit(None, lambda graph, node: graph.model.ClearField("metadata_props"))


@mutation("K10", "a newer operator stands under an older version")
def older_version(subject: Subject) -> Iterator[Edit]:
    """The version of the operators is 12, at which Softmax flattens from its axis on."""
    if opset(subject.model) > 12 and any(True for _ in subject.graph.of("Softmax", "LogSoftmax")):
        yield Edit(None, lambda graph, node: _set_opset(graph, 12))


@mutation("K11", "the nodes are not in an order in which they can run")
def order(subject: Subject) -> Iterator[Edit]:
    """The last node stands first."""

    def apply(graph: Graph, node: NodeProto) -> None:
        last = graph.proto.node.pop()
        graph.proto.node.insert(0, last)

    if len(subject.graph.nodes) > 1:
        yield Edit(None, apply)


@mutation("K12", "the file is cut off")
def truncated(subject: Subject) -> Iterator[Edit]:
    """A weight has fewer bytes than its shape needs."""

    def apply(graph: Graph, node: NodeProto) -> None:
        tensor = max(graph.proto.initializer, key=lambda t: len(t.raw_data))
        tensor.raw_data = tensor.raw_data[: len(tensor.raw_data) // 2]

    if any(tensor.raw_data for tensor in subject.model.graph.initializer):
        yield Edit(None, apply)
