"""The judgement of one output on one probe: contract first and exact, then error as a multiple of the noise floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np

from assay.conformance.parity.channels import QuietChannels, channel_floors, measured
from assay.conformance.parity.decisions import Flips, finiteness, flips, swayed_finiteness, swayed_shape
from assay.conformance.parity.detections import matched
from assay.conformance.parity.noise_floor import Usual, UsualNoise, expected_noise, noise_floor, size_of
from assay.conformance.parity.oracle import Noise, Reference, distance, is_float
from assay.conformance.result import Finding

PASS_GATE, FAIL_GATE = 8.0, 20.0
RTOL = 1e-5  # numpy.allclose's own default


@dataclass(frozen=True)
class OutputError:
    """How far an output is from the truth on one probe, in absolute terms and over the floor.

    Where one channel is worse over its own floor than the whole is, all of it is about that ``channel`` of the axis
    ``channel_axis``. ``atol`` and ``atol_at_rtol`` are the smallest with which ``numpy.allclose(output, source)`` holds
    at an ``rtol`` of 0 and of `RTOL`.
    """

    output: str
    max_error: float
    rms_error: float
    floor_max: float
    floor_rms: float
    ratio: float
    rms: float
    channel: int | None = None
    channel_axis: int | None = None
    atol: float = 0.0
    atol_at_rtol: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The measurements of one output."""
        return asdict(self)


def contract_findings(values: Mapping[str, np.ndarray], reference: Reference, probe: str) -> Iterator[Finding]:
    """Names, number, dtype, shape, pattern of non-finite values and discrete values.

    All are compared exactly; what rounding decides in the source itself is information.
    """
    expected = reference.values
    for name in sorted(set(expected) - set(values)):
        yield _finding("PA002", f"output {name} is missing, but the source gives it", probe, name)
    for name in sorted(set(values) - set(expected)):
        yield _finding("PA002", f"output {name} is not the source's, which gives {', '.join(expected)}", probe, name)
    values = matched(values, reference)
    for name in (name for name in expected if name in values):
        yield from _output_contract(name, values[name], reference, probe)


def _output_contract(name: str, got: np.ndarray, reference: Reference, probe: str) -> Iterator[Finding]:
    expected = reference.values[name]
    if _kind(got) != _kind(expected):
        sentence = f"output {name} is {_kind(got)}, but should be {_kind(expected)}"
        yield _finding("PA003", sentence, probe, name)
    if got.shape != expected.shape:
        yield _shape_finding(name, got, reference, probe)
    elif is_float(got) and is_float(expected):
        yield from _non_finite(name, got, reference, probe)
    elif _kind(got) == _kind(expected):
        yield from _discrete(name, got, reference, probe)


def _shape_finding(name: str, got: np.ndarray, reference: Reference, probe: str) -> Finding:
    expected = list(reference.values[name].shape)
    if swayed_shape(name, reference):
        sentence = f"output {name} has shape {list(got.shape)} and not {expected}, which rounding decides in the source"
        return _undecided(sentence, probe, name)
    sentence = f"output {name} has shape {list(got.shape)}, but should have {expected}"
    return _finding("PA004", sentence, probe, name)


def _discrete(name: str, got: np.ndarray, reference: Reference, probe: str) -> Iterator[Finding]:
    found = flips(name, got, reference)
    if found.wrong and found.margin is not None:
        yield _finding("PA025", _flip_sentence(name, found), probe, name, **_evidence(found))
    elif found.wrong:
        share = found.wrong / found.total
        sentence = f"output {name} differs in {share:.1%} of its elements, but should be equal: its values are discrete"
        yield _finding("PA010", sentence, probe, name, share=share)
    if found.undecided:
        sentence = (
            f"output {name} differs in {found.undecided} of {found.total} elements in which rounding decides in the "
            "source, too: a tie, or nearly one"
        )
        yield _undecided(sentence, probe, name, **_evidence(found))


def _flip_sentence(name: str, found: Flips) -> str:
    assert found.margin is not None
    assert found.floor is not None
    times = f", {found.margin / found.floor:.3g} times its rounding error" if found.floor > 0 else ""
    return (
        f"output {name} decides for {found.got}, but should for {found.expected}: by {found.scores} the two are "
        f"{found.margin:.3g} apart{times}; {found.wrong} such elements"
    )


def _evidence(found: Flips) -> dict[str, Any]:
    return {key: value for key, value in asdict(found).items() if value is not None}


def _non_finite(name: str, got: np.ndarray, reference: Reference, probe: str) -> Iterator[Finding]:
    expected = reference.values[name]
    different = finiteness(got) != finiteness(expected)
    if not different.any():
        return
    swayed = different & swayed_finiteness(name, reference)
    if swayed.any():
        sentence = (
            f"output {name} is finite or not in {int(swayed.sum())} elements where the source itself is by rounding "
            "alone, and defines nothing"
        )
        yield _undecided(sentence, probe, name, count=int(swayed.sum()))
    wrong = different & ~swayed
    if wrong.any():
        where = [int(i) for i in np.argwhere(wrong)[0]] if wrong.ndim else []
        index, count = tuple(where), int(wrong.sum())
        a, b = float(got[index]), float(expected[index])
        sentence = f"output {name} is {a:g} at {where}, but should be {b:g}; {count} such elements"
        yield _finding("PA005", sentence, probe, name, count=count, first=where)


