"""A constant beside a weight in the same layout: whether one is the other times a factor a channel, and where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from assay.conformance.weight_audit.rounding import Rounding

_BLOCK = 1 << 16  # elements that are looked at together: they stay in the processor's cache
_SAMPLED_ROWS, _SAMPLED_COLUMNS = 8, 64
_SHORTEST = 4  # a channel of fewer elements fits any other by its factor
_ROUGHLY = 0.05
_COPIED = 0.5  # so much of a copy is equal to the bit, whatever is wrong with the rest
_ONE = 8.0  # times the noise: so near to one a short channel's factor comes by noise alone
_QUICKLY, _QUICKLY_IN_A_ROW = 1.0, 2.0  # epsilons, as root mean squares


def equal(got: np.ndarray, weight: np.ndarray) -> bool:
    """Whether all elements are the weight's in the constant's dtype."""
    if got.ndim == 0:
        return bool(got == weight.astype(got.dtype))
    with np.errstate(over="ignore", invalid="ignore"):
        return all(np.array_equal(x, y.astype(x.dtype, copy=False)) for x, y in _blocks(got, weight))


def likeness(got: np.ndarray, weight: np.ndarray, axis: int) -> float:
    """How far a sample is from a factor a channel along the axis: the median over the channel's largest."""
    x, y = (_sample(_rows(array, axis)).astype(np.float64) for array in (got, weight))
    known = x.any(axis=1) & (np.count_nonzero(y, axis=1) >= _SHORTEST - 1)
    if not known.any():
        return np.inf
    x, y = x[known], y[known]
    expected = _middle_ratios(x, y)[:, None] * y
    largest = np.maximum(np.abs(expected).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return float(np.median(np.abs(x - expected) / largest))


def is_folded(got: np.ndarray, weight: np.ndarray, axis: int, rounding: Rounding) -> bool:
    """Whether a factor a channel and rounding explain every difference; quick, and where in doubt False."""
    difference = size = 0.0
    for x, y in _blocks(_rows(got, axis), _rows(weight, axis)):
        x, y = np.ascontiguousarray(x, _working(x)), np.ascontiguousarray(y, _working(x))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            factors = _quick_factors(x, y)
            if not factors.all():  # a channel that is gone may be a folded one, or another one's: look at the rest
                return False
            off = factors[:, None] * y
            off -= x
            own, whole = np.einsum("ij,ij->i", off, off), np.einsum("ij,ij->i", x, x)
        if not (own <= (_QUICKLY_IN_A_ROW * rounding.epsilon) ** 2 * whole).all():
            return False
        difference, size = difference + float(own.sum()), size + float(whole.sum())
    return difference <= (_QUICKLY * rounding.epsilon) ** 2 * size


@dataclass
class Comparison:
    """What is left of a constant when the weight times a factor a channel is taken away.

    ``strays`` counts in each channel the elements that are another's; ``noise`` and ``relative`` are root mean squares
    over the constant's, of the others and of all; ``unshifted`` is what is left when a number is added to each channel
    or column, too.
    """

    copied: bool
    strays: np.ndarray
    row_length: int
    zero: bool = True  # the strays
    negated: bool = True  # the strays
    noise: float = 0.0
    relative: float = 0.0
    unshifted: float = 0.0
    _sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("x", "d", "inner", "plain", "rows"), 0.0))

    @property
    def share(self) -> float:
        """Of the elements that stray."""
        return float(self.strays.sum()) / (len(self.strays) * self.row_length)


