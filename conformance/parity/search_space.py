"""Where a search looks: inputs within the declared dtypes, ranges, axes and masks, each made from a point of a cube."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.conformance.parity.probes import Probe, sizes_of
from assay.converters.examples import numpy_dtype, trace_sizes, typical_feeds
from assay.specs.condition_sets import nearest
from assay.specs.interface import Axis, Interface, TensorSpec

_GENES_AN_INPUT = 4
_FURTHEST, _LARGEST_GROWTH, _FEWEST_ELEMENTS = 64, 4, 4096
_DEFAULT_INTEGERS = (0.0, 9.0)  # as typical inputs have them where no range is declared


@dataclass(frozen=True)
class Space:
    """A cube whose points are inputs: one gene for the probe to start from, one an axis, four an input.

    ``origins`` are probes that the source took, the most promising first.
    """

    interface: Interface
    origins: Sequence[Probe]
    seed: int

    @cached_property
    def traced(self) -> Mapping[str, int]:
        """The size of each axis where the model was traced."""
        return trace_sizes(self.interface)

    @cached_property
    def sizes(self) -> Mapping[str, range]:
        """The sizes that each axis may take here: up to twice the traced one, or 64, within its bounds."""
        return {name: _sizes(axis, self.traced[name]) for name, axis in self.interface.axes.items()}

    @property
    def dimensions(self) -> int:
        """The number of genes."""
        return 1 + len(self.sizes) + _GENES_AN_INPUT * len(self.interface.inputs)

    def start(self, count: int) -> np.ndarray:
        """A population of this size: the origins as they are, some of them pushed to the ends of the range, then any
        point; float64[count, dimensions].
        """
        generator = np.random.default_rng(self.seed)
        population = generator.random((count, self.dimensions))
        half = min(len(self.origins), count // 2)
        for index in range(half):
            population[index] = self._genes_of(index)
        for index in range(half, min(2 * half, count * 3 // 4)):
            population[index] = population[index - half]
            population[index, 2 + len(self.sizes) :: _GENES_AN_INPUT] = generator.random(len(self.interface.inputs))
        return population

    def probe(self, genes: np.ndarray) -> Probe:
        """The input at a point of the cube; the same for the same point."""
        generator = np.random.default_rng([self.seed, zlib.crc32(np.ascontiguousarray(genes).tobytes())])
        origin = self.origins[_index(genes[0], len(self.origins))]
        chosen = {
            name: sizes[_index(gene, len(sizes))]
            for (name, sizes), gene in zip(self.sizes.items(), genes[1:], strict=False)
        }
        sizes = self._bounded(chosen)
        feeds = {}
        for index, spec in enumerate(self.interface.inputs):
            first = 1 + len(self.sizes) + index * _GENES_AN_INPUT
            array = _fitted(origin.feeds[spec.name], spec.shape(sizes))
            feeds[spec.name] = _changed(spec, array, genes[first : first + _GENES_AN_INPUT], generator)
        where = ", ".join(f"{name}={size}" for name, size in sizes.items())
        return Probe("search", f"found by search from probe {origin.name}" + (f" at {where}" if where else ""), feeds)

    def _bounded(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """The sizes, with axes set back to the traced size while the inputs are too large to search among."""
        bounded = dict(sizes)
        limit = max(_LARGEST_GROWTH * self._elements(self.traced), _FEWEST_ELEMENTS)
        for name in sorted(sizes, key=lambda name: self.traced[name] / sizes[name]):
            if self._elements(bounded) <= limit:
                break
            bounded[name] = min(sizes[name], self.traced[name])
        return self._within(bounded)

    def _within(self, sizes: dict[str, int]) -> dict[str, int]:
        """The nearest sizes that satisfy the interface's conditions."""
        return nearest(sizes, self.interface.axes, self.interface.conditions) or dict(self.traced)

    def _elements(self, sizes: Mapping[str, int]) -> int:
        return sum(int(np.prod(spec.shape(sizes))) for spec in self.interface.inputs)

    def _genes_of(self, index: int) -> np.ndarray:
        """The point at which an origin is as it is."""
        origin = self.origins[index]
        found = sizes_of(self.interface, origin.feeds)
        axes = [_gene(self.sizes[name], found.get(name, self.traced[name])) for name in self.sizes]
        unchanged = [0.0, 0.0, 0.5, 0.5] * len(self.interface.inputs)
        return np.array([(index + 0.5) / len(self.origins), *axes, *unchanged])

    def coverage(self) -> Iterator[Generator[Probe, bool, None]]:
        """Systematic walks: through the sizes of each axis, and through the values of each integer input.

        Each takes back whether the source took its last probe.
        """
        for name in self.sizes:
            yield self._each_size(name)
        for spec in self.interface.inputs:
            low, high = _integers(spec)
            if numpy_dtype(spec.dtype).kind in "iu" and spec.role != "attention_mask" and high > low:
                yield self._each_value(spec, int(low), int(high))

    def _each_size(self, name: str) -> Generator[Probe, bool, None]:
        traced = self.traced[name]
        for size in sorted(self.sizes[name], key=lambda size: abs(size - traced)):
            sizes = self._bounded({**self.traced, name: size})
            if sizes[name] == size:
                feeds = typical_feeds(self.interface.inputs, sizes, self.seed + size)
                yield Probe("search", f"found by search through the sizes of {name}, at {size}", feeds)

    def _each_value(self, spec: TensorSpec, low: int, high: int) -> Generator[Probe, bool, None]:
        """All values in order, as many at a time as the source takes: the largest sizes, else the traced ones."""
        largest = self._bounded({name: sizes[-1] for name, sizes in self.sizes.items()})
        value, wide = low, True
        while value <= high:
            feeds = typical_feeds(self.interface.inputs, largest if wide else self.traced, self.seed)
            array = feeds[spec.name]
            feeds[spec.name] = np.minimum(value + np.arange(array.size), high).reshape(array.shape).astype(array.dtype)
            taken = yield Probe("search", f"found by search through the values of {spec.name}, from {value}", feeds)
            if wide and not taken:
                wide = False
                continue
            value += max(array.size, 1)


