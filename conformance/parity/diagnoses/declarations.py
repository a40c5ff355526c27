"""The edge of a model as the healthy graph has it: names, order, dtypes, shapes of inputs and outputs, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx_ir as ir

from assay.conformance.parity.diagnoses.diagnosis import CannotMend


@dataclass(frozen=True)
class Redeclare:
    """Inputs and outputs by the healthy model's names, in its order, of its dtypes and shapes.

    A weight that became an input is a weight again; an input that became a weight is an input again.
    """

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Declare both edges anew; raises `CannotMend` where it is not plain which value is which."""
        _redeclare_inputs(candidate.graph, healthy.graph)
        _redeclare_outputs(candidate.graph, healthy.graph)
        for value in (made for node in candidate.graph for made in node.outputs if not made.is_graph_output()):
            value.shape = None  # inferred from what was declared before


@dataclass(frozen=True)
class SetVersions:
    """The versions of the file's format and of its operators."""

    def __call__(self, candidate: ir.Model, healthy: ir.Model) -> None:
        """Take them over; domains that the candidate alone uses keep theirs."""
        candidate.ir_version = healthy.ir_version
        candidate.graph.opset_imports.update(healthy.graph.opset_imports)


def put_in_order(candidate: ir.Model, healthy: ir.Model) -> None:
    """Sort inputs and outputs as in the healthy model; what that does not have comes last."""
    for own, theirs in (
        (candidate.graph.inputs, given(healthy.graph)),
        (candidate.graph.outputs, healthy.graph.outputs),
    ):
        order = [value.name for value in theirs]
        known = [value for name in order for value in own if value.name == name]
        own[:] = [*known, *(value for value in own if value.name not in order)]


def given(graph: ir.Graph) -> list[ir.Value]:
    """The inputs that a caller gives: those without a value of their own."""
    return [value for value in graph.inputs if value.name not in graph.initializers]


def _redeclare_inputs(graph: ir.Graph, healthy: ir.Graph) -> None:
    for value in [value for value in graph.inputs if value.name in healthy.initializers]:
        _demote(graph, value, healthy.initializers[value.name or ""])
    wanted = given(healthy)
    own = {value.name or "": value for value in given(graph)}
    _rename(own, [value.name or "" for value in wanted if value.name not in graph.initializers])
    extra = [value for name, value in own.items() if name not in {one.name for one in wanted}]
    if any(value.uses() for value in extra):
        raise CannotMend(f"input {extra[0].name} is used, but the source has none of that name")
    declared = [own.get(one.name or "") or _input(graph, one) for one in wanted]
    graph.inputs[:] = declared
    for value, one in zip(declared, wanted, strict=True):
        value.shape, value.type = one.shape, one.type


def _demote(graph: ir.Graph, value: ir.Value, healthy: ir.Value) -> None:
    """An input becomes the weight that it is in the healthy graph."""
    graph.inputs.remove(value)
    if value.name not in graph.initializers and healthy.const_value is not None:
        value.const_value = ir.tensor(healthy.const_value.numpy(), name=value.name)
        graph.register_initializer(value)


def _input(graph: ir.Graph, wanted: ir.Value) -> ir.Value:
    """A weight of that name becomes an input; without one, an input that nothing uses."""
    value = graph.initializers.pop(wanted.name or "", None)
    if value is None:
        return ir.Value(name=wanted.name, shape=wanted.shape, type=wanted.type)
    value.const_value = None
    return value


def _redeclare_outputs(graph: ir.Graph, healthy: ir.Graph) -> None:
    own = {value.name or "": value for value in graph.outputs}
    _rename(own, [value.name or "" for value in healthy.outputs])
    inside = {value.name: value for node in graph for value in node.outputs}
    declared = []
    for wanted in healthy.outputs:
        value = own.get(wanted.name or "") or inside.get(wanted.name)
        if value is None:
            raise CannotMend(f"nothing computes output {wanted.name}")
        value.shape, value.type = wanted.shape, wanted.type
        declared.append(value)
    graph.outputs[:] = declared


def _rename(own: dict[str, ir.Value], wanted: Sequence[str]) -> None:
    """The only value of another name takes the only name that is missing."""
    missing, extra = [name for name in wanted if name not in own], [name for name in own if name not in wanted]
    if len(missing) == len(extra) == 1:
        value = own.pop(extra[0])
        value.name = missing[0]
        own[missing[0]] = value


def edge(model: ir.Model) -> Mapping[str, list[str]]:
    """What is declared, as text: each input and output with its dtype and shape."""
    return {
        "inputs": [f"{value.name}: {value.dtype}{value.shape}" for value in given(model.graph)],
        "outputs": [f"{value.name}: {value.dtype}{value.shape}" for value in model.graph.outputs],
    }
