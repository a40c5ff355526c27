"""What depends on what in a graph: what outputs need, what follows from an input, what is computed from constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import onnx_ir as ir

Owners = Mapping[ir.Graph, ir.Node]

SHAPE_ONLY = frozenset({"Shape", "Size"})
# one input's axes are the output's axes, and the values stay what they are or nearly so
PASS_THROUGH = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"})


def needed(values: Iterable[ir.Value], *, without: frozenset[str] = frozenset()) -> set[ir.Value]:
    """Every value that these depend on by a path without such operators, and they.

    A node with subgraphs depends on all that they read.
    """
    found: set[ir.Value] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value not in found:
            found.add(value)
            node = value.producer()
            waiting += () if node is not None and node.op_type in without else read_by(node)
    return found


def read_by(node: ir.Node | None) -> list[ir.Value]:
    """What a node reads, in its subgraphs too."""
    if node is None:
        return []
    graphs = subgraphs(node)
    inner = [value for graph in graphs for inside in graph.all_nodes() for value in inside.inputs]
    results = [value for graph in graphs for value in graph.outputs]
    return [value for value in (*node.inputs, *inner, *results) if value is not None]


def subgraphs(node: ir.Node) -> list[ir.Graph]:
    """The graphs in a node's attributes: branches of an If, bodies of a Loop or Scan."""
    return [graph for attribute in node.attributes.values() for graph in _graphs(attribute)]


def _graphs(attribute: ir.Attr) -> Sequence[ir.Graph]:
    if attribute.is_ref():
        return ()
    if attribute.type == ir.AttributeType.GRAPH:
        return (attribute.as_graph(),)
    return attribute.as_graphs() if attribute.type == ir.AttributeType.GRAPHS else ()


def owners(nodes: Iterable[ir.Node]) -> dict[ir.Graph, ir.Node]:
    """The node that each subgraph belongs to."""
    return {graph: node for node in nodes for graph in subgraphs(node)}


def following(values: Iterable[ir.Value], owner: Owners, *, without: frozenset[str] = frozenset()) -> set[ir.Value]:
    """Every value that depends on these by a path without such operators, and they."""
    found: set[ir.Value] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value not in found:
            found.add(value)
            for node, _ in value.uses():
                waiting += () if node.op_type in without else _given_by(node, owner)
            waiting += _given_on(value, owner)
    return found


def _given_by(node: ir.Node, owner: Owners) -> Iterator[ir.Value]:
    """A node's outputs, the inputs of its subgraphs, and the outputs of the nodes around it."""
    yield from node.outputs
    for graph in subgraphs(node):
        yield from graph.inputs
    around = owner.get(node.graph) if isinstance(node.graph, ir.Graph) else None
    if around is not None:
        yield from around.outputs


def _given_on(value: ir.Value, owner: Owners) -> Sequence[ir.Value]:
    """What the node around gives where a subgraph gives the value."""
    around = owner.get(value.graph) if value.is_graph_output() and isinstance(value.graph, ir.Graph) else None
    return () if around is None else around.outputs


def upstream(value: ir.Value | None, operators: frozenset[str]) -> Iterator[ir.Node]:
    """The producers from this value up through first inputs, as long as they are of these operators."""
    seen: set[ir.Node] = set()
    while value is not None:
        node = value.producer()
        if node is None or node in seen or node.op_type not in operators or not node.inputs:
            return
        seen.add(node)
        yield node
        value = node.inputs[0]


def origin(value: ir.Value | None, operators: frozenset[str] = PASS_THROUGH) -> ir.Value | None:
    """The value that this one is but for such operators."""
    for node in upstream(value, operators):
        value = node.inputs[0]
    return value


def readers(value: ir.Value) -> list[ir.Node]:
    """The nodes that read a value, each once."""
    return list(dict.fromkeys(node for node, _ in value.uses()))


def input_of(node: ir.Node, index: int) -> ir.Value | None:
    """An input by its position; None where it is absent."""
    return node.inputs[index] if len(node.inputs) > index else None
