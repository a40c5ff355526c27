"""Every class of ``keras.layers`` that maps tensors to tensors, in several configurations."""

from __future__ import annotations

from typing import Any

from tensorflow_cases import image_layers, sequence_layers
from tensorflow_cases.case import Case
from tensorflow_cases.layer_case import called, layer

ROWS, CUBE, MAP, FIXED_MAP = "f4[a,5]", "f4[a,t,4]", "f4[a,h,w,3]", "f4[a,8,9,3]"
ACTIVATIONS = (
    *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh"),
    *("leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu"),
    *("soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus"),
    *("tanh", "tanh_shrink"),
)


def cases() -> list[Case]:
    """All of them; names are unique."""
    parts = (_dense(), _activations(), _normalizations(), _merges(), _shapes(), _regularization(), _preprocessing())
    return [*(case for part in parts for case in part), *image_layers.cases(), *sequence_layers.cases()]


def _dense() -> list[Case]:
    return [
        layer(ROWS, "Dense", 3),
        layer(CUBE, "Dense", 3, activation="relu"),
        layer(MAP, "Dense", 3, use_bias=False),
        layer(ROWS, "Dense", 3, activation="softmax", lora_rank=2),
        layer("f8[a,5]", "Dense", 3, dtype="float64"),
        layer("f2[a,5]", "Dense", 3, dtype="float16"),
        layer(ROWS, "Dense", 3, dtype="mixed_float16"),
        layer(CUBE, "EinsumDense", "abc,cd->abd", output_shape=(None, 3), bias_axes="d"),
        layer(CUBE, "EinsumDense", "abc,cde->abde", output_shape=(None, 2, 3)),
        layer("f4[a,3,4]", "EinsumDense", "abc,cd->adb", output_shape=(2, 3), bias_axes="d"),
        layer("i4[a,t]:small", "Embedding", 6, 3),
        layer("i4[a]:small", "Embedding", 6, 3),
        layer("i8[a,3]:small", "Embedding", 6, 3, mask_zero=True),
        layer("i4[a,t]:small", "ReversibleEmbedding", 6, 3),
        called("ReversibleEmbedding(6, 4) reversed", CUBE, _reversed_embedding),
        called("Lambda", ROWS, _lambda),
        layer(ROWS, "Identity"),
        layer(ROWS, "SpectralNormalization", _dense_layer()),
    ]


def _dense_layer() -> Any:
    from tensorflow_cases.layer_case import made_of

    return made_of("Dense", 3)


def _reversed_embedding(inputs: list[Any]) -> Any:
    import keras

    return keras.layers.ReversibleEmbedding(6, 4)(inputs[0], reverse=True)


def _lambda(inputs: list[Any]) -> Any:
    import keras

    return keras.layers.Lambda(lambda value: value * 2.0 + 1.0)(inputs[0])


def _activations() -> list[Case]:
    return [
        *(layer("f4[a,6]", "Activation", name) for name in ACTIVATIONS),
        layer(ROWS, "ReLU"),
        layer(ROWS, "ReLU", max_value=1.0, negative_slope=0.2, threshold=0.5),
        layer(ROWS, "LeakyReLU"),
        layer(ROWS, "LeakyReLU", negative_slope=0.05),
        layer(ROWS, "ELU", alpha=0.7),
        layer(ROWS, "PReLU"),
        layer(FIXED_MAP, "PReLU", shared_axes=[1, 2]),
        layer(CUBE, "Softmax"),
        layer(CUBE, "Softmax", axis=1),
        layer("f4[a,3,4]", "Softmax", axis=(1, 2)),
        layer(ROWS, "ActivityRegularization"),
    ]


def _normalizations() -> list[Case]:
    return [
        layer(ROWS, "BatchNormalization"),
        layer(CUBE, "BatchNormalization", center=False),
        layer(MAP, "BatchNormalization", scale=False, epsilon=0.1),
        layer("f4[a,3,8,9]", "BatchNormalization", axis=1),
        layer("f4[a,d,h,w,2]", "BatchNormalization"),
        layer(ROWS, "LayerNormalization"),
        layer(CUBE, "LayerNormalization", scale=False),
        layer(CUBE, "LayerNormalization", center=False, epsilon=0.1),
        layer("f4[a,3,4]", "LayerNormalization", axis=[1, 2]),
        layer("f4[a,3,4]", "LayerNormalization", axis=1),
        layer(MAP, "LayerNormalization"),
        layer("f4[a,h,w,4]", "GroupNormalization", groups=2),
        layer("f4[a,t,4]", "GroupNormalization", groups=4),
        layer(FIXED_MAP, "GroupNormalization", groups=-1),
        layer("f4[a,4,8,9]", "GroupNormalization", groups=2, axis=1),
        layer("f4[a,8,8,4]", "GroupNormalization", groups=1, scale=False, center=False),
        layer(CUBE, "RMSNormalization"),
        layer("f4[a,3,4]", "RMSNormalization", axis=[1, 2]),
        layer(CUBE, "UnitNormalization"),
        layer("f4[a,3,4]", "UnitNormalization", axis=[1, 2]),
    ]