def compare(got: np.ndarray, weight: np.ndarray, axis: int, rounding: Rounding) -> Comparison:
    """All of the constant beside all of the weight, with channels along the axis, in float64."""
    rows, weights = _rows(got, axis), _rows(weight, axis)
    alike = sum(int(np.count_nonzero(x == y)) for x, y in _blocks(rows, weights))
    found = Comparison(alike >= _COPIED * rows.size, np.zeros(len(rows), np.int64), rows.size // len(rows))
    columns, start = np.zeros(found.row_length), 0
    for a, b in _blocks(rows, weights):
        x, y = a.astype(np.float64), b.astype(np.float64)
        columns += _add(found, start, x, y, rounding)
        start += len(x)
    sums = found._sums
    size = max(sums["x"], np.finfo(np.float64).tiny)
    by_column = sums["plain"] - float(columns @ columns) / len(rows)
    found.noise, found.relative = np.sqrt(sums["inner"] / size), np.sqrt(sums["d"] / size)
    found.unshifted = np.sqrt(max(0.0, min(by_column, sums["rows"])) / size)
    return found


def scaled(got: np.ndarray, weight: np.ndarray, axis: int, rounding: Rounding) -> np.ndarray:
    """The weight times the factors that were folded into the constant: itself where these are all one.

    A factor is fitted to all of its channel, so noise leaves little in it.
    """
    found = compare(got, weight, axis, rounding)
    rows, weights = (_rows(array, axis) for array in (got, weight))
    x, y = (array.reshape(len(array), -1).astype(np.float64) for array in (rows, weights))
    factors = _factors(x, y)
    if found.copied or np.all(np.abs(factors - 1) <= _ONE * max(found.relative, rounding.noise)):
        return weight
    shape = [1] * weight.ndim
    shape[axis] = len(factors)
    made: np.ndarray = weight.astype(np.float64) * (factors.reshape(shape) if len(factors) > 1 else factors[0])
    return made


def _add(found: Comparison, start: int, x: np.ndarray, y: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Account for some channels; returns the sums of the plain differences in each column."""
    expected = y if found.copied else _factors(x, y)[:, None] * y
    left = np.nan_to_num(x - expected, nan=np.inf)
    stray = np.abs(left) > rounding.stray(np.abs(expected).max(axis=1))[:, None]
    found.strays[start : start + len(x)] = np.count_nonzero(stray, axis=1)
    found.zero = found.zero and not x[stray].any()
    found.negated = found.negated and np.array_equal(x[stray], -expected[stray])
    inner, squares = np.where(stray, 0.0, left), np.square(left)
    added = {
        "x": float(np.square(expected).sum()),
        "d": float(squares.sum()),
        "inner": float(np.square(inner).sum()),
        "plain": float(np.square(x - y).sum()),
        "rows": _off_line(x, y),
    }
    found._sums.update({key: found._sums[key] + value for key, value in added.items()})
    sums: np.ndarray = (x - y).sum(axis=0)
    return sums


def _off_line(x: np.ndarray, y: np.ndarray) -> float:
    """The squares that are left of each row when a multiple of the other's row and a constant are taken away."""
    a, b = (array - array.mean(axis=1, keepdims=True) for array in (x, y))
    dots, squares = (np.einsum("ij,ij->i", one, b) for one in (a, b))
    slopes = dots / np.where(squares > 0, squares, 1.0)
    return float(np.square(a - slopes[:, None] * b).sum())


def _rows(array: np.ndarray, axis: int) -> np.ndarray:
    """One channel a row; all in one row where a channel is too short to tell."""
    moved = np.moveaxis(array, axis, 0)
    return moved if array.size // moved.shape[0] >= _SHORTEST else array.reshape(1, -1)


def _blocks(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Some rows of both at a time, each row flat."""
    step = max(1, _BLOCK * len(one) // max(1, one.size))
    for start in range(0, len(one), step):
        x, y = one[start : start + step], other[start : start + step]
        yield x.reshape(len(x), -1), y.reshape(len(y), -1)


def _working(array: np.ndarray) -> type[np.floating]:
    return np.float64 if array.dtype == np.float64 else np.float32


def _sample(rows: np.ndarray) -> np.ndarray:
    chosen = rows[_places(len(rows), _SAMPLED_ROWS)]
    columns = np.unravel_index(_places(chosen[0].size, _SAMPLED_COLUMNS), chosen.shape[1:])
    sample: np.ndarray = chosen[(slice(None), *columns)]
    return sample


@lru_cache(maxsize=1024)
def _places(length: int, count: int = _SAMPLED_COLUMNS) -> np.ndarray:
    return np.unique(np.linspace(0, length - 1, count).astype(int))


def _quick_factors(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """By the largest of a few elements of each row."""
    places = _places(x.shape[1])
    largest = places[np.abs(y[:, places]).argmax(axis=1)]
    every = np.arange(len(x))
    factors: np.ndarray = np.nan_to_num(x[every, largest] / y[every, largest], posinf=0.0, neginf=0.0)
    return factors


def _factors(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """By least squares over what is near the factor that most elements have."""
    places = _places(x.shape[1])
    rough = _middle_ratios(x[:, places], y[:, places])[:, None] * y
    near = np.abs(x - rough) <= _ROUGHLY * np.abs(rough).max(axis=1, keepdims=True)
    dots, squares = (np.einsum("ij,ij->i", np.where(near, one, 0.0), y) for one in (x, y))
    factors: np.ndarray = dots / np.where(squares > 0, squares, 1.0)
    return factors


def _middle_ratios(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The median of the quotients of each row, zero where there are none."""
    known = (y != 0) & np.isfinite(x) & np.isfinite(y)
    ratios = np.sort(np.where(known, x / np.where(known, y, 1.0), np.inf), axis=1)  # those that there are come first
    counts, every = known.sum(axis=1), np.arange(len(x))
    last = ratios.shape[1] - 1
    lower, upper = (ratios[every, place.clip(0, last)] for place in ((counts - 1) // 2, counts // 2))
    middle: np.ndarray = np.where(counts > 0, (lower + upper) / 2, 0.0)
    return middle
