"""Mends: what of the candidate's graph is replaced by parts of the healthy one. Both models are changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from onnx import defs

from assay.conformance.parity.diagnoses.diagnosis import CannotMend
from assay.conformance.parity.localisation.graph import bodies


@dataclass(frozen=True)
class SetAttributes:
    """The attributes of a node, told by a value that it makes, as the healthy graph's node has them."""

    value: str
    twin: str

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Replace them all."""
        node, twin = _maker(candidate, self.value), _maker(healthy, self.twin)
        node.attributes.clear()
        for name, attribute in twin.attributes.items():
            node.attributes[name] = attribute


@dataclass(frozen=True)
class SetConstants:
    """Constants by the candidate's name, each as the healthy graph's of the other name."""

    names: Mapping[str, str]

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Take the arrays over."""
        for name, other in self.names.items():
            tensor = ir.tensor(_constant(healthy, other), name=name)
            value = candidate.graph.initializers.get(name)
            if value is not None:
                value.const_value, value.type = tensor, ir.TensorType(tensor.dtype)
                value.shape = ir.Shape(tensor.numpy().shape)
            else:
                node = _maker(candidate, name)
                node.attributes.clear()
                node.attributes["value"] = ir.AttrTensor("value", tensor)


@dataclass(frozen=True)
class RenameOutputs:
    """Outputs under other names, in the healthy model's order."""

    names: Mapping[str, str]

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Rename by way of names that nobody has."""
        graph = candidate.graph
        moved = [(value, name) for value in graph.outputs if (name := self.names.get(value.name or ""))]
        for index, (value, _) in enumerate(moved):
            value.name = f"renamed_output_{index}"
        for value, name in moved:
            value.name = name
        order = [value.name for value in healthy.graph.outputs]
        graph.outputs[:] = sorted(graph.outputs, key=lambda v: order.index(v.name) if v.name in order else len(order))


@dataclass(frozen=True)
class SetInputShapes:
    """The declared shapes and dtypes of these inputs as the healthy model declares them."""

    names: tuple[str, ...]

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Take them over; what was inferred from the old ones goes, for it holds the old sizes."""
        theirs = {value.name: value for value in healthy.graph.inputs}
        for value in candidate.graph.inputs:
            if value.name in self.names and value.name in theirs:
                value.shape, value.type = theirs[value.name].shape, theirs[value.name].type
        declared = {value.name: value for value in healthy.graph.outputs}
        for value in candidate.graph.outputs:
            value.shape = declared[value.name].shape if value.name in declared else None
        for node in candidate.graph:
            for made in node.outputs:
                if not made.is_graph_output():
                    made.shape = None


@dataclass(frozen=True)
class AddInputs:
    """The inputs of the healthy model that the candidate lacks, used by nothing."""

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Declare them, in the healthy model's order."""
        own = {value.name: value for value in candidate.graph.inputs}
        wanted = [value for value in healthy.graph.inputs if value.name not in healthy.graph.initializers]
        fresh = [own.get(v.name) or ir.Value(name=v.name, shape=v.shape, type=v.type) for v in wanted]
        rest = [value for value in candidate.graph.inputs if value not in fresh]
        candidate.graph.inputs[:] = [*fresh, *rest]


