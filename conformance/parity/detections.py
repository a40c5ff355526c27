"""Sets of detections: boxes with scores and labels. Where two scores are as good as equal, rounding orders them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from assay.conformance.parity.oracle import Reference, is_float

_GATE = 8.0
_OVERLAP = 0.5
_MOST = 512  # boxes; longer lists are raw predictions in a fixed order
_BOXES, _SCORES = "boxes", "class_scores"
_ROLES_BY_NAME = {"boxes": _BOXES, "pred_boxes": _BOXES, "scores": _SCORES}


@dataclass(frozen=True)
class _Set:
    """Names of the outputs that list the same detections, and the number of axes before the list."""

    boxes: str
    scores: str
    members: tuple[str, ...]
    axes: int


def matched(values: Mapping[str, np.ndarray], reference: Reference) -> Mapping[str, np.ndarray]:
    """The candidate's outputs with detections in the source's order, where only ties of scores are ordered otherwise.

    Boxes are matched by their overlap. Where anything but such an order differs, the outputs come back as they are.
    """
    found = _set_of(values, reference)
    if found is None:
        return values
    changed = {name: values[name].copy() for name in found.members}
    for place in np.ndindex(values[found.boxes].shape[: found.axes]):
        order = _order(values, reference, found, place)
        if order is None:
            return values
        for name in found.members:
            changed[name][place] = values[name][place][order]
    return {**values, **changed}


def _set_of(values: Mapping[str, np.ndarray], reference: Reference) -> _Set | None:
    expected = reference.values
    boxes, scores = (next(_with_role(reference, role), None) for role in (_BOXES, _SCORES))
    if boxes is None or scores is None:
        return None
    shape = expected[boxes].shape
    if len(shape) < 2 or shape[-1] != 4 or not 1 < shape[-2] <= _MOST or expected[scores].shape != shape[:-1]:
        return None
    members = [name for name, value in expected.items() if value.shape[: len(shape) - 1] == shape[:-1]]
    alike = all(name in values and values[name].shape == expected[name].shape for name in members)
    return _Set(boxes, scores, tuple(members), len(shape) - 2) if alike else None


def _with_role(reference: Reference, role: str) -> Iterator[str]:
    for name, value in reference.values.items():
        if is_float(value) and (reference.roles.get(name) or _ROLES_BY_NAME.get(name)) == role:
            yield name


def _order(
    values: Mapping[str, np.ndarray], reference: Reference, found: _Set, place: tuple[int, ...]
) -> np.ndarray | None:
    """For each of the source's detections the index of the candidate's; None where one has none of its score."""
    ours, theirs = reference.values, values
    overlap = _overlaps(ours[found.boxes][place], theirs[found.boxes][place])
    tie = 2 * _GATE * reference.floor[found.scores].max
    a, b = (side[found.scores][place].astype(np.float64) for side in (ours, theirs))
    fits = (overlap >= _OVERLAP) & (np.abs(a[:, None] - b[None, :]) <= tie)
    fits &= np.abs(a[:, None] - a[None, :]) <= tie  # the place that it took is one that it ties for
    for name in found.members:
        if not is_float(ours[name]) and ours[name][place].ndim == 1:
            fits &= ours[name][place][:, None] == theirs[name][place][None, :]
    order = np.full(len(a), -1)
    quality = np.where(fits, overlap, -1.0) + np.eye(len(a))  # who is in its place already stays there
    for row in range(len(a)):
        choice = int(np.argmax(quality[row]))
        if not fits[row, choice]:
            return None
        order[row], quality[:, choice], fits[:, choice] = choice, -1.0, False
    return order


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair; boxes are corners, or centre and size where they can't be corners."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if (a[:, 2:] < a[:, :2]).any():
        a, b = (np.concatenate([x[:, :2] - x[:, 2:] / 2, x[:, :2] + x[:, 2:] / 2], 1) for x in (a, b))
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = np.clip(sides, 0, None).prod(-1)
    areas = [(x[:, 2:] - x[:, :2]).prod(-1) for x in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - common
    same = np.abs(a[:, None] - b[None]).max(-1) == 0
    overlaps: np.ndarray = np.where(same, 1.0, common / np.where(union > 0, union, np.inf))
    return overlaps
