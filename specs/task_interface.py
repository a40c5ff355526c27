"""What a graph declares, held against its task: what is missing, unknown, of another dtype, rank, order or axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.specs.tasks import Task, TaskTensor

Kind = Literal["missing", "unknown", "dtype", "rank", "order", "frozen", "open", "untied"]
Side = Literal["inputs", "outputs"]


@dataclass(frozen=True)
class Declared:
    """An input or output as a graph declares it; a dim is a size, a name or None, ``dims`` None for an open rank."""

    name: str
    dtype: str
    dims: tuple[int | str | None, ...] | None = None


@dataclass(frozen=True)
class Mismatch:
    """One way in which a graph leaves its task; ``name`` is the declared tensor's, None where no one tensor is meant.

    ``missing``: a tensor that the task asks for is not there. ``unknown``: an input that the task does not know.
    ``dtype``, ``rank``, ``order``: as they say. ``frozen``: a size where callers vary it. ``open``: a name where the
    model fixes the size. ``untied``: two names for an axis that the task has once.
    """

    kind: Kind
    side: Side
    name: str | None
    sentence: str


def mismatches(task: Task, inputs: Sequence[Declared], outputs: Sequence[Declared]) -> tuple[Mismatch, ...]:
    """Every way in which these inputs and outputs leave the task; none for ``generic``."""
    if not task.tensors:
        return ()
    return (
        *_side(task, "inputs", inputs, task.inputs),
        *_side(task, "outputs", outputs, task.outputs),
        *_unfed(task, inputs, outputs),
        *_untied(task, inputs),
    )


def _side(task: Task, side: Side, declared: Sequence[Declared], wanted: Sequence[TaskTensor]) -> Iterator[Mismatch]:
    names = [value.name for value in declared]
    yield from _missing(task, side, names, wanted)
    yield from _missing_in_layer(task, side, names, wanted)
    for value in declared:
        tensor = _find(wanted, value.name)
        if tensor is not None:
            yield from _unlike(task, side, value, tensor)
        elif side == "inputs":
            known = ", ".join(tensor.name for tensor in wanted)
            yield Mismatch(
                "unknown",
                side,
                value.name,
                f"{value.name!r} is no input of the task {task.name}, but should be one of {known}",
            )
    yield from _disorder(task, side, names, wanted)


def _find(wanted: Sequence[TaskTensor], name: str) -> TaskTensor | None:
    return next((tensor for tensor in wanted if tensor.layer(name) is not None), None)


def _missing(task: Task, side: Side, names: Sequence[str], wanted: Sequence[TaskTensor]) -> Iterator[Mismatch]:
    """Tensors that are not optional and not there, nor any other of their choice."""
    held = {tensor for name in names if (tensor := _find(wanted, name)) is not None}
    chosen = {tensor.choice for tensor in held}
    for tensor in wanted:
        if tensor.optional or tensor in held or (tensor.choice is not None and tensor.choice in chosen):
            continue
        others = [other.name for other in wanted if tensor.choice is not None and other.choice == tensor.choice]
        due = " or ".join(map(repr, others or [tensor.name]))
        sentence = f"the {side} are {', '.join(names) or 'none'}, but should include {due} of the task {task.name}"
        yield Mismatch("missing", side, None, sentence)


def _missing_in_layer(task: Task, side: Side, names: Sequence[str], wanted: Sequence[TaskTensor]) -> Iterator[Mismatch]:
    """A layer that has some of its tensors has all that are not optional."""
    repeated = [tensor for tensor in wanted if tensor.repeated and not tensor.optional]
    layers = {layer for tensor in repeated for name in names if (layer := tensor.layer(name)) is not None}
    for layer in sorted(layers):
        for due in (tensor.at(layer) for tensor in repeated if tensor.at(layer) not in names):
            yield Mismatch(
                "missing", side, None, f"layer {layer} lacks {due!r}, but should have it in the task {task.name}"
            )


def _unlike(task: Task, side: Side, value: Declared, wanted: TaskTensor) -> Iterator[Mismatch]:
    if value.dtype not in wanted.dtypes:
        due = " or ".join(wanted.dtypes)
        yield Mismatch(
            "dtype", side, value.name, f"dtype is {value.dtype}, but should be {due} for the task {task.name}"
        )
    if value.dims is None or wanted.axes is None:
        return
    if len(value.dims) != len(wanted.axes):
        due = f"[{', '.join(wanted.axes)}]"
        yield Mismatch(
            "rank", side, value.name, f"has {len(value.dims)} axes, but should have {due} for the task {task.name}"
        )
        return
    yield from _wrong_axes(task, side, value, _axes(task, value, wanted))


def _wrong_axes(task: Task, side: Side, value: Declared, axes: Sequence[str]) -> Iterator[Mismatch]:
    for index, (dim, axis) in enumerate(zip(value.dims or (), axes, strict=True)):
        dynamic = task.axes[axis].dynamic
        if dynamic and isinstance(dim, int):
            sentence = f"axis {index} has the size {dim}, but should be dynamic, as {axis} is in the task {task.name}"
            yield Mismatch("frozen", side, value.name, sentence)
        elif dynamic is False and not isinstance(dim, int):
            got = "has no size" if dim is None else f"is the dynamic axis {dim!r}"
            sentence = f"axis {index} {got}, but should have a size, as {axis} has in the task {task.name}"
            yield Mismatch("open", side, value.name, sentence)


def _axes(task: Task, value: Declared, wanted: TaskTensor) -> tuple[str, ...]:
    """The axes in the layout that leaves the fewest wrong: sizes where they are fixed, names where they are dynamic."""
    orders = [axes for layout in wanted.layouts if (axes := wanted.axes_in(layout)) is not None]
    return min(orders, key=lambda axes: len(list(_wrong_axes(task, "inputs", value, axes))), default=wanted.axes or ())


def _disorder(task: Task, side: Side, names: Sequence[str], wanted: Sequence[TaskTensor]) -> Iterator[Mismatch]:
    known = [name for name in names if _find(wanted, name) is not None]
    due = sorted(known, key=lambda name: _place(wanted, name))
    if known != due:
        got = ", ".join(known)
        yield Mismatch(
            "order", side, None, f"the {side} come as {got}, but should as {', '.join(due)} for the task {task.name}"
        )


def _place(wanted: Sequence[TaskTensor], name: str) -> tuple[int, int, int]:
    """Repeated tensors that stand together in the task come layer by layer."""
    index = next(index for index, tensor in enumerate(wanted) if tensor.layer(name) is not None)
    first = index
    while wanted[index].repeated and first > 0 and wanted[first - 1].repeated:
        first -= 1
    return first, wanted[index].layer(name) or 0, index


def _unfed(task: Task, inputs: Sequence[Declared], outputs: Sequence[Declared]) -> Iterator[Mismatch]:
    """An input that lives on an output of the step before, and the output, come together."""
    taken, given = {value.name for value in inputs}, {value.name for value in outputs}
    for output in (tensor for tensor in task.outputs if tensor.feeds is not None):
        source = _find(task.inputs, (output.feeds or "").replace("{layer}", "0"))
        if source is None:
            continue
        yield from _unpaired("inputs", taken, [source.at(layer) for layer in _layers(output, given)], output)
        yield from _unpaired("outputs", given, [output.at(layer) for layer in _layers(source, taken)], output)


def _unpaired(side: Side, names: set[str], due: Sequence[str], output: TaskTensor) -> Iterator[Mismatch]:
    for name in due:
        if name not in names:
            yield Mismatch(
                "missing",
                side,
                None,
                f"{name!r} is missing, but should be there, as {output.name} feeds {output.feeds}",
            )


def _layers(tensor: TaskTensor, names: set[str]) -> list[int]:
    return sorted(layer for name in names if (layer := tensor.layer(name)) is not None)


def _untied(task: Task, inputs: Sequence[Declared]) -> Iterator[Mismatch]:
    """An axis that the task has once has one name in all inputs."""
    said: dict[str, tuple[str, str]] = {}
    for value in inputs:
        tensor = _find(task.inputs, value.name)
        if tensor is None or value.dims is None or tensor.axes is None or len(value.dims) != len(tensor.axes):
            continue
        for dim, axis in zip(value.dims, _axes(task, value, tensor), strict=True):
            if not isinstance(dim, str):
                continue
            name, owner = said.setdefault(axis, (dim, value.name))
            if name != dim:
                sentence = f"the axis {axis} is named {dim!r}, but should be {name!r} as in {owner}"
                yield Mismatch("untied", "inputs", value.name, sentence)