def _merges() -> list[Case]:
    two, three = "f4[a,5] f4[a,5]", "f4[a,5] f4[a,5] f4[a,5]"
    names = ("Add", "Average", "Maximum", "Minimum", "Multiply")
    return [
        *(layer(three, name) for name in names),
        *(layer("f4[a,t,4] f4[a,1,4]", name) for name in names),
        layer(two, "Subtract"),
        layer(two, "Concatenate"),
        layer("f4[a,t,4] f4[a,3,4]", "Concatenate", axis=1),
        layer("f4[a,8,9,3] f4[a,8,9,2]", "Concatenate", axis=-1),
        layer(two, "Dot", axes=1),
        layer("f4[a,3,4] f4[a,5,4]", "Dot", axes=2),
        layer("f4[a,3,4] f4[a,4,5]", "Dot", axes=(2, 1), normalize=True),
    ]


def _shapes() -> list[Case]:
    return [
        layer("f4[a,3,4]", "Flatten"),
        layer(FIXED_MAP, "Flatten"),
        layer("f4[a]", "Flatten"),
        layer("f4[a,2,3,4]", "Flatten", data_format="channels_first"),
        layer("f4[a,3,4]", "Reshape", (4, 3)),
        layer("f4[a,3,4]", "Reshape", (-1,)),
        layer(CUBE, "Reshape", (-1, 2)),
        layer(MAP, "Permute", (3, 1, 2)),
        layer(CUBE, "Permute", (2, 1)),
        layer(ROWS, "RepeatVector", 3),
        layer(CUBE, "Masking"),
    ]


def _regularization() -> list[Case]:
    return [
        layer(ROWS, "Dropout", 0.5),
        layer(ROWS, "AlphaDropout", 0.5),
        layer(ROWS, "GaussianDropout", 0.5),
        layer(ROWS, "GaussianNoise", 0.5),
        layer(CUBE, "SpatialDropout1D", 0.5),
        layer(MAP, "SpatialDropout2D", 0.5),
        layer("f4[a,d,h,w,2]", "SpatialDropout3D", 0.5),
    ]


def _preprocessing() -> list[Case]:
    words = ["a", "Ab c", "", "x"]
    return [
        layer(ROWS, "Discretization", bin_boundaries=[-1.0, 0.0, 2.0]),
        layer(ROWS, "Discretization", bin_boundaries=[-1.0, 0.0], output_mode="one_hot"),
        layer("i4[a,3]:small", "CategoryEncoding", num_tokens=6),
        layer("i4[a,3]:small", "CategoryEncoding", num_tokens=6, output_mode="count"),
        layer("i4[a]:small", "CategoryEncoding", num_tokens=6, output_mode="one_hot"),
        layer("i8[a,3]:small", "IntegerLookup", vocabulary=[1, 3, 4]),
        layer("i8[a,3]:small", "IntegerLookup", vocabulary=[1, 3], output_mode="multi_hot"),
        layer("s[a,3]", "StringLookup", vocabulary=words),
        layer("s[a]", "StringLookup", vocabulary=words, output_mode="one_hot"),
        layer("i8[a,3]:small", "StringLookup", vocabulary=words, invert=True),
        layer("i8[a,3]:small", "Hashing", num_bins=4),
        layer("s[a]", "TextVectorization", vocabulary=["ab", "c"], output_sequence_length=3),
        layer("i8[a] i8[a]", "HashedCrossing", num_bins=5),
        layer("f4[a,40,1]", "STFTSpectrogram", frame_length=16, frame_step=8),
        layer("f4[a,40]", "MelSpectrogram", fft_length=16, sequence_stride=8, num_mel_bins=4),
    ]
