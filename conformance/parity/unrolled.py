"""A model over several steps: what it gives is fed back to it, each side its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.conformance.parity.noise_floor import Usual, UsualNoise
from assay.conformance.parity.oracle import Oracle
from assay.conformance.parity.probes import Feeds, Probe
from assay.conformance.providers.runtime import RuntimeRefused

Run = Callable[[Feeds], Mapping[str, np.ndarray]]


def at_step(output: str, step: int) -> str:
    """The name of an output at one of several steps, counted from 1."""
    return f"{output} at step {step}"


def usual_at_steps(usual: Usual, probe: Probe) -> dict[str, UsualNoise]:
    """What is usual for an output is so at each step."""
    steps = range(1, len(probe.later) + 2)
    return {at_step(name, step): noise for name, noise in usual.items() for step in steps}


def unrolled(run: Run, probe: Probe, *, exact: bool = False) -> Run:
    """One run that takes every step of the probe and gives the outputs of each.

    An output is fed back as it is; with ``exact`` in the dtype of the input, as a float64 twin needs it. An output that
    is missing raises `RuntimeRefused`.
    """

    def steps(feeds: Feeds) -> dict[str, np.ndarray]:
        gathered: dict[str, np.ndarray] = {}
        for step, following in enumerate((*probe.later, None), 1):
            outputs = run(feeds)
            gathered |= {at_step(name, step): value for name, value in outputs.items()}
            if following is not None:
                feeds = {**following, **_fed_back(outputs, feeds, probe, exact)}
        return gathered

    return steps


def _fed_back(outputs: Feeds, feeds: Feeds, probe: Probe, exact: bool) -> dict[str, np.ndarray]:
    missing = sorted(set(probe.feedback) - set(outputs))
    if missing:
        raise RuntimeRefused(f"output {missing[0]} is missing, so that the next step can't take it")
    back = {name: outputs[output] for output, name in probe.feedback.items()}
    return {name: array.astype(feeds[name].dtype) if exact else array for name, array in back.items()}


def unrolled_oracle(oracle: Oracle, probe: Probe) -> Oracle:
    """An oracle whose source and twins take every step of the probe, each with its own outputs."""
    if not probe.later:
        return oracle
    return oracle.of(_Unrolled(oracle.source, probe), None if oracle.exact is None else _Unrolled(oracle.exact, probe))


@dataclass(frozen=True)
class _Unrolled:
    """Stands for a source or a twin of it."""

    one: Any
    probe: Probe

    def run(self, feeds: Feeds) -> dict[str, np.ndarray]:
        return dict(unrolled(self.one.run, self.probe, exact=True)(feeds))

    @property
    def kept(self) -> Sequence[str]:
        """As `ExactTwin.kept`."""
        kept: Sequence[str] = self.one.kept
        return kept

    def perturbed(self, seed: int) -> _Unrolled | None:
        return self._over(self.one.perturbed(seed))

    def shaken(self, seed: int) -> _Unrolled | None:
        return self._over(self.one.shaken(seed))

    def wavering(self, seed: int) -> _Unrolled | None:
        return self._over(self.one.wavering(seed))

    def _over(self, twin: Any) -> _Unrolled | None:
        return None if twin is None else _Unrolled(twin, self.probe)