@dataclass(frozen=True)
class Transplant:
    """A value computed as in the healthy graph, from the nearest values on which both graphs agree.

    ``agreeing`` maps names of the healthy graph to the candidate's; ``wrong`` is the candidate's value that is
    replaced, or None where it has none and the healthy one becomes an output.
    """

    value: str
    wrong: str | None
    agreeing: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Move the healthy nodes over; what is then used by nobody goes."""
        from onnx_ir.passes.common import RemoveUnusedNodesPass

        _Surgery(candidate, healthy, self.agreeing).replace(self.value, self.wrong)
        RemoveUnusedNodesPass()(candidate)


class _Surgery:
    """One transplantation: nodes are taken out of the healthy graph and put into the candidate's."""

    def __init__(self, candidate: ir.Model, healthy: ir.Model, agreeing: Mapping[str, str]) -> None:
        self.graph, self.healthy, self.agreeing = candidate.graph, healthy.graph, agreeing
        self.candidate, self.model = candidate, healthy
        self.own = {v.name: v for v in (*self.graph.inputs, *self.graph.initializers.values())}
        self.own |= {value.name: value for node in self.graph for value in node.outputs}
        self.theirs = {value.name: value for node in self.healthy for value in node.outputs}
        self.taken: dict[ir.Node, ir.Node] = {}

    def replace(self, name: str, wrong: str | None) -> None:
        """The value takes the place of the wrong one, in the outputs too."""
        if name not in self.theirs:
            raise CannotMend(f"the healthy graph computes no {name}")
        value = self.theirs[name]
        shape, kind = value.shape, value.type
        made = self._moved(value)
        if wrong is None:
            made.name = name
            self.graph.outputs.append(made)
        else:
            self._supplant(self.own[wrong], made)
        made.shape, made.type = shape, kind
        self.graph.sort()

    def _supplant(self, old: ir.Value, made: ir.Value) -> None:
        is_output, name = old.is_graph_output(), old.name
        inside = set(self.taken)
        for usage in list(old.uses()):
            if usage.node not in inside:
                usage.node.replace_input_with(usage.idx, made)
        if is_output:
            places = [index for index, value in enumerate(self.graph.outputs) if value is old]
            old.name, made.name = f"{name}__replaced", name
            for index in places:
                self.graph.outputs[index] = made

    def _resolved(self, value: ir.Value | None) -> ir.Value | None:
        if value is None:
            return None
        name = value.name or ""
        if value.producer() in self.taken:
            return value
        if value.const_value is not None and name in self.healthy.initializers:
            return self._constant(value)
        if name in self.agreeing and self.agreeing[name] in self.own:
            return self.own[self.agreeing[name]]
        return self._input(value) if value.producer() is None else self._moved(value)

    def _input(self, value: ir.Value) -> ir.Value:
        found = next((own for own in self.graph.inputs if own.name == value.name), None)
        if found is None:
            found = ir.Value(name=value.name, shape=value.shape, type=value.type)
            self.graph.inputs.append(found)
            self.own[found.name] = found
        return found

    def _constant(self, value: ir.Value) -> ir.Value:
        own, tensor = self.graph.initializers.get(value.name or ""), value.const_value
        assert tensor is not None
        if own is not None and own.const_value is not None and _same(own.const_value, tensor):
            return own
        name = self._free(value.name or "constant")
        copy = ir.Value(name=name, shape=value.shape, type=value.type, const_value=ir.tensor(tensor.numpy(), name=name))
        self.graph.register_initializer(copy)
        self.own[name] = copy
        return copy

    def _moved(self, value: ir.Value) -> ir.Value:
        node = value.producer()
        assert node is not None
        if node in self.taken:
            return value
        self._require_movable(node)
        inputs = [self._resolved(one) for one in node.inputs]
        self.taken[node] = node
        self._leave(node)
        for index, one in enumerate(inputs):
            node.replace_input_with(index, one)
        for made in node.outputs:
            if made.name:
                made.name = self._free(made.name)
                self.own[made.name] = made
        self.graph.append(node)
        return value

    def _leave(self, node: ir.Node) -> None:
        """Take it out of the healthy graph, which is of no use afterwards."""
        for made in node.outputs:
            for index, value in enumerate(list(self.healthy.outputs)):
                if value is made:
                    self.healthy.outputs[index] = ir.Value(name=f"gone_{index}_{len(self.taken)}")
        self.healthy.remove(node)

    def _require_movable(self, node: ir.Node) -> None:
        if bodies(node):
            raise CannotMend(f"{node.op_type} {node.name} holds graphs of its own, which are not moved")
        versions = [_version(model, node) for model in (self.candidate, self.model)]
        if versions[0] != versions[1]:
            raise CannotMend(f"{node.op_type} is of version {versions[1]} there and {versions[0]} here")

    def _free(self, name: str) -> str:
        return name if name not in self.own else next(n for i in range(10**6) if (n := f"{name}__{i}") not in self.own)


def _version(model: ir.Model, node: ir.Node) -> int | None:
    opset = model.opset_imports.get(node.domain)
    if opset is None:
        return None
    try:
        return int(defs.get_schema(node.op_type, opset, node.domain).since_version)
    except defs.SchemaError:
        return opset


def _maker(model: ir.Model, value: str) -> ir.Node:
    for node in model.graph:
        if any(made.name == value for made in node.outputs):
            return node
    raise CannotMend(f"no node makes {value}")


def _constant(model: ir.Model, name: str) -> np.ndarray:
    value = model.graph.initializers.get(name)
    tensor = value.const_value if value is not None else ir.convenience.get_const_tensor(_maker(model, name).outputs[0])
    if tensor is None:
        raise CannotMend(f"{name} is no constant")
    return np.asarray(tensor.numpy())


def _same(a: ir.TensorProtocol, b: ir.TensorProtocol) -> bool:
    x, y = a.numpy(), b.numpy()
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
