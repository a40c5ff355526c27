"""Source in, bundle out: open, export, bring into the profile, write."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from assay.converters.bundle import Bundle, require_replaceable, write_bundle
from assay.converters.contract import contracted, narrowed, state_conditions
from assay.converters.examples import numpy_dtype, trace_sizes, typical_feeds
from assay.converters.exporter import Exported, find_exporter, newest_opset, require_opset
from assay.converters.garbage import uncollected
from assay.converters.lifting import idle_conditions
from assay.converters.passes import run_passes
from assay.converters.passes.context import PassContext
from assay.converters.sources import Source, open_source
from assay.converters.sources.base import Inputs, SourceError, require_inputs
from assay.specs.condition_sets import nearest
from assay.specs.conditions import Condition, satisfied
from assay.specs.data import PROFILE_VERSION
from assay.specs.errors import brief
from assay.specs.fields import stated
from assay.specs.interface import Axis, Dim, Interface, TensorSpec, with_roles
from assay.specs.targets import Target, load_target
from assay.specs.tasks import Task, load_task

Fields = Mapping[str, Mapping[str, Any]]


def convert(
    source: Any,
    output: str | os.PathLike[str],
    task: str = "generic",
    inputs: Inputs | None = None,
    opset: int | None = None,
    exporter: str | None = None,
    *,
    outputs: Sequence[str] | None = None,
    fields: Fields | None = None,
    target: str | None = None,
    trust_source: bool = False,
    folders: Sequence[Path] = (),
) -> Bundle:
    """Convert a source (path, import string or live object) and write the bundle.

    ``inputs`` maps names to specifications like ``"float32[batch,3,height,width] in 0..255"`` or to example arrays
    (whose shape is then fixed); ``outputs`` names outputs that have no names of their own; ``fields`` is what the
    profile wants stated beside the graph, as ``{"preprocessing": {"layout": "NCHW"}}``. ``target`` chooses the opset
    where none is given: the newest that the target runs and the exporter writes. Raises `AssayError` where the
    source can't be opened or converted; nothing is left at ``output`` then.
    """
    kind = load_task(task)
    limits = None if target is None else load_target(target)
    names = [tensor.name for tensor in kind.outputs if not tensor.optional]
    opened = open_source(source, inputs, outputs, trust=trust_source, folders=folders, output_hints=names)
    return convert_source(opened, output, kind, opset, exporter, fields, limits)


def convert_source(
    source: Source,
    output: str | os.PathLike[str],
    task: Task,
    opset: int | None = None,
    exporter: str | None = None,
    fields: Fields | None = None,
    target: Target | None = None,
) -> Bundle:
    """Convert an opened source."""
    statements = stated(fields or {})
    export = find_exporter(source, exporter)
    if target is not None:
        opset = opset or opset_for(target, source, exporter)
    require_replaceable(Path(output))
    interface = describe(source, task)
    with uncollected():
        exported = export(source, opset)
        if opset is not None:
            require_opset(source.name, exported.exporter, exported.model, opset)
        if target is not None:  # an older reader refuses a newer IR version, whatever the file holds
            exported.model.ir_version = min(exported.model.ir_version, target.ir_version)
        contract = _described_within(contracted(source.name, interface, exported.clauses), source, task, interface)
        metadata = {
            "assay.profile": PROFILE_VERSION,
            "assay.exporter": exported.exporter,
            "assay.source.framework": source.framework,
            "assay.source.sha256": source.sha256(),
            **statements,
        }
        run_passes(exported.model, PassContext(source.name, contract, exported.inputs, metadata, source.settings()))
    contract = _without_idle_conditions(contract, source, exported, interface)
    state_conditions(exported.model, contract.conditions)
    return write_bundle(exported.model, contract, output, exported.shards)


def opset_for(target: Target, source: Source, exporter: str | None = None) -> int | None:
    """The newest opset that the target runs and the exporter writes; None where the exporter keeps the source's."""
    newest = newest_opset(source, exporter)
    return None if newest is None else min(newest, target.opset["ai.onnx"])


