"""OP: branches, loops, and the order and nesting of what is computed."""

from __future__ import annotations

from collections.abc import Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of, origin, subgraphs
from assay.conformance.lint.inference import is_recursive
from assay.conformance.lint.registry import FilePart, Violation, rule

_UNCHANGED = frozenset({"Identity", "Cast"})


@rule("OP013")
def function_does_not_recur(candidate: StaticCandidate) -> Iterator[Violation]:
    """No function calls itself."""
    if is_recursive(candidate.calls):
        part = FilePart(candidate.path.name, "functions")
        yield Violation(part, "a function calls itself, directly or by others, but should end without")


@rule("OP032")
def branch_is_open(candidate: StaticCandidate) -> Iterator[Violation]:
    """The condition of an If is computed."""
    for node in candidate.nodes("If"):
        condition = candidate.constant(input_of(node, 0))
        if condition is not None:
            branch = "then" if condition.all() else "else"
            yield Violation(node, f"takes the {branch} branch always, but should decide by what is computed")


@rule("OP033")
def loop_ends(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Loop without a trip count has a condition that can turn false."""
    for node in candidate.nodes("Loop"):
        if input_of(node, 0) is None and all(_stays_true(candidate, node, body) for body in subgraphs(node)):
            yield Violation(node, "has no trip count and a condition that stays true, but should end")


def _stays_true(candidate: StaticCandidate, loop: ir.Node, body: ir.Graph) -> bool:
    """Whether the body gives a constant true, or the condition that it was given, which began as true or absent."""
    condition = origin(body.outputs[0], _UNCHANGED) if body.outputs else None
    if len(body.inputs) > 1 and condition is body.inputs[1]:
        condition = input_of(loop, 1)
        return condition is None or candidate.scalar(condition) == 1
    return candidate.scalar(condition) == 1


@rule("OP042")
def node_follows_what_it_reads(candidate: StaticCandidate) -> Iterator[Violation]:
    """The nodes of a graph stand in an order in which they can be computed."""
    for graph in candidate.graphs:
        seen: set[ir.Node] = set()
        for node in graph:
            early = next((value for value in node.inputs if _comes_later(value, graph, seen)), None)
            seen.add(node)
            if early is not None:
                yield Violation(node, f"reads {early.name!r} before it is computed, but should stand after its node")


def _comes_later(value: ir.Value | None, graph: ir.Graph, seen: set[ir.Node]) -> bool:
    producer = None if value is None else value.producer()
    return producer is not None and producer.graph is graph and producer not in seen
