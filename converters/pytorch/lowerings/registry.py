"""The table of lowerings: each operator once, as a decomposition, a translation or a refusal.

A decomposition is PyTorch code in terms of operators that the exporter translates right, and is traced into the
program. A translation writes ONNX itself, and goes before torch's own (`operator_registry`). A refusal says why a call
would not keep its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import torch

FAMILIES = (
    "attention",
    "bessel",
    "complex_numbers",
    "elementwise",
    "filling",
    "gamma_functions",
    "histograms",
    "indexing",
    "linalg",
    "losses",
    "normalization",
    "padding",
    "polynomials",
    "pooling",
    "random_numbers",
    "reductions",
    "resizing",
    "scalars",
    "scans",
    "scattering",
    "sorting",
    "special",
    "spectra",
)
Lowering = Callable[..., Any]
L = TypeVar("L", bound=Callable[..., Any])
Condition = Callable[[torch.fx.Node], bool]
Refusal = Callable[[torch.fx.Node], str | None]


@dataclass(frozen=True)
class Decomposition:
    """PyTorch code for an operator, for programs in which the condition holds of one of its calls."""

    function: Lowering
    condition: Condition
    wrong_upstream: bool


@dataclass(frozen=True)
class Translation:
    """ONNX for an operator."""

    function: Lowering
    wrong_upstream: bool


@dataclass(frozen=True)
class Table:
    """What there is of each kind, by operator."""

    decompositions: dict[Any, Decomposition] = field(default_factory=dict)
    translations: dict[Any, Translation] = field(default_factory=dict)
    refusals: dict[Any, Refusal] = field(default_factory=dict)


_TABLE = Table()


class DuplicateLoweringError(ValueError):
    """An operator that two functions claim."""


def decomposes(
    *operators: Any, condition: Condition = lambda _: True, wrong_upstream: bool = False
) -> Callable[[L], L]:
    """Register PyTorch code for operators; ``wrong_upstream`` where it replaces what ``torch.onnx`` gets wrong."""

    def register(function: L) -> L:
        for operator in operators:
            _enter(_TABLE.decompositions, operator, Decomposition(function, condition, wrong_upstream))
        return function

    return register


def translates(*operators: Any, wrong_upstream: bool = False) -> Callable[[L], L]:
    """Register a function that writes ONNX with onnxscript for operators; it gets the call's arguments."""

    def register(function: L) -> L:
        for operator in operators:
            _enter(_TABLE.translations, operator, Translation(function, wrong_upstream))
        return function

    return register


def refuses(*operators: Any) -> Callable[[Refusal], Refusal]:
    """Register a function that says why a call can't be converted, or None."""

    def register(function: Refusal) -> Refusal:
        for operator in operators:
            _enter(_TABLE.refusals, operator, function)
        return function

    return register


def _enter(entries: dict[Any, Any], operator: Any, entry: Any) -> None:
    lowered: list[dict[Any, Any]] = [_TABLE.decompositions, _TABLE.translations]
    if any(operator in table for table in ([entries] if entries is _TABLE.refusals else lowered)):
        raise DuplicateLoweringError(f"{operator} has two lowerings, but should have one")
    entries[operator] = entry


@cache
def load_table() -> Table:
    """The table, after every family is imported."""
    for family in FAMILIES:
        import_module(f"assay.converters.pytorch.lowerings.{family}")
    return _TABLE


def decompositions(program: torch.export.ExportedProgram) -> Mapping[Any, Lowering]:
    """The decompositions of operators whose condition holds for a call of the program, or that it does not call."""
    table = load_table().decompositions
    calls: dict[Any, list[torch.fx.Node]] = {}
    for node in program_nodes(program):
        calls.setdefault(node.target, []).append(node)
    return {
        operator: one.function
        for operator, one in table.items()
        if operator not in calls or any(one.condition(node) for node in calls[operator])
    }


def program_nodes(program: torch.export.ExportedProgram) -> list[torch.fx.Node]:
    """Every call of an operator, those of subgraphs too."""
    modules = (module for module in program.graph_module.modules() if isinstance(module, torch.fx.GraphModule))
    return [node for module in modules for node in module.graph.nodes if node.op == "call_function"]
