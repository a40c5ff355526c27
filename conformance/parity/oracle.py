"""The oracle: what the source gives, how far its rounding is from the truth, and how that is known.

The noise floor of an output is the source's own error against its float64 twin. Where no float64 twin is to be had, it
is the spread of the outputs when each weight (or, in a model without weights, each input) moves by one unit in the last
place; where some operations of the twin stay in lower precision, or the source itself is in float64, it is the larger
of the two.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import ml_dtypes
import numpy as np

from assay.converters.sources import Source
from assay.converters.sources.base import ExactTwin, Feeds, Outputs, Runnable
from assay.specs.errors import brief

_TWINS = 4
_WAVERING = 8
# a twin whose relative error is above both is another model: so many units, and so many times the one-ulp spread
_STRANGE_UNITS, _STRANGE_SPREADS = 1e4, 100.0


@dataclass(frozen=True)
class Noise:
    """The largest and the root-mean-square distance between two arrays."""

    max: float
    rms: float


def _no_twins() -> Sequence[Outputs]:
    return ()


@dataclass(frozen=True)
class Reference:
    """What the source gives on one probe; ``truth`` is in float64 where the twin has it, else it is ``values``.

    ``spread`` is how far each element of a float output moves by one unit in the last place, where that was measured;
    ``twins`` runs the source with its rounding and its ties stirred, and ``conditioning`` tells how many times more
    than on the first probe each output is moved by rounding, the first time that somebody asks; ``roles`` are the roles
    of outputs by name, where known.
    """

    values: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]
    floor: Mapping[str, Noise]
    spread: Mapping[str, np.ndarray] = field(default_factory=dict)
    twins: Callable[[], Sequence[Outputs]] = _no_twins
    conditioning: Callable[[], Mapping[str, Noise]] = dict
    roles: Mapping[str, str] = field(default_factory=dict)

    def error(self, name: str) -> np.ndarray:
        """The source's own error of each element of a float output, in float64; not finite where it has none."""
        with np.errstate(invalid="ignore"):
            own = np.abs(self.values[name].astype(np.float64) - self.truth[name].astype(np.float64))
        return np.maximum(own, self.spread[name]) if name in self.spread else own


class ReferenceRefused(Exception):
    """The source itself raised on the probe; the probe judges nobody."""


