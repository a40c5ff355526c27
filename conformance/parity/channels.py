"""Channels of an output whose noise is far below that of the others: an error there would drown in the whole's floor.

Of 85 channels of a detector, 4 are coordinates of hundreds and 81 are probabilities: the floor of all is that of the
coordinates. Each quiet channel has a floor of its own, guarded as that of an output is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.conformance.parity.oracle import Reference, epsilon

_QUIET = 4.0  # times less noise than the output as a whole
_SAMPLES = 16  # elements of a channel on natural probes, below which its noise is not known
_MOST = 4096


@dataclass(frozen=True)
class QuietChannels:
    """The channels of an axis that are judged by themselves, with their noise by channel.

    ``relative_*`` are medians over probes of noise over the channel's rms; ``usual_*`` its noise and ``largest`` its
    largest magnitude on natural probes.
    """

    axis: int
    indices: np.ndarray
    relative_max: np.ndarray
    relative_rms: np.ndarray
    usual_max: np.ndarray
    usual_rms: np.ndarray
    largest: np.ndarray


@dataclass(frozen=True)
class Measured:
    """Largest and root-mean-square value of each channel, over what is finite."""

    max: np.ndarray
    rms: np.ndarray
    count: np.ndarray


def measured(values: np.ndarray, axis: int) -> Measured:
    """Of magnitudes; a channel without finite values measures zero."""
    others = tuple(a for a in range(values.ndim) if a != axis % values.ndim)
    finite = np.isfinite(values)
    kept = np.where(finite, np.abs(values), 0.0)
    count = finite.sum(others)
    squares = (kept**2).sum(others) / np.maximum(count, 1)
    return Measured(kept.max(others, initial=0.0), np.sqrt(squares), count)


def quiet_channels(references: Sequence[Reference], natural: Sequence[Reference], name: str) -> QuietChannels | None:
    """The quiet channels of the axis that has the quietest; None where no axis has any."""
    usual = [reference for reference in natural if name in reference.truth]
    everywhere = [reference for reference in references if name in reference.truth]
    if not usual:
        return None
    found = [_along(axis, everywhere, usual, name) for axis in _fixed_axes(everywhere, name)]
    best = max((pair for pair in found if pair is not None), key=lambda pair: pair[0], default=None)
    return best[1] if best else None


def _fixed_axes(references: Sequence[Reference], name: str) -> list[int]:
    """Axes that have the same size on every probe, and more than one element."""
    shapes = {reference.values[name].shape for reference in references}
    if len({len(shape) for shape in shapes}) != 1:
        return []
    sizes = [set(column) for column in zip(*shapes, strict=True)]
    return [axis for axis, seen in enumerate(sizes) if len(seen) == 1 and 1 < min(seen) <= _MOST and len(sizes) > 1]


def _along(
    axis: int, references: Sequence[Reference], natural: Sequence[Reference], name: str
) -> tuple[float, QuietChannels] | None:
    noise = [measured(reference.error(name), axis) for reference in natural]
    count = np.sum([part.count for part in noise], axis=0)
    rms = np.sqrt(np.sum([part.count * part.rms**2 for part in noise], axis=0) / np.maximum(count, 1))
    whole = float(np.sqrt(np.mean(rms**2)))
    size = measured(np.concatenate([_flat(reference.truth[name], axis) for reference in natural]), -1)
    unit = epsilon(natural[0].values[name].dtype)
    least = np.maximum(rms, unit / 4 * size.max)
    rounded = (rms > 0) & (rms >= unit / 16 * size.rms)  # where a source never rounds, others may
    quiet = rounded & (count >= _SAMPLES) & (least * _QUIET < whole)
    if not quiet.any():
        return None
    relative = [_relative(reference, name, axis) for reference in references]
    return whole / float(least[quiet].min()), QuietChannels(
        axis=axis,
        indices=np.flatnonzero(quiet),
        relative_max=np.nanmedian([part[0] for part in relative], axis=0)[quiet],
        relative_rms=np.nanmedian([part[1] for part in relative], axis=0)[quiet],
        usual_max=np.max([part.max for part in noise], axis=0)[quiet],
        usual_rms=rms[quiet],
        largest=size.max[quiet],
    )


def _flat(values: np.ndarray, axis: int) -> np.ndarray:
    """Channels last, all else in one axis."""
    moved = np.moveaxis(values.astype(np.float64), axis, -1)
    return moved.reshape(-1, moved.shape[-1])


def _relative(reference: Reference, name: str, axis: int) -> tuple[np.ndarray, np.ndarray]:
    noise, size = (measured(part, axis) for part in (reference.error(name), reference.truth[name].astype(np.float64)))
    scale = np.where(size.rms > 0, size.rms, np.inf)
    return noise.max / scale, noise.rms / scale


def channel_floors(reference: Reference, name: str, quiet: QuietChannels) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the rms floor of each quiet channel on a probe, by the rules of an output's floor."""
    half = epsilon(reference.values[name].dtype) / 2
    noise = measured(reference.error(name), quiet.axis)
    size = measured(reference.truth[name].astype(np.float64), quiet.axis)
    own = [part[quiet.indices] for part in (noise.max, noise.rms, size.rms, size.max, size.count)]
    own_max, own_rms, rms, largest, count = own
    floor_max = np.maximum.reduce(
        [own_max, quiet.relative_max * rms, quiet.usual_max, half * np.maximum(largest, quiet.largest)]
    )
    floor_rms = np.maximum.reduce(
        [
            *(own_rms, quiet.relative_rms * rms, quiet.usual_rms),
            *(floor_max / np.sqrt(np.maximum(count, 1)), half / 2 * rms),
        ]
    )
    tiny = float(np.finfo(np.float32).tiny)
    return np.maximum(floor_max, tiny), np.maximum(floor_rms, tiny)
