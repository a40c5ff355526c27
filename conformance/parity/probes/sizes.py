"""Probes of size: each dynamic axis moved alone off the traced size, then all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from assay.conformance.parity.probes.probe import SEED, Feeds, LevelName, Probe, Relation, Selected
from assay.conformance.parity.probes.typical import Typical

_BATCHES = (1, 2, 5)
BATCH = 5
_PARTS = {1: ((3,), "row 3 runs without the others"), 2: ((4, 1), "rows 4 and 1 run without the others")}
_MOST_SIZES = {"quick": 4, "default": 16, "thorough": 80}
_MOST_CONSTANTS = {"quick": 0, "default": 6, "thorough": 24}
_LONGEST = {"quick": 2, "default": 16, "thorough": 64}
_MOST_OUTSIDE = {"quick": 0, "default": 3, "thorough": 12}
_PRIMES = (7, 13, 23, 37, 53, 79, 101, 151, 211, 307, 401, 601)


def size_probes(typical: Typical, level: LevelName, constants: Sequence[int]) -> Iterator[Probe]:
    """The traced sizes first; of the others as many as the level allows, each axis in turn."""
    yield Probe("typical", "the sizes at which the model was traced", typical.feeds)
    yield from _batches(typical)
    wanted = {name: _moved(typical, name, level, constants) for name in typical.other_axes}
    if typical.sample_axis is not None and "batch" not in typical.sample_axis:
        wanted[typical.sample_axis] = _moved(typical, typical.sample_axis, level, ())
    chosen = _in_turn(wanted, _MOST_SIZES[level])
    for seed, name in enumerate(typical.free_axes, SEED + 1):
        yield from (_alone(typical, name, size, seed) for size in wanted.get(name, ()) if (name, size) in chosen)
    yield from _together(typical)
    yield from _outside(typical, level)


def _batches(typical: Typical) -> Iterator[Probe]:
    """The smaller batches hold rows of the largest, so that each row is seen alone and among others."""
    for seed, name in enumerate(typical.free_axes, SEED + 1):
        if "batch" not in name:
            continue
        whole = typical.at({name: BATCH}, seed + 1000 * BATCH) if typical.admits({name: BATCH}) else None
        for size in (size for size in _BATCHES if typical.admits({name: size})):
            yield _batch(typical, name, size, whole, seed)


def _batch(typical: Typical, name: str, size: int, whole: Feeds | None, seed: int) -> Probe:
    moved = frozenset({name} if size != typical.sizes[name] else ())
    purpose = f"the axis {name} moved alone, off the traced {typical.sizes[name]}"
    if whole is None or size == BATCH:
        seed += 1000 * size
        return Probe(f"{name}={size}", purpose, whole or typical.at({name: size}, seed), seed=seed, moved=moved)
    rows, told = _PARTS[size]
    told = f"{told} of the batch of {BATCH}"
    relation = Relation("PA021", f"{name}={BATCH}", told, Selected(BATCH, rows))
    feeds, seed = typical.taken(whole, name, list(rows)), seed + 1000 * BATCH
    return Probe(f"{name}={size}", f"{purpose}: {told}", feeds, seed=seed, moved=moved, relations=(relation,))


def _alone(typical: Typical, name: str, size: int, seed: int) -> Probe:
    purpose, seed = f"the axis {name} moved alone, off the traced {typical.sizes[name]}", seed + 1000 * size
    return Probe(f"{name}={size}", purpose, typical.at({name: size}, seed), seed=seed, moved=frozenset({name}))


def _together(typical: Typical) -> Iterator[Probe]:
    """No axis at its traced size, and those that are no batch all alike."""
    axes = [name for name in typical.free_axes if len(typical.free_axes) > 1]
    moved = {name: size for name in axes if (size := _off(typical, name)) is not None}
    if len(moved) > 1 and typical.admits(moved):
        purpose = "no axis at the size at which the model was traced"
        yield Probe("all axes moved", purpose, typical.at(moved, SEED + 7), seed=SEED + 7, moved=frozenset(moved))
    others = typical.other_axes
    equal = max((typical.sizes[name] for name in others), default=0)
    sizes = {name: typical.sizes[name] for name in others}
    if len(others) > 1 and typical.admits(dict.fromkeys(others, equal)) and len(set(sizes.values())) > 1:
        purpose = "axes of one size, which can be mistaken for each other"
        moved_axes = frozenset(name for name, size in sizes.items() if size != equal)
        feeds = typical.at(dict.fromkeys(others, equal), SEED + 8)
        yield Probe("equal axes", purpose, feeds, seed=SEED + 8, moved=moved_axes)


def _outside(typical: Typical, level: LevelName) -> Iterator[Probe]:
    """Just outside each condition: for information, since callers are told that the model does not hold there."""
    for condition, name, size in list(typical.outside())[: _MOST_OUTSIDE[level]]:
        purpose = f"{name} is {size}, outside of what the interface allows: the model holds where {condition}"
        feeds, told = typical.at({name: size}, SEED + 11), f"outside {condition} ({name}={size})"
        yield Probe(told, purpose, feeds, informative=True, seed=SEED + 11, moved=frozenset({name}))


def _off(typical: Typical, name: str) -> int | None:
    """A size that is a little off the traced one."""
    traced = typical.sizes[name]
    wanted = (3,) if "batch" in name else (traced + 2, traced - 2, traced + 1, traced - 1)
    sizes = (typical.near(name, size) for size in wanted if size > 0)
    return next((size for size in sizes if size not in (None, traced)), None)


def _moved(typical: Typical, name: str, level: LevelName, constants: Sequence[int]) -> list[int]:
    """Sizes to try, the most telling ones first, without the traced one."""
    axis, traced = typical.free_axes[name], typical.sizes[name]
    inside = [size + step for _, moved, size in typical.outside() if moved == name for step in (1, -1)]
    prime = next((p for p in reversed(_PRIMES) if p < 1.6 * traced), 7)
    wanted = [axis.minimum, *inside, traced + 1, 2 * traced, traced - 1, axis.maximum or 0, prime, 3 * traced + 2]
    near = [s for s in _around(constants) if axis.allows(s) and s <= _LONGEST[level] * max(traced, 64)]
    if level == "thorough":
        wanted += [traced + 2, traced + 8, 8 * traced + 1]
    wanted += list(dict.fromkeys(near))[: _MOST_CONSTANTS[level]]
    sizes = dict.fromkeys(_admitted(typical, name, size) for size in wanted if size > 0)
    longest = max(_LONGEST[level] * max(traced, 64), axis.minimum)
    return [size for size in sizes if size is not None and size != traced and size <= longest]


def _admitted(typical: Typical, name: str, size: int) -> int | None:
    """The size, or where conditions bar it, the nearest that they leave."""
    if not typical.free_axes[name].allows(size):
        return None
    return typical.near(name, size) if typical.interface.conditions else size


def _around(constants: Iterable[int]) -> Iterator[int]:
    """Two more than a threshold or a table's size (what a clamp needs to show), it itself, and its neighbours."""
    for constant in constants:
        yield from (constant + 2, constant, constant + 1, constant - 1)


def _in_turn(wanted: Mapping[str, Sequence[int]], most: int) -> set[tuple[str, int]]:
    """The first size of each axis, then the second of each, until there are enough."""
    turns = zip_longest(*([(name, size) for size in sizes] for name, sizes in wanted.items()))
    return set([pair for turn in turns for pair in turn if pair is not None][:most])