def describe(source: Source, task: Task) -> Interface:
    """The interface of a source: its inputs, and its outputs as they are seen when it runs at two sets of sizes."""
    given = require_inputs(source).inputs
    inputs = with_roles(given, task.roles(spec.name for spec in given))
    return _with_outputs(Interface(inputs, task=task.name), source, task)


def _without_idle_conditions(contract: Interface, source: Source, exported: Exported, asked: Interface) -> Interface:
    """Axes are again as wide as they were asked for, where the condition that narrowed them turns out to be idle."""
    idle = idle_conditions(source, exported.model, asked, contract.conditions, exported.clauses)
    kept = tuple(condition for condition in contract.conditions if condition not in idle)
    return replace(contract, inputs=narrowed(replace(asked, conditions=kept)).inputs, conditions=kept)


def _described_within(contract: Interface, source: Source, task: Task, seen: Interface) -> Interface:
    """The outputs seen again where the contract does not allow the sizes of the first look."""
    sizes = trace_sizes(seen)
    if all(satisfied(contract.conditions, s) for s in (sizes, _moved_sizes(seen, sizes))):
        return contract
    return _with_outputs(contract, source, task)


def _with_outputs(interface: Interface, source: Source, task: Task) -> Interface:
    inputs, sizes = interface.inputs, trace_sizes(interface)
    first = _run(source, inputs, sizes)
    moved = _moved_sizes(interface, sizes)
    try:
        second = _run(source, inputs, moved) if moved != sizes else first
    except SourceError:
        second, moved = first, sizes
    outputs = tuple(_output(name, first[name], second[name], sizes, moved) for name in first)
    return replace(interface, outputs=with_roles(outputs, task.roles(first)))


def _run(source: Source, inputs: tuple[TensorSpec, ...], sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    try:
        return source.outline(typical_feeds(inputs, sizes, seed=0))
    except SourceError:
        raise
    except Exception as error:
        shapes = ", ".join(f"{spec.name} {list(spec.shape(sizes))}" for spec in inputs)
        sentence = f"does not run on {shapes}: {type(error).__name__}: {brief(error)}"
        raise SourceError(source.name, sentence + _without_range(inputs)) from error


def _without_range(inputs: tuple[TensorSpec, ...]) -> str:
    """Whole numbers may be indices, which nobody can guess the range of."""
    open_ended = [spec for spec in inputs if spec.range is None and numpy_dtype(spec.dtype).kind in "iu"]
    listed = "; ".join(f'--input "{spec.name}={spec} in 0..N"' for spec in open_ended)
    return f"; if its values have a range, say so: {listed}" if listed else ""


def _moved_sizes(interface: Interface, sizes: Mapping[str, int]) -> dict[str, int]:
    """Other sizes, of every axis if possible, that satisfy the interface's conditions."""
    wanted = {name: _moved(axis, sizes[name], interface.conditions) for name, axis in interface.axes.items()}
    return nearest(wanted, interface.axes, interface.conditions) or dict(sizes)


def _moved(axis: Axis, size: int, conditions: Sequence[Condition]) -> int:
    own = [condition for condition in conditions if condition.names == {axis.name}]
    wanted = [size + 2, 2 * size, size + 1, size - 1, *(range(size + 3, size + 65) if own else ())]
    return next((s for s in wanted if axis.allows(s) and satisfied(own, {axis.name: s})), size)


def _output(name: str, a: np.ndarray, b: np.ndarray, sizes: Mapping[str, int], moved: Mapping[str, int]) -> TensorSpec:
    dtype = "string" if a.dtype.kind in "OUS" else a.dtype.name
    if a.ndim != b.ndim:
        return TensorSpec(name, dtype)
    dims = tuple(
        _observed(f"{name}_{i}", m, n, sizes, moved) for i, (m, n) in enumerate(zip(a.shape, b.shape, strict=True))
    )
    return TensorSpec(name, dtype, dims)


def _observed(place: str, a: int, b: int, sizes: Mapping[str, int], moved: Mapping[str, int]) -> Dim:
    """The axis that this size follows in both runs, the size itself where it stays, else an axis of its own."""
    following = [name for name in sizes if (sizes[name], moved[name]) == (a, b) and sizes[name] != moved[name]]
    if len(following) == 1:
        return Axis(following[0])
    return a if a == b else Axis(place)
