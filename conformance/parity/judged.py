"""A probe that the source has answered; which rung of a ladder it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from assay.conformance.parity.oracle import Reference, is_float
from assay.conformance.parity.probes import Feeds, Probe

Run = Callable[[Feeds], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Judged:
    """A probe with what the source gives on it, or the reason why it gives nothing."""

    probe: Probe
    reference: Reference | None
    refusal: str | None = None

    @property
    def counts(self) -> bool:
        """Whether the probe decides on the verdict."""
        return self.reference is not None and not self.probe.informative


def settled(probe: Probe, run: Run) -> Probe | None:
    """The probe at the strongest rung of its ladder that the source takes with finite outputs, less the margin.

    A rung that is taken has all milder ones taken too, so that a few runs find it. None where no rung is left.
    """
    if not probe.ladder:
        return probe
    low, high = 0, len(probe.ladder)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _takes(run, probe.ladder[middle]) else (middle + 1, high)
    rung = low + probe.margin
    return replace(probe, feeds=probe.ladder[rung], ladder=()) if rung < len(probe.ladder) else None


def _takes(run: Run, feeds: Feeds) -> bool:
    try:
        outputs = run(feeds)
    except Exception:  # noqa: BLE001 - what a source raises on values that it does not take is not known
        return False
    return all(bool(np.isfinite(_plain(array)).all()) for array in outputs.values() if is_float(array))


def _plain(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
