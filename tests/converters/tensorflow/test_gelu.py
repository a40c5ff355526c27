"""Gelu is found in its parts, and nothing else is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import converted, float_specs, random

EDGES = np.array([0.0, -0.0, 1e-6, -1e-6, 3.0, -3.0, 20.0, -20.0, -6.0], np.float32)


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_is_one_operator_from_opset_20_on(approximate: bool) -> None:
    for opset in (17, 20, 22):
        model = converted(lambda x: tf.nn.gelu(x, approximate=approximate), *float_specs([None, 4]), opset=opset)
        assert (dict(model.operators) == {"Gelu": 1}) == (opset >= 20)
        model.assert_agrees(random(3, 4) * 3.0)
    converted(lambda x: tf.nn.gelu(x, approximate=approximate), *float_specs([None])).assert_agrees(EDGES)


FORMS: dict[str, Callable[[Any], Any]] = {
    "as in BERT": lambda x: x * (0.5 * (1.0 + tf.math.erf(x / tf.sqrt(tf.constant(2.0))))),
    "halved first": lambda x: 0.5 * x * (1.0 + tf.math.erf(x * 0.70710678)),
}
OTHERS: dict[str, Callable[[Any], Any]] = {
    "another factor": lambda x: 0.5 * x * (1.0 + tf.math.erf(x * 0.7)),
    "another value": lambda x: 0.5 * x * (1.0 + tf.math.erf((x + 1.0) * 0.70710678)),
    "another half": lambda x: 0.4 * x * (1.0 + tf.math.erf(x * 0.70710678)),
    "another sign": lambda x: 0.5 * x * (1.0 - tf.math.erf(x * 0.70710678)),
    "another cube": lambda x: 0.5 * x * (1.0 + tf.tanh(0.7978845608 * (x + 0.044715 * x**2))),
}


@pytest.mark.parametrize("form", FORMS)
def test_other_ways_to_write_it(form: str) -> None:
    model = converted(FORMS[form], *float_specs([None]))
    assert dict(model.operators) == {"Gelu": 1}
    model.assert_agrees(EDGES)


@pytest.mark.parametrize("form", OTHERS)
def test_what_is_nearly_the_same_is_not_taken_for_it(form: str) -> None:
    model = converted(OTHERS[form], *float_specs([None]))
    assert "Gelu" not in model.operators
    model.assert_agrees(EDGES)


def test_gelu_of_half_types_stays_its_parts() -> None:
    spec = tf.TensorSpec([None], tf.float64, "x")
    assert "Gelu" not in converted(lambda x: 0.5 * x * (1.0 + tf.tanh(x)), spec).operators


def test_gelu_behind_a_convolution_turns_nothing() -> None:
    place = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 3, activation="gelu")(place)
    model = converted(lambda: None, model=keras.Model(place, keras.layers.GlobalAveragePooling2D()(maps)))
    assert (model.operators["Gelu"], model.operators["Transpose"]) == (1, 1)
    model.assert_agrees(random(2, 7, 8, 3))
