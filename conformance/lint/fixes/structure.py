"""Nodes, functions, inputs and opset imports that nothing needs, or that stand where they should not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import onnx_ir as ir
from onnx_ir.passes.common import (
    InlinePass,
    LiftConstantsToInitializersPass,
    RemoveInitializersFromInputsPass,
    RemoveUnusedFunctionsPass,
    RemoveUnusedNodesPass,
    RemoveUnusedOpsetsPass,
    ShapeInferencePass,
    TopologicalSortPass,
)

from assay.conformance.lint.fixes.registry import Draft, fixes
from assay.specs.tasks import GENERIC, TaskTensor, load_task


@fixes("OP010", "OP014", "OP015", "WT009")
def remove_unused(draft: Draft) -> None:
    """Nodes, weights, functions and opset imports that no output depends on go."""
    RemoveUnusedNodesPass()(draft.model)
    RemoveUnusedFunctionsPass()(draft.model)
    RemoveUnusedOpsetsPass()(draft.model)


@fixes("OP038")
def remove_identities(draft: Draft) -> None:
    """Identity nodes between values that need no copy go; where one gives an output, its input takes the name."""
    for node in [node for node in draft.graph if node.op_type == "Identity" and not node.domain]:
        source, output = node.inputs[0], node.outputs[0]
        if source is None or source.graph is not draft.graph:
            continue
        if not output.is_graph_output():
            _bypass(node, source)
        elif source.producer() is not None and not source.is_graph_output() and len(source.uses()) == 1:
            name, shape, kind = output.name, output.shape, output.type
            ir.convenience.replace_all_uses_with(output, source, replace_graph_outputs=True)
            draft.graph.remove(node, safe=True)
            source.name, source.shape, source.type = name, shape or source.shape, kind or source.type


@fixes("OP037")
def remove_idle_casts(draft: Draft) -> None:
    """A Cast to the dtype that its input has goes; shape inference says which dtype that is."""
    ShapeInferencePass()(draft.model)
    for node in [node for node in draft.graph if node.op_type == "Cast" and not node.domain]:
        source = node.inputs[0]
        if source is not None and source.dtype is not None and source.dtype == node.attributes.get_int("to", -1):
            _bypass(node, source)


@fixes("OP036")
def join_transposes(draft: Draft) -> None:
    """Two Transposes in a row become one, or none where they undo each other."""
    for node in [node for node in draft.graph if node.op_type == "Transpose" and not node.domain]:
        value = node.inputs[0]
        first = value.producer() if value is not None else None
        if value is None or first is None or first.op_type != "Transpose" or len(value.uses()) != 1:
            continue
        if value.is_graph_output() or first.inputs[0] is None:
            continue
        joined = _joined(_permutation(first), _permutation(node))
        node.replace_input_with(0, first.inputs[0])
        node.attributes["perm"] = ir.AttrInt64s("perm", joined)
        draft.graph.remove(first, safe=True)
        if list(joined) == sorted(joined):
            _bypass(node, first_input(node))


@fixes("WT010")
def lift_constants(draft: Draft) -> None:
    """Large Constant nodes become initializers."""
    LiftConstantsToInitializersPass(lift_all_constants=False, size_limit=1024)(draft.model)


@fixes("IO016")
def keep_weights_from_inputs(draft: Draft) -> None:
    """Initializers leave the inputs: a caller can't take them for something to feed."""
    RemoveInitializersFromInputsPass()(draft.model)


@fixes("OP045")
def inline_functions(draft: Draft) -> None:
    """Local functions become the nodes that they stand for."""
    InlinePass()(draft.model)
    RemoveUnusedOpsetsPass()(draft.model)


@fixes("OP042")
def sort_nodes(draft: Draft) -> None:
    """Every node comes after those that it reads from."""
    TopologicalSortPass()(draft.model)


@fixes("IO006")
def order_as_task(draft: Draft) -> None:
    """Inputs and outputs that the task names come first, in its order."""
    name = draft.interface.task if draft.interface else draft.model.metadata_props.get("assay.task", GENERIC)
    task = load_task(name)
    inputs, outputs = _order(task.inputs), _order(task.outputs)
    draft.graph.inputs[:] = sorted(draft.graph.inputs, key=lambda value: inputs(value.name or ""))
    draft.graph.outputs[:] = sorted(draft.graph.outputs, key=lambda value: outputs(value.name or ""))
    if draft.interface is not None:
        draft.interface = replace(
            draft.interface,
            inputs=tuple(sorted(draft.interface.inputs, key=lambda spec: inputs(spec.name))),
            outputs=tuple(sorted(draft.interface.outputs, key=lambda spec: outputs(spec.name))),
        )


def _permutation(node: ir.Node) -> list[int] | None:
    """The axes of a Transpose; None where it reverses them all."""
    attribute = node.attributes.get("perm")
    return None if attribute is None else list(attribute.as_ints())


def _joined(first: list[int] | None, second: list[int] | None) -> list[int]:
    """The permutation that two give one after the other; empty where both reverse, which is no permutation at all."""
    rank = len(first or second or [])
    reverse = list(range(rank))[::-1]
    return [(first or reverse)[axis] for axis in second or reverse]


def first_input(node: ir.Node) -> ir.Value:
    """The first input of a node that has one."""
    value = node.inputs[0]
    assert value is not None
    return value


def _order(tensors: Sequence[TaskTensor]) -> Callable[[str], int]:
    places = {tensor.name: index for index, tensor in enumerate(tensors)}
    return lambda name: places.get(name, len(places))


def _bypass(node: ir.Node, source: ir.Value) -> None:
    """Readers of the node's output read its input; an output of the graph keeps the node as an Identity."""
    output, graph = node.outputs[0], node.graph
    assert graph is not None
    if output.is_graph_output():
        identity = ir.Node("", "Identity", [source], outputs=[output.__class__(name=output.name)], name=node.name)
        identity.outputs[0].shape, identity.outputs[0].type = output.shape, output.type
        ir.convenience.replace_nodes_and_values(graph, node, [node], [identity], [output], [identity.outputs[0]])
        return
    ir.convenience.replace_all_uses_with(output, source)
    graph.remove(node, safe=True)


def values_of(draft: Draft) -> Iterator[ir.Value]:
    """Every input, weight and computed value of the main graph and its subgraphs."""
    yield from (*draft.graph.inputs, *draft.graph.initializers.values())
    for node in draft.graph.all_nodes():
        yield from node.outputs
