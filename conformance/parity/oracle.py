"""The oracle: what the source gives, how far its float32 rounding is from the truth, and how that is known.

The noise floor of an output is the source's float32 error against its float64 twin. Where no float64 twin is to be had,
it is the spread of the outputs when each weight (or, in a model without weights, each input) moves by one unit in the
last place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assay.converters.sources import Source
from assay.converters.sources.base import Feeds, Runnable
from assay.specs.errors import brief

_TWINS = 4


@dataclass(frozen=True)
class Noise:
    """The largest and the root-mean-square distance between two arrays."""

    max: float
    rms: float


@dataclass(frozen=True)
class Reference:
    """What the source gives on one probe; ``truth`` is in float64 where the twin has it, else it is ``values``."""

    values: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]
    floor: Mapping[str, Noise]


class ReferenceRefused(Exception):
    """The source itself raised on the probe; the probe judges nobody."""


class Oracle:
    """Runs the source and its twins; ``method`` says where the floor comes from."""

    def __init__(self, source: Source, probe: Feeds) -> None:
        self.source = source
        self.exact: Runnable | None
        self.twins: tuple[Runnable, ...]
        exact = source.exact()
        if exact is not None and _is_exact(exact, source, probe):
            self.method, self.exact, self.twins = "float64", exact, ()
            return
        found = [twin for seed in range(_TWINS) if (twin := source.perturbed(seed)) is not None]
        self.exact = None
        self.twins = tuple(found) or tuple(_JitteredInputs(source, seed) for seed in range(_TWINS))
        self.method = "one-ulp weights" if found else "one-ulp inputs"

    def judge(self, feeds: Feeds) -> Reference:
        """Run source and twins on one probe; raises `ReferenceRefused` where the source does not take it."""
        try:
            values = self.source.run(feeds)
            truth = values if self.exact is None else self.exact.run(feeds)
            runs = [twin.run(feeds) for twin in self.twins]
        except Exception as error:
            raise ReferenceRefused(f"{type(error).__name__}: {brief(error)}") from error
        if self.exact is not None:
            return Reference(values, truth, {name: distance(values[name], truth[name]) for name in values})
        return Reference(values, values, {name: _spread(values[name], [run[name] for run in runs]) for name in values})

    def conditioning(self, feeds: Feeds, reference: Reference) -> dict[str, Noise] | None:
        """The spread of each output when every operation's result moves by one unit in the last place, or None."""
        runs = []
        for seed in range(_TWINS):
            twin = self.source.shaken(seed)
            if twin is None:
                return None
            try:
                runs.append(twin.run(feeds))
            except Exception:  # noqa: BLE001 - what a shaken model's code raises is not known; the floor stays as it was
                return None
        return {name: _spread(value, [run[name] for run in runs]) for name, value in reference.values.items()}


@dataclass(frozen=True)
class _JitteredInputs:
    source: Source
    seed: int

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        generator = np.random.default_rng(self.seed)
        return self.source.run({name: _jittered(array, generator) for name, array in feeds.items()})


def distance(a: np.ndarray, b: np.ndarray) -> Noise:
    """Distance in float64 over the elements that are finite in both; zero for no number or another shape."""
    if a.shape != b.shape or not is_float(a) or a.size == 0:
        return Noise(0.0, 0.0)
    x, y = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(x) & np.isfinite(y)
    difference = np.abs(x[finite] - y[finite])
    if difference.size == 0:
        return Noise(0.0, 0.0)
    return Noise(float(difference.max()), float(np.sqrt(np.mean(difference**2))))


def is_float(array: np.ndarray) -> bool:
    """Whether the array is of floating point, ml_dtypes' kinds included."""
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def _spread(base: np.ndarray, others: list[np.ndarray]) -> Noise:
    noises = [distance(other, base) for other in others]
    return Noise(max(n.max for n in noises), max(n.rms for n in noises))


def _is_exact(twin: Runnable, source: Source, probe: Feeds) -> bool:
    """Whether the twin really works in float64: every float32 output of the source is float64 there."""
    try:
        plain, exact = source.run(probe), twin.run(probe)
    except Exception:  # noqa: BLE001 - a twin that does not run is no oracle; the fallback is, and the result says so
        return False
    return set(plain) == set(exact) and all(exact[n].dtype == np.float64 for n, v in plain.items() if is_float(v))


def _jittered(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    towards = np.where(generator.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
    moved: np.ndarray = np.nextafter(array, towards)
    return moved
