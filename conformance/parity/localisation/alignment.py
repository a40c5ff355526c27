"""Which tensor of the candidate is which tensor of the reference graph: by name, else by value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from assay.conformance.parity.localisation.noise import error_ratio
from assay.conformance.parity.oracle import Noise, is_float

_NEAR = 1e-3  # norms that differ by more are of different tensors
_FEWEST = 3  # elements, below which equal values prove nothing
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Values:
    """The tensors of one graph on one probe, and how far rounding moves each."""

    arrays: Arrays
    spreads: Mapping[str, Noise] = field(default_factory=dict)

    @cached_property
    def by_shape(self) -> dict[tuple[tuple[int, ...], str], list[tuple[float, str]]]:
        """The names of the tensors of each shape and dtype, with the norm that tells them apart."""
        found: dict[tuple[tuple[int, ...], str], list[tuple[float, str]]] = {}
        for name, array in self.arrays.items():
            found.setdefault((array.shape, array.dtype.name), []).append((norm(array), name))
        return found


@dataclass(frozen=True)
class Alignment:
    """The candidate's tensors beside those of the reference.

    ``names`` has the reference's name of each value that corresponds: of inputs and outputs always, and of the values
    inside where ``is_close``, that is, where the two graphs are the same but for a few nodes.
    """

    got: Values
    expected: Values
    is_close: bool
    names: Mapping[str, str]
    operators: Mapping[str, str] = field(default_factory=dict)  # what makes each value of the reference

    def namesake(self, name: str) -> str | None:
        """The reference's tensor that has the same place in the graph or in the interface."""
        return self.names.get(name)

    def made_alike(self, name: str, op_type: str) -> bool:
        """Whether the same operator makes the namesake."""
        return self.operators.get(self.namesake(name) or "") == op_type

    def ratio(self, name: str, other: str) -> float:
        """The distance of two tensors over the noise there; infinite where one of them was not captured."""
        if name not in self.got.arrays or other not in self.expected.arrays:
            return math.inf
        return error_ratio(self.got.arrays[name], self.expected.arrays[other], self.expected.spreads.get(other))

    def namesake_ratio(self, name: str) -> float | None:
        """The distance from the namesake; None where there is none."""
        if name not in self._ratios:
            other = self.namesake(name)
            self._ratios[name] = self.ratio(name, other) if other in self.expected.arrays else None  # type: ignore[arg-type]
        return self._ratios[name]

    def twin(self, name: str, tolerance: float) -> str | None:
        """The reference's tensor that agrees: the namesake, else one of the same values."""
        near = self.namesake_ratio(name)
        if near is not None:
            return self.namesake(name) if near <= tolerance else None
        return self._by_value(name, tolerance)

    def agrees(self, name: str, tolerance: float) -> bool:
        """Whether the reference has this tensor; of graphs that are not close, in any layout of its axes."""
        if self.twin(name, tolerance) is not None:
            return True
        if self.is_close or self.namesake_ratio(name) is not None or name not in self.got.arrays:
            return False
        return self._permuted(self.got.arrays[name]) <= tolerance

    def _permuted(self, array: np.ndarray) -> float:
        """The distance from the nearest tensor of the same sizes in another order, when both are sorted."""
        if not tells(array):
            return math.inf
        ordered, own = np.sort(array, axis=None), norm(array)
        peers = [
            other
            for (shape, dtype), found in self.expected.by_shape.items()
            for size, other in found
            if dtype == array.dtype.name and sorted(shape) == sorted(array.shape) and _near(size, own)
        ]
        return min((self._sorted_ratio(ordered, other) for other in peers), default=math.inf)

    def _sorted_ratio(self, ordered: np.ndarray, other: str) -> float:
        return error_ratio(ordered, np.sort(self.expected.arrays[other], axis=None), self.expected.spreads.get(other))

    def _by_value(self, name: str, tolerance: float) -> str | None:
        array = self.got.arrays.get(name)
        if array is None or not tells(array):
            return None
        if name not in self._alike:
            self._alike[name] = self._ranked(array, name)
        best = min(self._alike[name], default=(math.inf, ""))
        return best[1] if best[0] <= tolerance else None

    def _ranked(self, array: np.ndarray, name: str) -> list[tuple[float, str]]:
        own = norm(array)
        peers = self.expected.by_shape.get((array.shape, array.dtype.name), [])
        return [(self.ratio(name, other), other) for size, other in peers if _near(size, own)]

    @cached_property
    def _ratios(self) -> dict[str, float | None]:
        return {}

    @cached_property
    def _alike(self) -> dict[str, list[tuple[float, str]]]:
        return {}


def tells(array: np.ndarray) -> bool:
    """Whether equal values say that two tensors are the same: floating, not few, and not all alike."""
    return is_float(array) and array.size >= _FEWEST and bool((array != array.flat[0]).any())


def norm(array: np.ndarray) -> float:
    """The root of the sum of squares of the finite elements; zero for strings."""
    if array.dtype.kind not in "fiubV":
        return 0.0
    values = array.astype(np.float64)
    return float(np.sqrt(np.sum(np.square(values, where=np.isfinite(values), out=np.zeros_like(values)))))


def _near(size: float, other: float) -> bool:
    return abs(size - other) <= _NEAR * max(size, other)
