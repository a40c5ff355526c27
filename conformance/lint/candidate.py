"""The candidate as the rules see it: the graph, its interface and its target, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx_ir as ir
from numpy.typing import NDArray

from assay.conformance.lint.inference import Shape, inferred_shapes
from assay.converters.files import UnreadableError, model_path, read_model
from assay.converters.interface_json import read_interface
from assay.specs.data import UnknownNameError
from assay.specs.interface import Interface
from assay.specs.targets import Target, load_target
from assay.specs.tasks import GENERIC, Task, load_task

TASK_KEY = "assay.task"


@dataclass(frozen=True)
class Scope:
    """A body of nodes (the main graph with its subgraphs, or one function) and the opsets that it imports."""

    opsets: Mapping[str, int]
    nodes: tuple[ir.Node, ...]


@dataclass(frozen=True)
class StaticCandidate:
    """An ONNX model on trial by the static rules."""

    path: Path
    model: ir.Model
    target: Target | None = None

    @property
    def graph(self) -> ir.Graph:
        """The main graph."""
        return self.model.graph

    @cached_property
    def inputs(self) -> tuple[ir.Value, ...]:
        """The inputs a caller must feed: those of the graph that no initializer fills."""
        return tuple(value for value in self.graph.inputs if value.name not in self.graph.initializers)

    @property
    def outputs(self) -> tuple[ir.Value, ...]:
        """The outputs of the main graph."""
        return tuple(self.graph.outputs)

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """The main graph, then each function."""
        bodies: tuple[ir.Graph | ir.Function, ...] = (self.graph, *self.model.functions.values())
        return tuple(Scope(body.opset_imports, tuple(body.all_nodes())) for body in bodies)

    def nodes(self, *operators: str, domain: str | None = "") -> Iterator[ir.Node]:
        """Every node of these operators, in subgraphs and functions too; domain None means any."""
        for node in (node for scope in self.scopes for node in scope.nodes):
            if node.op_type in operators and domain in (None, node.domain):
                yield node

    @cached_property
    def graphs(self) -> tuple[ir.Graph, ...]:
        """The main graph and every subgraph, in functions too."""
        inner = (graph for function in self.model.functions.values() for graph in function.subgraphs())
        return (self.graph, *self.graph.subgraphs(), *inner)

    @cached_property
    def interface(self) -> Interface | None:
        """What ``interface.json`` says; None where there is none or it can't be read (`interface_fault`)."""
        try:
            return read_interface(self.path)
        except UnreadableError:
            return None

    @cached_property
    def interface_fault(self) -> str | None:
        """Why ``interface.json`` can't be read; None where it can or is missing."""
        try:
            read_interface(self.path)
        except UnreadableError as error:
            return error.reason
        return None

    @cached_property
    def task(self) -> Task:
        """The task that the metadata, or else ``interface.json``, names; generic where neither names a known one."""
        named = self.model.metadata_props.get(TASK_KEY) or (self.interface.task if self.interface else GENERIC)
        try:
            return load_task(named)
        except UnknownNameError:
            return load_task(GENERIC)

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The shapes of the main graph's values as their operators imply them, whatever the file declares."""
        return inferred_shapes(self.model)

    @cached_property
    def axes(self) -> frozenset[str]:
        """The names of the inputs' dynamic axes."""
        dims = (dim for value in self.inputs for dim in declared_shape(value) or ())
        return frozenset(dim for dim in dims if isinstance(dim, str))


def open_candidate(path: str | Path, target: str | None = None) -> StaticCandidate:
    """Read a model or bundle; raises `UnreadableError`, or `UnknownNameError` for the target."""
    limits = None if target is None else load_target(target)
    file = model_path(path)
    try:
        return StaticCandidate(file, read_model(file), limits)
    except ir.serde.SerdeError as error:
        raise UnreadableError(file, f"holds what can't be judged: {_root(error)}") from error


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def declared_shape(value: ir.Value) -> Shape | None:
    """The shape that the file declares: a size, a name, or None for each axis; None where the rank is open."""
    if value.shape is None:
        return None
    return tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)


def constant(value: ir.Value | None) -> NDArray[Any] | None:
    """The array of an initializer or a Constant node; None where the value is computed, fed or absent."""
    tensor = None if value is None else ir.convenience.get_const_tensor(value)
    return None if tensor is None or isinstance(tensor, ir.StringTensor) else tensor.numpy()
