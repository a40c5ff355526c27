"""Tiny Keras models and TensorFlow functions; each factory gives the same weights every time."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def sequential() -> Any:
    """A model without any name of its author's."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])


def functional() -> Any:
    """Two named inputs, and two named outputs in a dictionary."""
    keras.utils.set_random_seed(0)
    left, right = keras.Input((6,), name="left"), keras.Input((4,), name="right")
    both = keras.layers.Concatenate()([left, right])
    outputs = {"score": keras.layers.Dense(3)(both), "hidden": keras.layers.Dense(2, "tanh")(both)}
    return keras.Model({"left": left, "right": right}, outputs)


def named_layers() -> Any:
    """Two outputs in a list, whose layers have names of their author's."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="features")
    return keras.Model(x, [keras.layers.Dense(3, name="score")(x), keras.layers.Dense(2, name="box")(x)])


def noisy() -> Any:
    """Dropout and batch statistics: wrong by far in training mode."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.layers[1].moving_mean.assign(tf.random.normal([8], seed=1))
    return model


def tokens() -> Any:
    """An embedding of a hundred tokens, averaged over the sequence."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int64", name="ids")
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(100, 8)(ids))
    return keras.Model(ids, keras.layers.Dense(3)(pooled))


class Subclassed(keras.Model):  # type: ignore[misc]
    """A model that knows its shapes only once it is called."""

    def __init__(self) -> None:
        super().__init__()
        keras.utils.set_random_seed(0)
        self.dense = keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        return {"score": self.dense(x), "same": x}


def subclassed() -> Any:
    """A subclassed model that is not built."""
    return Subclassed()


class Exportable(tf.Module):  # type: ignore[misc]
    """A ``tf.function`` with a signature, a variable and an eager constant that it captures."""

    def __init__(self) -> None:
        self.weight = tf.Variable(tf.reshape(tf.range(18, dtype=tf.float32) / 7, [6, 3]))
        self.constant = tf.constant([1.0, -2.0, 3.0])

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])  # type: ignore[untyped-decorator]
    def traced(self, x: Any) -> Any:
        """A linear layer."""
        return {"score": tf.matmul(x, self.weight) + self.constant}


_EXPORTABLE = Exportable()


def function() -> Any:
    """A ``tf.function``, whose variables somebody else keeps alive."""
    return _EXPORTABLE.traced


def orphan() -> Any:
    """A ``tf.function`` whose module is gone when it is called."""
    return Exportable().traced


def concrete() -> Any:
    """A ConcreteFunction, whose variables somebody else keeps alive."""
    return _EXPORTABLE.traced.get_concrete_function()
