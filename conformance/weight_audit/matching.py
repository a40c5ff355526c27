"""Which weight of the source a constant of the candidate is, and what of it is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import ml_dtypes
import numpy as np

from assay.conformance.weight_audit.comparison import Comparison, compare, equal, is_folded, likeness, scaled
from assay.conformance.weight_audit.difference import Difference, listed
from assay.conformance.weight_audit.layouts import layouts
from assay.conformance.weight_audit.rounding import Rounding, rounding_of
from assay.conformance.weight_audit.rows import RowIndex
from assay.conformance.weight_audit.weight import Weight

_LISTED = 256
_FEW = 0.25  # of the elements: where no more stray, the rest tells which weight it is
_ALIKE = 5e-3  # of the weight's size: what is further off may be another weight
_SHIFTED = 4.0  # times more is off where no constant is added
_LOW = (np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))


@dataclass(frozen=True)
class Match:
    """A constant beside the weight that it is most like, in the constant's layout, with channels along ``axis``."""

    got: Weight
    weight: Weight
    axis: int

    @property
    def rounding(self) -> Rounding:
        """What is rounding between the two dtypes."""
        return rounding_of(self.got.array.dtype, self.weight.array.dtype)


class Weights:
    """The source's weights, found by size and by the elements that every layout leaves at both ends."""

    def __init__(self, weights: Iterable[Weight]) -> None:
        self._sized: dict[int, list[Weight]] = defaultdict(list)
        for weight in weights:
            self._sized[weight.array.size].append(weight)
        self._ends: dict[tuple[int, np.dtype], dict[tuple[float, float], list[Weight]]] = {}

    def has(self, got: Weight) -> bool:
        """Whether one of them is the constant, in some layout, in the constant's dtype."""
        found = self._of_ends(got.array).get(_ends(got.array, got.array.dtype), ())
        ordered = sorted(found, key=lambda weight: weight.name != got.name)
        return any(equal(got.array, one) for w in ordered for one in layouts(w.array, got.array.shape))

    def nearest(self, got: Weight) -> Match | None:
        """The weight that the constant is most like, if it is like any."""
        best: tuple[float, Match] | None = None
        sized = self._sized.get(got.array.size, [])
        for place, weight in enumerate(sized):
            for match in _matches(got, weight):
                distance = likeness(got.array, match.weight.array, match.axis)
                if distance <= match.rounding.epsilon:  # it is that one; the next constant is another one as a rule
                    sized.append(sized.pop(place))
                    return match
                if distance < _ALIKE and (best is None or distance < best[0]):
                    best = distance, match
        return None if best is None else best[1]

    def difference(self, got: Weight, low: Collection[np.dtype]) -> Difference | bool:
        """What of the constant is not a weight's; True where nothing, False where it is like none.

        ``low`` are the dtypes of low precision that the candidate is in on purpose: rounding to them is no difference.
        """
        if got.is_vector:
            return self._of_vector(got)
        match = self.nearest(got)
        found = match is not None and difference_of(match, low)
        if found:
            return found
        return self._row_index.difference(got)

    def restored(self, got: Weight) -> np.ndarray | None:
        """What a constant should be in which `difference` finds one: float64 where factors or rows make it."""
        if got.is_vector:
            found = self._copied_vector(got)
            return None if found is None else found[0].array
        match = self.nearest(got)
        if match is not None and difference_of(match, ()):
            return scaled(got.array, match.weight.array, match.axis, match.rounding)
        return self._row_index.restored(got)

    def nearest_vector(self, got: Weight, within: float) -> np.ndarray | None:
        """The weight of the vector's size that is off by least of its size, if by less than ``within``."""
        flat = got.array.reshape(-1).astype(np.float64)
        vectors = [weight.array.reshape(-1) for weight in self._sized.get(flat.size, ())]
        ranked = [float(np.linalg.norm(flat - one) / (np.linalg.norm(one) or np.inf)) for one in vectors]
        best = min(range(len(ranked)), key=ranked.__getitem__, default=None)
        return vectors[best] if best is not None and ranked[best] <= within else None

    @cached_property
    def _row_index(self) -> RowIndex:
        return RowIndex([w for sized in self._sized.values() for w in sized if w.tells and not w.is_vector])

    def _of_vector(self, got: Weight) -> Difference | bool:
        """A vector may be a bias into which anything was folded: it is a weight where most of it is so to the bit."""
        found = self._copied_vector(got)
        if found is None:
            return False
        flat, (weight, places) = got.array.reshape(-1), found
        words = f"differs in {len(places)} of {flat.size} elements ({listed(places)})"
        off = flat.astype(np.float64) - weight.array.reshape(-1)
        relative = float(np.linalg.norm(off) / (np.linalg.norm(flat) or 1.0))
        return Difference(got.name, weight.name, "elements", words, relative, {"elements": len(places)})

    def _copied_vector(self, got: Weight) -> tuple[Weight, list[int]] | None:
        """The weight that a vector is but for a few elements, and which these are."""
        flat = got.array.reshape(-1)
        for weight in self._sized.get(flat.size, ()):
            places = np.flatnonzero(flat != weight.array.reshape(-1).astype(flat.dtype)).tolist()
            if len(places) <= _FEW * flat.size:
                return weight, places
        return None

    def _of_ends(self, array: np.ndarray) -> dict[tuple[float, float], list[Weight]]:
        key = array.size, array.dtype
        if key not in self._ends:
            self._ends[key] = defaultdict(list)
            for weight in self._sized.get(array.size, ()):
                self._ends[key][_ends(weight.array, array.dtype)].append(weight)
        return self._ends[key]


