"""Probes that visit the rows of the tables into which the model looks, rare ones too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from assay.conformance.parity.probes.probe import LevelName, Probe
from assay.conformance.parity.probes.typical import Typical, is_integer
from assay.specs.interface import TensorSpec

_MOST_SAMPLES = {"quick": 8, "default": 32, "thorough": 256}
_MOST_TABLES = 4


def vocabulary_probes(typical: Typical, level: LevelName, constants: Sequence[int]) -> Iterator[Probe]:
    """Every index where the inputs can hold as many, else a spread over the whole range."""
    yield from _every_index(typical, level)
    yield from _last_rows(typical, constants)


def _every_index(typical: Typical, level: LevelName) -> Iterator[Probe]:
    specs = [spec for spec in typical.numbers if is_integer(spec) and spec.range is not None]
    if not any(typical.feeds[spec.name].size for spec in specs):
        return
    samples = _samples(typical, specs, _MOST_SAMPLES[level])
    feeds = typical.at({} if typical.sample_axis is None else {typical.sample_axis: samples})
    spread = {spec.name: _spread(spec, feeds[spec.name]) for spec in specs}
    moved = frozenset(name for name in (typical.sample_axis,) if name and samples != typical.sizes[name])
    whole = all(len(np.unique(array)) == _count(spec) for spec, array in zip(specs, spread.values(), strict=True))
    purpose = "every index there is" if whole else "indices spread over their whole range: rare tokens"
    yield Probe("every index" if whole else "spread indices", purpose, {**feeds, **spread}, moved=moved)


def _last_rows(typical: Typical, constants: Sequence[int]) -> Iterator[Probe]:
    """Without a range nobody says how many rows a table has; the sizes in the graph may."""
    specs = [spec for spec in typical.numbers if is_integer(spec) and spec.range is None]
    tables = sorted((c for c in constants if c > 9), reverse=True)[:_MOST_TABLES]
    if not specs or not tables:
        return
    ladder = tuple({**typical.feeds, **{s.name: _up_to(rows, typical.feeds[s.name]) for s in specs}} for rows in tables)
    purpose = "indices up to the last row of the largest table that the source has"
    yield Probe("last rows", purpose, ladder[-1], ladder=ladder)


def _samples(typical: Typical, specs: Sequence[TensorSpec], most: int) -> int:
    """As many samples as it takes to hold every index, within reason."""
    if typical.sample_axis is None:
        return 0
    traced, axis = typical.sizes[typical.sample_axis], typical.free_axes[typical.sample_axis]
    sizes = {
        spec: typical.feeds[spec.name].size // traced for spec in specs if typical.axis(spec, axis.name) is not None
    }
    wanted = max((-(-_count(spec) // size) for spec, size in sizes.items() if size), default=traced)
    return int(np.clip(wanted, traced, max(traced, min(most, axis.maximum or most))))


def _count(spec: TensorSpec) -> int:
    low, high = spec.range or (0, 0)
    return int(high) - int(low) + 1


def _spread(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    low, high = (int(end) for end in spec.range or (0, 0))
    if _count(spec) <= array.size:
        return (low + np.arange(array.size) % _count(spec)).reshape(array.shape).astype(array.dtype)
    spread = [low + (high - low) * place // max(array.size - 1, 1) for place in range(array.size)]
    return np.array(spread, array.dtype).reshape(array.shape)


def _up_to(rows: int, array: np.ndarray) -> np.ndarray:
    """From the last row down, as far apart as reaches row 0."""
    rows = min(rows, np.iinfo(array.dtype).max)
    return np.linspace(rows - 1, 0, array.size).round().reshape(array.shape).astype(array.dtype)
