"""Functions of ``keras.ops`` over space, time and matrices."""

from __future__ import annotations

from collections.abc import Iterator

from keras import ops

from tensorflow_cases.case import Case, filled, operator
from tensorflow_cases.image_layers import bilinear
from tensorflow_cases.keras_call import of
from tensorflow_cases.layer_case import with_exact


def cases() -> Iterator[Case]:
    """All of them; TensorFlow's own convolutions and pools of no images end its process or give their input's shape."""
    yield from map(filled, _convolutions())
    yield from map(filled, _pools())
    yield from _normalizations()
    yield from _matrices()
    yield from _images()
    yield from _signals()


def _convolutions() -> Iterator[Case]:
    for padding in ("valid", "same"):
        yield of("conv", "f4[a,8,9,3] f4[3,3,3,4]", padding=padding)
        yield of("conv", "f4[a,8,9,3] f4[3,3,3,4]", padding=padding, strides=2)
        yield of("conv_transpose", "f4[a,5,6,3] f4[3,3,4,3]", padding=padding, strides=2)
        yield of("depthwise_conv", "f4[a,8,9,3] f4[3,3,3,2]", padding=padding)
        yield of("separable_conv", "f4[a,8,9,3] f4[3,3,3,2] f4[1,1,6,4]", padding=padding)
    yield of("conv", "f4[a,8,3] f4[3,3,4]")
    yield of("conv", "f4[a,5,6,7,2] f4[3,3,3,2,3]")
    yield of("conv", "f4[a,8,9,3] f4[3,3,3,4]", dilation_rate=2)


def _pools() -> Iterator[Case]:
    for name in ("max_pool", "average_pool"):
        yield of(name, "f4[a,8,9,3]", pool_size=2)
        yield of(name, "f4[a,8,9,3]", pool_size=3, strides=2, padding="same")
        yield of(name, "f4[a,8,3]", pool_size=2)
    for name in ("adaptive_average_pool", "adaptive_max_pool"):
        yield of(name, "f4[a,8,9,3]", output_size=(3, 4))
        yield of(name, "f4[a,8,3]", output_size=3)


def _normalizations() -> Iterator[Case]:
    yield of("batch_normalization", "f4[a,b,3] f4[3] f4[3]:pos", axis=-1)
    yield operator(
        "keras.ops.layer_normalization", lambda x, g, b: ops.layer_normalization(x, g, b), "f4[a,b,6] f4[6] f4[6]"
    )
    yield operator("keras.ops.rms_normalization", lambda x, g: ops.rms_normalization(x, g), "f4[a,b,6] f4[6]")
    yield of("dot_product_attention", "f4[a,5,2,4] f4[a,6,2,4] f4[a,6,2,4]")
    yield of("dot_product_attention", "f4[a,5,2,4] f4[a,5,2,4] f4[a,5,2,4]", is_causal=True)


def _matrices() -> Iterator[Case]:
    yield of("cholesky", "f4[a,3,3]:spd")
    yield of("det", "f4[a,3,3]")
    yield of("inv", "f4[a,3,3]:spd")
    yield of("logdet", "f4[a,3,3]:spd")
    yield of("slogdet", "f4[a,3,3]:spd")
    yield of("solve", "f4[a,3,3]:spd f4[a,3,2]")
    yield of("solve_triangular", "f4[a,3,3]:spd f4[a,3,2]", lower=True)
    yield of("cholesky_inverse", "f4[a,3,3]:spd")
    for name in ("eig", "eigh", "qr", "svd", "lu_factor", "pinv", "matrix_rank"):
        yield of(name, "f4[a,3,3]:spd")
    yield of("lstsq", "f4[4,3] f4[4]")


