"""IO: names, dtypes and dimensions of inputs and outputs."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.converters.interface_json import FILE_NAME
from assay.specs.interface import Axis, TensorSpec
from assay.specs.tasks import Task, TaskTensor

_PORTABLE = re.compile(r"[A-Za-z_][\w.\-/]*", re.ASCII)
_MADE_UP = re.compile(
    r"keras_tensor(_\d+)?|input\.\d+|x\.\d+|args?_?\d+(_\d+)?|serving_default_.*|Stateful\w*Call.*|Identity(_\d+)?|Func/.*"
)
_DTYPES = {"float": "float32", "double": "float64"}
_NUMBERED = frozenset({"present", "present_key_values", "hidden_states", "attentions"})  # one a layer, by convention
_FREE_INITIALIZERS = 4  # the IR version that no longer wants them among the inputs


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
    return "unknown" if value.dtype is None else _named_dtype(value.dtype)


def _named_dtype(dtype: ir.DataType) -> str:
    name = dtype.name.lower()
    return _DTYPES.get(name, name)


@rule("IO006")
def interface_keeps_order(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs and outputs that the task names stand in its order."""
    task = candidate.task
    for kind, values, wanted in (
        ("inputs", candidate.inputs, task.inputs),
        ("outputs", candidate.outputs, task.outputs),
    ):
        order = [tensor.name for tensor in wanted]
        got = [value.name for value in values if value.name in order]
        due = sorted(got, key=lambda name: order.index(str(name)))
        if got != due:
            sentence = f"the {kind} stand as {_listed(got)}, but should stand as {_listed(due)} in the task {task.name}"
            yield Violation(FilePart(candidate.path.name, kind), sentence)


@rule("IO007")
def name_is_unique(candidate: StaticCandidate) -> Iterator[Violation]:
    """No two inputs, outputs or initializers share a name."""
    graph = candidate.proto.graph
    for kind, values in (("inputs", graph.input), ("outputs", graph.output), ("initializers", graph.initializer)):
        for name, count in Counter(value.name for value in values).items():
            if count > 1:
                part = FilePart(candidate.path.name, kind)
                yield Violation(part, f"{count} {kind} have the name {name!r}, but each should have a name of its own")


@rule("IO012")
def index_is_int64(candidate: StaticCandidate) -> Iterator[Violation]:
    """Where the task wants int64 first, the model has it."""
    wanted = {tensor.name: tensor for tensor in (*candidate.task.inputs, *candidate.task.outputs)}
    for value in (*candidate.inputs, *candidate.outputs):
        tensor = wanted.get(value.name or "")
        if tensor is not None and tensor.dtypes[0] == "int64" and value.dtype == ir.DataType.INT32:
            yield Violation(value, f"is int32, but should be int64 as the task {candidate.task.name} has it elsewhere")


@rule("IO013")
def outputs_are_told_apart(candidate: StaticCandidate) -> Iterator[Violation]:
    """Outputs of one dtype and shape have names that say more than a number."""
    alike: dict[object, list[str]] = defaultdict(list)
    for value in candidate.outputs:
        alike[value.dtype, declared_shape(value), re.sub(r"\d+", "#", value.name or "")].append(value.name or "")
    for names in alike.values():
        if len(names) > 1 and not any(name.split(".")[0] in _NUMBERED for name in names):
            part = FilePart(candidate.path.name, "outputs")
            yield Violation(part, f"{_listed(names)} differ in a number only, but should say what each one is")


@rule("IO014")
def type_is_declared(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs and outputs declare a dtype and a rank."""
    for value in (*candidate.inputs, *candidate.outputs):
        if value.type is None or value.dtype in (None, ir.DataType.UNDEFINED):
            yield Violation(value, "declares no dtype, but should declare one")
        elif value.shape is None and isinstance(value.type, ir.TensorType):
            yield Violation(value, "declares no shape, but should declare its axes")


@rule("IO015")
def interface_is_of_tensors(candidate: StaticCandidate) -> Iterator[Violation]:
    """No input or output is a sequence or optional."""
    for value in (*candidate.inputs, *candidate.outputs):
        if isinstance(value.type, (ir.SequenceType, ir.OptionalType)):
            yield Violation(value, f"is of the type {type(value.type).__name__}, but should be a tensor")


@rule("IO016")
def weight_is_no_input(candidate: StaticCandidate) -> Iterator[Violation]:
    """Since IR version 4 initializers need not stand among the inputs."""
    named = [value.name for value in candidate.graph.inputs if value.name in candidate.graph.initializers]
    if named and candidate.model.ir_version >= _FREE_INITIALIZERS:
        part = FilePart(candidate.path.name, "inputs")
        sentence = f"{len(named)} initializers such as {named[0]!r} are inputs too, but should be initializers alone"
        yield Violation(part, sentence, {"names": named[:10]})


@rule("IO017")
def state_fits_its_next(candidate: StaticCandidate) -> Iterator[Violation]:
    """What a step gives as the next state is what the next step takes."""
    inputs = {value.name: value for value in candidate.inputs}
    for value in candidate.outputs:
        state = inputs.get(_state_name(value.name or "", candidate.task))
        if state is None:
            continue
        if state.dtype != value.dtype:
            yield Violation(value, f"is {dtype_name(value)}, but should be {dtype_name(state)} as the input {state.name!r}")
        elif not _may_equal(declared_shape(state), declared_shape(value)):
            due = f"{_text('', declared_shape(state))} as the input {state.name!r}"
            yield Violation(value, f"has the shape {_text('', declared_shape(value))}, but should have {due}")


def _state_name(output: str, task: Task) -> str:
    """The input that this output becomes at the next step."""
    if output.startswith("present"):
        return re.sub(r"^present(_key_values)?\.", "past_key_values.", output)
    roles = task.roles()
    states = [tensor.name for tensor in task.inputs if tensor.role == "state"]
    return states[0] if roles.get(output) in ("next-state", "next_state") and len(states) == 1 else ""


def _may_equal(a: Sequence[int | str | None] | None, b: Sequence[int | str | None] | None) -> bool:
    """Whether two shapes can be one: equal ranks, and no two sizes that differ."""
    if a is None or b is None:
        return True
    sizes = zip(a, b, strict=False)
    return len(a) == len(b) and all(m == n or not (isinstance(m, int) and isinstance(n, int)) for m, n in sizes)


@rule("IO018")
def declared_dtype_holds(candidate: StaticCandidate) -> Iterator[Violation]:
    """An output declares the dtype that its operator gives."""
    for value in candidate.outputs:
        implied = candidate.inferred.get(value.name or "")
        dtype = implied.dtype if implied is not None else None
        declared = next((v for v in candidate.proto.graph.output if v.name == value.name), None)
        kind = declared.type.tensor_type.elem_type if declared is not None else 0
        if dtype is not None and kind and kind != int(dtype):
            due = _named_dtype(dtype)
            yield Violation(value, f"is declared {_named_dtype(ir.DataType(kind))}, but should be {due} as computed")


@rule("IO019")
def interface_json_is_valid(candidate: StaticCandidate) -> Iterator[Violation]:
    """interface.json keeps its schema, beyond what reading it needs."""
    if candidate.interface is None:
        return
    from assay.specs.schemas import SchemaError, validate

    try:
        validate("interface", json.loads((candidate.path.parent / FILE_NAME).read_bytes()))
    except SchemaError as error:
        yield Violation(FilePart(FILE_NAME, error.pointer or None), f"{error.reason}, but should follow assay.interface/v1")
