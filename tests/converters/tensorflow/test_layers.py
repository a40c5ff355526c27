"""Layers that ONNX has as one operator."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from agreement import Converted, converted, random

L = keras.layers


def model_of(layer: Any, shape: tuple[int | None, ...], **options: Any) -> Converted:
    place = keras.Input(shape)
    model = keras.Model(place, layer(place))
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).uniform(0.5, 1.5, weight.shape))
    return converted(lambda: None, model=model, **options)


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"epsilon": 0.1}, {"axis": [-2, -1]}])
@pytest.mark.parametrize("opset", [17, 20, 23])
def test_layer_normalization(options: dict[str, Any], opset: int) -> None:
    model = model_of(L.LayerNormalization(**options), (3, 4), opset=opset)
    assert dict(model.operators) == {"LayerNormalization": 1}
    for batch in (1, 5):
        model.assert_agrees(random(batch, 3, 4) + 3.0)


@pytest.mark.parametrize("axis", [1, [1, 2]])
def test_layer_normalization_over_other_axes_is_its_parts(axis: Any) -> None:
    model = model_of(L.LayerNormalization(axis=axis), (3, 4, 5))
    assert "LayerNormalization" not in model.operators
    model.assert_agrees(random(2, 3, 4, 5))


def test_layer_normalization_of_what_a_convolution_made_turns_nothing() -> None:
    place = keras.Input((None, None, 3))
    maps = L.LayerNormalization()(L.Conv2D(4, 3)(place))
    model = converted(lambda: None, model=keras.Model(place, L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(maps))))
    assert model.operators["Transpose"] <= 1
    model.assert_agrees(random(2, 9, 8, 3), ulps=64)


def normalized_behind_a_pool(channels: int, opset: int, **options: Any) -> Converted:
    place = keras.Input((None, None, channels))
    model = keras.Model(place, L.LayerNormalization(**options)(L.MaxPool2D(1)(place)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).uniform(0.5, 1.5, weight.shape))
    return converted(lambda: None, model=model, opset=opset)


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}])
def test_layer_normalization_of_channels_that_are_first(options: dict[str, Any], opset: int) -> None:
    model = normalized_behind_a_pool(5, opset, **options)
    assert model.operators["Transpose"] == 2
    model.assert_agrees(random(2, 9, 8, 5) + 1.0, ulps=64)


def test_layer_normalization_of_one_channel_leaves_the_offset_and_no_rounding_error() -> None:
    model = normalized_behind_a_pool(1, 20)
    (found,) = model.run(random(2, 9, 8, 1) + 100.0)
    assert np.unique(found).size == 1
    model.assert_agrees(np.zeros((1, 2, 2, 1), np.float32))


@pytest.mark.parametrize("opset", [20, 23])
def test_root_mean_square_normalization(opset: int) -> None:
    model = model_of(L.RMSNormalization(), (3, 4), opset=opset)
    assert ("RMSNormalization" in model.operators) == (opset >= 23)
    model.assert_agrees(random(2, 3, 4))


GROUPS = [{}, {"scale": False}, {"center": False}, {"epsilon": 0.1}, {"groups": 6}, {"groups": 1}, {"groups": -1}]


@pytest.mark.parametrize("options", GROUPS)
@pytest.mark.parametrize("opset", [17, 20, 21, 25])
def test_group_normalization_of_what_a_convolution_made_turns_nothing(options: dict[str, Any], opset: int) -> None:
    place = keras.Input((None, None, 3))
    maps = L.GroupNormalization(**{"groups": 2, **options})(L.Conv2D(6, 3)(place))
    layers = keras.Model(place, L.GlobalMaxPooling2D()(L.Conv2D(4, 3)(maps)))
    for weight in layers.weights:
        weight.assign(np.random.default_rng(0).uniform(0.5, 1.5, weight.shape))
    model = converted(lambda: None, model=layers, opset=opset)
    assert model.operators["Transpose"] == 1
    assert ("GroupNormalization" in model.operators) == (opset >= 21)
    for shape in ((1, 8, 8, 3), (2, 9, 8, 3)):
        model.assert_agrees(random(*shape), ulps=64)


@pytest.mark.parametrize("opset", [17, 21])
@pytest.mark.parametrize(("axis", "shape"), [(1, (6, 4, 5)), (1, (6, 4)), (-1, (4, 6)), (-1, (4, 5, 6)), (-1, (6,))])
def test_group_normalization_of_tensors_that_are_not_turned(axis: int, shape: tuple[int, ...], opset: int) -> None:
    model = model_of(L.GroupNormalization(2, axis=axis), shape, opset=opset)
    assert "Transpose" not in model.operators
    assert (axis == 1) == bool({"GroupNormalization", "InstanceNormalization"} & set(model.operators))
    for batch in (1, 3):
        model.assert_agrees(random(batch, *shape) + 2.0, ulps=64)
