"""Einstein sums are products of matrices at every size, none included."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from agreement import converted

EQUATIONS = (
    *("ij,jk->ik", "ij,kj->ik", "ji,jk->ki", "bij,bjk->bik", "bij,bj->bi", "bj,bjk->bk", "ij,j->i", "i,i->"),
    *("abc,cd->abd", "abc,cd->adb", "abc,cde->abde", "cd,abc->abd", "abcd,cde->abe", "abcd,dcef->abef"),
    *("aecd,abcd->acbe", "acbe,aecd->abcd", "bhi,hij->bhj", "abcd,abef->abcdef", "abcd,aefd->abcef", "abij,aij->abi"),
    *("i,j->ij", "ij,ij->ij", "ij,i->ji", "ij,ab->iajb", "ijk->kji", "ijk->", "ijk->ki", "ij,abc->ic"),
    *("ii->i", "ii->", "bii->b", "ibi->bi", "iii->i", "ijij->ji", "ibi,bj->ij", "ii,ii->i"),
    *("...ij,...jk->...ik", "...i,ij->...j", "i...,i->...", "...ij->...ji"),
)


def shapes_of(equation: str, sizes: dict[str, int]) -> list[list[int]]:
    """The shapes of the operands; an ellipsis is two axes, of 2 and of 3."""
    terms = equation.partition("->")[0].replace("...", "12").split(",")
    return [[{"1": 2, "2": 3, **sizes}[letter] for letter in term] for term in terms]


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_equation_is_products_turns_and_diagonals(equation: str, fixed: bool) -> None:
    letters = sorted({letter for letter in equation if letter.isalpha()})
    sizes = {letter: 2 + index % 3 for index, letter in enumerate(letters)}
    shapes = shapes_of(equation, sizes)
    specs = [tf.TensorSpec(shape if fixed else [None] * len(shape), tf.float32) for shape in shapes]
    model = converted(lambda *tensors: tf.einsum(equation, *tensors), *specs)
    assert "Einsum" not in model.operators
    for empty in [""] if fixed else ["", *letters]:
        arrays = _arrays(shapes_of(equation, {**sizes, **({empty: 0} if empty else {})}))
        model.assert_agrees(*arrays)


def _arrays(shapes: list[list[int]]) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("dtype", ["int32", "float16", "float64"])
def test_other_dtypes(dtype: str) -> None:
    spec = tf.TensorSpec([None, 3], dtype)
    model = converted(lambda x, y: tf.einsum("ij,kj->ki", x, y), spec, spec)
    model.assert_agrees(np.arange(6).reshape(2, 3).astype(dtype), np.arange(12).reshape(4, 3).astype(dtype))


def test_axes_of_an_ellipsis_broadcast() -> None:
    specs = [tf.TensorSpec([None, 1, None, 3], tf.float32), tf.TensorSpec([None, 4, 3, None], tf.float32)]
    model = converted(lambda x, y: tf.einsum("...ij,...jk->...ik", x, y), *specs)
    for first, second in product((1, 5), repeat=2):
        if first == second or 1 in (first, second):
            model.assert_agrees(*_arrays([[first, 1, 2, 3], [second, 4, 3, 6]]))


def test_weights_are_not_turned_and_only_one_product_is_written() -> None:
    weights = tf.constant(np.random.default_rng(1).standard_normal((4, 2, 3)).astype(np.float32))
    model = converted(lambda x: tf.einsum("abc,cde->abde", x, weights), tf.TensorSpec([None, None, 4], tf.float32))
    assert (model.operators["MatMul"], model.operators["Transpose"]) == (1, 0)
    model.assert_agrees(*_arrays([[2, 5, 4]]))