def _sizes(axis: Axis, traced: int) -> range:
    furthest = max(2 * traced, _FURTHEST)
    return range(axis.minimum, max(min(axis.maximum or furthest, furthest), axis.minimum) + 1)


def _index(gene: float, count: int) -> int:
    return min(int(gene * count), count - 1)


def _gene(sizes: range, size: int) -> float:
    return (min(max(size - sizes.start, 0), len(sizes) - 1) + 0.5) / len(sizes)


def _fitted(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array cut off or repeated along each axis."""
    for axis, size in enumerate(shape):
        if array.shape[axis] != size and array.shape[axis] > 0:
            array = np.take(array, np.arange(size), axis, mode="wrap")
    return array if array.shape == shape else np.resize(array, shape)


def _changed(spec: TensorSpec, array: np.ndarray, genes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The array with a share of its elements fresh and a share at the ends of the range.

    ``genes`` are these two shares, then the centre and the width of the window that fresh values are drawn from.
    """
    fresh, ends, centre, width = map(float, genes)
    if spec.role == "attention_mask":
        return _masked(array, genes)
    if spec.dtype == "string":
        return array
    if spec.dtype == "bool":
        flipped: np.ndarray = np.logical_xor(array, generator.random(array.shape) < fresh * ends)
        return flipped
    if numpy_dtype(spec.dtype).kind in "iu":
        low, high = _integers(spec)
        return _replaced(array, (low, high), (fresh, ends), (centre, width), generator)
    if spec.range is None:
        scale = 10 ** (4 * centre - 2)
        scaled = array.astype(np.float64) * scale
        drawn = generator.standard_normal(array.shape) * 10 ** (4 * width - 2)
        extreme = np.where(generator.random(array.shape) < 0.5, -1, 1) * 10 ** (4 * width - 2)
        kept = np.where(generator.random(array.shape) < fresh, drawn, scaled)
        moved: np.ndarray = np.where(generator.random(array.shape) < ends, extreme, kept).astype(array.dtype)
        return moved
    return _replaced(array, spec.range, (fresh, ends), (centre, width), generator)


def _replaced(
    array: np.ndarray,
    bounds: tuple[float, float],
    shares: tuple[float, float],
    window: tuple[float, float],
    generator: np.random.Generator,
) -> np.ndarray:
    (low, high), (fresh, ends), (centre, width) = bounds, shares, window
    middle, reach = low + centre * (high - low), (high - low) * 10 ** (4 * width - 4)
    drawn = generator.uniform(max(low, middle - reach), min(high, middle + reach), array.shape)
    extreme = np.where(generator.random(array.shape) < 0.5, low, high)
    changed = generator.random(array.shape) < fresh
    pushed = generator.random(array.shape) < ends
    values = np.where(pushed, extreme, drawn)
    if array.dtype.kind in "iu":
        values = np.clip(np.rint(values), low, high)
    return np.where(changed | pushed, values.astype(array.dtype), array)


def _masked(array: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Padding on the right or on the left, in each row of another length, never all of it; as it is for a first gene
    of zero.
    """
    shortest, left, slope, _ = map(float, genes)
    if shortest == 0 or array.ndim == 0 or array.size == 0:
        return array
    length, rows = array.shape[-1], int(np.prod(array.shape[:-1]))
    kept = 1 + (length - 1) * (1 - shortest * (1 - slope * np.linspace(0, 1, max(rows, 1))))
    positions = np.arange(length)[::-1] if left > 0.5 else np.arange(length)
    mask: np.ndarray = positions < np.clip(np.rint(kept), 1, length).reshape(-1, 1)
    return mask.reshape(array.shape).astype(array.dtype)


def _integers(spec: TensorSpec) -> tuple[float, float]:
    return spec.range or _DEFAULT_INTEGERS
