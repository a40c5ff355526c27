"""In which layouts a weight may lie in a graph: axes in another order, merged, split, or of size one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, permutations
from operator import mul

import numpy as np

_MOST_AXES = 5


def layouts(weight: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The weight in each layout of this shape, as views where that can be; none where the sizes differ."""
    plain = weight.reshape(_without_ones(weight.shape))
    if weight.size != int(np.prod(shape, dtype=np.int64)) or plain.ndim > _MOST_AXES:
        return
    for order in permutations(range(plain.ndim)):
        turned = plain.transpose(order)
        if _merges(turned.shape, shape):
            yield turned.reshape(shape)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _merges(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether neighbouring axes of one make the axes of the other."""
    a, b = (set(accumulate(_without_ones(shape), mul)) for shape in (one, other))
    return a <= b or b <= a
