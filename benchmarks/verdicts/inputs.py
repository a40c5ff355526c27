"""The benchmark's own inputs, by which it tells mutants that are equal to the healthy model from those that are not.

They share nothing with the probes of the harness: other seeds, sizes, contents and masks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from assay.converters.examples import numpy_dtype
from assay.specs.interface import Axis, Interface, TensorSpec

Feeds = Mapping[str, np.ndarray]
SEED = 7_654_321
COUNT = 48
_BATCHES = (3, 1, 4, 7, 2, 6)
Fill = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

_FILLS: tuple[Fill, ...] = (
    lambda g, shape: g.standard_normal(shape),
    lambda g, shape: g.standard_normal(shape) * 12,
    lambda g, shape: g.uniform(-1, 1, shape) * 1e-3,
    lambda g, shape: np.round(g.standard_normal(shape) * 2) / 2,
    lambda g, shape: g.standard_t(2, shape),
    lambda g, shape: np.abs(g.standard_normal(shape)) * 3,
    lambda g, shape: -np.abs(g.standard_normal(shape)) * 3,
    lambda g, shape: g.standard_normal(shape) * (g.random(shape) < 0.1),
    lambda g, shape: g.standard_normal(shape[:1] + (1,) * (len(shape) - 1)) * np.ones(shape),
    lambda g, shape: g.standard_normal(shape) * 150,
    lambda g, shape: np.sign(g.standard_normal(shape)),
    lambda g, shape: np.zeros(shape),
    lambda g, shape: g.standard_normal(shape) * 1000,
    lambda g, shape: np.cumsum(g.standard_normal(shape), -1) if shape else g.standard_normal(shape),
    lambda g, shape: g.standard_normal(shape) + 8,
    lambda g, shape: np.sort(g.standard_normal(shape), -1) if shape else g.standard_normal(shape),
    lambda g, shape: g.standard_normal(shape) * 1e12,
)


def make_inputs(interface: Interface, traced: Mapping[str, int], count: int = COUNT) -> list[Feeds]:
    """So many sets of inputs, every dynamic axis and every content varied; the same every time."""
    return [_feeds(interface.inputs, _sizes(interface, traced, number), number) for number in range(count)]


def is_mask(spec: TensorSpec) -> bool:
    """Whether an input is a mask of ones and zeros."""
    return "mask" in spec.name and spec.range == (0, 1)


def _sizes(interface: Interface, traced: Mapping[str, int], number: int) -> dict[str, int]:
    generator = np.random.default_rng((SEED, number, 1))
    return {name: _size(axis, traced[name], number, generator) for name, axis in interface.axes.items()}


def _size(axis: Axis, traced: int, number: int, generator: np.random.Generator) -> int:
    if "batch" in axis.name:
        wanted = _BATCHES[number % len(_BATCHES)]
    elif number % 3 == 0:
        wanted = traced
    else:
        low, high = max(axis.minimum, traced // 3), min(axis.maximum or 2 * traced + 3, 2 * traced + 3)
        wanted = int(generator.integers(low, high, endpoint=True))
    return min(max(wanted, axis.minimum), axis.maximum or wanted)


def _feeds(specs: Sequence[TensorSpec], sizes: Mapping[str, int], number: int) -> Feeds:
    generator = np.random.default_rng((SEED, number, 2))
    return {spec.name: _array(spec, spec.shape(sizes), number, generator) for spec in specs}


def _array(spec: TensorSpec, shape: tuple[int, ...], number: int, generator: np.random.Generator) -> np.ndarray:
    dtype = numpy_dtype(spec.dtype)
    if is_mask(spec):
        return _mask(shape, number, generator).astype(dtype)
    if dtype.kind in "iu":
        low, high = spec.range or (-9, 9)
        return _integers(int(low), int(high), shape, number, generator).astype(dtype)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    values = _FILLS[number % len(_FILLS)](generator, shape)
    if spec.range is not None:
        low, high = spec.range
        values = low + (high - low) * (0.5 + 0.5 * np.tanh(values)) if number % 2 else np.clip(values, low, high)
    if dtype == np.float16:
        values = np.clip(values, -200, 200)
    return values.astype(dtype)


def _integers(low: int, high: int, shape: tuple[int, ...], number: int, generator: np.random.Generator) -> np.ndarray:
    """Anywhere in the range; few different ones; both ends; a walk over all."""
    kind = number % 4
    if kind == 1:
        return generator.choice(generator.integers(low, high, 3, endpoint=True), shape)
    if kind == 2:
        return np.where(generator.random(shape) < 0.5, low, high) + np.where(
            low < 0, generator.integers(0, 3, shape), 0
        )
    if kind == 3:
        start = int(generator.integers(0, high - low + 1))
        return low + (start + np.arange(int(np.prod(shape))).reshape(shape)) % (high - low + 1)
    return generator.integers(low, high, shape, endpoint=True)


def _mask(shape: tuple[int, ...], number: int, generator: np.random.Generator) -> np.ndarray:
    """All ones, padded on the right, on the left, with holes, one token: never a row without any."""
    length = shape[-1]
    kept = generator.integers(1, length, shape[:-1], endpoint=True)[..., None]
    steps = np.arange(length)
    masks: tuple[np.ndarray, ...] = (
        np.ones(shape, bool),
        steps < kept,
        steps >= length - kept,
        (generator.random(shape) < 0.6) | (steps == kept - 1),
        np.broadcast_to(steps == 0, shape),
    )
    return masks[number % len(masks)]
