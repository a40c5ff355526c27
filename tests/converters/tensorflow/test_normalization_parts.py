"""A normalization that is written out becomes LayerNormalization where it is one, and stays its parts elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import converted, float_specs, random

from assay.converters.exporter import ConvertError
from assay.converters.sources import open_source
from assay.converters.tensorflow.native_exporter import export

SCALE, OFFSET = (np.random.default_rng(n).uniform(0.5, 1.5, 6).astype(np.float32) for n in (0, 1))


def statistics(x: Any, axes: Any = -1) -> tuple[Any, Any]:
    mean = tf.reduce_mean(x, axes, keepdims=True)
    return mean, tf.reduce_mean(tf.math.squared_difference(x, tf.stop_gradient(mean)), axes, keepdims=True)


def folded(x: Any, scale: Any = SCALE, offset: Any = OFFSET, axes: Any = -1) -> Any:
    mean, variance = statistics(x, axes)
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-5)


def centred(x: Any, scale: Any = SCALE, offset: Any = OFFSET) -> Any:
    mean, variance = statistics(x)
    return (x - mean) * (tf.math.rsqrt(variance + 1e-3) * scale) + offset


def added_first(x: Any) -> Any:
    mean, variance = statistics(x)
    return OFFSET + tf.math.rsqrt(1e-6 + variance) * (x - mean)


def combined(x: Any, formula: Callable[[Any, Any], Any]) -> Any:
    mean, variance = statistics(x)
    return formula(mean, tf.math.rsqrt(variance + 1e-3))


def pooled(x: Any) -> Any:
    return tf.nn.max_pool2d(folded(tf.nn.max_pool2d(x, 1, 1, "SAME")), 1, 1, "SAME")


FORMS: dict[str, Callable[[Any], Any]] = {
    "folded": folded,
    "without a scale": lambda x: folded(x, scale=None),
    "without an offset": lambda x: folded(x, offset=None),
    "without both": lambda x: folded(x, None, None),
    "centred": centred,
    "spare axes": lambda x: folded(x, SCALE.reshape(1, 1, 6), OFFSET.reshape(1, 6)),
    "added first": added_first,
    "two axes": lambda x: folded(x, np.outer(OFFSET[:3], SCALE), None, [-1, -2]),
}
OTHERS: dict[str, Callable[[Any], Any]] = {
    "another axis": lambda x: folded(x, None, None, 1),
    "a scale for each row": lambda x: folded(x, SCALE[:3, np.newaxis], None),
    "a scalar scale": lambda x: folded(x, SCALE[:1], OFFSET),
    "a mean of something else": lambda x: tf.nn.batch_normalization(x, statistics(x * 2.0)[0], *rest(x)),
    "a variance of something else": lambda x: tf.nn.batch_normalization(
        x, statistics(x)[0], statistics(x * 2.0)[1], OFFSET, SCALE, 1e-5
    ),
    "another factor for the mean": lambda x: combined(x, lambda m, k: x * k + (OFFSET - m * (k * SCALE))),
    "an epsilon that is computed": lambda x: tf.nn.batch_normalization(
        x, *statistics(x), OFFSET, SCALE, x[0, 0, 0] ** 2
    ),
    "a sign that is turned": lambda x: combined(x, lambda m, k: (m - x) * k + OFFSET),
    "a mean that is added": lambda x: combined(x, lambda m, k: x * k + (OFFSET + m * k)),
    "an offset that is taken off": lambda x: combined(x, lambda m, k: x * k + (m * k - OFFSET)),
}


def rest(x: Any) -> tuple[Any, ...]:
    return statistics(x)[1], OFFSET, SCALE, 1e-5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("opset", [17, 20])
def test_what_is_one_is_one_operator(form: str, opset: int) -> None:
    model = converted(lambda x: FORMS[form](x), *float_specs([None, 3, 6]), opset=opset)
    assert dict(model.operators) == {"LayerNormalization": 1}
    for batch in (1, 4):
        model.assert_agrees(random(batch, 3, 6) + 1.0, ulps=32)


@pytest.mark.parametrize("form", OTHERS)
def test_what_looks_like_one_stays_its_parts(form: str) -> None:
    model = converted(lambda x: OTHERS[form](x), *float_specs([None, 3, 6]))
    assert "LayerNormalization" not in model.operators
    model.assert_agrees(random(4, 3, 6) + 1.0, ulps=32)


def test_channels_that_are_first_are_normalized_where_they_are() -> None:
    model = converted(
        lambda x: tf.nn.max_pool2d(folded(tf.nn.max_pool2d(x, 1, 1, "SAME")), 1, 1, "SAME"),
        *float_specs([None, 4, 5, 6]),
    )
    assert (model.operators["Transpose"], model.operators["LayerNormalization"]) == (2, 0)
    model.assert_agrees(random(2, 4, 5, 6) + 1.0, ulps=64)


def test_a_saved_model_has_its_layers_again(tmp_path: Path) -> None:
    place = keras.Input((None, 6))
    model = keras.Model(place, keras.layers.LayerNormalization()(keras.layers.Dense(6)(place)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(0).uniform(0.5, 1.5, weight.shape))
    model.export(str(tmp_path), format="tf_saved_model", verbose=False)
    found = converted(lambda: None, model=str(tmp_path))
    assert dict(found.operators) == {"MatMul": 1, "Add": 1, "LayerNormalization": 1}
    found.assert_agrees(random(2, 5, 6), ulps=64)


def by_own_statistics(x: Any, rows: int, outputs: int = 1) -> Any:
    """As Keras 2 writes LayerNormalization: every row is a channel of one image."""
    sizes = tf.shape(x)
    ones = tf.ones([sizes[0] * rows])
    image = tf.reshape(x, [1, sizes[0] * rows, sizes[2], 1])
    found = tf.compat.v1.nn.fused_batch_norm(image, ones, ones * 0.0, epsilon=1e-3, data_format="NCHW")
    return tf.reshape(found[0], sizes) * SCALE + OFFSET, *found[1:outputs]


def test_statistics_of_a_batch_of_one_are_the_tensors_own() -> None:
    model = converted(lambda x: by_own_statistics(x, 3)[0], *float_specs([None, 3, 6]))
    assert model.operators["InstanceNormalization"] == 1
    for batch in (1, 4):
        model.assert_agrees(random(batch, 3, 6) + 1.0, ulps=64)


def of_a_batch(x: Any) -> Any:
    return tf.compat.v1.nn.fused_batch_norm(x[..., tf.newaxis], [1.0], [0.0])[0]


@pytest.mark.parametrize("function", [lambda x: by_own_statistics(x, 3, 2), of_a_batch])
def test_statistics_of_a_batch_are_refused(function: Any) -> None:
    source = open_source(tf.function(function, input_signature=float_specs([None, 3, 6]), autograph=False))
    with pytest.raises(ConvertError, match="statistics of its batch, as in training"):
        export(source, None)
