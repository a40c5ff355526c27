"""An ONNX graph as localisation reads it: nodes in order, who makes what, what is constant, what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx_ir as ir

from assay.converters.files import read_model
from assay.converters.passes.record_source_lines import MODULE, SOURCE_LINE

_RANDOM = frozenset({"RandomNormal", "RandomUniform"})
_NOT_TENSORS = frozenset(
    (
        "SequenceConstruct",
        "SequenceEmpty",
        "SequenceErase",
        "SequenceInsert",
        "SequenceMap",
        "SplitToSequence",
        "Optional",
    )
)


@dataclass(frozen=True)
class Graph:
    """A model that was read from a file; bodies of control flow are parts of their node."""

    path: Path
    model: ir.Model

    @classmethod
    def read(cls, path: Path) -> Graph:
        """The graph in the file; raises `UnreadableError`."""
        return cls(path, read_model(path))

    @cached_property
    def nodes(self) -> tuple[ir.Node, ...]:
        """The nodes of the main graph, in the order of the file, which is topological."""
        return tuple(self.model.graph)

    @cached_property
    def producers(self) -> dict[str, ir.Node]:
        """The node that makes each value, constants apart."""
        return {n: node for node in self.nodes if not is_constant(node) for n in made_by(node)}

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The inputs that a caller gives."""
        graph = self.model.graph
        return frozenset(v.name or "" for v in graph.inputs if v.name not in graph.initializers)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The outputs by name, in order."""
        return tuple(value.name or "" for value in self.model.graph.outputs)

    @cached_property
    def constants(self) -> dict[str, ir.TensorProtocol]:
        """Initializers, and what Constant nodes hold, by the name of the value."""
        found = {n: v.const_value for n, v in self.model.graph.initializers.items() if v.const_value is not None}
        for node in self.nodes:
            if is_constant(node) and (tensor := ir.convenience.get_const_tensor(node.outputs[0])) is not None:
                found[node.outputs[0].name or ""] = tensor
        return found

    @cached_property
    def consumers(self) -> dict[str, list[ir.Node]]:
        """The nodes that take each value, themselves or in a body."""
        found: dict[str, list[ir.Node]] = {}
        for node in self.nodes:
            for name in taken_by(node):
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def moving(self) -> frozenset[str]:
        """The values that depend on the inputs, or on chance; the others are constants that are computed."""
        found: set[str] = set()
        for node in self.nodes:
            if node.op_type in _RANDOM or any(name in found or name in self.inputs for name in taken_by(node)):
                found.update(made_by(node))
        return frozenset(found)

    def array(self, name: str) -> np.ndarray | None:
        """The constant of this name, or None where the value is none."""
        tensor = self.constants.get(name)
        return None if tensor is None else np.asarray(tensor.numpy())

    def capturable(self) -> list[str]:
        """The values that can be shown as outputs: tensors that a node computes."""
        return [name for name, node in self.producers.items() if node.op_type not in _NOT_TENSORS]

    def fed(self, node: ir.Node) -> list[str]:
        """What a node takes that depends on the run: constants are a part of the node that takes them."""
        return [name for name in taken_by(node) if name in self.inputs or name in self.moving]

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """These values and all that they are computed from."""
        found, waiting = set[str](), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                node = self.producers.get(name)
                waiting += taken_by(node) if node is not None else []
        return found


def made_by(node: ir.Node) -> list[str]:
    """The values that a node makes, optional ones that are left out apart."""
    return [value.name for value in node.outputs if value.name]


def taken_by(node: ir.Node) -> list[str]:
    """The values that a node takes, with what its bodies take from outside."""
    return list(dict.fromkeys(_taken(node)))


def _taken(node: ir.Node) -> Iterator[str]:
    yield from (value.name for value in node.inputs if value is not None and value.name)
    for body in bodies(node):
        inner = {n for one in body for n in made_by(one)} | {v.name for v in body.inputs} | set(body.initializers)
        for one in body:
            yield from (name for name in _taken(one) if name not in inner)
        yield from (v.name for v in body.outputs if v.name and v.name not in inner)


def bodies(node: ir.Node) -> list[ir.Graph]:
    """The graphs that a control flow node holds."""
    found: list[ir.Graph] = []
    for attribute in node.attributes.values():
        if attribute.type is ir.AttributeType.GRAPH:
            found.append(attribute.as_graph())
        elif attribute.type is ir.AttributeType.GRAPHS:
            found.extend(attribute.as_graphs())
    return found


def is_constant(node: ir.Node) -> bool:
    """Whether it is a Constant of the standard domain."""
    return node.op_type == "Constant" and node.domain in ("", "ai.onnx")


def name_of(node: ir.Node) -> str:
    """The node's name, else the value that it makes."""
    return node.name or next(iter(made_by(node)), "") or node.op_type


def module_of(node: ir.Node) -> str | None:
    """The path of the module that the node comes from, where the model tells."""
    return node.metadata_props.get(MODULE) or _scope(node)


def line_of(node: ir.Node) -> str | None:
    """The line of the model's code that the node comes from, as ``file.py:12``, where the model tells."""
    return node.metadata_props.get(SOURCE_LINE)


def _scope(node: ir.Node) -> str | None:
    """Exporters that keep no record name nodes by their scope: ``/layer1/conv/Conv``, ``model/dense/MatMul``."""
    parts = [part for part in (node.name or "").split("/")[:-1] if part]
    return (".".join(parts) if (node.name or "").startswith("/") else "/".join(parts)) or None
