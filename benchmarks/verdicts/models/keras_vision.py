"""Healthy Keras and TensorFlow models that look at pictures."""

from __future__ import annotations

from typing import Any

from verdicts.models.keras_weights import randomised
from verdicts.models.registry import model


@model("keras_convnet", "tensorflow", {"pixels": "float32[batch,20,24,3]"})
def keras_convnet() -> Any:
    """Strided SAME convolutions, separable convolutions and batch normalisation."""
    import keras
    from keras import layers

    x = keras.Input((20, 24, 3), name="pixels")
    y = layers.Conv2D(16, 3, 2, "same", use_bias=False)(x)
    y = layers.ReLU(max_value=6.0)(layers.BatchNormalization()(y))
    y = layers.SeparableConv2D(24, 3, padding="same")(y)
    y = layers.LeakyReLU(0.15)(layers.BatchNormalization(epsilon=1e-4)(y))
    y = layers.AveragePooling2D(2, padding="same")(layers.DepthwiseConv2D(3, padding="same")(y))
    y = layers.Dense(12, "softmax", name="classes")(layers.GlobalAveragePooling2D()(y))
    return randomised(keras.Model(x, y), 61)


@model("keras_residual", "tensorflow", {"pixels": "float32[batch,height>=12=20,width>=12=26,3]"})
def keras_residual() -> Any:
    """Residual blocks with swish and squeeze-and-excitation, for pictures of any size."""
    import keras
    from keras import layers

    x = keras.Input((None, None, 3), name="pixels")
    y = layers.Conv2D(12, 3, padding="same")(x)
    for stride in (1, 2):
        z = layers.BatchNormalization()(layers.Conv2D(12, 3, stride, padding="same")(y))
        z = layers.Activation("swish")(z)
        weight = layers.Dense(12, "sigmoid")(layers.Dense(4, "relu")(layers.GlobalAveragePooling2D(keepdims=True)(z)))
        z = layers.Multiply()([z, weight])
        y = layers.Add()([z, layers.Conv2D(12, 1, stride)(y)])
    y = layers.Dense(5, name="classes")(layers.GlobalMaxPooling2D()(layers.ELU()(y)))
    return randomised(keras.Model(x, y), 62)


@model("keras_unet", "tensorflow", {"pixels": "float32[batch,16,24,2]"})
def keras_unet() -> Any:
    """Bilinear upsampling, transposed convolutions and a map of probabilities."""
    import keras
    from keras import layers

    x = keras.Input((16, 24, 2), name="pixels")
    first = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    second = layers.Conv2D(16, 3, 2, padding="same", activation="tanh")(first)
    third = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(second))
    up = layers.UpSampling2D(2, interpolation="bilinear")(third)
    up = layers.Conv2DTranspose(8, 3, 2, padding="same", activation="relu")(layers.Concatenate()([up, second]))
    y = layers.Conv2D(3, 1, activation="sigmoid", name="map")(layers.Concatenate()([up, first]))
    return randomised(keras.Model(x, y), 63)


@model("tf_detector", "tensorflow", {"pixels": "float32[1,24,32,3]"})
def tf_detector() -> Any:
    """A ``tf.function`` that resizes, scores boxes and keeps those that non-maximum suppression leaves."""
    import numpy as np
    import tensorflow as tf

    generator = np.random.default_rng(64)

    class Detector(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.kernel = tf.Variable(generator.normal(0, 0.3, (3, 3, 3, 8)).astype(np.float32))
            self.scores = tf.Variable(generator.normal(0, 0.4, (8, 1)).astype(np.float32))
            self.sides = tf.Variable(generator.normal(0, 0.3, (8, 4)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec([1, 24, 32, 3], tf.float32, name="pixels")])  # type: ignore[untyped-decorator]
        def detect(self, pixels: Any) -> Any:
            small = tf.image.resize(pixels, [12, 16])
            features = tf.nn.relu(tf.nn.conv2d(small, self.kernel, 2, "SAME"))
            cells = tf.reshape(features, [-1, 8])
            scores = tf.sigmoid(tf.matmul(cells, self.scores))[:, 0]
            centre = tf.reshape(tf.stack(tf.meshgrid(tf.range(8.0), tf.range(6.0)), -1), [-1, 2])
            sides = tf.exp(tf.matmul(cells, self.sides))
            boxes = tf.concat([centre - sides[:, :2], centre + sides[:, 2:]], -1)
            kept = tf.image.non_max_suppression(boxes, scores, 8, 0.45, 0.2)
            return {"boxes": tf.gather(boxes, kept), "scores": tf.gather(scores, kept)}

    detector = Detector()
    _ALIVE.append(detector)
    return detector.detect


_ALIVE: list[Any] = []  # a tf.function does not keep the variables that it reads
