"""Sizes that are told by other sizes."""

from __future__ import annotations

from assay.converters.tensorflow.tensor import Symbol, affine


def test_equal_formulas_of_one_size_are_one_symbol() -> None:
    size = Symbol()
    assert affine(affine(size, 2, 0), 1, 3) is affine(size, 2, 3)
    assert affine(affine(size, 1, 4), 1, -4) is size
    assert affine(affine(size, 2, 1), 3, 0) is affine(size, 6, 3)


def test_different_formulas_and_sizes_differ() -> None:
    size = Symbol()
    assert affine(size, 2, 0) is not affine(Symbol(), 2, 0)
    assert affine(size, 2, 0) is not affine(size, 2, 1)


def test_a_known_size_is_computed() -> None:
    assert affine(5, 2, 1) == 11
    assert affine(Symbol(), 0, 7) == 7
