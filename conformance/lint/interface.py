"""IO: names, dtypes and dimensions of inputs and outputs."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.dtypes import profile_name
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.converters.interface_json import FILE_NAME, interface_file
from assay.specs.interface import Axis, TensorSpec

_PORTABLE = re.compile(r"[A-Za-z_][\w.\-/]*", re.ASCII)
_MADE_UP = re.compile(
    r"keras_tensor(_\d+)?|input\.\d+|x\.\d+|args?_?\d+(_\d+)?|serving_default_.*|Stateful\w*Call.*|Identity(_\d+)?|Func/.*"
)
_NUMBERED = frozenset({"present", "present_key_values", "hidden_states", "attentions"})  # one a layer, by convention
_FREE_INITIALIZERS = 4  # the IR version that no longer wants them among the inputs


def is_portable(name: str) -> bool:
    """Whether a name is of letters, digits, ``_``, ``.``, ``-`` and ``/``, and starts with a letter or ``_``."""
    return _PORTABLE.fullmatch(name) is not None


def is_made_up(name: str) -> bool:
    """Whether an exporter made the name up."""
    return _MADE_UP.fullmatch(name) is not None


@rule("IO001")
def name_is_portable(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs and outputs have names that somebody chose."""
    for value in (*candidate.inputs, *candidate.outputs):
        name = value.name or ""
        if not is_portable(name):
            yield Violation(value, f"{name!r} is no portable name, but should be of letters, digits, '_', '.', '-'")
        elif is_made_up(name):
            yield Violation(
                value, f"{name!r} is a name that the exporter made up, but should be one that its author chose"
            )


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
    return "unknown" if value.dtype is None else profile_name(value.dtype)


@rule("IO007")
def name_is_unique(candidate: StaticCandidate) -> Iterator[Violation]:
    """No two inputs, outputs or initializers share a name."""
    graph = candidate.proto.graph
    for kind, values in (("inputs", graph.input), ("outputs", graph.output), ("initializers", graph.initializer)):
        for name, count in Counter(value.name for value in values).items():
            if count > 1:
                part = FilePart(candidate.path.name, kind)
                yield Violation(part, f"{count} {kind} have the name {name!r}, but should each have a name of its own")


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


@rule("IO018")
def declared_dtype_holds(candidate: StaticCandidate) -> Iterator[Violation]:
    """An output declares the dtype that its operator gives."""
    for value in candidate.outputs:
        implied = candidate.inferred.get(value.name or "")
        dtype = implied.dtype if implied is not None else None
        declared = next((v for v in candidate.proto.graph.output if v.name == value.name), None)
        kind = declared.type.tensor_type.elem_type if declared is not None else 0
        if dtype is not None and kind and kind != int(dtype):
            due = profile_name(dtype)
            yield Violation(value, f"is declared {profile_name(ir.DataType(kind))}, but should be {due} as computed")


@rule("IO019")
def interface_json_is_valid(candidate: StaticCandidate) -> Iterator[Violation]:
    """interface.json keeps its schema, beyond what reading it needs."""
    if candidate.interface is None:
        return
    from assay.specs.schemas import SchemaError, validate

    try:
        validate("interface", json.loads(interface_file(candidate.path)))
    except SchemaError as error:
        yield Violation(
            FilePart(FILE_NAME, error.pointer or None), f"{error.reason}, but should follow assay.interface/v1"
        )
