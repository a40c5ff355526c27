"""Probes of masks: all other probes have masks of ones, under which a mask that was dropped does not show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assay.conformance.parity.probes.probe import SEED, Feeds, Probe, Relation
from assay.conformance.parity.probes.typical import Typical, role_of
from assay.specs.interface import TensorSpec


@dataclass(frozen=True)
class Form:
    """One way to mask; ``allowed`` is the kind of probe by which a role takes it, ``informative`` as in `Probe`."""

    purpose: str
    kept: Callable[[np.ndarray], np.ndarray]
    allowed: str
    informative: bool = False


def mask_probes(typical: Typical) -> Iterator[Probe]:
    """One probe a form of mask that the role of any input takes and that differs from ones."""
    base = typical.feeds
    for name, form in _FORMS.items():
        masks = {s.name: _masked(form, base[s.name]) for s in typical.masks if form.allowed in role_of(s).probes}
        if any((array == 0).any() for array in masks.values()):
            changed = f"{', '.join(masks)} masks some places ({name})"
            relations = (Relation("PA020", "typical", changed),)
            feeds = {**base, **masks, **_positions(typical, masks)}
            yield Probe(name, form.purpose, feeds, informative=form.informative, relations=relations)


def _masked(form: Form, mask: np.ndarray) -> np.ndarray:
    if mask.ndim == 0 or mask.size == 0:
        return mask
    rows = np.ones((mask.size // mask.shape[-1], mask.shape[-1]), bool)
    return form.kept(rows).reshape(mask.shape).astype(mask.dtype)


def _positions(typical: Typical, masks: Feeds) -> Feeds:
    """Padding is not counted, as callers who pad give positions."""
    specs = [spec for spec in typical.interface.inputs if spec.role == "position_ids"]
    mask = next(iter(masks.values()))
    counted = np.maximum(np.cumsum(mask, axis=-1) - 1, 0) if mask.ndim else mask
    return {s.name: _last(counted, typical.feeds[s.name], s) for s in specs if counted.ndim == len(s.dims or ())}


def _last(counted: np.ndarray, positions: np.ndarray, spec: TensorSpec) -> np.ndarray:
    found = counted[..., -positions.shape[-1] :] if positions.size else positions
    return found.astype(positions.dtype) if found.shape == positions.shape and spec.range is None else positions


def _lengths(rows: np.ndarray) -> np.ndarray:
    """Lengths that fall from row to row, and never to none."""
    count, width = rows.shape
    return np.array([max(1, width * (count - row) // (count + 1)) for row in range(count)], int).reshape(-1, 1)


def _right(rows: np.ndarray) -> np.ndarray:
    kept: np.ndarray = np.arange(rows.shape[1]) < _lengths(rows)
    return kept


def _left(rows: np.ndarray) -> np.ndarray:
    kept: np.ndarray = _right(rows)[:, ::-1]
    return kept


def _one(rows: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(rows.shape[1]) == 0, rows.shape)


def _holes(rows: np.ndarray) -> np.ndarray:
    """The first place of each row stays."""
    kept: np.ndarray = (np.random.default_rng(SEED).random(rows.shape) < 0.6) | _one(rows)
    return kept


def _first_row_gone(rows: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(len(rows)).reshape(-1, 1) > 0, rows.shape)


_FORMS = {
    "padded": Form("masks that end before the sequence, each row elsewhere", _right, "pad-right"),
    "left-padded": Form("masks that begin after the sequence, each row elsewhere", _left, "pad-left"),
    "one token": Form("masks that keep the first place alone", _one, "pad-all-but-one"),
    "gaps": Form("places within a row that were not measured", _holes, "gaps"),
    "holes": Form("masks with holes, which no tokenizer makes", _holes, "pad-right", informative=True),
    "fully masked row": Form(
        "a row of which nothing counts, for which nothing is defined", _first_row_gone, "pad-right", True
    ),
}
