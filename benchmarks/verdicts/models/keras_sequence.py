"""Healthy Keras models that read sequences and tables."""

from __future__ import annotations

from typing import Any

from verdicts.models.keras_weights import randomised
from verdicts.models.registry import model


@model("keras_transformer", "tensorflow", {"tokens": "int64[batch,sequence<=30=10] in 0..89"})
def keras_transformer() -> Any:
    """Token embeddings, two blocks of attention with layer normalisation, and a mean over the sequence."""
    import keras
    from keras import layers

    x = keras.Input((None,), dtype="int64", name="tokens")
    y = layers.Embedding(90, 32)(x)
    for _ in range(2):
        seen = layers.MultiHeadAttention(4, 8)(y, y)
        y = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([y, seen]))
        wide = layers.Dense(32)(layers.Dense(64, "gelu")(y))
        y = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([y, wide]))
    y = layers.Dense(6, "softmax", name="classes")(layers.GlobalAveragePooling1D()(y))
    return randomised(keras.Model(x, y), 71)


@model("keras_lstm", "tensorflow", {"tokens": "int64[batch,time=9] in 0..39"})
def keras_lstm() -> Any:
    """A bidirectional LSTM over tokens."""
    import keras
    from keras import layers

    x = keras.Input((None,), dtype="int64", name="tokens")
    y = layers.Bidirectional(layers.LSTM(10, return_sequences=True))(layers.Embedding(40, 12)(x))
    y = layers.Dense(4, name="tags")(layers.Dense(16, "tanh")(y))
    return randomised(keras.Model(x, y), 72)


@model("keras_gru", "tensorflow", {"series": "float32[batch,time=8,4]"})
def keras_gru() -> Any:
    """A GRU whose reset gate comes after the multiplication, over a causal convolution."""
    import keras
    from keras import layers

    x = keras.Input((None, 4), name="series")
    y = layers.Conv1D(8, 3, padding="causal", activation="relu")(x)
    y = layers.Dense(3, name="forecast")(layers.GRU(12)(y))
    return randomised(keras.Model(x, y), 73)


@model(
    "keras_recommender",
    "tensorflow",
    {"user": "int32[batch] in 0..149", "item": "int32[batch] in 0..199", "facts": "float32[batch,4]"},
)
def keras_recommender() -> Any:
    """Embeddings of users and items beside dense facts, with two outputs."""
    import keras
    from keras import layers

    user, item = keras.Input((), dtype="int32", name="user"), keras.Input((), dtype="int32", name="item")
    facts = keras.Input((4,), name="facts")
    both = [layers.Embedding(150, 12)(user), layers.Embedding(200, 12)(item)]
    hidden = layers.Dense(24, "relu")(layers.Concatenate()([*both, layers.BatchNormalization()(facts)]))
    outputs = {
        "rating": layers.Dense(1, "sigmoid", name="rating")(hidden),
        "affinity": layers.Dot(-1, normalize=True, name="affinity")(both),
    }
    return randomised(keras.Model({"user": user, "item": item, "facts": facts}, outputs), 74)


@model("keras_tabular", "tensorflow", {"table": "float32[batch,10]"})
def keras_tabular() -> Any:
    """A dense network with several activations and normalisations."""
    import keras
    from keras import layers

    x = keras.Input((10,), name="table")
    y = layers.LayerNormalization(epsilon=1e-5)(layers.Dense(24, "selu")(x))
    y = layers.BatchNormalization()(layers.Dense(24, "softplus")(y))
    y = layers.Add()([y, layers.Dense(24, "gelu")(y)])
    return randomised(keras.Model(x, layers.Dense(5, "softmax", name="classes")(y)), 75)
