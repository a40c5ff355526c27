"""A constant that is almost a weight of the source is found; one that a tool moved, turned or folded is none."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from assay.conformance.weight_audit import Audit, audit_weights

RNG = np.random.default_rng(0)
CONV = RNG.standard_normal((24, 16, 3, 3)).astype(np.float32)
TABLE = RNG.standard_normal((200, 12)).astype(np.float32)
SQUARE = RNG.standard_normal((32, 32)).astype(np.float32)
GATES = RNG.standard_normal((4 * 16, 12)).astype(np.float32)
VECTOR = RNG.standard_normal(64).astype(np.float32)
SOURCE = {"conv.weight": CONV, "table.weight": TABLE, "square.weight": SQUARE, "rnn.weight": GATES, "bias": VECTOR}


def audited(*constants: np.ndarray, source: dict[str, np.ndarray] | None = None) -> Audit:
    named = [(f"constant_{index}", array) for index, array in enumerate(constants)]
    return audit_weights((source or SOURCE).items(), named)


def sentence(constant: np.ndarray, source: dict[str, np.ndarray] | None = None) -> str:
    (difference,) = audited(constant, source=source).differences
    return difference.sentence


def noisy(array: np.ndarray, size: float) -> np.ndarray:
    moved: np.ndarray = (array * (1 + size * RNG.standard_normal(array.shape))).astype(array.dtype)
    return moved


def changed(array: np.ndarray, place: Any, value: np.ndarray | float) -> np.ndarray:
    copy = array.copy()
    copy[place] = value
    return copy


def folded(array: np.ndarray, axis: int = 0) -> np.ndarray:
    """Into a normalization, in float32 as optimizers do."""
    shape = [size if index == axis else 1 for index, size in enumerate(array.shape)]
    scale, variance = (RNG.uniform(0.1, 4, shape).astype(np.float32) for _ in range(2))
    product: np.ndarray = array * (scale / np.sqrt(variance + np.float32(1e-5)))
    return product


def test_copies_in_any_layout_are_equal() -> None:
    turned = CONV.transpose(2, 3, 1, 0), CONV.reshape(24, 144), np.ascontiguousarray(TABLE.T), SQUARE[None], VECTOR
    assert audited(*turned) == Audit(equal=5)


def test_a_depthwise_kernel_whose_axes_are_merged_is_equal() -> None:
    kernel = RNG.standard_normal((3, 3, 8, 2)).astype(np.float32)
    merged = kernel.transpose(2, 3, 0, 1).reshape(16, 1, 3, 3)
    assert audited(merged, source={"depthwise": kernel}).equal == 1


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_a_cast_copy_is_equal(dtype: type) -> None:
    assert audited(TABLE.astype(dtype), CONV.astype(dtype)) == Audit(equal=2)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_weight_that_a_normalization_was_folded_into_is_no_difference(axis: int) -> None:
    twice = folded(folded(CONV, axis), axis)
    assert audited(folded(CONV, axis), twice, folded(SQUARE, axis)) == Audit(folded=3)


def test_folding_in_float64_is_no_difference() -> None:
    factors = RNG.uniform(0.1, 4, (24, 1, 1, 1))
    assert audited((CONV * factors).astype(np.float32)) == Audit(folded=1)


def test_a_channel_that_folding_makes_zero_is_no_difference() -> None:
    assert audited(changed(folded(CONV), 5, 0.0)) == Audit(folded=1)


def test_a_weight_in_float16_that_was_folded_is_no_difference() -> None:
    assert audited(folded(CONV).astype(np.float16)) == Audit(folded=1)


@pytest.mark.parametrize("array", [SQUARE, CONV], ids=["matrix", "convolution"])
def test_a_constant_factor_is_no_difference(array: np.ndarray) -> None:
    assert audited(array * np.float32(1 / np.sqrt(8))) == Audit(folded=1)


def test_a_unit_in_the_last_place_is_no_difference() -> None:
    assert audited(np.nextafter(CONV, np.float32(np.inf)), np.nextafter(GATES, np.float32(0))) == Audit(folded=2)


def test_an_added_constant_a_channel_is_no_noise() -> None:
    shifts = RNG.uniform(-1e-3, 1e-3, (1, 12)).astype(np.float32)
    assert audited(TABLE + shifts, TABLE.T + shifts.T).differences == ()


def test_gates_in_another_order_and_side_by_side_are_no_difference() -> None:
    gates = np.split(GATES, 4)
    stacked = np.stack([np.concatenate([gates[i] for i in (0, 3, 1, 2)]), GATES])
    assert audited(stacked, np.concatenate([TABLE, GATES]), TABLE[50:150]) == Audit(folded=3)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_gates_in_another_order_in_low_precision_are_no_difference(dtype: type) -> None:
    many = np.random.default_rng(5).standard_normal((256, 12)).astype(np.float32)
    moved: np.ndarray = np.concatenate([many[128:], many[:128]]).astype(dtype)
    assert audited(moved, source={"gates": many, "others": TABLE}).differences == ()


def test_a_row_among_gates_in_low_precision_is_found() -> None:
    moved = np.concatenate([GATES[32:], GATES[:32]]).astype(np.float16)
    (difference,) = audited(changed(moved, 7, 0.0)).differences
    assert (difference.weight, difference.numbers["rows"]) == ("rnn.weight", [7])


def test_folded_weights_of_one_shape_are_each_their_own() -> None:
    kernels = {f"kernel_{index}": RNG.standard_normal((16, 8, 3, 3)).astype(np.float32) for index in range(6)}
    wrong = [noisy(folded(kernel), 1e-4) for kernel in kernels.values()]
    right = [folded(kernel) for kernel in kernels.values()]
    found = audited(*right, *reversed(wrong), source=kernels)
    assert [difference.weight for difference in found.differences] == list(reversed(kernels))
    assert found.folded == len(kernels)


def test_a_table_without_its_unused_rows_is_no_difference() -> None:
    assert audited(np.delete(TABLE, [3, 77, 78], axis=0)) == Audit(folded=1)


def test_other_weights_are_left_out() -> None:
    other = RNG.standard_normal((24, 16, 3, 3)).astype(np.float32)
    assert audited(other, noisy(SQUARE, 0.5), VECTOR + np.float32(1)) == Audit(unmatched=3)


def test_masks_and_short_vectors_tell_nothing() -> None:
    mask = np.tril(np.ones((32, 32), np.float32))
    assert audited(changed(mask, (0, 31), 1.0), np.ones(3, np.float32), source={"mask": mask}) == Audit(left_out=2)


@pytest.mark.parametrize("size", [3e-7, 1e-6, 1e-4])
@pytest.mark.parametrize("array", [CONV, TABLE, folded(CONV), GATES[::-1]], ids=["copy", "table", "folded", "rows"])
def test_noise_is_found(array: np.ndarray, size: float) -> None:
    (difference,) = audited(noisy(array, size)).differences
    assert difference.how == "noise"
    assert difference.relative == pytest.approx(size, rel=0.25)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_rounding_to_a_lower_precision_is_named(dtype: type) -> None:
    name = np.dtype(dtype).name
    assert sentence(TABLE.astype(dtype).astype(np.float32)) == (
        f"constant_0 is rounded to {name}, but should be the source's table.weight"
    )


def test_rounding_to_the_precision_that_a_candidate_is_in_is_no_difference() -> None:
    rounded = TABLE.astype(np.float16).astype(np.float32)
    assert audited(rounded, CONV.astype(np.float16)) == Audit(equal=1, folded=1)


def test_rows_that_are_others_are_counted() -> None:
    assert sentence(changed(TABLE, [7, 198], TABLE[1])).startswith("constant_0 differs in 2 of 200 rows (7, 198)")


def test_a_row_that_is_zero_is_found() -> None:
    assert sentence(changed(TABLE, 100, 0.0)).startswith("constant_0 is zero in 1 of 200 rows (100)")


def test_a_row_of_gates_that_is_zero_is_found() -> None:
    reordered = np.concatenate([GATES[32:], GATES[:32]])
    assert sentence(changed(reordered, 10, 0.0)).startswith("constant_0 differs in 1 of 64 rows (10)")


@pytest.mark.parametrize("array", [CONV, folded(CONV)], ids=["copy", "folded"])
def test_a_single_element_is_found(array: np.ndarray) -> None:
    place = np.unravel_index(np.abs(array).argmax(), array.shape)
    assert "in 1 of 3456 elements" in sentence(changed(array, place, -array[place]))


def test_another_sign_is_named() -> None:
    assert "has another sign in 1 of 2400 elements" in sentence(changed(TABLE, (9, 3), -TABLE[9, 3]))


def test_an_element_of_a_vector_is_found() -> None:
    assert sentence(changed(VECTOR, 62, VECTOR[1])).startswith("constant_0 differs in 1 of 64 elements (62)")


def test_the_nearest_of_many_alike_is_the_one() -> None:
    source = {f"layer{index}": noisy(SQUARE, 1e-3) for index in range(4)}
    assert sentence(noisy(source["layer2"], 1e-5), source).endswith("the source's layer2")


def test_nothing_is_said_beside_a_source_without_weights() -> None:
    assert audit_weights([], [("w", TABLE), ("empty", np.empty((0, 3), np.float32))]) == Audit(unmatched=1)
