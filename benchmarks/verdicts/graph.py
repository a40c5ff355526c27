"""An ONNX graph to look at and to change: producers, consumers, constants, insertions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


class Graph:
    """The main graph of a model, changed in place; a change of a subject is made on a copy."""

    def __init__(self, model: ModelProto) -> None:
        self.model, self.proto = model, model.graph
        self._fresh = 0

    @classmethod
    def copy(cls, model: ModelProto) -> Graph:
        """A graph whose model is a copy."""
        twin = ModelProto()
        twin.CopyFrom(model)
        return cls(twin)

    @property
    def nodes(self) -> Sequence[NodeProto]:
        """The nodes in order."""
        return self.proto.node

    def of(self, *op_types: str) -> Iterator[tuple[int, NodeProto]]:
        """The nodes of these types, with their places."""
        return ((place, node) for place, node in enumerate(self.nodes) if node.op_type in op_types)

    def producer(self, value: str) -> NodeProto | None:
        """The node that makes the value, if any does."""
        return next((node for node in self.nodes if value in node.output), None)

    def consumers(self, value: str) -> list[NodeProto]:
        """The nodes that take the value."""
        return [node for node in self.nodes if value in node.input]

    def initializer(self, name: str) -> TensorProto | None:
        """The initializer of this name, if there is one."""
        return next((tensor for tensor in self.proto.initializer if tensor.name == name), None)

    def constant(self, name: str) -> np.ndarray | None:
        """The array that the name stands for, from an initializer or a Constant node."""
        tensor = self.initializer(name)
        if tensor is None:
            node = self.producer(name)
            if node is None or node.op_type != "Constant":
                return None
            tensor = next((a.t for a in node.attribute if a.name == "value"), None)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def set_constant(self, name: str, array: np.ndarray) -> None:
        """Give a constant other values; raises KeyError where the name is no constant."""
        tensor = self.initializer(name)
        if tensor is not None:
            tensor.CopyFrom(numpy_helper.from_array(np.array(array, order="C"), name))
            return
        node = self.producer(name)
        if node is None or node.op_type != "Constant":
            raise KeyError(name)
        node.attribute[0].t.CopyFrom(numpy_helper.from_array(np.array(array, order="C"), name))

    def add_constant(self, array: np.ndarray, stem: str = "constant") -> str:
        """A new initializer; returns its name."""
        name = self.fresh(stem)
        self.proto.initializer.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def fresh(self, stem: str) -> str:
        """A name that nothing has."""
        taken = {name for node in self.nodes for name in (*node.input, *node.output, node.name)}
        taken |= {tensor.name for tensor in self.proto.initializer}
        while f"{stem}_{self._fresh}" in taken:
            self._fresh += 1
        return f"{stem}_{self._fresh}"

    def outputs(self) -> list[str]:
        """The names of the graph's outputs."""
        return [value.name for value in self.proto.output]

    def inputs(self) -> list[str]:
        """The names of the graph's inputs, without initializers."""
        constants = {tensor.name for tensor in self.proto.initializer}
        return [value.name for value in self.proto.input if value.name not in constants]

    def insert_after(self, value: str, op_type: str, operands: Sequence[str] = (), **attributes: Any) -> NodeProto:
        """Pass a value through one more node, for all who take it; ``operands`` are its other inputs."""
        inner = self.fresh(f"{op_type.lower()}_in")
        maker = self.producer(value)
        node = helper.make_node(op_type, [], [], name=self.fresh(f"{op_type}_node"), **attributes)
        if maker is not None:
            _rename(maker.output, value, inner)
            node.input.extend([inner, *operands])
            node.output.append(value)
            return self._insert(node, self._place(maker) + 1)
        fed = self.consumers(value)
        node.input.extend([value, *operands])
        node.output.append(inner)
        for consumer in fed:
            _rename(consumer.input, value, inner)
        return self._insert(node, 0)

    def insert_before(
        self, node: NodeProto, index: int, op_type: str, operands: Sequence[str] = (), **attributes: Any
    ) -> NodeProto:
        """Pass one input of one node through one more node."""
        value = self.fresh(f"{op_type.lower()}_out")
        added = helper.make_node(
            op_type, [node.input[index], *operands], [value], name=self.fresh(f"{op_type}_node"), **attributes
        )
        node.input[index] = value
        return self._insert(added, self._place(node))

    def replace(self, node: NodeProto, made: Sequence[NodeProto]) -> None:
        """Put nodes in the place of one; the last of them must give its outputs."""
        place = self._place(node)
        del self.proto.node[place]
        for offset, new in enumerate(made):
            new.name = new.name or self.fresh(f"{new.op_type}_node")
            self.proto.node.insert(place + offset, new)

    def bypass(self, node: NodeProto, index: int = 0) -> None:
        """Give the node's input as its output: an Identity stands in its place."""
        self.replace(node, [helper.make_node("Identity", [node.input[index]], [node.output[0]], name=node.name)])

    def _insert(self, node: NodeProto, place: int) -> NodeProto:
        """Put a copy of the node there; returns the copy, which is the graph's own."""
        self.proto.node.insert(place, node)
        return self.proto.node[place]

    def _place(self, node: NodeProto) -> int:
        return next(place for place, other in enumerate(self.nodes) if other.output[:] == node.output[:])


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """The value of an attribute."""
    found = next((a for a in node.attribute if a.name == name), None)
    return default if found is None else helper.get_attribute_value(found)


def set_attribute(node: NodeProto, name: str, value: object) -> None:
    """Set an attribute, or remove it where the value is None."""
    for place, found in enumerate(node.attribute):
        if found.name == name:
            del node.attribute[place]
            break
    if value is not None:
        node.attribute.append(helper.make_attribute(name, value))


def opset(model: ModelProto) -> int:
    """The version of the standard operators."""
    return next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)


def is_float(array: np.ndarray | None) -> bool:
    """Whether there is an array of floating point."""
    return array is not None and array.dtype.kind == "f"


def _rename(names: Any, old: str, new: str) -> None:
    for place, name in enumerate(names):
        if name == old:
            names[place] = new


def check(model: ModelProto) -> None:
    """Raise where the model is not even well-formed."""
    onnx.checker.check_model(model)
