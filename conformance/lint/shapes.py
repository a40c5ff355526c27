"""SH: axes, declared shapes, and shapes frozen at the traced size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.dataflow import subgraphs
from assay.conformance.lint.inference import Shape
from assay.conformance.lint.registry import FilePart, Violation, rule

_MADE_UP = re.compile(r"[su]\d+|unk__\d+")


@rule("SH001")
def axis_is_named(candidate: StaticCandidate) -> Iterator[Violation]:
    """Each axis has a size or a chosen name."""
    for value in (*candidate.inputs, *candidate.outputs):
        for index, dim in enumerate(declared_shape(value) or ()):
            if dim is None or dim == "":
                yield Violation(value, f"axis {index} has neither a size nor a name, but should have one")
            elif isinstance(dim, str) and _MADE_UP.fullmatch(dim):
                yield Violation(value, f"axis {index} is called {dim} by the exporter, but should have a chosen name")


@dataclass(frozen=True)
class _Reshape:
    """A Reshape in the main graph whose target is constant and whose data has a known shape of sizes and input axes."""

    node: ir.Node
    data: Shape
    target: tuple[int, ...]

    @property
    def copied(self) -> frozenset[int]:
        """The axes that a 0 of the target copies from the data."""
        allow_zero = self.node.attributes.get_int("allowzero", 0)
        return frozenset() if allow_zero else frozenset(i for i, size in enumerate(self.target) if size == 0)

    @property
    def lost(self) -> list[str]:
        """The names of the data's dynamic axes that the target does not copy."""
        return [dim for i, dim in enumerate(self.data) if isinstance(dim, str) and i not in self.copied]


def _constant_reshapes(candidate: StaticCandidate) -> Iterator[_Reshape]:
    for node in candidate.graph:
        if node.op_type != "Reshape" or node.domain or len(node.inputs) != 2 or node.inputs[0] is None:
            continue
        target, data = candidate.constant(node.inputs[1]), candidate.shapes.get(node.inputs[0].name or "")
        if target is not None and data and all(isinstance(dim, int) or dim in candidate.axes for dim in data):
            yield _Reshape(node, data, tuple(map(int, target.reshape(-1))))


@rule("SH002")
def reshape_target_is_not_frozen(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Reshape of data with a dynamic axis has a target that can follow it."""
    for reshape in _constant_reshapes(candidate):
        fixed: list[int] = [size for i, size in enumerate(reshape.target) if i not in reshape.copied]
        if reshape.lost and -1 not in fixed and 0 not in fixed:
            axes, data = ", ".join(reshape.lost), shape_text(reshape.data)
            sentence = (
                f"target is the constant {list(reshape.target)}, but should follow axis {axes} of the data {data}"
            )
            yield Violation(reshape.node, sentence)


@rule("SH004")
def leading_axis_is_not_folded(candidate: StaticCandidate) -> Iterator[Violation]:
    """A Reshape does not put a constant where the data has its leading dynamic axis."""
    for reshape in _constant_reshapes(candidate):
        leads = isinstance(reshape.data[0], str) and len(reshape.data) > 1
        if leads and len(reshape.target) > 1 and reshape.target[0] > 1 and -1 in reshape.target:
            got = f"target {list(reshape.target)} has the size {reshape.target[0]}"
            yield Violation(reshape.node, f"{got} where the data has axis {reshape.data[0]}, but should follow it")


@rule("SH003")
def declared_shape_holds(candidate: StaticCandidate) -> Iterator[Violation]:
    """What an output declares is what its operators imply."""
    for value in candidate.outputs:
        declared, implied = declared_shape(value), candidate.shapes.get(value.name or "")
        if value.is_graph_input() or declared is None or implied is None or _agree(candidate, declared, implied):
            continue
        sentence = f"is declared {shape_text(declared)}, but should be {shape_text(implied)} as its operators imply"
        yield Violation(value, sentence)


def _agree(candidate: StaticCandidate, declared: Shape, implied: Shape) -> bool:
    if len(declared) != len(implied):
        return False
    return all(_fits(candidate, got, expected) for got, expected in zip(declared, implied, strict=True))


def _fits(candidate: StaticCandidate, declared: int | str | None, implied: int | str | None) -> bool:
    """A declared size fits itself and what inference can't tell; it does not fit a dynamic axis of an input."""
    if not isinstance(declared, int):
        return True
    return implied not in candidate.axes if isinstance(implied, str) else implied in (None, declared)


def shape_text(shape: Shape) -> str:
    """A shape as text: ``[batch, 3, ?]``."""
    return f"[{', '.join('?' if dim is None else str(dim) for dim in shape)}]"


@rule("SH012")
def declared_inner_shape_holds(candidate: StaticCandidate) -> Iterator[Violation]:
    """What the file declares of values inside the graph is what their operators imply."""
    outputs = {value.name for value in candidate.outputs}
    for info in candidate.proto.graph.value_info:
        implied = candidate.shapes.get(info.name)
        kind = info.type.tensor_type
        if implied is None or info.name in outputs or not kind.HasField("shape"):
            continue
        declared = tuple(int(d.dim_value) if d.HasField("dim_value") else d.dim_param or None for d in kind.shape.dim)
        if not _agree(candidate, declared, implied):
            sentence = f"{info.name!r} is declared {shape_text(declared)}, but should be {shape_text(implied)}"
            yield Violation(FilePart(candidate.path.name, "value_info"), sentence, {"value": info.name})


@rule("SH013")
def axis_name_holds(candidate: StaticCandidate) -> Iterator[Violation]:
    """An output axis with the name of an input axis has its size."""
    for value in candidate.outputs:
        declared, implied = declared_shape(value) or (), candidate.shapes.get(value.name or "") or ()
        for index, (name, dim) in enumerate(zip(declared, implied, strict=False)):
            fixed = isinstance(dim, int) or (dim in candidate.axes and dim != name)
            if isinstance(name, str) and name in candidate.axes and fixed:
                yield Violation(value, f"axis {index} is {dim}, but should follow axis {name}, as it is named")


@rule("SH014")
def size_is_positive(candidate: StaticCandidate) -> Iterator[Violation]:
    """No axis of an input or output is declared zero or negative."""
    for value in (*candidate.inputs, *candidate.outputs):
        for index, dim in enumerate(declared_shape(value) or ()):
            if isinstance(dim, int) and dim < 1:
                yield Violation(value, f"axis {index} has the size {dim}, but should have a positive size or a name")


@rule("SH017")
def branches_agree(candidate: StaticCandidate) -> Iterator[Violation]:
    """Both branches of an If give the same dtypes and ranks."""
    for node in candidate.nodes("If"):
        branches = subgraphs(node)
        for index, pair in enumerate(zip(*(branch.outputs for branch in branches), strict=False)):
            kinds = {(value.dtype, None if value.shape is None else len(value.shape)) for value in pair}
            if len(kinds) > 1 and all(None not in kind for kind in kinds):
                text = " or ".join(sorted(f"{dtype.name.lower()} of rank {rank}" for dtype, rank in kinds))
                yield Violation(node, f"output {index} is {text}, but should be one in both branches")
