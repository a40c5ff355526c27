"""IO, OP, WT: inputs, outputs, nodes, functions and weights that have no part in the answer."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import SHAPE_ONLY, needed, origin
from assay.conformance.lint.registry import FilePart, Violation, rule

_RANDOM = frozenset({"RandomNormal", "RandomUniform"})


@rule("IO003")
def input_reaches_output(candidate: StaticCandidate) -> Iterator[Violation]:
    """No input is dead."""
    for value in candidate.inputs:
        if value not in candidate.live:
            yield Violation(value, "reaches no output, but should reach one")


@rule("IO009")
def output_is_computed(candidate: StaticCandidate) -> Iterator[Violation]:
    """No output is an input."""
    for value in candidate.outputs:
        source = origin(value, frozenset({"Identity"}))
        if source in candidate.inputs:
            yield Violation(value, f"is the input {source.name!r} itself, but should be computed from it")


@rule("IO010")
def output_depends_on_input(candidate: StaticCandidate) -> Iterator[Violation]:
    """No output is a constant."""
    inputs = frozenset(candidate.inputs)
    for value in candidate.outputs if inputs else ():
        sources = needed([value])
        random = any(node.op_type in _RANDOM for node in (v.producer() for v in sources) if node is not None)
        if not random and not inputs & sources:
            yield Violation(value, "depends on no input, so that it is constant, but should depend on one")


@rule("IO011")
def input_counts_by_value(candidate: StaticCandidate) -> Iterator[Violation]:
    """No input is read for its shape alone."""
    counting = needed(candidate.outputs, without=SHAPE_ONLY)
    for value in candidate.inputs:
        if value in candidate.live and value not in counting:
            yield Violation(value, "reaches the outputs by its shape alone, but should by its values")


@rule("OP014")
def function_is_called(candidate: StaticCandidate) -> Iterator[Violation]:
    """Every function of the model is called."""
    called = {node.op_identifier() for node in candidate.all_nodes}
    unused = [f"{key[0]}.{key[1]}" for key in candidate.model.functions if key not in called]
    if unused:
        sentence = (
            f"{len(unused)} functions such as {unused[0]} are called by nothing, but should be called or left out"
        )
        yield Violation(FilePart(candidate.path.name, "functions"), sentence, {"functions": unused[:10]})


@rule("OP015")
def node_reaches_output(candidate: StaticCandidate) -> Iterator[Violation]:
    """No node computes what nobody needs."""
    dead = [node for graph in candidate.graphs for node in _dead(candidate, graph)]
    if dead:
        sentence = "reaches no output" + (f" ({len(dead)} such nodes)" if len(dead) > 1 else "")
        names = [node.name or node.op_type for node in dead[:10]]
        yield Violation(dead[0], f"{sentence}, but should reach one", {"nodes": names, "count": len(dead)})


def _dead(candidate: StaticCandidate, graph: ir.Graph) -> list[ir.Node]:
    live = candidate.live if graph is candidate.graph else needed(graph.outputs)
    return [node for node in graph if not any(output in live for output in node.outputs)]


@rule("WT009")
def weight_is_used(candidate: StaticCandidate) -> Iterator[Violation]:
    """No initializer is read by nobody."""
    for graph in candidate.graphs:
        for value in graph.initializers.values():
            if not value.uses() and not value.is_graph_output():
                size = value.const_value.nbytes if value.const_value is not None else 0
                yield Violation(value, f"has {size} bytes that nothing reads, but should be read or left out")
