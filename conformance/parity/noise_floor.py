"""The noise floor of one output on one probe, guarded against floors that are small by luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.conformance.parity.channels import QuietChannels, quiet_channels
from assay.conformance.parity.oracle import Noise, Reference, epsilon, is_float

_NONE = Noise(0.0, 0.0)
_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class UsualNoise:
    """What is usual for an output: the median over all probes of its noise relative to its rms, the largest magnitude
    that it takes on probes of natural magnitude, the channels that are far quieter than the whole, and the floor on the
    first natural probe.
    """

    relative: Noise
    largest: float
    quiet: QuietChannels | None = None
    first: Noise = _NONE


@dataclass(frozen=True)
class Size:
    """Root mean square, largest magnitude and number of the finite elements of an array."""

    rms: float
    largest: float
    count: int


def size_of(array: np.ndarray) -> Size:
    """The size of a floating array."""
    values = np.abs(array.astype(np.float64))
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return Size(0.0, 0.0, 0)
    return Size(float(np.sqrt(np.mean(finite**2))), float(finite.max()), finite.size)


def usual_noise(references: Sequence[Reference], natural: Sequence[Reference]) -> dict[str, UsualNoise]:
    """What is usual for each floating output; ``natural`` are the references of natural probes."""
    names = {name for reference in references for name, value in reference.truth.items() if is_float(value)}
    return {name: _usual(references, natural, name) for name in names}


def _usual(references: Sequence[Reference], natural: Sequence[Reference], name: str) -> UsualNoise:
    quiet = quiet_channels(references, natural, name)
    usual = UsualNoise(_relative(references, name), _largest(natural, name), quiet)
    first = next((reference for reference in natural if name in reference.truth), None)
    return usual if first is None else replace(usual, first=noise_floor(first, name, usual))


def expected_noise(reference: Reference, name: str, usual: UsualNoise) -> Noise:
    """What the floor on the first probe comes to where rounding moves the output more than there.

    Over a flat image all pixels are rounded alike, and their mean does not average that out: such a probe is worse
    conditioned than a natural one, while the source's own error may be small by luck.
    """
    times = reference.conditioning().get(name, _NONE)
    return Noise(usual.first.max * times.max, usual.first.rms * times.rms)


def noise_floor(reference: Reference, name: str, usual: UsualNoise) -> Noise:
    """The source's own error on the probe, or what is usual where that is more, but not less than half a unit in the
    last place of the output's usual size, in the output's own dtype.

    No implementation is bound to more digits of a value that happens to be small:
    ONNX Runtime's Sigmoid, for one, errs by 1e-7 whether the value is 1 or 1e-5.
    One element at the largest floor alone gives an rms of that floor over the root of their number.
    """
    own, size = reference.floor[name], size_of(reference.truth[name])
    half = epsilon(reference.values[name].dtype) / 2
    largest = max(own.max, usual.relative.max * size.rms, half * max(size.largest, usual.largest), _TINY)
    rms = max(own.rms, usual.relative.rms * size.rms, largest / max(size.count, 1) ** 0.5, half / 2 * size.rms)
    return Noise(largest, rms)


def _relative(references: Sequence[Reference], name: str) -> Noise:
    pairs = [(r.floor[name], size_of(r.truth[name]).rms) for r in references if name in r.truth]
    noises = [Noise(noise.max / rms, noise.rms / rms) for noise, rms in pairs if rms > 0]
    if not noises:
        return Noise(0.0, 0.0)
    return Noise(float(np.median([n.max for n in noises])), float(np.median([n.rms for n in noises])))


def _largest(references: Sequence[Reference], name: str) -> float:
    return max((size_of(r.truth[name]).largest for r in references if name in r.truth), default=0.0)


Usual = Mapping[str, UsualNoise]