def _is_chosen_among_overflow(got: np.ndarray, expected: np.ndarray) -> bool:
    """Whether the source gives usual numbers where the other is not finite, beside numbers whose squares overflow.

    Boxes are chosen by scores that saturated: which of them is not defined. Where all that differ are so large
    themselves, it is the overflow of an operation, and a defect.
    """
    largest = float(ml_dtypes.finfo(expected.dtype).max)  # type: ignore[no-untyped-call]
    limit = largest / 4 if expected.dtype == np.float16 else largest**0.5  # float16 has no room above its usual numbers
    values, different = np.abs(expected.astype(np.float64)), finiteness(got) != finiteness(expected)
    return bool((values[np.isfinite(values)] > limit).any() and (values[different] <= limit).any())


def output_errors(values: Mapping[str, np.ndarray], reference: Reference, usual: Usual) -> list[OutputError]:
    """The error of every floating output that can be compared."""
    values = matched(values, reference)
    comparable = [
        name
        for name, truth in reference.truth.items()
        if name in values and is_float(truth) and is_float(values[name]) and values[name].shape == truth.shape
    ]
    return [_error(name, values[name], reference, usual[name]) for name in comparable]


def _error(name: str, got: np.ndarray, reference: Reference, usual: UsualNoise) -> OutputError:
    error, floor = distance(got, reference.truth[name]), noise_floor(reference, name, usual)
    ratio = max(error.max / floor.max, error.rms / floor.rms)
    if ratio > PASS_GATE:  # only then is it worth the runs that tell how well the source is conditioned here
        expected = expected_noise(reference, name, usual)
        floor = Noise(max(floor.max, expected.max), max(floor.rms, expected.rms))
        ratio = max(error.max / floor.max, error.rms / floor.rms)
    size = size_of(reference.truth[name]).rms
    atol, atol_at_rtol = _tolerances(got, reference.values[name])
    whole = OutputError(
        *(name, error.max, error.rms, floor.max, floor.rms, ratio, size), atol=atol, atol_at_rtol=atol_at_rtol
    )
    return whole if usual.quiet is None else _of_quiet_channels(whole, got, reference, usual.quiet)


def _of_quiet_channels(whole: OutputError, got: np.ndarray, reference: Reference, quiet: QuietChannels) -> OutputError:
    """The error of the worst quiet channel over its own floor, where that is worse than the whole."""
    truth = reference.truth[whole.output].astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = measured(got.astype(np.float64) - truth, quiet.axis)
    floor_max, floor_rms = channel_floors(reference, whole.output, quiet)
    largest, rms = error.max[quiet.indices], error.rms[quiet.indices]
    ratios = np.maximum(largest / floor_max, rms / floor_rms)
    worst = int(np.argmax(ratios))
    if ratios[worst] <= whole.ratio:
        return whole
    return replace(
        whole,
        max_error=float(largest[worst]),
        rms_error=float(rms[worst]),
        floor_max=float(floor_max[worst]),
        floor_rms=float(floor_rms[worst]),
        ratio=float(ratios[worst]),
        channel=int(quiet.indices[worst]),
        channel_axis=quiet.axis,
    )


def _tolerances(got: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """The smallest ``atol`` at an ``rtol`` of 0, and at `RTOL`, over what is finite in both."""
    a, b = got.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    difference, size = np.abs(a[finite] - b[finite]), np.abs(b[finite])
    return float(difference.max(initial=0.0)), float((difference - RTOL * size).max(initial=0.0))


def smallest_tolerances(errors: Iterable[OutputError]) -> dict[str, float]:
    """The smallest ``atol`` with which ``numpy.allclose`` would pass all: alone, and beside numpy's own ``rtol``."""
    found = [(error.atol, error.atol_at_rtol) for error in errors]
    return {
        "atol": max((alone for alone, _ in found), default=0.0),
        "rtol": RTOL,
        "atol_at_rtol": max((beside for _, beside in found), default=0.0),
    }


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
    channel = "" if error.channel is None else f" in channel {error.channel} of axis {error.channel_axis}"
    sentence = (
        f"output {error.output} is {error.ratio:.3g} times the source's own rounding error off{channel} "
        f"(largest error {error.max_error:.3g}), but should be at most {PASS_GATE:g} times"
    )
    return Finding(
        code=code,
        severity=severity,  # type: ignore[arg-type]
        message=sentence,
        location={"probe": probe, "output": error.output},
        evidence=error.to_json(),
    )


def overflowed(finding: Finding, values: Mapping[str, np.ndarray], reference: Reference) -> Finding:
    """On an extreme probe: what is chosen among numbers that overflowed is information, not failure."""
    name = str(finding.location.get("output"))
    if finding.code != "PA005" or not _is_chosen_among_overflow(values[name], reference.values[name]):
        return finding
    sentence = f"{finding.message}; the source itself is near overflow there, and defines nothing"
    return finding.model_copy(update={"code": "PA018", "severity": "info", "message": sentence})


def _undecided(sentence: str, probe: str, output: str, **evidence: Any) -> Finding:
    return _finding("PA018", sentence, probe, output, **evidence).model_copy(update={"severity": "info"})


def _kind(array: np.ndarray) -> str:
    return "string" if array.dtype.kind in "OUS" else array.dtype.name


def _finding(code: str, sentence: str, probe: str, output: str, **evidence: Any) -> Finding:
    return Finding(
        code=code, severity="error", message=sentence, location={"probe": probe, "output": output}, evidence=evidence
    )
