"""How weights differ, in words."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from assay.conformance.parity.diagnoses.weights import change_of

WEIGHT = np.random.default_rng(0).standard_normal((20, 20)).astype(np.float32)


def without_row(array: np.ndarray) -> np.ndarray:
    """The third row is zero."""
    return np.where(np.arange(len(array))[:, None] == 2, np.float32(0), array)


CHANGES = {
    "float16": WEIGHT.astype(np.float16).astype(np.float32),
    "bfloat16": WEIGHT.astype(ml_dtypes.bfloat16).astype(np.float32),
    "int8": (np.round(WEIGHT * 40) / 40).astype(np.float32),
    "int4": np.round(WEIGHT * 2) / 2,
    "zero": np.zeros_like(WEIGHT),
    "zero-rows": without_row(WEIGHT),
    "transposed": WEIGHT.T,
    "reordered": np.roll(WEIGHT, 1, axis=0),
    "scaled": WEIGHT * np.float32(1.001),
    "changed": WEIGHT + np.float32(1e-4) * np.random.default_rng(1).standard_normal(WEIGHT.shape).astype(np.float32),
    "reshaped": WEIGHT.reshape(10, 40),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_has_its_name(kind: str) -> None:
    change = change_of(np.ascontiguousarray(CHANGES[kind]), WEIGHT)
    assert change is not None
    assert change.kind == kind


def test_equal_weights_have_no_change() -> None:
    assert change_of(WEIGHT.copy(), WEIGHT) is None


def test_the_rows_are_told() -> None:
    change = change_of(without_row(WEIGHT), WEIGHT)
    assert change is not None
    assert change.sentence(1) == "is zero in row 2"
