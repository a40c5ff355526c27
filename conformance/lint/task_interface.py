"""IO: inputs and outputs against the task that the model names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.interface import dtype_name
from assay.conformance.lint.registry import FilePart, Violation, rule
from assay.specs.task_interface import Declared, Kind


@rule("IO002")
def interface_follows_task(candidate: StaticCandidate) -> Iterator[Violation]:
    """A model of a task has the task's inputs and outputs, with their dtypes and ranks."""
    yield from _mismatched(candidate, "missing", "unknown", "dtype", "rank")


@rule("IO006")
def interface_keeps_order(candidate: StaticCandidate) -> Iterator[Violation]:
    """Inputs and outputs that the task names stand in its order."""
    yield from _mismatched(candidate, "order")


@rule("IO008")
def dynamic_axis_stays_dynamic(candidate: StaticCandidate) -> Iterator[Violation]:
    """An axis that callers of the task vary has no fixed size."""
    yield from _mismatched(candidate, "frozen")


@rule("IO020")
def fixed_axis_has_size(candidate: StaticCandidate) -> Iterator[Violation]:
    """An axis that models of the task fix has its size."""
    yield from _mismatched(candidate, "open")


@rule("IO021")
def axis_has_one_name(candidate: StaticCandidate) -> Iterator[Violation]:
    """An axis that the task has once has one name in all inputs."""
    yield from _mismatched(candidate, "untied")


def _mismatched(candidate: StaticCandidate, *kinds: Kind) -> Iterator[Violation]:
    values = {value.name: value for value in (*candidate.inputs, *candidate.outputs)}
    for mismatch in candidate.mismatches:
        if mismatch.kind in kinds:
            part = FilePart(candidate.path.name, mismatch.side)
            yield Violation(values.get(mismatch.name, part) if mismatch.name else part, mismatch.sentence)


def declared(values: Sequence[ir.Value]) -> list[Declared]:
    """What the graph declares, in the profile's words."""
    return [Declared(value.name or "", dtype_name(value), declared_shape(value)) for value in values]


@rule("IO012")
def index_is_int64(candidate: StaticCandidate) -> Iterator[Violation]:
    """Where the task wants int64 first, the model has it."""
    for value in (*candidate.inputs, *candidate.outputs):
        tensor = candidate.task.tensor(value.name or "")
        if tensor is not None and tensor.dtypes[0] == "int64" and value.dtype == ir.DataType.INT32:
            yield Violation(value, f"is int32, but should be int64 as the task {candidate.task.name} has it elsewhere")


@rule("IO017")
def state_fits_its_next(candidate: StaticCandidate) -> Iterator[Violation]:
    """What a step gives as the next state is what the next step takes."""
    inputs = {value.name: value for value in candidate.inputs}
    for value in candidate.outputs:
        tensor = candidate.task.tensor(value.name or "")
        fed = candidate.task.tensor(tensor.feeds) if tensor is not None and tensor.feeds else None
        state = (
            inputs.get(fed.at(tensor.layer(value.name or "") or 0)) if fed is not None and tensor is not None else None
        )
        if state is None:
            continue
        if state.dtype != value.dtype:
            yield Violation(
                value, f"is {dtype_name(value)}, but should be {dtype_name(state)} as the input {state.name!r}"
            )
        elif not _may_equal(declared_shape(state), declared_shape(value)):
            got, due = (list(declared_shape(each) or ()) for each in (value, state))
            yield Violation(value, f"has the shape {got}, but should have {due} as the input {state.name!r}")


def _may_equal(a: Sequence[int | str | None] | None, b: Sequence[int | str | None] | None) -> bool:
    """Whether two shapes can be one: equal ranks, and no two sizes that differ."""
    if a is None or b is None:
        return True
    sizes = zip(a, b, strict=False)
    return len(a) == len(b) and all(m == n or not (isinstance(m, int) and isinstance(n, int)) for m, n in sizes)
