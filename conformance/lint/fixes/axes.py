"""Axes without a name, and declared types and shapes that the graph contradicts or lacks."""

from __future__ import annotations

import re

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from assay.conformance.lint.fixes.registry import Draft, fixes

_MADE_UP = re.compile(r"[su]\d+|unk__\d+")


@fixes("SH001")
def name_axes(draft: Draft) -> None:
    """An unnamed first axis of an input is the batch, any other is named after its value and place.

    An axis of an output takes the name that shape inference gives it from the inputs, else one of its own.
    """
    given: dict[str, str] = {}
    for value in draft.graph.inputs:
        if value.name not in draft.graph.initializers:
            _name(value, given, first="batch")
    for node in draft.graph.all_nodes():
        for value in node.outputs:
            if value.shape is not None:
                value.shape = ir.Shape([_renamed(dim, given) for dim in value.shape])
    ShapeInferencePass()(draft.model)
    for value in draft.graph.outputs:
        _name(value, given, first=f"{value.name}_0")


def _name(value: ir.Value, given: dict[str, str], first: str) -> None:
    if value.shape is not None:
        value.shape = ir.Shape([_named(value, index, dim, given, first) for index, dim in enumerate(value.shape)])


@fixes("SH003", "SH012", "IO014", "IO018")
def declare_inferred_types(draft: Draft) -> None:
    """Declared shapes and dtypes of inner values and outputs go; shape inference says them anew from the inputs."""
    for node in draft.graph.all_nodes():
        for value in node.outputs:
            value.shape, value.type = None, None
    ShapeInferencePass()(draft.model)


def _named(value: ir.Value, index: int, dim: int | ir.SymbolicDim, given: dict[str, str], first: str) -> int | str:
    if isinstance(dim, int):
        return dim
    symbol = dim.value or ""
    if symbol and not _MADE_UP.fullmatch(symbol):
        return symbol
    name = given.get(symbol) or (first if index == 0 else f"{value.name}_{index}")
    if symbol:
        given[symbol] = name
    return name


def _renamed(dim: int | ir.SymbolicDim, given: dict[str, str]) -> int | ir.SymbolicDim:
    """A symbol that the exporter made up follows its input, or goes, so that inference can say it anew."""
    if isinstance(dim, int):
        return dim
    symbol = dim.value or ""
    return ir.SymbolicDim(
        None if _MADE_UP.fullmatch(symbol) and symbol not in given else given.get(symbol, symbol) or None
    )
