"""The judgement of one output on one probe: contract first and exact, then error as a multiple of the noise floor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from assay.conformance.parity.noise_floor import Usual, UsualNoise, noise_floor, size_of
from assay.conformance.parity.oracle import Noise, Reference, distance, is_float
from assay.conformance.result import Finding

PASS_GATE, FAIL_GATE = 8.0, 20.0


@dataclass(frozen=True)
class OutputError:
    """How far an output is from the truth on one probe, in absolute terms and over the floor."""

    output: str
    max_error: float
    rms_error: float
    floor_max: float
    floor_rms: float
    ratio: float
    rms: float

    def to_json(self) -> dict[str, Any]:
        """The measurements of one output."""
        return asdict(self)


def contract_findings(values: Mapping[str, np.ndarray], reference: Reference, probe: str) -> Iterator[Finding]:
    """Names, number, dtype, shape and pattern of non-finite values, compared exactly."""
    expected = reference.values
    for name in sorted(set(expected) - set(values)):
        yield _finding("PA002", f"output {name} is missing, but the source gives it", probe, name)
    for name in sorted(set(values) - set(expected)):
        yield _finding("PA002", f"output {name} is not the source's, which gives {', '.join(expected)}", probe, name)
    for name in (name for name in expected if name in values):
        yield from _output_contract(name, values[name], expected[name], probe)


def _output_contract(name: str, got: np.ndarray, expected: np.ndarray, probe: str) -> Iterator[Finding]:
    if _kind(got) != _kind(expected):
        sentence = f"output {name} is {_kind(got)}, but should be {_kind(expected)}"
        yield _finding("PA003", sentence, probe, name)
    if got.shape != expected.shape:
        yield _finding(
            "PA004", f"output {name} has shape {list(got.shape)}, but should have {list(expected.shape)}", probe, name
        )
        return
    if is_float(got) and is_float(expected):
        yield from _non_finite(name, got, expected, probe)
    elif _kind(got) == _kind(expected) and not np.array_equal(got, expected):
        share = float(np.mean(np.asarray(got != expected)))
        sentence = f"output {name} differs in {share:.1%} of its elements, but should be equal: its values are discrete"
        yield _finding("PA010", sentence, probe, name, share=share)


def _non_finite(name: str, got: np.ndarray, expected: np.ndarray, probe: str) -> Iterator[Finding]:
    a, b = got.astype(np.float64), expected.astype(np.float64)
    different = (np.isnan(a) != np.isnan(b)) | (np.where(np.isinf(a), a, 0) != np.where(np.isinf(b), b, 0))
    if different.any():
        where = [int(i) for i in np.argwhere(different)[0]] if different.ndim else []
        index = tuple(where)
        places = f"{int(different.sum())} such elements"
        sentence = f"output {name} is {a[index]:g} at {where}, but should be {b[index]:g}; {places}"
        yield _finding("PA005", sentence, probe, name, count=int(different.sum()), first=where)


def output_errors(values: Mapping[str, np.ndarray], reference: Reference, usual: Usual) -> list[OutputError]:
    """The error of every floating output that can be compared."""
    comparable = [
        name
        for name, truth in reference.truth.items()
        if name in values and is_float(truth) and values[name].shape == truth.shape
    ]
    return [_error(name, values[name], reference, usual[name]) for name in comparable]


def _error(name: str, got: np.ndarray, reference: Reference, usual: UsualNoise) -> OutputError:
    error, floor = distance(got, reference.truth[name]), noise_floor(reference, name, usual)
    ratio = max(error.max / floor.max, error.rms / floor.rms)
    return OutputError(name, error.max, error.rms, floor.max, floor.rms, ratio, size_of(reference.truth[name]).rms)


def reconsidered(error: OutputError, spread: Noise) -> OutputError:
    """The error over the spread that the source itself shows where it is ill-conditioned."""
    floor_max, floor_rms = max(error.floor_max, spread.max), max(error.floor_rms, spread.rms)
    ratio = max(error.max_error / floor_max, error.rms_error / floor_rms)
    return replace(error, floor_max=floor_max, floor_rms=floor_rms, ratio=ratio)


def ill_conditioned_finding(error: OutputError, probe: str) -> Finding:
    """Information, not failure: two correct implementations may differ this much on the probe."""
    sentence = (
        f"output {error.output} is not defined by the source to better than {error.floor_max:.3g} on this probe: "
        "rounding alone moves it that far, so the probe is judged by that"
    )
    return Finding(code="PA018", severity="info", message=sentence, location={"probe": probe, "output": error.output})


def ratio_finding(error: OutputError, probe: str) -> Finding | None:
    """What the ratio says: nothing up to the first gate, a doubt up to the second, a defect beyond."""
    if error.ratio <= PASS_GATE:
        return None
    code, severity = ("PA001", "error") if error.ratio > FAIL_GATE else ("PA009", "warning")
    sentence = (
        f"output {error.output} is {error.ratio:.3g} times the source's own rounding error off "
        f"(largest error {error.max_error:.3g}), but should be at most {PASS_GATE:g} times"
    )
    return Finding(
        code=code,
        severity=severity,  # type: ignore[arg-type]
        message=sentence,
        location={"probe": probe, "output": error.output},
        evidence=error.to_json(),
    )


def _kind(array: np.ndarray) -> str:
    return "string" if array.dtype.kind in "OUS" else array.dtype.name


def _finding(code: str, sentence: str, probe: str, output: str, **evidence: Any) -> Finding:
    return Finding(
        code=code, severity="error", message=sentence, location={"probe": probe, "output": output}, evidence=evidence
    )
