"""Probes that stand in a relation to another: one thing is changed, and outputs move where the source's do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from assay.conformance.parity.probes.contents import within
from assay.conformance.parity.probes.probe import SEED, Feeds, LevelName, Probe, Prolonged, Relation, Selected
from assay.conformance.parity.probes.sizes import BATCH
from assay.conformance.parity.probes.typical import Typical, is_float, role_of
from assay.specs.interface import TensorSpec

_MOST = {"quick": 0, "default": 4, "thorough": 64}
_MOST_AXES = {"quick": 0, "default": 2, "thorough": 8}
_EXTRA = 7


def paired_probes(typical: Typical, probes: Mapping[str, Probe], level: LevelName) -> Iterator[Probe]:
    """The relations that the level asks for; ``probes`` are those that there are already, by name."""
    if level != "quick":
        yield from _rows(typical, probes)
    yield from _moved_inputs(typical, level)
    yield from _edited_places(typical, level)
    if level != "quick":
        yield from _longer_padding(typical, probes)


def _rows(typical: Typical, probes: Mapping[str, Probe]) -> Iterator[Probe]:
    """Rows in another order, and rows among other mates; one alone too, where no smaller batch does that."""
    axis = typical.sample_axis
    base = probes.get(f"{axis}={BATCH}") or probes["typical"]
    size = 0 if axis is None else typical.size_in(base.feeds, axis)
    if axis is None or size < 2:
        return
    order = tuple(reversed(range(size)))
    told = f"the rows along {axis} come in another order"
    relations = (Relation("PA023", base.name, told, Selected(size, order)),)
    feeds = typical.taken(base.feeds, axis, list(order))
    yield Probe("rows reversed", told, feeds, moved=base.moved, seed=base.seed, relations=relations)
    told = f"all rows along {axis} but the first hold other values"
    relations = (Relation("PA021", base.name, told),)
    feeds = {key: _mates(typical, key, array, axis) for key, array in base.feeds.items()}
    yield Probe("other mates", told, feeds, natural=False, extreme=True, moved=base.moved, relations=relations)


def _mates(typical: Typical, name: str, array: np.ndarray, axis: str) -> np.ndarray:
    """The first row as it is, the others backwards and large."""
    spec = _spec(typical, name)
    at = typical.axis(spec, axis)
    if at is None or array.shape[at] < 2 or spec not in typical.numbers:
        return array
    rows = np.moveaxis(array, at, 0).copy()
    others: np.ndarray = rows[1:][::-1].reshape(-1)[::-1].reshape(rows[1:].shape)
    rows[1:] = within(spec, others * array.dtype.type(30)) if is_float(spec) else others
    return np.ascontiguousarray(np.moveaxis(rows, 0, at))


def _moved_inputs(typical: Typical, level: LevelName) -> Iterator[Probe]:
    """Each input alone with other values; of a single input every other probe tells."""
    changeable = [spec for spec in typical.numbers if typical.feeds[spec.name].size]
    if len(typical.interface.inputs) < 2:
        return
    other = typical.at({}, SEED + 5)
    for spec in changeable[: _MOST[level]]:
        if np.array_equal(other[spec.name], typical.feeds[spec.name]):
            continue
        told = f"{spec.name} alone takes other values"
        feeds = {**typical.feeds, spec.name: other[spec.name]}
        yield Probe(f"{spec.name} moved", told, feeds, seed=SEED + 5, relations=(Relation("PA020", "typical", told),))


def _edited_places(typical: Typical, level: LevelName) -> Iterator[Probe]:
    """The last place along an axis: what comes before it stays, where the source is causal."""
    axes = [name for name in typical.other_axes if typical.sizes[name] > 1]
    for name in axes[: _MOST_AXES[level]]:
        other = typical.at({}, SEED + 6)
        feeds = {spec.name: _edited(typical, spec, name, other) for spec in typical.interface.inputs}
        if all(np.array_equal(feeds[key], array) for key, array in typical.feeds.items()):
            continue
        told = f"the last place along {name} alone takes other values"
        relations = (Relation("PA020", "typical", told),)
        yield Probe(f"last of {name} moved", told, feeds, seed=SEED + 6, relations=relations)


def _edited(typical: Typical, spec: TensorSpec, axis: str, other: Feeds) -> np.ndarray:
    array, at = typical.feeds[spec.name], typical.axis(spec, axis)
    if at is None or spec not in typical.numbers:
        return array
    last = np.arange(array.shape[at]).reshape([-1 if place == at else 1 for place in range(array.ndim)])
    return np.where(last == array.shape[at] - 1, other[spec.name], array)


def _longer_padding(typical: Typical, probes: Mapping[str, Probe]) -> Iterator[Probe]:
    """More of what a mask says does not count; the outputs of what counts stay."""
    base, mask = probes.get("padded"), next((s for s in typical.masks if "pad-right" in role_of(s).probes), None)
    if base is None or mask is None or not mask.dims or isinstance(mask.dims[-1], int):
        return
    own = mask.dims[-1].name
    axis = typical.sums.get(own, (own,))[-1]
    if not typical.free_axes[axis].allows(typical.sizes[axis] + _EXTRA):
        return
    longer = typical.at({axis: typical.sizes[axis] + _EXTRA}, SEED + 9)
    feeds = {
        spec.name: _prolonged(spec, base.feeds, longer, spec in typical.masks) for spec in typical.interface.inputs
    }
    told = f"{_EXTRA} more places along {axis} are padding"
    relations = (Relation("PA022", base.name, told, Prolonged(_EXTRA)),)
    yield Probe("longer padding", told, feeds, seed=SEED + 9, moved=frozenset({axis}), relations=relations)


def _prolonged(spec: TensorSpec, base: Feeds, longer: Feeds, masked: bool) -> np.ndarray:
    array = np.zeros_like(longer[spec.name]) if masked else longer[spec.name].copy()
    array[tuple(slice(size) for size in base[spec.name].shape)] = base[spec.name]
    return array


def _spec(typical: Typical, name: str) -> TensorSpec:
    return next(spec for spec in typical.interface.inputs if spec.name == name)
