"""Runs that have to agree: the same input again, and in a second session that was loaded in another way.

The first run is the measure, not the source: what differs from it is a defect even where one of them is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.conformance.environment import available_memory
from assay.conformance.parity.judgement import PASS_GATE, OutputError, output_errors
from assay.conformance.parity.noise_floor import Usual
from assay.conformance.parity.oracle import Reference, epsilon, is_float
from assay.conformance.parity.sweep import close
from assay.conformance.providers.runtime import RuntimeRefused
from assay.conformance.providers.trial import Trial
from assay.conformance.result import Finding

_SHARE = 6  # of the memory that is left: the file, its weights and their packed form, of each session
Values = Mapping[str, np.ndarray]
_AGAIN = "output {} differs between two runs on the same input, but should be the same"
_BYTES = "output {} differs when the model is loaded from bytes, but should be as when loaded from its path"
_REFUSED = "a second session, loaded from bytes, is refused, but should run as the one that was loaded from its path"
_BESIDE = "output {} differs when a second session runs at the same time, but should be as when one runs alone"


@dataclass(frozen=True)
class Repeats:
    """Compares runs of one model on one input with what it gave there at first.

    ``reconsider`` judges an error by the source's conditioning.
    """

    feeds: Values
    first: Values
    reference: Reference
    usual: Usual
    reconsider: Callable[[OutputError], OutputError]

    def again(self, trial: Trial, runs: int) -> list[Finding]:
        """PA015 for each output that is another in any of ``runs`` more runs; raises as `Trial.run`."""
        different: dict[str, None] = {}
        for _ in range(runs):
            different.update(dict.fromkeys(self.differing(trial.run(self.feeds))))
        return _findings("PA015", _AGAIN, tuple(different))

    def beside(self, trial: Trial) -> list[Finding]:
        """PA029 for each output that is another beside a second session, or in one loaded from bytes.

        A model of which memory does not hold two is loaded from bytes alone. Raises `WorkerDied` and `WorkerTimedOut`.
        """
        try:
            return self._beside(trial, replace(trial, loading="bytes"))
        except RuntimeRefused as refused:
            sentence = f"{_REFUSED}: {refused}"
            return [Finding(code="PA029", severity="error", message=sentence)]

    def _beside(self, trial: Trial, other: Trial) -> list[Finding]:
        if trial.candidate.size > available_memory() / _SHARE:
            close(trial)
            return _findings("PA029", _BYTES, self.differing(other.run(self.feeds)))
        own, theirs = (self.differing(values) for values in trial.run_beside(other, self.feeds))
        loaded = self.differing(other.run(self.feeds)) if theirs else ()
        beside = [name for name in dict.fromkeys((*own, *theirs)) if name not in loaded]
        return [*_findings("PA029", _BYTES, loaded), *_findings("PA029", _BESIDE, beside)]

    def differing(self, values: Values) -> tuple[str, ...]:
        """The outputs that are not as in the first run: bits, or floats beyond what the source's rounding explains."""
        missing = [name for name in self.first if name not in values]
        changed = [name for name in self.first if name in values and not same(self.first[name], values[name])]
        return (*missing, *(name for name in changed if not self._is_jitter(name, values[name])))

    def _is_jitter(self, name: str, value: np.ndarray) -> bool:
        """On a GPU sums are taken in any order; that is no more than the rounding that a model is judged by."""
        first = self.first[name]
        if name not in self.reference.floor or not is_float(first) or first.shape != value.shape:
            return False
        if not np.array_equal(np.isfinite(first), np.isfinite(value)):
            return False
        errors = output_errors({name: value}, replace(self.reference, truth={name: first}), self.usual)
        return bool(errors) and all(self.reconsider(error).ratio <= PASS_GATE for error in errors)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal, or as near as threads that add up in another order come."""
    if a.dtype != b.dtype and a.dtype.kind not in "OUS":
        return False
    if not is_float(a) or a.shape != b.shape:
        return bool(np.array_equal(a, b))
    if a.tobytes() == b.tobytes():
        return True
    x, y = a.astype(np.float64), b.astype(np.float64)
    scale = float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))
    return bool(np.allclose(x, y, rtol=0, atol=PASS_GATE * epsilon(a.dtype) * scale, equal_nan=True))


def _findings(code: str, sentence: str, names: Sequence[str]) -> list[Finding]:
    return [
        Finding(code=code, severity="error", message=sentence.format(name), location={"output": name}) for name in names
    ]
