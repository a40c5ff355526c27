"""Layers of Keras over space: convolutions, pools, borders, images."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorflow_cases.case import Case
from tensorflow_cases.layer_case import layer, with_exact

LINE, MAP, BOX = "f4[a,t,3]", "f4[a,h,w,3]", "f4[a,d,h,w,2]"
FIXED_LINE, FIXED_MAP = "f4[a,8,3]", "f4[a,8,9,3]"
FIRST = {"data_format": "channels_first"}


def cases() -> list[Case]:
    """All of them."""
    return [*_convolutions(), *_transposed(), *_depthwise(), *_pools(), *_borders(), *_images(), *_augmentation()]


def _convolutions() -> list[Case]:
    return [
        layer(LINE, "Conv1D", 4, 3),
        layer(LINE, "Conv1D", 4, 3, padding="same", strides=2),
        layer(LINE, "Conv1D", 4, 3, padding="causal", dilation_rate=2),
        layer(LINE, "Conv1D", 4, 3, padding="same", use_bias=False, activation="relu"),
        layer("f4[a,t,4]", "Conv1D", 4, 3, groups=2),
        layer(FIXED_LINE, "Conv1D", 4, 3, strides=3, padding="same"),
        layer(MAP, "Conv2D", 4, 3),
        layer(MAP, "Conv2D", 4, 3, padding="same"),
        layer(MAP, "Conv2D", 4, 3, strides=2, padding="same"),
        layer(MAP, "Conv2D", 4, (3, 2), strides=(2, 3), padding="same"),
        layer(MAP, "Conv2D", 4, 3, dilation_rate=2),
        layer(MAP, "Conv2D", 4, 3, dilation_rate=(2, 3), padding="same"),
        layer(MAP, "Conv2D", 4, 1, activation="gelu"),
        layer("f4[a,h,w,4]", "Conv2D", 6, 3, groups=2, padding="same"),
        layer("f4[a,h,w,4]", "Conv2D", 4, 3, groups=4),
        layer(FIXED_MAP, "Conv2D", 4, 3, strides=2, padding="same"),
        layer("f4[a,3,8,9]", "Conv2D", 4, 3, padding="same", **FIRST),
        layer(BOX, "Conv3D", 3, 3),
        layer(BOX, "Conv3D", 3, 3, padding="same", strides=2),
        layer(BOX, "Conv3D", 3, 2, dilation_rate=2),
        layer(LINE, "SeparableConv1D", 4, 3),
        layer(LINE, "SeparableConv1D", 4, 3, padding="same", depth_multiplier=2),
        layer(LINE, "SeparableConv1D", 4, 3, dilation_rate=2),
        layer(MAP, "SeparableConv2D", 4, 3),
        layer(MAP, "SeparableConv2D", 4, 3, strides=2, padding="same", depth_multiplier=2),
        layer(MAP, "SeparableConv2D", 4, 3, dilation_rate=2),
    ]


def _transposed() -> list[Case]:
    return [
        layer(LINE, "Conv1DTranspose", 4, 3),
        layer(LINE, "Conv1DTranspose", 4, 3, strides=2, padding="same"),
        layer(LINE, "Conv1DTranspose", 4, 3, strides=3, output_padding=1),
        layer(FIXED_LINE, "Conv1DTranspose", 4, 3, strides=2),
        layer(MAP, "Conv2DTranspose", 4, 3),
        layer(MAP, "Conv2DTranspose", 4, 3, strides=2),
        layer(MAP, "Conv2DTranspose", 4, 3, strides=2, padding="same"),
        layer(MAP, "Conv2DTranspose", 4, 2, strides=3, padding="same"),
        layer(MAP, "Conv2DTranspose", 4, 4, strides=2, padding="same", use_bias=False),
        layer(MAP, "Conv2DTranspose", 4, 3, strides=2, padding="same", output_padding=1),
        layer(MAP, "Conv2DTranspose", 4, 3, dilation_rate=2),
        layer(FIXED_MAP, "Conv2DTranspose", 4, 3, strides=2, padding="same"),
        layer(BOX, "Conv3DTranspose", 3, 3),
        layer(BOX, "Conv3DTranspose", 3, 3, strides=2, padding="same"),
    ]


def _depthwise() -> list[Case]:
    return [
        layer(LINE, "DepthwiseConv1D", 3),
        layer(LINE, "DepthwiseConv1D", 3, strides=2, padding="same", depth_multiplier=2),
        layer(MAP, "DepthwiseConv2D", 3),
        layer(MAP, "DepthwiseConv2D", 3, padding="same"),
        layer(MAP, "DepthwiseConv2D", 3, strides=2, padding="same", depth_multiplier=2),
        layer(MAP, "DepthwiseConv2D", 3, dilation_rate=2, padding="same"),
        layer(FIXED_MAP, "DepthwiseConv2D", 3, strides=2, padding="same"),
    ]


def _pools() -> list[Case]:
    made = [
        layer(text, f"{kind}Pooling{rank}D", *args, **options)
        for kind in ("Max", "Average")
        for rank, text in ((1, LINE), (2, MAP), (3, BOX))
        for args, options in (
            ((2,), {}),
            ((3,), {"strides": 2, "padding": "same"}),
            ((3,), {"strides": 1, "padding": "same"}),
        )
    ]
    made += [
        layer(text, f"Global{kind}Pooling{rank}D", keepdims=keep)
        for kind in ("Max", "Average")
        for rank, text in ((1, LINE), (2, MAP), (3, BOX))
        for keep in (False, True)
    ]
    made += [
        layer(FIXED_MAP, f"{kind}Pooling2D", (3, 2), strides=(2, 3), padding="same") for kind in ("Max", "Average")
    ]
    made += [
        layer(text, f"Adaptive{kind}Pooling{rank}D", size)
        for kind in ("Max", "Average")
        for rank, text, size in ((1, FIXED_LINE, 3), (2, FIXED_MAP, (4, 3)), (3, "f4[a,6,4,5,2]", 2))
    ]
    return made


def _borders() -> list[Case]:
    return [
        layer(LINE, "ZeroPadding1D", (1, 2)),
        layer(MAP, "ZeroPadding2D", ((1, 2), (0, 3))),
        layer("f4[a,3,8,9]", "ZeroPadding2D", 1, **FIRST),
        layer(BOX, "ZeroPadding3D", 1),
        layer(LINE, "Cropping1D", (1, 2)),
        layer(MAP, "Cropping2D", ((1, 2), (0, 3))),
        layer(BOX, "Cropping3D", 1),
        layer(LINE, "UpSampling1D", 2),
        layer(MAP, "UpSampling2D", (2, 3)),
        layer(FIXED_MAP, "UpSampling2D", 2, interpolation="bilinear"),
        layer(FIXED_MAP, "UpSampling2D", 2, interpolation="bicubic"),
        layer(FIXED_MAP, "UpSampling2D", 2, interpolation="lanczos3"),
        layer(BOX, "UpSampling3D", 2),
    ]


def _images() -> list[Case]:
    image = "f4[a,h,w,3]"
    return [
        layer(image, "Rescaling", 1 / 255.0, offset=-0.5),
        layer(image, "Rescaling", [0.5, 1.0, 2.0], offset=[0.0, 1.0, 2.0]),
        layer("u1[a,h,w,3]:image", "Rescaling", 1 / 127.5, offset=-1.0),
        layer(image, "CenterCrop", 5, 6),
        layer("f4[a,8,9,3]", "CenterCrop", 12, 11),
        with_exact(layer(image, "Resizing", 6, 7), lambda x: bilinear(x, 6, 7)),
        layer(image, "Resizing", 6, 7, interpolation="nearest"),
        layer("f4[a,8,9,3]", "Resizing", 5, 13, interpolation="bicubic"),
        layer("f4[a,8,9,3]", "Resizing", 5, 13, antialias=True),
        layer("f4[a,8,9,3]", "Resizing", 4, 4, crop_to_aspect_ratio=True),
        layer("f4[a,8,9,3]", "Resizing", 6, 6, pad_to_aspect_ratio=True),
        layer(image, "Normalization", mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
        layer(image, "Normalization", mean=0.5, variance=2.0, invert=True),
        layer("f4[a,8,9,3]:prob", "Solarization", value_range=(0, 1)),
    ]


def bilinear(images: Any, height: int, width: int) -> Any:
    """Bilinear resizing in float64; TensorFlow's has the places of pixels in float32 whatever the images are."""
    rows, columns = (_weights(images.shape[1 + axis], due) for axis, due in enumerate((height, width)))
    return np.einsum("oh,nhwc,pw->nopc", rows, images, columns)


