"""The converter as a whole: registry, layouts, shapes, refusals, constants."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from agreement import converted, float_specs, random

from assay.converters.sources import open_source
from assay.converters.tensorflow import registry
from assay.converters.tensorflow.folding import read_variable
from assay.converters.tensorflow.native_exporter import UnconvertibleError, export


def cnn() -> Any:
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((None, None, 3)),
        keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.DepthwiseConv2D(3, padding="same", activation="swish"),
        keras.layers.MaxPooling2D(padding="same"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5, activation="softmax"),
    ]
    return keras.Sequential(layers)


@pytest.mark.parametrize("opset", [17, 18, 20, 22])
def test_a_network_of_convolutions_is_turned_once(opset: int) -> None:
    model = converted(lambda: None, model=cnn(), opset=opset)
    assert model.operators["Transpose"] == 1
    for shape in ((1, 16, 16, 3), (3, 17, 20, 3), (2, 9, 7, 3)):
        model.assert_agrees(random(*shape))


def test_a_product_over_the_last_axis_keeps_its_rank() -> None:
    weights = tf.constant(random(4, 6))
    model = converted(lambda x: tf.tensordot(x, weights, 1), *float_specs([None, None, 4]))
    assert dict(model.operators) == {"MatMul": 1}
    model.assert_agrees(random(2, 5, 4))


def test_shape_arithmetic_leaves_no_nodes() -> None:
    def function(x: Any) -> Any:
        size = tf.shape(x)
        return tf.reshape(x, [size[0], size[1], 2, 3])

    model = converted(function, *float_specs([None, None, 6]))
    assert dict(model.operators) == {"Reshape": 1}
    model.assert_agrees(random(2, 5, 6))


def test_every_refused_operation_is_told_and_nothing_is_written() -> None:
    def function(x: Any) -> Any:
        return tf.raw_ops.Betainc(a=x, b=x, x=x) + tf.raw_ops.Polygamma(a=x, x=x)

    source = open_source(tf.function(function, input_signature=float_specs([2]), autograph=False))
    with pytest.raises(UnconvertibleError) as refused:
        export(source, None)
    assert [refusal.operator for refusal in refused.value.refusals] == ["Betainc", "Polygamma"]
    assert "Betainc (PartitionedCall/Betainc, test_native_exporter.py:60) has no handler" in str(refused.value)


@pytest.mark.parametrize("opset", [16, 99])
def test_an_opset_that_is_not_written_is_refused(opset: int) -> None:
    source = open_source(tf.function(lambda x: x, input_signature=float_specs([2]), autograph=False))
    with pytest.raises(Exception, match=f"opset {opset} was asked for, but should be 17 to"):
        export(source, opset)


def test_outputs_that_are_inputs_constants_or_given_twice() -> None:
    model = converted(lambda x: (x, tf.constant([1.0, 2.0]), x + 1.0, x + 1.0), *float_specs([None]))
    model.assert_agrees(random(3))


def test_variables_keep_their_names() -> None:
    names = set(converted(lambda: None, model=cnn()).model.graph.initializers)
    assert any("conv2d" in name and "kernel" in name for name in names)


def test_an_operator_has_one_handler() -> None:
    registry.load_handlers()
    with pytest.raises(ValueError, match="has two handlers"):
        registry.handles("Relu")(lambda _e, op: op.inputs[0])


def test_every_family_is_loaded_and_every_handler_says_what_it_does() -> None:
    registry.load_handlers()
    shortcuts = [handler for _, handler in registry.SHORTCUTS.values()]
    writers = [*registry.HANDLERS.values(), *registry.COMPLEX.values(), *registry.COMPOSERS.values(), *shortcuts]
    assert {writer.__module__.rpartition(".")[2] for writer in writers} == set(registry.FAMILIES)
    assert all(writer.__doc__ for writer in writers)


def test_large_weights_are_not_copied_for_a_product() -> None:
    weights = tf.Variable(random(300, 200))
    model = converted(lambda x: x @ weights, *float_specs([None, 300]))
    (held,) = [v.const_value for v in model.model.graph.initializers.values() if v.const_value is not None]
    assert np.shares_memory(held.numpy(), read_variable(weights.handle, tf.float32))


@pytest.mark.parametrize("shape", [(4, 5, 3), (None, None, 3)])
def test_a_map_that_is_unrolled_for_a_product_is_not_turned(shape: tuple[int | None, ...]) -> None:
    place = keras.Input(shape)
    maps = keras.layers.Conv2D(6, 3)(place)
    if shape[0] is None:
        maps = keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    model = converted(lambda: None, model=keras.Model(place, keras.layers.Dense(2)(keras.layers.Flatten()(maps))))
    assert model.operators["Transpose"] == 1
    for batch in (1, 3):
        model.assert_agrees(random(batch, 4, 5, 3), ulps=64)


def test_a_map_that_is_unrolled_and_read_elsewhere() -> None:
    place = keras.Input((4, 5, 3))
    flat = keras.layers.Flatten()(keras.layers.Conv2D(6, 3)(place))
    model = converted(lambda: None, model=keras.Model(place, [keras.layers.Dense(2)(flat), flat]))
    model.assert_agrees(random(3, 4, 5, 3), ulps=64)
