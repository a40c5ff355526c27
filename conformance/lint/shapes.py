"""SH: axes, declared shapes, and shapes frozen at the traced size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, constant, declared_shape
from assay.conformance.lint.inference import Shape
from assay.conformance.lint.registry import Violation, rule

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
        target, data = constant(node.inputs[1]), candidate.shapes.get(node.inputs[0].name or "")
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
