"""Decisions: discrete values that a source makes of numbers, judged by the margin with which it decided.

A tie, or a margin within rounding, is decided by no implementation: another choice there is information. With a wide
margin it is a defect. Where the scores are among the outputs, they give the margin; else the source itself does, whose
twins choose otherwise where rounding decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.conformance.parity.oracle import Reference, is_float

_GATE = 8.0  # floors by which a score may be off in a model that passes
_UNKNOWN = np.nan


@dataclass(frozen=True)
class Flips:
    """The elements of a discrete output that differ from the source's.

    ``undecided`` of them are such as rounding decides, ``wrong`` are not; of these, the one with the widest margin that
    is known has that ``margin`` between the scores of the two choices, which are ``got`` and ``expected``, and rounding
    moves those scores by ``floor``. All are None where no output holds the scores.
    """

    total: int
    undecided: int
    wrong: int
    scores: str | None = None
    margin: float | None = None
    floor: float | None = None
    got: int | None = None
    expected: int | None = None


@dataclass(frozen=True)
class _Margins:
    """For each element the difference of the scores of the two choices; not a number where it is not known."""

    scores: str
    values: np.ndarray
    floor: float


def flips(name: str, got: np.ndarray, reference: Reference) -> Flips:
    """Judge a discrete output of the source's shape and dtype."""
    expected = reference.values[name]
    different = np.asarray(got != expected)
    if not different.any():
        return Flips(got.size, 0, 0)
    margins = _margins(name, got, reference)
    known = np.zeros(different.shape, bool) if margins is None else np.isfinite(margins.values)
    near = known if margins is None else known & (np.nan_to_num(margins.values) <= 2 * _GATE * margins.floor)
    undecided = different & near
    if (different & ~near).any():
        undecided |= different & _swayed(name, reference)
    wrong = different & ~undecided
    counted = Flips(got.size, int(undecided.sum()), int(wrong.sum()))
    if margins is None or not (wrong & known).any():
        return counted
    widest = np.unravel_index(np.argmax(np.where(wrong & known, margins.values, -np.inf)), got.shape)
    choices = int(got[widest]), int(expected[widest])
    return Flips(
        *(counted.total, counted.undecided, counted.wrong),
        *(margins.scores, float(margins.values[widest]), margins.floor),
        *choices,
    )


def swayed_shape(name: str, reference: Reference) -> bool:
    """Whether rounding changes the shape of an output, as where it decides how many boxes there are."""
    return any(name in run and run[name].shape != reference.values[name].shape for run in reference.twins())


def swayed_finiteness(name: str, reference: Reference) -> np.ndarray:
    """For each element of a float output whether rounding decides if it is finite, and of which sign."""
    expected = reference.values[name]
    others = [reference.truth[name], *(run[name] for run in reference.twins() if name in run)]
    alike = [other for other in others if other.shape == expected.shape]
    swayed: np.ndarray = np.logical_or.reduce([finiteness(other) != finiteness(expected) for other in alike])
    return swayed


def finiteness(array: np.ndarray) -> np.ndarray:
    """0 for a finite number, 1 and -1 for the infinite ones, 2 where it is not a number."""
    values = array.astype(np.float64)
    return np.where(np.isnan(values), 2, np.where(np.isinf(values), np.sign(np.nan_to_num(values)), 0)).astype(np.int8)


def _swayed(name: str, reference: Reference) -> np.ndarray:
    """For each element whether any twin of the source chooses otherwise."""
    expected = reference.values[name]
    runs = [reference.truth[name], *(run[name] for run in reference.twins() if name in run)]
    if any(run.shape != expected.shape for run in runs):
        return np.ones(expected.shape, bool)
    swayed: np.ndarray = np.logical_or.reduce([np.asarray(run != expected) for run in runs])
    return swayed


def _margins(name: str, got: np.ndarray, reference: Reference) -> _Margins | None:
    """By the first float output that the discrete one is seen to be decided by."""
    if got.dtype.kind not in "iub" or got.size == 0:
        return None
    for scores, values in reference.values.items():
        if not is_float(values) or not np.isfinite(values.astype(np.float64)).all():
            continue
        found = _of_best(name, got, reference, scores)
        found = found if found is not None else _of_order(name, got, reference, scores)
        found = found if found is not None else _of_threshold(name, reference, scores)
        if found is not None:
            return _Margins(scores, found, reference.floor[scores].max)
    return None


