"""Conditions."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from agreement import converted, float_specs, random


def test_a_condition_takes_one_branch() -> None:
    def function(x: Any) -> Any:
        return tf.cond(tf.reduce_sum(x) > 0.0, lambda: (x * 2.0, x), lambda: (x - 1.0, tf.nn.relu(x)))

    model = converted(function, *float_specs([None, 3]))
    assert model.operators["If"] == 1
    for sign in (1.0, -1.0):
        model.assert_agrees(np.full((2, 3), sign, np.float32))


def test_a_condition_that_is_known_is_no_node() -> None:
    model = converted(
        lambda x: tf.raw_ops.StatelessIf(
            cond=tf.constant(True),
            input=[x],
            Tout=[tf.float32],
            then_branch=tf.function(lambda v: v + 1.0).get_concrete_function(tf.TensorSpec([2])),
            else_branch=tf.function(lambda v: v - 1.0).get_concrete_function(tf.TensorSpec([2])),
        ),
        *float_specs([2]),
    )
    assert dict(model.operators) == {"Add": 1}
    model.assert_agrees(random(2))


def test_branches_in_branches() -> None:
    def function(x: Any) -> Any:
        total = tf.reduce_sum(x)
        return tf.cond(total > 0.0, lambda: tf.cond(total > 5.0, lambda: x * 2.0, lambda: x * 3.0), lambda: x * 0.5)

    model = converted(function, *float_specs([None]))
    for value in (-1.0, 1.0, 9.0):
        model.assert_agrees(np.array([value], np.float32))


def test_a_number_that_no_case_has_means_the_last() -> None:
    def function(index: Any, x: Any) -> Any:
        return tf.switch_case(index, [lambda: x + 1.0, lambda: x * 2.0, lambda: -x])

    model = converted(function, tf.TensorSpec([], tf.int32, "index"), *float_specs([None]))
    for number in (-3, 0, 1, 2, 7):
        model.assert_agrees(np.array(number, np.int32), random(4))


def test_a_branch_may_see_what_a_convolution_made() -> None:
    weights = tf.constant(random(3, 3, 2, 4))

    def function(x: Any) -> Any:
        maps = tf.nn.conv2d(x, weights, 1, "SAME")
        return tf.cond(tf.reduce_mean(x) > 0.0, lambda: tf.nn.relu(maps), lambda: maps * 2.0)

    model = converted(function, *float_specs([None, 5, 6, 2]))
    for sign in (1.0, -1.0):
        model.assert_agrees(np.abs(random(2, 5, 6, 2)) * np.float32(sign))


def test_a_bias_in_a_branch_is_not_taken_into_what_is_outside() -> None:
    weights, bias = tf.constant(random(3, 3, 2, 4)), tf.constant(random(4))

    def function(x: Any) -> Any:
        maps = tf.nn.conv2d(x, weights, 1, "SAME")
        return tf.cond(tf.reduce_mean(x) > 0.0, lambda: tf.nn.bias_add(maps, bias), lambda: maps * 2.0)

    model = converted(function, *float_specs([None, 5, 6, 2]))
    for sign in (1.0, -1.0):
        model.assert_agrees(np.abs(random(2, 5, 6, 2)) * np.float32(sign))


def test_a_bias_in_a_function_is_not_taken_into_what_is_outside() -> None:
    weights, bias = tf.constant(random(3, 3, 2, 4)), tf.constant(random(4))
    biased = tf.function(lambda maps: tf.nn.bias_add(maps, bias), autograph=False)

    def function(x: Any) -> Any:
        maps = tf.nn.conv2d(x, weights, 1, "SAME")
        return biased(maps), tf.identity(maps), tf.nn.bias_add(tf.identity(maps), bias * 2.0)

    converted(function, *float_specs([None, 5, 6, 2])).assert_agrees(random(2, 5, 6, 2))
