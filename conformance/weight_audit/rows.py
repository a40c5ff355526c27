"""A constant that is put together from rows of weights: gates in another order, a fused query, key and value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.conformance.weight_audit.difference import Difference, listed
from assay.conformance.weight_audit.rounding import rounding_of
from assay.conformance.weight_audit.weight import Weight

_SHORTEST = 4  # elements of a row
_ALIKE = 5e-3  # of a row's size
_MOST = 0.9  # of the rows have to be found
_MOST_ROUNDS = 32  # of which each sets right one more of the rows beside each other that were taken for strangers


@dataclass(frozen=True)
class _Rows:
    """Weights with rows of one length; a row is found by its product with a vector of random numbers."""

    weights: tuple[Weight, ...]
    length: int

    @cached_property
    def products(self) -> np.ndarray:
        """Of all rows, one weight after the other."""
        return np.concatenate([_products(weight.array) for weight in self.weights])

    @cached_property
    def order(self) -> np.ndarray:
        """The rows by their product."""
        return np.argsort(self.products, kind="stable")

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each weight's rows begin."""
        return np.cumsum([0, *(len(weight.array) for weight in self.weights)])

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """The number of the row that each is most like."""
        wanted = _products(rows)
        after = np.searchsorted(self.products, wanted, sorter=self.order).clip(0, len(self.order) - 1)
        pair = np.stack([self.order[after], self.order[(after - 1).clip(0)]])
        first = np.abs(self.products[pair] - wanted).argmin(axis=0)
        found: np.ndarray = pair[first, np.arange(len(rows))]
        return found

    def owners(self, numbers: np.ndarray) -> np.ndarray:
        """The position of the weight that each row is of."""
        found: np.ndarray = np.searchsorted(self.starts, numbers, side="right") - 1
        return found

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """The rows of these numbers, in float64."""
        taken, owners = np.empty((len(numbers), self.length)), self.owners(numbers)
        for owner in np.unique(owners):
            places = owners == owner
            taken[places] = self.weights[owner].array[numbers[places] - self.starts[owner]]
        return taken


class RowIndex:
    """The rows and columns of the source's weights, by their length."""

    def __init__(self, weights: Sequence[Weight]) -> None:
        self._matrices = [Weight(w.name, matrix) for w in weights for matrix in _matrices(w.array)]
        self._known: dict[int, _Rows | None] = {}

    def difference(self, got: Weight) -> Difference | bool:
        """What of the constant is not such rows; True where all are, False where too many are none."""
        told = [self._of_matrix(got, matrix) for matrix in _matrices(got.array)]
        return next((one for one in told if one is True), next((one for one in told if one), False))

    def restored(self, got: Weight) -> np.ndarray | None:
        """The constant with the source's rows in the place of those that differ; None where none is like them."""
        for turned, matrix in enumerate(_matrices(got.array)):
            rows = self._of_length(matrix.shape[1])
            if rows is not None and isinstance(_judged(got, matrix, rows), Difference):
                made = _restored(matrix, rows)
                return (made.T if turned else made).reshape(got.array.shape)
        return None

    def _of_matrix(self, got: Weight, matrix: np.ndarray) -> Difference | bool:
        rows = self._of_length(matrix.shape[1])
        return False if rows is None else _judged(got, matrix, rows)

    def _of_length(self, length: int) -> _Rows | None:
        if length not in self._known:
            found = tuple(weight for weight in self._matrices if weight.array.shape[1] == length)
            self._known[length] = _Rows(found, length) if found and length >= _SHORTEST else None
        return self._known[length]


@dataclass(frozen=True)
class _Found:
    """The rows of a matrix beside those that each is most like; ``off`` and ``size`` are squares."""

    numbers: np.ndarray
    off: np.ndarray
    size: np.ndarray
    known: np.ndarray
    same: np.ndarray
    noise_of_rounding: float

    @property
    def wrong(self) -> np.ndarray:
        """Those that are meant to be a row of the source, and are not."""
        wrong: np.ndarray = ~self.same & (self.known | _between(self.numbers, self.same))
        return wrong

    @property
    def meant(self) -> np.ndarray:
        """The number of the row that each should be; -1 where nothing tells."""
        after = np.concatenate([[0], self.numbers[:-1] + 1])
        lost = np.where(self.wrong, after, -1)
        meant: np.ndarray = np.where(self.known, self.numbers, lost)
        return meant