def _weights(have: int, due: int) -> Any:
    places = np.clip((np.arange(due) + 0.5) * (have / due) - 0.5, 0, have - 1)
    return np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(have)))


def _augmentation() -> list[Case]:
    """All of them do nothing but in training."""
    one = {"value_range": (0, 1)}
    plain: dict[str, dict[str, Any]] = {
        "RandomBrightness": {"factor": 0.2, **one},
        "RandomColorDegeneration": {"factor": 0.5, **one},
        "RandomColorJitter": {"brightness_factor": 0.2, **one},
        "RandomContrast": {"factor": 0.2, **one},
        "RandomElasticTransform": one,
        "RandomErasing": one,
        "RandomFlip": {},
        "RandomGaussianBlur": one,
        "RandomGrayscale": {"factor": 0.5},
        "RandomHue": {"factor": 0.2, **one},
        "RandomInvert": {"factor": 0.5, **one},
        "RandomPerspective": {},
        "RandomPosterization": {"factor": 3, **one},
        "RandomRotation": {"factor": 0.2},
        "RandomSaturation": {"factor": 0.2, **one},
        "RandomSharpness": {"factor": 0.2, **one},
        "RandomShear": {"x_factor": 0.2},
        "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
        "RandomZoom": {"height_factor": 0.2},
        "AugMix": one,
        "AutoContrast": one,
        "CutMix": {},
        "MixUp": {},
        "RandAugment": one,
    }
    made = [layer("f4[a,8,9,3]:prob", name, **options) for name, options in plain.items()]
    return [*made, layer("f4[a,8,9,3]", "RandomCrop", 5, 6)]
