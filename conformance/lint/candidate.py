"""The candidate as the rules see it: the graph, its interface and its target, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx_ir as ir
from numpy.typing import NDArray

from assay.conformance.lint import dataflow
from assay.conformance.lint.external_data import DataFiles
from assay.conformance.lint.inference import Inferred, Shape, inferred_types, is_recursive
from assay.conformance.lint.inference_process import InferenceFailedError
from assay.converters.files import UnreadableError, model_path
from assay.converters.interface_json import read_interface
from assay.converters.stored_weights import read_with_stored_weights
from assay.specs.data import UnknownNameError
from assay.specs.interface import Interface
from assay.specs.targets import Target, load_target
from assay.specs.tasks import GENERIC, Task, load_task

if TYPE_CHECKING:
    import onnx

    from assay.conformance.lint.weight_statistics import Weight
    from assay.specs.task_interface import Mismatch

TASK_KEY = "assay.task"
_SMALL = 1 << 22  # bytes
_AXES = 64  # as in numpy


@dataclass(frozen=True)
class Scope:
    """A body of nodes (the main graph with its subgraphs, or one function) and the opsets that it imports."""

    opsets: Mapping[str, int]
    nodes: tuple[ir.Node, ...]


@dataclass(frozen=True)
class StaticCandidate:
    """An ONNX model on trial by the static rules."""

    path: Path
    proto: onnx.ModelProto
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
        for node in (node for operator in operators for node in self._by_operator.get(operator, ())):
            if domain in (None, node.domain):
                yield node

    @property
    def all_nodes(self) -> Iterator[ir.Node]:
        """Every node, in subgraphs and functions too."""
        return (node for scope in self.scopes for node in scope.nodes)

    @cached_property
    def _by_operator(self) -> Mapping[str, list[ir.Node]]:
        found: dict[str, list[ir.Node]] = defaultdict(list)
        for node in self.all_nodes:
            found[node.op_type].append(node)
        return found

    @cached_property
    def owners(self) -> dataflow.Owners:
        """The node that each subgraph belongs to."""
        return dataflow.owners(self.all_nodes)

    @cached_property
    def live(self) -> frozenset[ir.Value]:
        """Every value that an output of the main graph depends on."""
        return frozenset(dataflow.needed(self.outputs))

    @cached_property
    def following_inputs(self) -> frozenset[ir.Value]:
        """Every value that depends on what an input holds, and not on its shape alone."""
        return frozenset(dataflow.following(self.inputs, self.owners, without=dataflow.SHAPE_ONLY))

    @cached_property
    def data_files(self) -> DataFiles:
        """The files of external data."""
        return DataFiles(self.path)

    @cached_property
    def faults(self) -> Mapping[int, str]:
        """What is wrong with the place or the length of each tensor whose elements can't be read, by its identity."""
        from assay.conformance.lint.tensors import faults

        return faults(self)

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        """Every tensor of numbers whose elements can be read; each is read when a rule asks, and once."""
        from assay.conformance.lint.tensors import readable_weights

        return tuple(readable_weights(self))

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
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Every way in which the declared interface leaves the task."""
        from assay.conformance.lint.task_interface import declared
        from assay.specs.task_interface import mismatches

        return mismatches(self.task, declared(self.inputs), declared(self.outputs))

    @cached_property
    def calls(self) -> Mapping[object, frozenset[object]]:
        """The identifiers of the operators in each function, by the function's own."""
        functions = self.model.functions.items()
        return {key: frozenset(node.op_identifier() for node in function.all_nodes()) for key, function in functions}

    @property
    def inferred(self) -> Mapping[str, Inferred]:
        """Dtypes and shapes of the main graph's values as their operators imply them; none where functions recur.

        Raises `InferenceFailedError`.
        """
        if isinstance(self._inference, InferenceFailedError):
            raise self._inference.with_traceback(None)
        return self._inference

    @cached_property
    def _inference(self) -> Mapping[str, Inferred] | InferenceFailedError:
        """What inference gave, or how it failed, which it does once."""
        try:
            return {} if is_recursive(self.calls) else inferred_types(self.proto)
        except InferenceFailedError as error:
            return error

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """The shapes of the main graph's values as their operators imply them, whatever the file declares."""
        return {name: kind.shape for name, kind in self.inferred.items() if kind.shape is not None}

    def constant(self, value: ir.Value | None) -> NDArray[Any] | None:
        """The array of a small initializer or Constant; None where it is large, computed, fed, absent or unreadable."""
        tensor = None if value is None else ir.convenience.get_const_tensor(value)
        if tensor is None or tensor.dtype == ir.DataType.STRING or tensor.nbytes > _SMALL:
            return None
        if id(tensor) in self.faults:
            return None
        return tensor.numpy()

    def scalar(self, value: ir.Value | None) -> float | None:
        """The only element of a constant; None where there are more, or it is no constant."""
        tensor = None if value is None else ir.convenience.get_const_tensor(value)
        array = self.constant(value) if tensor is not None and tensor.size == 1 else None
        return None if array is None else float(array.reshape(-1)[0].real)

    def shape_of(self, value: ir.Value | None) -> Shape | None:
        """The shape of a constant, else the implied one of the main graph; None where the rank does not follow."""
        if value is None:
            return None
        tensor = ir.convenience.get_const_tensor(value)
        implied = self.shapes.get(value.name or "") if value.graph is self.graph else None
        return implied if tensor is None else tuple(tensor.shape.numpy())

    def dtype_of(self, value: ir.Value | None) -> ir.DataType | None:
        """The dtype of a constant, else the implied one, else the declared one."""
        if value is None:
            return None
        tensor = ir.convenience.get_const_tensor(value)
        implied = self.inferred.get(value.name or "") if value.graph is self.graph else None
        return tensor.dtype if tensor is not None else (implied and implied.dtype) or value.dtype

    @cached_property
    def axes(self) -> frozenset[str]:
        """The names of the inputs' dynamic axes."""
        dims = (dim for value in self.inputs for dim in declared_shape(value) or ())
        return frozenset(dim for dim in dims if isinstance(dim, str))


def open_candidate(path: str | Path, target: str | None = None) -> StaticCandidate:
    """Read a model or bundle; raises `UnreadableError`, or `UnknownNameError` for the target."""
    limits = None if target is None else load_target(target)
    file = model_path(path)
    proto, model = read_with_stored_weights(file)
    candidate = StaticCandidate(file, proto, model, limits)
    _refuse_endless_shapes(candidate)
    return candidate


def _refuse_endless_shapes(candidate: StaticCandidate) -> None:
    """The number of elements of a tensor with a million axes takes hours to compute."""
    from assay.conformance.lint.tensors import tensors

    try:
        axes = max((len(tensor.shape) for _, tensor in tensors(candidate)), default=0)
    except (TypeError, ValueError, AttributeError) as error:  # such as an attribute that refers to a list of graphs
        raise UnreadableError(candidate.path, f"is no valid ONNX model: {error}") from error
    if axes > _AXES:
        got = f"holds a tensor with {axes} axes"
        raise UnreadableError(candidate.path, f"{got}, but should hold none with more than {_AXES}")


def declared_shape(value: ir.Value) -> Shape | None:
    """The shape that the file declares: a size, a name, or None for each axis; None where the rank is open."""
    if value.shape is None:
        return None
    return tuple(dim if isinstance(dim, int) else dim.value for dim in value.shape)
