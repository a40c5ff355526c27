"""Where every probe starts: typical inputs at the traced sizes, with sizes that belong together and masks of ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.conformance.parity.probes.probe import SEED, Feeds
from assay.converters.examples import numpy_dtype, trace_sizes, typical_feeds
from assay.specs.condition_sets import beside, nearest
from assay.specs.conditions import Condition
from assay.specs.data import UnknownNameError
from assay.specs.interface import Axis, Interface, TensorSpec
from assay.specs.roles import Role, load_roles
from assay.specs.tasks import load_task


@dataclass(frozen=True)
class Typical:
    """The inputs of an interface at the traced sizes, from which probes move away."""

    interface: Interface

    @cached_property
    def sums(self) -> dict[str, tuple[str, ...]]:
        """Axes whose size is the sum of others', such as the tokens so far."""
        axes = self.interface.axes
        try:
            stated = {name: axis.sum for name, axis in load_task(self.interface.task).axes.items() if axis.sum}
        except UnknownNameError:
            stated = {}
        known = {name: parts for name, parts in stated.items() if name in axes and set(parts) <= set(axes)}
        return known or _told_by_name(axes)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The size at which each axis is traced."""
        return self._summed(trace_sizes(self.interface))

    @cached_property
    def free_axes(self) -> dict[str, Axis]:
        """The dynamic axes whose sizes can be chosen."""
        return {name: axis for name, axis in self.interface.axes.items() if name not in self.sums}

    @cached_property
    def sample_axis(self) -> str | None:
        """The axis along which samples lie: the one named batch, else the first of every input if that is one axis."""
        named = [name for name in self.free_axes if "batch" in name]
        if named:
            return named[0]
        firsts = {spec.dims[0] if spec.dims else None for spec in self.interface.inputs}
        first = next(iter(firsts)) if len(firsts) == 1 else None
        return first.name if isinstance(first, Axis) and first.name in self.free_axes else None

    @cached_property
    def other_axes(self) -> dict[str, Axis]:
        """The free axes along which no samples lie."""
        return {name: axis for name, axis in self.free_axes.items() if name != self.sample_axis and "batch" not in name}

    @cached_property
    def feeds(self) -> Feeds:
        """Typical values at the traced sizes."""
        return self.at({})

    def at(self, moved: Mapping[str, int], seed: int = SEED) -> dict[str, np.ndarray]:
        """Typical values, some axes at another size, and others too where the interface's conditions tie them."""
        sizes = self._summed(self._together(moved) or {**self.sizes, **moved})
        feeds = typical_feeds(self.interface.inputs, sizes, seed)
        ones = {spec.name: np.ones_like(feeds[spec.name]) for spec in self.masks}
        return {**feeds, **ones, **self._positions(feeds, sizes)}

    def admits(self, moved: Mapping[str, int]) -> bool:
        """Whether the bounds and conditions of the interface let these axes have these sizes."""
        fits = all(self.free_axes[name].allows(size) for name, size in moved.items())
        return fits and self._together(moved) is not None

    def near(self, name: str, size: int) -> int | None:
        """The size nearest to this one that the axis may have; None where there is none."""
        own = [condition for condition in self.interface.conditions if condition.names == {name}]
        found = nearest({name: size}, self.free_axes, own)
        return found[name] if found is not None and self.admits(found) else None

    def outside(self) -> Iterator[tuple[Condition, str, int]]:
        """For each condition and axis, the nearest size at which it does not hold."""
        for condition, name, size in beside(self.interface.conditions, self.sizes):
            if name in self.free_axes:
                yield condition, name, size

    def _together(self, moved: Mapping[str, int]) -> dict[str, int] | None:
        conditions = [c for c in self.interface.conditions if c.names <= set(self.free_axes)]
        return nearest({**self.sizes, **moved}, self.free_axes, conditions, held=moved)

    def axis(self, spec: TensorSpec, name: str | None) -> int | None:
        """The place of an axis in an input, or None."""
        places = [place for place, dim in enumerate(spec.dims or ()) if isinstance(dim, Axis) and dim.name == name]
        return places[0] if places else None

    def size_in(self, feeds: Feeds, name: str) -> int:
        """The size that an axis has in these inputs; 0 where none has it."""
        places = ((feeds[spec.name], self.axis(spec, name)) for spec in self.interface.inputs)
        return next((array.shape[at] for array, at in places if at is not None), 0)

    def taken(self, feeds: Feeds, name: str, places: list[int]) -> dict[str, np.ndarray]:
        """These places along an axis, of each input that has it."""
        axes = {spec.name: self.axis(spec, name) for spec in self.interface.inputs}
        return {key: array if (at := axes[key]) is None else array.take(places, at) for key, array in feeds.items()}

    @cached_property
    def masks(self) -> tuple[TensorSpec, ...]:
        """The inputs that say what counts: 1 where it does, 0 where it is padding or was not measured."""
        return tuple(spec for spec in self.interface.inputs if "ones" in role_of(spec).probes)

    @cached_property
    def numbers(self) -> tuple[TensorSpec, ...]:
        """The inputs whose values may be varied: no masks, switches, texts, positions and given settings."""
        return tuple(spec for spec in self.interface.inputs if spec not in self.masks and _may_vary(spec))

    def _summed(self, sizes: Mapping[str, int]) -> dict[str, int]:
        return {**sizes, **{name: sum(sizes[part] for part in parts) for name, parts in self.sums.items()}}

    def _positions(self, feeds: Feeds, sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
        """Positions count on from what is in the cache."""
        before = sum(sizes[part] for parts in self.sums.values() for part in parts if "past" in part)
        specs = [spec for spec in self.interface.inputs if spec.role == "position_ids" and feeds[spec.name].ndim]
        counted = {spec.name: np.arange(feeds[spec.name].shape[-1]) + before for spec in specs}
        fitting = [spec for spec in specs if spec.range is None or before + feeds[spec.name].shape[-1] <= spec.range[1]]
        return {s.name: np.broadcast_to(counted[s.name], feeds[s.name].shape).astype(s.dtype) for s in fitting}


def role_of(spec: TensorSpec) -> Role:
    """What the role of an input allows; nothing is known of one without a role."""
    return load_roles().get(spec.role or "", _NO_ROLE)


def is_float(spec: TensorSpec) -> bool:
    """Whether the input holds floating or complex numbers."""
    return spec.dtype != "string" and numpy_dtype(spec.dtype).kind not in "iub"


def is_integer(spec: TensorSpec) -> bool:
    """Whether the input holds whole numbers."""
    return spec.dtype != "string" and numpy_dtype(spec.dtype).kind in "iu"


_NO_ROLE = Role("", "input", "", "")


def _may_vary(spec: TensorSpec) -> bool:
    return spec.dtype not in ("bool", "string") and spec.role != "position_ids" and role_of(spec).probes != ("fixed",)


def _told_by_name(axes: Mapping[str, Axis]) -> dict[str, tuple[str, ...]]:
    """``total`` is ``past`` and one other, where no task says it: else no probe would fit."""
    total, past = ([name for name in axes if word in name] for word in ("total", "past"))
    others = [name for name in axes if name not in (*total, *past) and "batch" not in name]
    return {total[0]: (past[0], others[0])} if len(total) == len(past) == len(others) == 1 else {}
