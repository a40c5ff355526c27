"""Probes of several steps: a model with a state or a cache gets back what it gave in the step before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from assay.conformance.parity.probes.probe import SEED, Feeds, LastStep, LevelName, Probe, Relation
from assay.conformance.parity.probes.typical import Typical
from assay.specs.data import UnknownNameError
from assay.specs.interface import Dim, Interface, TensorSpec
from assay.specs.tasks import load_task

_STEPS = {"quick": 2, "default": 4, "thorough": 16}
_ENDINGS = ("N", "_n", "n", "_out", "_next", "_new", "_output")
_BEGINNINGS = ("next_", "new_", "out_", "updated_")


def step_probes(typical: Typical, level: LevelName) -> Iterator[Probe]:
    """Several steps from where a stream begins; with a cache that grows also all of them in one."""
    back = feedback(typical.interface)
    if not back:
        return
    steps = _STEPS[level]
    past = _past_axis(typical, set(back.values()))
    if past is None:
        start = {name: np.zeros_like(typical.feeds[name]) for name in back.values()}
        feeds, later = {**typical.feeds, **start}, [typical.at({}, SEED + step) for step in range(1, steps)]
        yield Probe("state at zero", "a stream as it begins", feeds)
        yield Probe(
            "steps",
            f"{steps} steps, each with the state that the one before gave",
            feeds,
            later=_without(later, back),
            feedback=back,
        )
        return
    yield from _cached(typical, past, back, steps)


def _cached(typical: Typical, past: str, back: Mapping[str, str], steps: int) -> Iterator[Probe]:
    new = next((part for parts in typical.sums.values() if past in parts for part in parts if part != past), None)
    for size in [0] if _may_be_empty(typical.interface) else []:
        yield Probe("empty cache", "the first step, with nothing in the cache", typical.at({past: size}))
    if new is None or not typical.free_axes[new].allows(1):
        return
    before, first = typical.sizes[past], typical.sizes[new]
    later = [typical.at({new: 1, past: before + first + step}, SEED + 20 + step) for step in range(steps - 1)]
    told = f"{steps} steps, each with the cache that the one before gave"
    yield Probe("steps", told, typical.feeds, later=_without(later, back), feedback=back)
    relation = Relation("PA024", "steps", "all steps are taken at once, without their cache", LastStep(steps))
    yield Probe(
        "steps at once",
        "the tokens of all steps in one",
        _at_once(typical, new, later, back),
        moved=frozenset({new}),
        relations=(relation,),
    )


def _at_once(typical: Typical, new: str, later: list[dict[str, np.ndarray]], back: Mapping[str, str]) -> Feeds:
    feeds = typical.at({new: typical.sizes[new] + len(later)})
    for spec in typical.interface.inputs:
        at = typical.axis(spec, new)
        if at is not None:
            feeds[spec.name] = np.concatenate([typical.feeds[spec.name], *(step[spec.name] for step in later)], at)
    return {**feeds, **{name: typical.feeds[name] for name in back.values()}}


def _without(later: list[dict[str, np.ndarray]], back: Mapping[str, str]) -> tuple[Feeds, ...]:
    return tuple({name: array for name, array in feeds.items() if name not in back.values()} for feeds in later)


def feedback(interface: Interface) -> dict[str, str]:
    """Which output feeds which input of the next step: as the task says, else by name, dtype and rank."""
    taken = {spec.name: spec for spec in interface.inputs}
    stated = {out.name: name for out in interface.outputs if (name := _fed_by_task(interface.task, out.name)) in taken}
    if stated:
        return stated
    given = {spec.name: spec for spec in interface.outputs}
    pairs = ((spec, next((name for name in _next_names(spec.name) if name in given), None)) for spec in taken.values())
    return {name: spec.name for spec, name in pairs if name is not None and _alike(spec, given[name])}


def _fed_by_task(task: str, output: str) -> str | None:
    try:
        tensors: tuple[Any, ...] = load_task(task).outputs
    except UnknownNameError:
        return None
    found = next(((t, layer) for t in tensors if (layer := t.layer(output)) is not None), None)
    return None if found is None or found[0].feeds is None else str(found[0].feeds).replace("{layer}", str(found[1]))


def _next_names(name: str) -> Iterator[str]:
    yield from (f"{name}{ending}" for ending in _ENDINGS)
    yield from (f"{beginning}{name}" for beginning in _BEGINNINGS)
    replaced = (
        name.replace("past_key_values", "present"),
        name.replace("past", "present"),
        name.replace("_in", "_out"),
    )
    yield from (other for other in replaced if other != name)


def _alike(spec: TensorSpec, output: TensorSpec) -> bool:
    if spec.dtype != output.dtype or spec.dims is None or output.dims is None or len(spec.dims) != len(output.dims):
        return False
    return all(_may_equal(a, b) for a, b in zip(spec.dims, output.dims, strict=True))


def _may_equal(a: Dim, b: Dim) -> bool:
    return not isinstance(a, int) or not isinstance(b, int) or a == b


def _past_axis(typical: Typical, states: set[str]) -> str | None:
    """The axis along which a cache grows: in no input but the cache, and no axis of samples."""
    inside = {axis.name for spec in typical.interface.inputs if spec.name in states for axis in spec.axes}
    outside = {axis.name for spec in typical.interface.inputs if spec.name not in states for axis in spec.axes}
    return next((name for name in typical.other_axes if name in inside - outside), None)


def _may_be_empty(interface: Interface) -> bool:
    try:
        return any(axis.minimum == 0 for name, axis in load_task(interface.task).axes.items() if "past" in name)
    except UnknownNameError:
        return False