def _matches(got: Weight, weight: Weight) -> Iterator[Match]:
    """The weight in each layout of the constant, with each axis that channels lie along as a rule."""
    for one in layouts(weight.array, got.array.shape):
        for axis in sorted({0, min(1, one.ndim - 1), one.ndim - 1}):
            yield Match(got, Weight(weight.name, one), axis)


def difference_of(match: Match, low: Collection[np.dtype]) -> Difference | bool:
    """What of the constant is not the weight's; True where it is the weight, False where it is none of it."""
    got, weight = match.got.array, match.weight.array
    if is_folded(got, weight, match.axis, match.rounding):
        return True
    found = compare(got, weight, match.axis, match.rounding)
    if found.share <= _FEW and found.noise <= match.rounding.noise:
        return _strayed(match, found) if found.strays.any() else True
    if found.relative > _ALIKE:
        return False
    if found.unshifted <= min(match.rounding.noise, found.relative / _SHIFTED):
        return True
    return _noisy(match, found, low)


def _noisy(match: Match, found: Comparison, low: Collection[np.dtype]) -> Difference | bool:
    size = float(found.relative)
    rounded = next((dtype for dtype in _LOW if _is_rounded(match, dtype)), None)
    if rounded is not None:
        if rounded in low:
            return True
        return _difference(match, rounded.name, f"is rounded to {rounded.name}", size)
    return _difference(match, "noise", f"carries noise of {size:.1g} of its size", size)


def _is_rounded(match: Match, dtype: np.dtype) -> bool:
    got, weight = match.got.array, match.weight.array
    with np.errstate(over="ignore"):
        return dtype != got.dtype and equal(got, weight.astype(dtype))


def _strayed(match: Match, found: Comparison) -> Difference:
    rows = np.flatnonzero(found.strays).tolist()
    count, whole = int(found.strays.sum()), len(rows) * found.row_length
    verb = "is zero" if found.zero else "has another sign" if found.negated else "differs"
    line = "row" if match.axis == 0 else "channel"
    if 2 * count > whole and len(found.strays) > 1:
        where = f"in {len(rows)} of {len(found.strays)} {line}s ({listed(rows)})"
    else:
        where = f"in {count} of {found.row_length * len(found.strays)} elements ({line} {listed(rows)})"
    numbers = {"elements": count, "axis": match.axis, "rows": rows[:_LISTED]}
    return _difference(match, "elements", f"{verb} {where}", float(found.relative), numbers)


def _difference(
    match: Match, how: str, words: str, relative: float, numbers: dict[str, object] | None = None
) -> Difference:
    return Difference(match.got.name, match.weight.name, how, words, relative, numbers or {})


def _ends(array: np.ndarray, dtype: np.dtype) -> tuple[float, float]:
    if array.size == 0:
        return 0.0, 0.0
    with np.errstate(over="ignore"):
        first, last = (array[(place,) * array.ndim].astype(dtype) for place in (0, -1))
    return float(first), float(last)


def low_dtypes(constants: Sequence[Weight]) -> set[np.dtype]:
    """The dtypes of low precision among the constants."""
    return {constant.array.dtype for constant in constants} & set(_LOW)


def floating(arrays: Iterable[tuple[str, np.ndarray]]) -> Iterator[Weight]:
    """Those that hold floating numbers, and any."""
    for name, array in arrays:
        if (array.dtype.kind == "f" or array.dtype in _LOW) and array.size:
            yield Weight(name, array)
