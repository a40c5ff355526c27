"""Dilated convolutions, which TensorFlow writes as blocks of space that move to the batch and back."""

from __future__ import annotations

from typing import Any

import keras
import pytest
import tensorflow as tf
from agreement import Converted, converted, float_specs, random

L = keras.layers


def model_of(layer: Any, shape: tuple[int | None, ...]) -> Converted:
    place = keras.Input(shape)
    return converted(lambda: None, model=keras.Model(place, layer(place)))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rate", [2, (2, 3), (1, 2)])
def test_two_axes_of_any_size(padding: str, rate: Any) -> None:
    model = model_of(L.Conv2D(4, 3, dilation_rate=rate, padding=padding), (None, None, 3))
    assert model.operators["Transpose"] <= 2
    for height, width in ((9, 8), (10, 11), (7, 13)):
        model.assert_agrees(random(2, height, width, 3), ulps=64)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_one_axis(padding: str) -> None:
    model = model_of(L.Conv1D(4, 3, dilation_rate=3, padding=padding), (None, 3))
    for length in (7, 8, 9):
        model.assert_agrees(random(2, length, 3), ulps=64)


def test_three_axes() -> None:
    model = model_of(L.Conv3D(2, 2, dilation_rate=2), (None, None, None, 2))
    model.assert_agrees(random(1, 5, 6, 7, 2), ulps=64)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_group_for_each_channel(padding: str) -> None:
    model = model_of(L.DepthwiseConv2D(3, dilation_rate=2, depth_multiplier=2, padding=padding), (None, None, 3))
    model.assert_agrees(random(2, 8, 9, 3), ulps=64)


def test_separable() -> None:
    model_of(L.SeparableConv2D(4, 3, dilation_rate=2), (None, None, 3)).assert_agrees(random(2, 8, 9, 3), ulps=64)


def test_the_blocks_need_not_come_from_a_convolution_of_keras() -> None:
    weights = tf.constant(random(3, 3, 2, 4))

    def function(x: Any) -> Any:
        blocks = tf.space_to_batch(x, [2, 2], [[1, 2], [0, 1]])
        return tf.batch_to_space(tf.nn.conv2d(blocks, weights, 1, "VALID"), [2, 2], [[1, 0], [0, 2]])

    model = converted(function, *float_specs([None, 9, 9, 2]))
    assert model.operators["Conv"] == 1
    model.assert_agrees(random(2, 9, 9, 2), ulps=64)
