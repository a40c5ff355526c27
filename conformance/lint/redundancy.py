"""OP, WT: what costs time or memory and changes no answer. One finding a rule, with the number of places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate
from assay.conformance.lint.dataflow import input_of, readers
from assay.conformance.lint.registry import Violation, rule

_LARGE_CONSTANT = 64 * 1024
_BROADCASTING = frozenset({"Add", "Sub", "Mul", "Div", "Where", "And", "Or", "Equal", "Less", "Greater", "Pow"})
# these unfold a small constant into a large one, or are left to the runtime on purpose
_NOT_FOLDED = frozenset(
    {"Constant", "ConstantOfShape", "Expand", "Tile", "Range", "DequantizeLinear", "QuantizeLinear", "Identity"}
    | {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}
    | {"If", "Loop", "Scan", "SequenceEmpty", "OptionalHasElement", "Optional"}
)


def together(nodes: Iterable[ir.Node], one: str, due: str) -> Iterator[Violation]:
    """One violation at the first of these nodes, which tells how many there are."""
    found = list(nodes)
    if found:
        more = f" ({len(found)} such nodes)" if len(found) > 1 else ""
        names = [node.name or node.op_type for node in found[:10]]
        yield Violation(found[0], f"{one}{more}, but should {due}", {"count": len(found), "nodes": names})


@rule("OP036")
def transposes_do_not_cancel(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Transpose follows another directly."""
    pairs = (node for node in candidate.nodes("Transpose") if _only_reader(node, "Transpose"))
    yield from together(pairs, "follows another Transpose", "be one Transpose with it, or none")


def _only_reader(node: ir.Node, operator: str) -> bool:
    """Whether the first input comes from such an operator that nobody else reads."""
    value = input_of(node, 0)
    producer = None if value is None else value.producer()
    if value is None or producer is None or producer.op_type != operator:
        return False
    return not value.is_graph_output() and len(value.uses()) == 1


@rule("OP037")
def casts_do_not_cancel(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Cast leaves the dtype as it is."""
    idle = (
        node
        for node in candidate.nodes("Cast")
        if node.graph is candidate.graph and candidate.dtype_of(input_of(node, 0)) == node.attributes.get_int("to", -1)
    )
    yield from together(idle, "casts to the dtype that its input has", "be left out")


@rule("OP038")
def identity_is_needed(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Identity stands between two operators."""
    idle = (node for node in candidate.nodes("Identity") if node.graph is candidate.graph and not _separates(node))
    yield from together(idle, "is an Identity", "be left out")


def _separates(node: ir.Node) -> bool:
    """Whether it gives an output that is an input, a constant or another output too."""
    source = node.inputs[0]
    return node.outputs[0].is_graph_output() and (
        source is None or source.producer() is None or source.is_graph_output() or len(source.uses()) > 1
    )


@rule("OP039")
def broadcast_is_not_expanded(candidate: StaticCandidate) -> Iterator[Violation]:
    """No Expand writes out what the operators after it would repeat by themselves."""
    idle = (
        node
        for node in candidate.nodes("Expand")
        if node.outputs[0].uses() and all(_repeats(candidate, node, reader) for reader in readers(node.outputs[0]))
    )
    yield from together(idle, "writes out what the operators after it would broadcast", "be left out")


def _repeats(candidate: StaticCandidate, node: ir.Node, reader: ir.Node) -> bool:
    """Whether the reader broadcasts, and another operand has all axes that the Expand gives."""
    if reader.op_type not in _BROADCASTING:
        return False
    shape = candidate.shape_of(node.outputs[0])
    others = [candidate.shape_of(value) for value in reader.inputs if value is not node.outputs[0]]
    return shape is not None and None not in shape and shape in others


@rule("OP040")
def constants_are_folded(candidate: StaticCandidate) -> Iterator[Violation]:
    """Nothing is computed from constants alone."""
    idle = (node for node in candidate.graph if _is_foldable(node))
    yield from together(idle, "computes from constants alone at each start", "be a constant")


def _is_foldable(node: ir.Node) -> bool:
    if node.op_type in _NOT_FOLDED or node.domain or not node.inputs:
        return False
    return all(value is None or ir.convenience.get_const_tensor(value) is not None for value in node.inputs)


@rule("WT010")
def weights_are_initializers(candidate: StaticCandidate) -> Iterator[Violation]:
    """Large constants are initializers, which runtimes share and map."""
    large = (node for node in candidate.nodes("Constant") if _constant_size(node) > _LARGE_CONSTANT)
    yield from together(large, f"holds more than {_LARGE_CONSTANT // 1024} KiB in an attribute", "be an initializer")


def _constant_size(node: ir.Node) -> int:
    attribute = node.attributes.get("value")
    is_tensor = attribute is not None and not attribute.is_ref() and attribute.type == ir.AttributeType.TENSOR
    return attribute.as_tensor().nbytes if attribute is not None and is_tensor else 0