def _found(matrix: np.ndarray, rows: _Rows) -> _Found:
    got_rows, numbers = matrix.astype(np.float64), rows.nearest(matrix)
    own = np.square(got_rows).sum(axis=1)
    relative, off, size = _distances(got_rows, own, rows.take(numbers))
    if 2 * np.count_nonzero(relative <= _ALIKE) > len(relative):
        numbers = _in_order(got_rows, rows, numbers, off)
        relative, off, size = _distances(got_rows, own, rows.take(numbers))
    owners = np.unique(rows.owners(numbers))
    noise = rounding_of(matrix.dtype, *(rows.weights[owner].array.dtype for owner in owners)).noise
    return _Found(numbers, off, size, relative <= _ALIKE, relative <= 2 * noise, noise)


def _distances(got: np.ndarray, own: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far each row is off, of its size; and the squares of that and of the size."""
    off, size = (np.square(array).sum(axis=1) for array in (got - expected, expected))
    return np.sqrt(off / np.maximum(np.maximum(own, size), np.finfo(np.float64).tiny)), off, size


def _in_order(got: np.ndarray, rows: _Rows, numbers: np.ndarray, off: np.ndarray) -> np.ndarray:
    """The numbers, with the one that follows on a neighbour's where that is nearer.

    In float16 a row's own product may be further from it than that of a stranger.
    """
    numbers, off = numbers.copy(), off.copy()
    for _ in range(_MOST_ROUNDS):
        before = numbers.copy()
        for step in (1, -1):
            other = np.roll(numbers, step) + step
            places = np.flatnonzero((off > 0) & (other != numbers) & (other >= 0) & (other < len(rows.products)))
            offs = np.square(got[places] - rows.take(other[places])).sum(axis=1)
            nearer = offs < off[places]
            numbers[places[nearer]], off[places[nearer]] = other[places[nearer]], offs[nearer]
        if np.array_equal(numbers, before):
            break
    return numbers


def _judged(got: Weight, matrix: np.ndarray, rows: _Rows) -> Difference | bool:
    found = _found(matrix, rows)
    known, off, size = found.known, found.off, found.size
    if known.mean() < _MOST:
        return False
    owners = Counter(rows.owners(found.numbers)[known].tolist())
    names = ", ".join(dict.fromkeys(rows.weights[owner].name for owner, _ in owners.most_common(3)))
    noise = float(np.sqrt(off[known].sum() / max(size[known].sum(), np.finfo(np.float64).tiny)))
    if found.same.mean() < _MOST:
        words = f"carries noise of {noise:.1g} of its size"
        return Difference(got.name, names, "noise", words, noise) if noise > found.noise_of_rounding else True
    wrong = np.flatnonzero(found.wrong).tolist()
    if not wrong:
        return True
    total = float(np.sqrt(off[wrong].sum() / size.sum()))
    words = f"differs in {len(wrong)} of {len(matrix)} rows ({listed(wrong)})"
    return Difference(got.name, names, "elements", words, total, {"rows": wrong[:256]})


def _restored(matrix: np.ndarray, rows: _Rows) -> np.ndarray:
    """The source's rows; one of which nothing tells what it should be stays as it is."""
    meant = _found(matrix, rows).meant
    made = matrix.astype(np.float64)
    made[meant >= 0] = rows.take(meant[meant >= 0])
    return made


def _between(numbers: np.ndarray, same: np.ndarray) -> np.ndarray:
    """The rows between two that lie so in the source, too: what is there is meant to be the row between those."""
    inside = np.zeros(len(numbers), bool)
    inside[1:-1] = same[:-2] & same[2:] & (numbers[2:] == numbers[:-2] + 2)
    return inside


def _products(matrix: np.ndarray) -> np.ndarray:
    vector = np.random.default_rng(0).standard_normal((matrix.shape[1],)).astype(np.float32)
    return np.asarray(matrix.astype(np.float32, copy=False) @ vector)


def _matrices(array: np.ndarray) -> Iterator[np.ndarray]:
    """The array as rows, and as columns where it has two axes."""
    shape = tuple(size for size in array.shape if size != 1)
    if len(shape) >= 2:
        yield array.reshape(-1, shape[-1])
    if len(shape) == 2:
        yield array.reshape(shape).T
