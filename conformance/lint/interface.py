"""IO: names, dtypes and dimensions of inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.converters.interface_json import FILE_NAME
from assay.specs.interface import Axis, TensorSpec
from assay.specs.tasks import TaskTensor

_PORTABLE = re.compile(r"[A-Za-z_][\w.\-/]*", re.ASCII)
_MADE_UP = re.compile(
    r"keras_tensor(_\d+)?|input\.\d+|x\.\d+|args?_?\d+(_\d+)?|serving_default_.*|Stateful\w*Call.*|Identity(_\d+)?|Func/.*"
)
_DTYPES = {"float": "float32", "double": "float64"}


@rule("IO001")
def name_is_portable(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs and outputs have names that somebody chose."""
    for value in (*candidate.inputs, *candidate.outputs):
        name = value.name or ""
        if not _PORTABLE.fullmatch(name):
            yield Violation(value, f"{name!r} is no portable name, but should be of letters, digits, '_', '.', '-'")
        elif _MADE_UP.fullmatch(name):
            yield Violation(
                value, f"{name!r} is a name that the exporter made up, but should be one that its author chose"
            )


@rule("IO002")
def interface_follows_task(candidate: StaticCandidate) -> Iterator[Violation]:
    """A model of a task has the task's inputs and outputs."""
    task = candidate.task
    if not task.inputs and not task.outputs:
        return
    for kind, values, wanted in (
        ("inputs", candidate.inputs, task.inputs),
        ("outputs", candidate.outputs, task.outputs),
    ):
        yield from _missing(candidate, kind, values, wanted)
        named = {tensor.name: tensor for tensor in wanted}
        for value in values:
            if value.name in named:
                yield from _unlike(value, named[value.name], task.name)
            elif kind == "inputs":
                yield Violation(
                    value,
                    f"{value.name!r} is no input of the task {task.name}, but should be one of {', '.join(named)}",
                )


def _missing(
    candidate: StaticCandidate, kind: str, values: Sequence[ir.Value], wanted: Sequence[TaskTensor]
) -> Iterator[Violation]:
    names = [value.name or "" for value in values]
    for tensor in wanted:
        if tensor.name not in names and not tensor.optional:
            due = f"{tensor.name!r} of the task {candidate.task.name}"
            sentence = f"the {kind} are {_listed(names)}, but should include {due}"
            yield Violation(FilePart(candidate.path.name, kind), sentence)


def _unlike(value: ir.Value, wanted: TaskTensor, task: str) -> Iterator[Violation]:
    dtype, shape = dtype_name(value), declared_shape(value)
    if dtype not in wanted.dtypes:
        yield Violation(value, f"dtype is {dtype}, but should be {' or '.join(wanted.dtypes)} for the task {task}")
    if shape is not None and wanted.axes is not None and len(shape) != len(wanted.axes):
        yield Violation(value, f"has {len(shape)} axes, but should have [{', '.join(wanted.axes)}] for the task {task}")


@rule("IO003")
def input_reaches_output(candidate: StaticCandidate) -> Iterator[Violation]:
    """No input is dead."""
    live = _live(candidate)
    for value in candidate.inputs:
        if value not in live:
            yield Violation(value, "reaches no output, but should reach one")


def _live(candidate: StaticCandidate) -> set[ir.Value]:
    """Every value that some output depends on; a node with subgraphs depends on all that they read."""
    live: set[ir.Value] = set()
    waiting = list(candidate.outputs)
    while waiting:
        value = waiting.pop()
        if value not in live:
            live.add(value)
            waiting += _read_by(value.producer())
    return live


def _read_by(node: ir.Node | None) -> list[ir.Value]:
    if node is None:
        return []
    graphs = [graph for attribute in node.attributes.values() for graph in _graphs(attribute)]
    inner = [value for graph in graphs for inside in graph.all_nodes() for value in inside.inputs]
    results = [value for graph in graphs for value in graph.outputs]
    return [value for value in (*node.inputs, *inner, *results) if value is not None]


def _graphs(attribute: ir.Attr) -> Sequence[ir.Graph]:
    if attribute.is_ref():
        return ()
    if attribute.type == ir.AttributeType.GRAPH:
        return (attribute.as_graph(),)
    return attribute.as_graphs() if attribute.type == ir.AttributeType.GRAPHS else ()


@rule("IO004")
def output_is_not_float64_by_accident(candidate: StaticCandidate) -> Iterator[Violation]:
    """Float64 comes out only where it goes in."""
    if any(value.dtype == ir.DataType.DOUBLE for value in candidate.inputs):
        return
    for value in candidate.outputs:
        if value.dtype == ir.DataType.DOUBLE:
            yield Violation(value, "is float64 and no input is, but should be float32")


@rule("IO005")
def interface_json_agrees(candidate: StaticCandidate) -> Iterator[Violation]:
    """interface.json and the graph declare the same."""
    if candidate.interface_fault is not None:
        yield Violation(FilePart(FILE_NAME), f"{candidate.interface_fault}, but should follow assay.interface/v1")
    if candidate.interface is None:
        return
    interface = candidate.interface
    for kind, specs, values in (
        ("inputs", interface.inputs, candidate.inputs),
        ("outputs", interface.outputs, candidate.outputs),
    ):
        said, declared = [spec.name for spec in specs], [value.name for value in values]
        if said != declared:
            yield Violation(
                FilePart(FILE_NAME, kind),
                f"names {_listed(said)}, but should name {_listed(declared)} as the graph does",
            )
            continue
        yield from (violation for pair in zip(specs, values, strict=True) for violation in _disagreement(*pair))


def _disagreement(spec: TensorSpec, value: ir.Value) -> Iterator[Violation]:
    said = _text(
        spec.dtype, None if spec.dims is None else tuple(d.name if isinstance(d, Axis) else d for d in spec.dims)
    )
    declared = _text(dtype_name(value), declared_shape(value))
    if said != declared:
        yield Violation(value, f"{FILE_NAME} says {said}, but should say {declared} as the graph does")


def _text(dtype: str, dims: Sequence[int | str | None] | None) -> str:
    return dtype + ("" if dims is None else f"[{','.join('?' if dim is None else str(dim) for dim in dims)}]")


def _listed(names: Sequence[str | None]) -> str:
    return ", ".join(str(name) for name in names) or "none"


def dtype_name(value: ir.Value) -> str:
    """The profile's name of the value's dtype; ``unknown`` where the file declares none."""
    if value.dtype is None:
        return "unknown"
    name = value.dtype.name.lower()
    return _DTYPES.get(name, name)