def _of_best(name: str, got: np.ndarray, reference: Reference, scores: str) -> np.ndarray | None:
    """Margins of a choice of the best along an axis of the scores, with the axis kept or not."""
    expected, values = reference.values[name], reference.values[scores].astype(np.float64)
    if got.dtype.kind == "b" or values.ndim == 0:
        return None
    for axis in range(values.ndim):
        for sign in (1.0, -1.0):
            for squeezed in (False, True):
                picks = np.expand_dims(expected, axis) if squeezed else expected
                if _picks_best(picks, sign * values, axis):
                    chosen = np.expand_dims(got, axis) if squeezed else got
                    truth = sign * reference.truth[scores].astype(np.float64)
                    return _lost(picks, chosen, truth, axis).reshape(expected.shape)
    return None


def _picks_best(picks: np.ndarray, values: np.ndarray, axis: int) -> bool:
    size = values.shape[axis]
    if picks.shape != (*values.shape[:axis], 1, *values.shape[axis + 1 :]) or size < 2:
        return False
    if picks.min() < 0 or picks.max() >= size:
        return False
    best = values.max(axis, keepdims=True)
    return bool((np.take_along_axis(values, picks.astype(np.int64), axis) == best).all())


def _lost(picks: np.ndarray, chosen: np.ndarray, truth: np.ndarray, axis: int) -> np.ndarray:
    """How much less the chosen score is than the picked one; without bound where there is no such index."""
    index = chosen.astype(np.int64)
    valid = (index >= 0) & (index < truth.shape[axis])
    ours = np.take_along_axis(truth, picks.astype(np.int64), axis)
    theirs = np.take_along_axis(truth, np.where(valid, index, 0), axis)
    return np.where(valid, np.abs(ours - theirs), np.finfo(np.float64).max)


def _of_order(name: str, got: np.ndarray, reference: Reference, scores: str) -> np.ndarray | None:
    """Margins of indices that stand beside their sorted scores, as of TopK: by the scores that the source gives them.

    An index that the source does not list has a score of at most the last one listed: its margin is known only where
    even the last one is far from the place that it took.
    """
    expected, values = reference.values[name], reference.values[scores].astype(np.float64)
    if values.shape != expected.shape or expected.ndim == 0 or got.dtype.kind == "b":
        return None
    axis = next((a for a in range(values.ndim - 1, -1, -1) if _is_sorted(values, a)), None)
    if axis is None or not _all_different(expected, axis):
        return None
    truth = np.moveaxis(reference.truth[scores].astype(np.float64), axis, -1)
    ours, theirs = np.moveaxis(expected, axis, -1), np.moveaxis(got, axis, -1)
    same = theirs[..., :, None] == ours[..., None, :]
    listed = same.any(-1)
    places = np.where(listed, same.argmax(-1), ours.shape[-1] - 1)
    margin = np.abs(np.take_along_axis(truth, places, -1) - truth)
    near = 2 * _GATE * reference.floor[scores].max
    margin = np.where(listed | (margin > near), margin, _UNKNOWN)
    return np.moveaxis(margin, -1, axis)


def _of_threshold(name: str, reference: Reference, scores: str) -> np.ndarray | None:
    """Margins of flags that are set where scores exceed some number: how far a score is beyond the nearest of its side.

    Known only where that is more than rounding: the number itself is not known.
    """
    flags, values = reference.values[name], reference.values[scores].astype(np.float64)
    if flags.dtype.kind != "b" or flags.shape != values.shape or flags.all() or not flags.any():
        return None
    for sign in (1.0, -1.0):
        least, most = (sign * values)[flags].min(), (sign * values)[~flags].max()
        if least > most:
            margin = np.where(flags, sign * values - least, most - sign * values)
            return np.where(margin > 2 * _GATE * reference.floor[scores].max, margin, _UNKNOWN)
    return None


def _is_sorted(values: np.ndarray, axis: int) -> bool:
    steps = np.diff(values, axis=axis)
    return steps.size > 0 and bool((steps <= 0).all() or (steps >= 0).all()) and bool((steps != 0).any())


def _all_different(indices: np.ndarray, axis: int) -> bool:
    steps = np.diff(np.sort(indices, axis=axis), axis=axis)
    return bool((steps != 0).all()) and indices.dtype.kind in "iu" and int(indices.min()) >= 0
