"""What several conditions leave of the sizes of axes: simpler conditions, bounds, and the sizes that are nearest.

All of it is found by trying sizes: every one up to some multiples of the numbers that the conditions hold, and where
several axes take part, many combinations of them. A condition that no tried combination breaks is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from assay.specs.conditions import Condition, satisfied
from assay.specs.interface import Axis

_POINTS = 20_000
_LEAST_POINTS = 200
_LONGEST = 1 << 17
_SHORTEST = 512
_MOST_HOLES = 4
_FARTHEST = 4096


def simplified(conditions: Sequence[Condition], axes: Mapping[str, Axis]) -> tuple[Condition, ...]:
    """Conditions that hold at the same sizes, fewer and simpler; without those that the bounds of the axes imply."""
    reduced = [_without_idle_axes(condition, axes) for condition in conditions]
    single = [condition for condition in reduced if len(condition.names) == 1]
    several = [condition for condition in reduced if len(condition.names) > 1]
    names = sorted({name for condition in single for name in condition.names})
    found = [c for name in names for c in _of_one_axis(name, axes[name], [s for s in single if s.names == {name}])]
    never = [condition for condition in reduced if not condition.names and not condition.holds({})]
    return tuple(dict.fromkeys([*never, *found, *_not_implied(several, found, axes)]))


def allowed(name: str, axis: Axis, conditions: Iterable[Condition]) -> tuple[np.ndarray, np.ndarray]:
    """Sizes of one axis, from its smallest on, and which of them its own conditions and its bounds allow."""
    own = [condition for condition in conditions if condition.names == {name}]
    sizes = np.arange(axis.minimum, _window(axis, own) + 1, dtype=np.int64)
    fits = np.ones(sizes.shape, bool)
    for condition in own:
        fits &= condition.holds({name: sizes})
    return sizes, fits


def bounded(axis: Axis, conditions: Iterable[Condition]) -> Axis | None:
    """The axis with bounds as tight as its own conditions make them; None where no size is left."""
    own = [condition for condition in conditions if condition.names == {axis.name}]
    if not own:
        return axis
    sizes, fits = allowed(axis.name, axis, own)
    if not fits.any():
        return None
    left = sizes[fits]
    is_open = axis.maximum is None and left[-1] > sizes[-1] // 2
    example = axis.example if axis.example in left else None
    return Axis(axis.name, int(left[0]), axis.maximum if is_open else int(left[-1]), example)


def nearest(
    wanted: Mapping[str, int], axes: Mapping[str, Axis], conditions: Sequence[Condition], held: Iterable[str] = ()
) -> dict[str, int] | None:
    """Sizes that satisfy every condition, as near the wanted ones as can be; ``held`` ones stay. None where none do."""
    sizes = dict(wanted)
    for _ in range(4):  # an axis that is mended for one condition may break another
        broken = next((c for c in conditions if c.names <= set(sizes) and not c.holds(sizes)), None)
        if broken is None:
            return sizes
        mended = _mended(sizes, broken, axes, conditions, set(held))
        if mended is None:
            return None
        sizes = mended
    return sizes if satisfied(conditions, sizes) else None


def beside(conditions: Sequence[Condition], sizes: Mapping[str, int]) -> Iterator[tuple[Condition, str, int]]:
    """For each condition and axis, the size nearest to the given ones at which this condition does not hold."""
    for condition in conditions:
        for name in sorted(condition.names & set(sizes)):
            tried = np.arange(1, _window(Axis(name), [condition]) + 1, dtype=np.int64)
            outside = tried[~_truth(condition, sizes, name, tried)]
            if outside.size:
                yield condition, name, int(outside[np.argmin(np.abs(outside - sizes[name]))])


def _mended(
    sizes: Mapping[str, int],
    broken: Condition,
    axes: Mapping[str, Axis],
    conditions: Sequence[Condition],
    held: set[str],
) -> dict[str, int] | None:
    """The sizes with one axis moved as little as the broken condition needs, without breaking others if possible."""
    best: tuple[tuple[int, int], dict[str, int]] | None = None
    for name in sorted(broken.names - held):
        axis = axes[name]
        farthest = max(sizes[name] + _FARTHEST, _window(Axis(name), [broken]))
        last = farthest if axis.maximum is None else min(axis.maximum, farthest)
        tried = np.arange(axis.minimum, last + 1, dtype=np.int64)
        fits = _truth(broken, sizes, name, tried)
        others = [c for c in conditions if name in c.names and c.names <= set(sizes)]
        count = np.sum([_truth(other, sizes, name, tried) for other in others], axis=0)
        if fits.any():
            left = tried[fits & (count == count[fits].max())]
            size = int(left[np.argmin(np.abs(left - sizes[name]))])
            rank = (len(others) - int(count[fits].max()), abs(size - sizes[name]))
            if best is None or rank < best[0]:
                best = rank, {**sizes, name: size}
    return None if best is None else best[1]


def _truth(condition: Condition, sizes: Mapping[str, int], name: str, tried: np.ndarray) -> np.ndarray:
    """Where a condition holds while one axis takes each of these sizes."""
    return np.broadcast_to(condition.holds({**sizes, name: tried}), tried.shape)


def _window(axis: Axis, conditions: Iterable[Condition]) -> int:
    """The largest size that is tried."""
    largest = max((number for condition in conditions for number in condition.constants), default=0)
    window = min(max(_SHORTEST, 4 * largest + 64, 2 * axis.minimum + 64), _LONGEST + axis.minimum)
    return window if axis.maximum is None else min(window, axis.maximum)


def _of_one_axis(name: str, axis: Axis, conditions: Sequence[Condition]) -> list[Condition]:
    """The simplest form: bounds and left-out sizes, else a remainder, else the conditions as they are."""
    if any(number > _LONGEST // 4 for condition in conditions for number in condition.constants):
        return list(conditions)
    sizes, fits = allowed(name, axis, conditions)
    if fits.all():
        return []
    left = sizes[fits]
    if not left.size:
        return list(conditions)
    is_open = left[-1] > sizes[-1] // 2
    low = [Condition(f"{name} >= {left[0]}")] if left[0] > axis.minimum else []
    high = [] if is_open or left[-1] == axis.maximum else [Condition(f"{name} <= {left[-1]}")]
    if left.size == 1:
        return [Condition(f"{name} == {left[0]}")]
    last = int(sizes[-1] if is_open else left[-1])
    holes = sorted(set(range(int(left[0]), last + 1)) - set(left.tolist()))
    if len(holes) <= _MOST_HOLES:
        return [*low, *(Condition(f"{name} != {hole}") for hole in holes), *high]
    remainder = _remainder(name, left, last, bool(low))
    return [*remainder, *high] if remainder else [c for c in conditions if not np.all(c.holds({name: sizes}))]


def _remainder(name: str, left: np.ndarray, last: int, is_bounded: bool) -> list[Condition]:
    step = int(left[1] - left[0])
    rest, first = int(left[0]) % step, int(left[0])
    if not np.array_equal(left, np.arange(first, last + 1, step)):
        return []
    low = [Condition(f"{name} >= {first}")] if is_bounded and first > (rest or step) else []
    return [*low, Condition(f"{name} % {step} == {rest}")]


def _without_idle_axes(condition: Condition, axes: Mapping[str, Axis]) -> Condition:
    """Without the axes on which its truth does not depend, as far as many combinations show."""
    for name in sorted(condition.names) if len(condition.names) > 1 else []:
        points = _points([condition], axes)
        truth = condition.holds(points)
        values = points[name]
        if all(np.array_equal(truth, condition.holds({**points, name: np.roll(values, k)})) for k in (1, 7, 101)):
            condition = condition.given(name, int(values[0]))
    return condition


def _not_implied(
    several: Sequence[Condition], others: Sequence[Condition], axes: Mapping[str, Axis]
) -> list[Condition]:
    """Those of several axes that are false somewhere where all the others hold, the shortest kept first."""
    kept: list[Condition] = []
    for condition in sorted(dict.fromkeys(several), key=lambda one: (len(one.text), one.text)):
        known = [*others, *kept]
        points = _points([condition, *known], axes)
        given = np.ones(_POINTS, bool)
        for other in known:
            given &= other.holds(points)
        truth = np.broadcast_to(condition.holds(points), given.shape)
        if given.sum() < _LEAST_POINTS or not truth[given].all():
            kept.append(condition)
    return kept


def _points(conditions: Sequence[Condition], axes: Mapping[str, Axis]) -> dict[str, np.ndarray]:
    """Combinations of sizes, small ones and such as lie near the numbers in the conditions; the same each time."""
    generator = np.random.default_rng(0)
    numbers = {number for condition in conditions for number in condition.constants}
    near = {max(0, n + d) for number in numbers for n in (number, number // 2, 2 * number) for d in (-1, 0, 1)}
    pool = np.array(sorted({*range(65), *range(64, 512, 16), *near}), np.int64)
    equal = generator.choice(pool, _POINTS)
    found = {}
    for name in sorted({name for condition in conditions for name in condition.names}):
        values = np.where(generator.random(_POINTS) < 0.2, equal, generator.choice(pool, _POINTS))
        axis = axes[name]
        values = np.maximum(values, axis.minimum)
        found[name] = values if axis.maximum is None else np.minimum(values, axis.maximum)
    return found
