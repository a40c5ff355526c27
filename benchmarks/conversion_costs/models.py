"""The models whose conversion is measured, with random weights; sizes are those of float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

COMPARED = ("ResNet50", "DenseNet201", "EfficientNetV2B0", "ConvNeXtTiny", "transformer")
LARGE = ("VGG16", "3 GB")  # whose weights are what counts
CHAIN = "chain of "


def build(name: str) -> Any:
    """The model of this name; ``chain of 1000`` has that many operations."""
    import keras

    keras.utils.set_random_seed(0)
    if name.startswith(CHAIN):
        return chain(int(name.removeprefix(CHAIN)))
    own: dict[str, Callable[[], Any]] = {"transformer": transformer, "3 GB": lambda: dense(12, 8192), "tiny": tiny}
    return own[name]() if name in own else getattr(keras.applications, name)(weights=None)


def tiny() -> Any:
    """A network that converts at once, to try the benchmark with."""
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )


def transformer(blocks: int = 12, width: int = 768, heads: int = 12, length: int = 128) -> Any:
    """An encoder of the size of BERT-base (Devlin et al., 2019), of 30,522 words."""
    import keras

    layers = keras.layers
    words = keras.Input((length,), dtype="int32", name="words")
    x = layers.Embedding(30522, width)(words)
    for _ in range(blocks):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(heads, width // heads)(x, x))
        inner = layers.Dense(4 * width, activation="gelu")(x)
        x = layers.LayerNormalization()(x + layers.Dense(width)(inner))
    return keras.Model(words, x)


def dense(depth: int, width: int) -> Any:
    """Layers of ``width ** 2`` weights each."""
    import keras

    return keras.Sequential([keras.Input((width,)), *(keras.layers.Dense(width) for _ in range(depth))])


def chain(count: int) -> Any:
    """A layer of so many operations, one after the other."""
    import keras
    import tensorflow as tf

    class Chain(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            for index in range(count // 2):
                x = (tf.nn.relu(x) if index % 2 else tf.sin(x)) + float(index % 7)
            return x

        def compute_output_spec(self, x: Any) -> Any:
            return keras.KerasTensor(x.shape, x.dtype)  # else Keras would trace it once more

    place = keras.Input((8,))
    return keras.Model(place, Chain()(place))
