"""How far a tensor inside a graph is from another, as a multiple of the rounding noise at that place."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from assay.conformance.parity.localisation.capture import Arrays, Camera
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.parity.oracle import Noise, distance, epsilon, is_float

_TINY = float(np.finfo(np.float32).tiny)


def spreads(camera: Camera, graph: Graph, feeds: Mapping[str, np.ndarray], values: Arrays) -> dict[str, Noise]:
    """The spread of each tensor when each weight and each input moves by one unit in the last place."""
    generator = np.random.default_rng(0)
    weights = {name: moved(array, generator) for name, array in _weights(graph).items()}
    inputs = {name: moved(array, generator) for name, array in feeds.items()}
    other = camera.capture(graph, inputs, weights).values
    return {name: distance(value, other[name]) for name, value in values.items() if name in other}


def _weights(graph: Graph) -> dict[str, np.ndarray]:
    tensors = ((name, value.const_value) for name, value in graph.model.graph.initializers.items())
    return {n: tensor.numpy() for n, tensor in tensors if tensor is not None and tensor.dtype.is_floating_point()}


def moved(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A floating array with each element but zeros moved by one unit in the last place, up or down at random."""
    if array.dtype.kind != "f":
        return array
    towards = np.where(generator.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
    result: np.ndarray = np.where(array == 0, array, np.nextafter(array, towards))
    return result


def error_ratio(got: np.ndarray, expected: np.ndarray, spread: Noise | None) -> float:
    """Zero for equal bits, infinite where shape, kind or non-finite elements differ, else the error over the noise."""
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return math.inf
    if not is_float(expected):
        return 0.0 if np.array_equal(got, expected) else math.inf
    if np.array_equal(got, expected, equal_nan=got.dtype.kind == "f"):
        return 0.0
    x, y = got.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(y)
    if not np.array_equal(finite, np.isfinite(x)) or not np.array_equal(x[~finite], y[~finite], equal_nan=True):
        return math.inf
    floor = _floor(y[finite], epsilon(expected.dtype) / 2, spread or Noise(0.0, 0.0))
    error = distance(got, expected)
    return max(error.max / floor.max, error.rms / floor.rms)


def _floor(values: np.ndarray, half_ulp: float, spread: Noise) -> Noise:
    largest = max(spread.max, half_ulp * float(np.abs(values).max(initial=0.0)), _TINY)
    rms = float(np.sqrt(np.mean(values**2))) if values.size else 0.0
    return Noise(largest, max(spread.rms, half_ulp / 2 * rms, largest / max(values.size, 1) ** 0.5, _TINY))