class Oracle:
    """Runs the source and its twins; ``roles`` are those of its outputs, by name."""

    def __init__(self, source: Source, probe: Feeds, roles: Mapping[str, str] | None = None) -> None:
        self.source, self.roles, self.first = source, dict(roles or {}), probe
        self._shaken: list[Runnable] | None = None
        self._failed = 0
        self._ran: tuple[Feeds, Outputs, Outputs] | None = None  # the first probe, on which both have run already
        twin = source.exact()
        self.exact = twin if twin is not None and self._is_exact(twin, probe) else None

    def of(self, source: Any, exact: ExactTwin | None) -> Oracle:
        """The same oracle over another form of the source, whose float64 twin is this one."""
        other = copy.copy(self)
        other.source, other.exact = source, exact
        other._shaken = other._ran = None
        for twins in ("_moved", "_wavering"):
            other.__dict__.pop(twins, None)
        return other

    @property
    def method(self) -> str:
        """Where the floor comes from; which operations are not in float64, as far as the runs have shown."""
        if self.exact is None:
            return self._moved[1]
        kept = f" except {', '.join(self.exact.kept)}" if self.exact.kept else ""
        failed = f", but {self._moved[1]} on {self._failed} probes that it does not take" if self._failed else ""
        return f"float64{kept}{failed}"

    def judge(self, feeds: Feeds) -> Reference:
        """Run source and twins on one probe; raises `ReferenceRefused` where the source does not take it."""
        try:
            values = self._ran[1] if self._ran is not None and self._ran[0] is feeds else self.source.run(feeds)
        except Exception as error:
            raise ReferenceRefused(f"{type(error).__name__}: {brief(error)}") from error
        truth = self._truth(feeds, values)
        spread = {} if truth is not None and not self._needs_spread(values) else self._spread(feeds, values)
        floor = {name: _floor(name, value, truth, spread.get(name)) for name, value in values.items()}
        twins = cache(lambda: self._wavering_runs(feeds))
        elements = {name: one for name, (one, _) in spread.items()}
        relative = cache(lambda: self._relative_conditioning(feeds, values))
        return Reference(values, truth or values, floor, elements, twins, relative, self.roles)

    def conditioning(self, feeds: Feeds, reference: Reference) -> dict[str, Noise] | None:
        """The spread of each output when every operation's result moves by one unit in the last place, or None."""
        return self._shaken_spread(feeds, reference.values)

    def _relative_conditioning(self, feeds: Feeds, values: Outputs) -> dict[str, Noise]:
        """The spread of each output over what it is on the first probe; nothing where that can't be had."""
        here, there = self._shaken_spread(feeds, values), self._first_spread
        if here is None or there is None:
            return {}
        known = [name for name in here if name in there and min(there[name].max, there[name].rms) > 0]
        return {n: Noise(here[n].max / there[n].max, here[n].rms / there[n].rms) for n in known}

    @cached_property
    def _first_spread(self) -> dict[str, Noise] | None:
        try:
            return self._shaken_spread(self.first, self.source.run(self.first))
        except Exception:  # noqa: BLE001 - a source that refuses its first probe has no measure for the others
            return None

    def _shaken_spread(self, feeds: Feeds, values: Mapping[str, np.ndarray]) -> dict[str, Noise] | None:
        if self._shaken is None:
            found = (self.source.shaken(seed) for seed in range(_TWINS))
            self._shaken = [twin for twin in found if twin is not None]
        if not self._shaken:
            return None
        runs = _runs(self._shaken, feeds)
        if len(runs) < len(self._shaken):
            return None
        return {name: _largest([distance(run[name], v) for run in runs]) for name, v in values.items()}

    def _truth(self, feeds: Feeds, values: Outputs) -> Outputs | None:
        """What the float64 twin gives; None, and counted, where it raises or gives other shapes."""
        if self.exact is None:
            return None
        runs = [self._ran[2]] if self._ran is not None and self._ran[0] is feeds else _runs([self.exact], feeds)
        if runs and all(name in runs[0] and runs[0][name].shape == value.shape for name, value in values.items()):
            return {name: runs[0][name] for name in values}
        self._failed += 1
        return None

    def _needs_spread(self, values: Outputs) -> bool:
        """Whether the twin is not more exact than the source everywhere."""
        kept = self.exact is None or bool(self.exact.kept)
        return kept or any(value.dtype == np.float64 for value in values.values())

    def _spread(self, feeds: Feeds, values: Outputs) -> dict[str, tuple[np.ndarray, Noise]]:
        """For each float output how far its elements move at most, and the largest noise of a run."""
        runs = _runs(self._moved[0], feeds)
        names = [name for name, value in values.items() if is_float(value)]
        return {name: _moves(values[name], [run[name] for run in runs if name in run]) for name in names}

    @cached_property
    def _moved(self) -> tuple[list[Runnable], str]:
        found = [twin for seed in range(_TWINS) if (twin := self.source.perturbed(seed)) is not None]
        if found:
            return found, "one-ulp weights"
        return [_JitteredInputs(self.source, seed) for seed in range(_TWINS)], "one-ulp inputs"

    @cached_property
    def _wavering(self) -> list[Runnable]:
        found = [twin for seed in range(_WAVERING) if (twin := self.source.wavering(seed)) is not None]
        return found or self._moved[0]

    def _wavering_runs(self, feeds: Feeds) -> Sequence[Outputs]:
        return _runs(self._wavering, feeds)

    def _is_exact(self, twin: ExactTwin, probe: Feeds) -> bool:
        """Whether the twin works in float64 and is still the same model."""
        try:
            plain, exact = self.source.run(probe), twin.run(probe)
            self._ran = probe, plain, exact
        except Exception:  # noqa: BLE001 - a twin that does not run is no oracle; the fallback is, and the result says so
            return False
        if set(plain) != set(exact):
            return False
        floats = [name for name, value in plain.items() if is_float(value)]
        if any(exact[n].dtype != np.float64 or exact[n].shape != plain[n].shape for n in floats):
            return False
        strange = [name for name in floats if _is_strange(plain[name], exact[name])]
        if not strange:
            return True
        spread = self._spread(probe, plain)
        return all(distance(plain[n], exact[n]).rms <= _STRANGE_SPREADS * spread[n][1].rms for n in strange)


def _is_strange(plain: np.ndarray, exact: np.ndarray) -> bool:
    """Whether the two differ more than rounding makes them in most models."""
    size = float(np.sqrt(np.mean(np.square(exact[np.isfinite(exact)])))) if np.isfinite(exact).any() else 0.0
    return distance(plain, exact).rms > min(_STRANGE_UNITS * epsilon(plain.dtype), 0.1) * size


def _runs(twins: Sequence[Runnable], feeds: Feeds) -> list[Outputs]:
    """What the twins give; one that raises gives nothing."""
    runs = []
    for twin in twins:
        try:
            runs.append(twin.run(feeds))
        except Exception:  # noqa: BLE001 - what a model's code raises on moved numbers is not known
            continue
    return runs


def _moves(value: np.ndarray, others: Sequence[np.ndarray]) -> tuple[np.ndarray, Noise]:
    alike = [other for other in others if other.shape == value.shape]
    base = value.astype(np.float64)
    with np.errstate(invalid="ignore"):
        moves = [np.nan_to_num(np.abs(other.astype(np.float64) - base), posinf=0.0) for other in alike]
    elements = np.maximum.reduce(moves) if moves else np.zeros(value.shape)
    return elements, _largest([distance(other, value) for other in alike])


def _floor(name: str, value: np.ndarray, truth: Outputs | None, spread: tuple[np.ndarray, Noise] | None) -> Noise:
    noises = [] if truth is None else [distance(value, truth[name])]
    return _largest([*noises, *([spread[1]] if spread else [])])


def _largest(noises: Sequence[Noise]) -> Noise:
    return Noise(max((n.max for n in noises), default=0.0), max((n.rms for n in noises), default=0.0))


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


def epsilon(dtype: np.dtype) -> float:
    """The distance from 1 to the next number of a floating dtype, ml_dtypes' kinds included."""
    return float(ml_dtypes.finfo(dtype).eps)  # type: ignore[no-untyped-call]


def _jittered(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if not is_float(array):
        return array
    towards = np.where(generator.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
    moved: np.ndarray = np.nextafter(array, towards)
    return moved
