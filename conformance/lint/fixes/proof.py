"""The proof that a mended model is the same: both run on the same inputs, at several sizes, in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.probes import make_probes
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.specs.interface import Interface

_TOLERANCE = 64 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Proof:
    """How many probes agreed; ``doubt`` says why that is no proof, ``difference`` what is not the same."""

    probes: int = 0
    identical: bool = True
    doubt: str | None = None
    difference: str | None = None

    @property
    def holds(self) -> bool:
        """Whether both models gave the same on at least one probe, and no other thing on any."""
        return self.doubt is None and self.difference is None and self.probes > 0


def prove_same(
    before: Path, after: Path, interface: Interface, inputs: Mapping[str, str], outputs: Mapping[str, str]
) -> Proof:
    """Run both on every default probe; ``inputs`` and ``outputs`` map the old names to the new ones.

    Results may differ by what another order of additions makes: 64 float32 epsilons of the output's largest value.
    """
    with Worker() as worker:
        old = Trial(Candidate(before, interface), "cpu", worker)
        new = Trial(Candidate(after, interface, inputs=inputs, outputs=outputs), "cpu", worker)
        count, identical = 0, True
        for probe in make_probes(interface):
            try:
                expected = old.run(probe.feeds)
            except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
                refusal = str(error)
                continue
            try:
                got = new.run(probe.feeds)
            except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
                return Proof(count, False, difference=f"on probe {probe.name} the mended model does not run: {error}")
            found = _difference(expected, got)
            if found is not None:
                return Proof(count, False, difference=f"on probe {probe.name} {found}")
            count += 1
            identical &= all(
                np.array_equal(expected[name], got[name], equal_nan=expected[name].dtype.kind == "f")
                for name in expected
            )
    if count == 0:
        return Proof(doubt=f"the model itself does not run: {refusal}")
    return Proof(count, identical)


def _difference(expected: Mapping[str, np.ndarray], got: Mapping[str, np.ndarray]) -> str | None:
    if list(expected) != list(got):
        return f"the outputs are {', '.join(got)}, but should be {', '.join(expected)}"
    for name, array in expected.items():
        if array.shape != got[name].shape or array.dtype != got[name].dtype or not _close(array, got[name]):
            return f"output {name} is not the same"
    return None


def _close(expected: np.ndarray, got: np.ndarray) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(expected, got))
    finite = np.isfinite(expected)
    scale = float(np.abs(expected[finite]).max()) if finite.any() else 0.0
    return bool(np.allclose(got, expected, rtol=0, atol=_TOLERANCE * scale, equal_nan=True))
