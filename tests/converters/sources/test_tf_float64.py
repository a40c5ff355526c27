"""TensorFlow's graphs are rewritten to float64, whatever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import keras_models
import numpy as np
import pytest
import tensorflow as tf

from assay.converters.sources import Source, open_source
from assay.converters.sources.tf_float64 import to_float64

RANDOM = np.random.default_rng(0)


@pytest.fixture
def policy() -> Iterator[Any]:
    """Set the dtype policy of Keras, for one test."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def errors(source: Source, feeds: dict[str, np.ndarray]) -> tuple[list[float], tuple[str, ...]]:
    """The rms of each output's difference from its twin over its own, and what stays in float32."""
    twin = source.exact()
    assert twin is not None
    plain, exact = source.run(feeds), twin.run(feeds)
    floats = [name for name, value in plain.items() if value.dtype.kind == "f"]
    assert all(exact[name].dtype == np.float64 for name in floats)
    found = [np.sqrt(np.mean((plain[n] - exact[n]) ** 2)) / np.sqrt(np.mean(exact[n] ** 2)) for n in floats]
    return [float(value) for value in found], tuple(twin.kept)


def image_model() -> Any:
    keras.utils.set_random_seed(0)
    layers, x = keras.layers, keras.Input((16, 16, 3), name="image")
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x))
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides=2)(layers.ReLU()(y)))
    y = layers.Conv2DTranspose(4, 3)(layers.MaxPooling2D(2)(layers.AveragePooling2D(2)(y)))
    y = layers.LayerNormalization()(y)
    model = keras.Model(x, layers.Softmax()(layers.Dense(5, "gelu")(layers.GlobalAveragePooling2D()(y))))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([RANDOM.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


IMAGES = {"image": RANDOM.standard_normal((2, 16, 16, 3)).astype(np.float32)}


def test_convolutions_and_batch_normalization_are_in_float64() -> None:
    found, kept = errors(open_source(image_model()), IMAGES)
    assert kept == ()
    assert all(0 < error < 1e-6 for error in found)


def test_a_saved_model_and_a_frozen_graph_have_the_twin_of_their_model(tmp_path: Path) -> None:
    model = image_model()
    model.export(str(tmp_path / "saved"), verbose=False)
    for source in (open_source(tmp_path / "saved"), open_source(frozen(model, tmp_path / "frozen.pb"))):
        found, kept = errors(source, {source.inputs[0].name: IMAGES["image"]})
        assert kept == ()
        assert all(0 < error < 1e-6 for error in found)


def frozen(model: Any, path: Path) -> Path:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = tf.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec([None, 16, 16, 3], tf.float32))
    path.write_bytes(convert_variables_to_constants_v2(concrete).graph.as_graph_def().SerializeToString())
    return path


def test_loops_and_branches_are_rewritten_with_their_functions() -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((7, 5), name="x")
    y = keras.layers.GRU(4)(keras.layers.LSTM(6, return_sequences=True)(x))
    found, kept = errors(open_source(keras.Model(x, y)), {"x": RANDOM.standard_normal((2, 7, 5)).astype(np.float32)})
    assert kept == ()
    assert all(0 < error < 1e-6 for error in found)


def test_a_subclassed_model_has_one_too() -> None:
    source = open_source(keras_models.Subclassed(), {"x": "float32[batch,6]"})
    found, kept = errors(source, {"x": RANDOM.standard_normal((2, 6)).astype(np.float32)})
    assert kept == ()
    assert all(error < 1e-6 for error in found)


@pytest.mark.parametrize("name", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_judged_by_its_own_rounding(policy: Any, name: str) -> None:
    policy(name)
    keras.utils.set_random_seed(0)
    x = keras.Input((16,), name="x")
    model = keras.Model(x, keras.layers.Dense(4, dtype="float32")(keras.layers.Dense(8, "relu")(x)))
    found, kept = errors(open_source(model), {"x": RANDOM.standard_normal((2, 16)).astype(np.float32)})
    assert kept == ()
    assert all(1e-6 < error < 0.05 for error in found)


def test_an_operation_that_gives_float32_alone_stays_between_casts() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 3, 1], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def resized(x: Any) -> Any:
        return tf.math.exp(tf.image.resize(x * 0.1, (5, 7)))

    found, kept = errors(open_source(resized), {"x": RANDOM.standard_normal((2, 3, 3, 1)).astype(np.float32)})
    assert kept == ("ResizeBilinear",)
    assert all(0 < error < 1e-6 for error in found)


def test_integers_and_text_stay_what_they_are() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def chosen(x: Any) -> Any:
        values, indices = tf.math.top_k(x * 0.1, 2)
        return {"values": values, "indices": indices, "best": tf.argmax(x, 1), "text": tf.as_string(indices)}

    source = open_source(chosen)
    twin = source.exact()
    assert twin is not None
    feeds = {"x": RANDOM.standard_normal((2, 4)).astype(np.float32)}
    plain, exact = source.run(feeds), twin.run(feeds)
    for name in ("indices", "best", "text"):
        assert exact[name].dtype == plain[name].dtype
        assert np.array_equal(exact[name], plain[name])


def test_the_original_graph_is_left_as_it_was() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None], name="x")
        tf.identity(tf.sqrt(x) + 1.0, name="y")
    definition = graph.as_graph_def()
    before = definition.SerializeToString(deterministic=True)
    rewritten, kept = to_float64(definition)
    assert definition.SerializeToString(deterministic=True) == before
    assert {node.attr["dtype"].type for node in rewritten.node if "dtype" in node.attr} == {tf.float64.as_datatype_enum}
    assert kept == ()


def test_ties_are_broken_otherwise_by_some_wavering_twin() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def best(x: Any) -> Any:
        return tf.argmax(tf.nn.relu(x), 1)

    source = open_source(best)
    feeds = {"x": np.array([[-1, -1, -1, -1], [0, 0, 9, 0]], np.float32)}
    twins = [source.wavering(seed) for seed in range(8)]
    picks = np.array([next(iter(twin.run(feeds).values())) for twin in twins if twin is not None])
    assert len(set(picks[:, 0])) > 1
    assert set(picks[:, 1]) == {2}
