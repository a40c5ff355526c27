"""Where no conversion is right: the source's own operations on the probe, found by value in the candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.conformance.parity.localisation.alignment import Alignment, Arrays, Values, tells
from assay.conformance.parity.oracle import Noise
from assay.converters.sources.recorded import Recorded

_OUTPUT = "output "
_NOISE = 64 * float(np.finfo(np.float32).eps)  # of the largest element: no spread is known of an operation inside


def alignment_with(
    records: Sequence[Recorded], captured: Arrays, feeds: Arrays, outputs: Mapping[str, str], expected: Arrays
) -> Alignment:
    """Candidate against recorded operations; the source's outputs go by their names, the rest by value."""
    arrays = {str(index): record.value for index, record in enumerate(records)}
    arrays |= {_OUTPUT + name: array for name, array in expected.items()} | {f"input {n}": a for n, a in feeds.items()}
    spreads = {name: _assumed(array) for name, array in arrays.items()}
    names = {own: _OUTPUT + ours for ours, own in outputs.items() if ours in expected and own in captured}
    return Alignment(Values(captured), Values(arrays, spreads), False, names)


def first_lost(records: Sequence[Recorded], alignment: Alignment, tolerance: float) -> Recorded | None:
    """The first operation of the source whose result the candidate lacks, though it has what it is made from."""
    right = set(_found(records, alignment, tolerance))
    for index in range(len(records) - 1, -1, -1):
        if index in right:
            right.update(records[index].inputs)
    for index, record in enumerate(records):
        if index in right or not all(place in right for place in record.inputs):
            continue
        if tells(record.value) or _is_output(record, alignment):
            return record
        right.add(index)  # too small to be looked for: what it leads to tells
    return None


def _is_output(record: Recorded, alignment: Alignment) -> bool:
    outputs = (array for name, array in alignment.expected.arrays.items() if name.startswith(_OUTPUT))
    return any(array.dtype == record.value.dtype and np.array_equal(array, record.value) for array in outputs)


def _found(records: Sequence[Recorded], alignment: Alignment, tolerance: float) -> list[int]:
    back = Alignment(
        alignment.expected,
        Values(alignment.got.arrays, {n: _assumed(a) for n, a in alignment.got.arrays.items()}),
        False,
        {},
    )
    return [index for index in range(len(records)) if back.agrees(str(index), tolerance)]


def _assumed(array: np.ndarray) -> Noise:
    if array.dtype.kind != "f":
        return Noise(0.0, 0.0)
    values = np.abs(array.astype(np.float64))
    size = float(values[np.isfinite(values)].max(initial=0.0))
    return Noise(_NOISE * size, _NOISE * size)
