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


@pytest.mark.parametrize("opset", [20, 23])
def test_root_mean_square_normalization(opset: int) -> None:
    model = model_of(L.RMSNormalization(), (3, 4), opset=opset)
    assert ("RMSNormalization" in model.operators) == (opset >= 23)
    model.assert_agrees(random(2, 3, 4))