def _images() -> Iterator[Case]:
    image = "f4[a,8,9,3]"
    resize, crop, pad = ops.image.resize, ops.image.crop_images, ops.image.pad_images
    whole = operator("keras.ops.image.resize bilinear", lambda x: resize(x, (6, 13)), image)
    yield with_exact(whole, lambda x: bilinear(x, 6, 13))
    for method in ("nearest", "bicubic", "lanczos3", "lanczos5"):
        yield operator(f"keras.ops.image.resize {method}", lambda x, m=method: resize(x, (6, 13), m), image)
    yield operator("keras.ops.image.resize antialias", lambda x: resize(x, (4, 5), antialias=True), image)
    yield operator("keras.ops.image.resize crop", lambda x: resize(x, (4, 4), crop_to_aspect_ratio=True), image)
    yield operator("keras.ops.image.resize pad", lambda x: resize(x, (6, 6), pad_to_aspect_ratio=True), image)
    yield operator("keras.ops.image.crop_images", lambda x: crop(x, 1, 2, target_height=5, target_width=4), image)
    yield operator("keras.ops.image.pad_images", lambda x: pad(x, 1, 2, target_height=12, target_width=14), image)
    yield operator("keras.ops.image.rgb_to_grayscale", ops.image.rgb_to_grayscale, f"{image}:prob")
    yield operator("keras.ops.image.rgb_to_hsv", ops.image.rgb_to_hsv, f"{image}:prob")
    yield operator("keras.ops.image.hsv_to_rgb", ops.image.hsv_to_rgb, f"{image}:prob")
    yield filled(operator("keras.ops.image.extract_patches", lambda x: ops.image.extract_patches(x, 3, 2), image))
    same = operator(
        "keras.ops.image.extract_patches same", lambda x: ops.image.extract_patches(x, 3, 2, padding="same"), image
    )
    yield filled(same)
    moves = "f4[a,8]:prob"
    for name in ("nearest", "bilinear"):
        yield operator(
            f"keras.ops.image.affine_transform {name}",
            lambda x, t, n=name: ops.image.affine_transform(x, t * 0.01 + [1.0, 0, 0, 0, 1.0, 0, 0, 0], n),
            f"{image} {moves}",
            "cancels",
        )
    yield operator(
        "keras.ops.image.perspective_transform",
        lambda x, p: ops.image.perspective_transform(
            x, p * 0 + [[0.0, 0], [0, 7], [6, 0], [6, 7]], p * 0 + [[0.0, 1], [1, 7], [6, 0], [5, 7]]
        ),
        f"{image} f4[a,4,2]:prob",
        "cancels",
    )
    yield operator("keras.ops.image.gaussian_blur", lambda x: ops.image.gaussian_blur(x, (3, 3), (1.0, 1.0)), image)
    yield operator(
        "keras.ops.image.map_coordinates",
        lambda x, c: ops.image.map_coordinates(x, c * 3, order=1),
        "f4[5,6] f4[2,7]:prob",
        "cancels",
    )
    yield of("depth_to_space", "f4[a,3,4,8]", block_size=2)
    yield of("space_to_depth", "f4[a,4,6,2]", block_size=2)


def _signals() -> Iterator[Case]:
    yield operator("keras.ops.fft", lambda x, y: ops.fft((x, y)), "f4[a,8] f4[a,8]")
    yield operator("keras.ops.fft2", lambda x, y: ops.fft2((x, y)), "f4[a,4,8] f4[a,4,8]")
    yield operator("keras.ops.ifft2", lambda x, y: ops.ifft2((x, y)), "f4[a,4,8] f4[a,4,8]")
    yield operator("keras.ops.rfft", lambda x: ops.rfft(x), "f4[a,8]")
    yield operator("keras.ops.irfft", lambda x, y: ops.irfft((x, y)), "f4[a,5] f4[a,5]", "cancels")
    yield of("stft", "f4[a,40]", sequence_length=16, sequence_stride=8, fft_length=16)
    yield of("extract_sequences", "f4[a,40]", sequence_length=16, sequence_stride=8)
