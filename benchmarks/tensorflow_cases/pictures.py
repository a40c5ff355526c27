"""Images, convolutions, matrices, texts and random sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from tensorflow_cases.case import Case, filled, operator

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    """All of this family; TensorFlow's own convolutions give an empty batch the wrong shape."""
    for group in (
        _resized,
        _images,
        _crops,
        _boxes,
        _convolutions,
        _transposed_convolutions,
        _pools,
        _matrices,
        _factors,
        _texts,
    ):
        yield from map(filled, group())


def _resize(op: str, size: Any, **options: Any) -> Any:
    return lambda x: getattr(raw, op)(images=x, size=size, **options)


def _resized() -> Iterator[Case]:
    for op in ("ResizeNearestNeighbor", "ResizeBilinear", "ResizeBicubic"):
        for name, options in (
            ("", {}),
            (" corners", {"align_corners": True}),
            (" centres", {"half_pixel_centers": True}),
        ):
            for size in ([8, 12], [3, 4], [7, 1]):
                yield operator(f"raw.{op}{name} {size}", _resize(op, size, **options), "f4[a,5,6,2]")
    for size in ([8, 12], [2, 3], [5, 4]):
        yield operator(f"raw.ResizeArea {size}", _resize("ResizeArea", size), "f4[a,5,6,2]")
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"):
        yield operator(f"tf.image.resize {method}", lambda x, m=method: tf.image.resize(x, [7, 4], m), "f4[a,5,6,2]")
    for method in ("bilinear", "bicubic", "lanczos3", "gaussian"):
        yield operator(
            f"tf.image.resize {method} antialias",
            lambda x, m=method: tf.image.resize(x, [3, 4], m, antialias=True),
            "f4[a,9,8,2]",
        )
    for method in ("bilinear", "nearest"):
        yield operator(
            f"tf.image.resize {method} dynamic", lambda x, m=method: tf.image.resize(x, [7, 4], m), "f4[a,b,c,2]"
        )
        yield operator(
            f"tf.image.resize {method} doubled",
            lambda x, m=method: tf.image.resize(x, tf.shape(x)[1:3] * 2, m),
            "f4[a,b,c,2]",
        )
    yield operator("tf.image.resize bicubic dynamic", lambda x: tf.image.resize(x, [7, 4], "bicubic"), "f4[a,b,c,2]")
    yield operator("tf.image.resize u1", lambda x: tf.image.resize(x, [7, 4]), "u1[a,5,6,2]:image")
    yield operator("tf.image.resize u1 nearest", lambda x: tf.image.resize(x, [7, 4], "nearest"), "u1[a,5,6,2]:image")
    yield operator("tf.image.resize_with_pad", lambda x: tf.image.resize_with_pad(x, 8, 8), "f4[a,5,6,2]")
    yield operator(
        "tf.image.resize_with_crop_or_pad", lambda x: tf.image.resize_with_crop_or_pad(x, 4, 9), "f4[a,5,6,2]"
    )
    yield operator(
        "tf.image.resize keep", lambda x: tf.image.resize(x, [9, 7], preserve_aspect_ratio=True), "f4[a,5,6,2]"
    )


def _images() -> Iterator[Case]:
    yield operator("tf.image.rgb_to_hsv", tf.image.rgb_to_hsv, "f4[a,4,5,3]:prob")
    yield operator("tf.image.hsv_to_rgb", tf.image.hsv_to_rgb, "f4[a,4,5,3]:prob")
    yield operator("tf.image.rgb_to_grayscale", tf.image.rgb_to_grayscale, "f4[a,4,5,3]:prob")
    yield operator("tf.image.rgb_to_grayscale u1", tf.image.rgb_to_grayscale, "u1[a,4,5,3]:image")
    yield operator("tf.image.grayscale_to_rgb", tf.image.grayscale_to_rgb, "f4[a,4,5,1]:prob")
    yield operator("tf.image.rgb_to_yuv", tf.image.rgb_to_yuv, "f4[a,4,5,3]:prob")
    yield operator("tf.image.yuv_to_rgb", tf.image.yuv_to_rgb, "f4[a,4,5,3]:prob")
    yield operator("tf.image.rgb_to_yiq", tf.image.rgb_to_yiq, "f4[a,4,5,3]:prob")
    yield operator("tf.image.adjust_brightness", lambda x: tf.image.adjust_brightness(x, 0.2), "f4[a,4,5,3]:prob")
    yield operator("tf.image.adjust_contrast", lambda x: tf.image.adjust_contrast(x, 1.7), "f4[a,4,5,3]:prob")
    yield operator("tf.image.adjust_hue", lambda x: tf.image.adjust_hue(x, 0.3), "f4[a,4,5,3]:prob")
    yield operator("tf.image.adjust_saturation", lambda x: tf.image.adjust_saturation(x, 1.6), "f4[a,4,5,3]:prob")
    yield operator("tf.image.adjust_gamma", lambda x: tf.image.adjust_gamma(x, 2.2), "f4[a,4,5,3]:prob")
    yield operator("tf.image.per_image_standardization", tf.image.per_image_standardization, "f4[a,4,5,3]:prob")


def _crops() -> Iterator[Case]:
    yield operator("tf.image.flip_left_right", tf.image.flip_left_right, "f4[a,4,5,3]")
    yield operator("tf.image.flip_up_down", tf.image.flip_up_down, "f4[a,4,5,3]")
    yield operator("tf.image.transpose", tf.image.transpose, "f4[a,4,5,3]")
    yield operator("tf.image.rot90", tf.image.rot90, "f4[a,4,5,3]")
    yield operator("tf.image.central_crop", lambda x: tf.image.central_crop(x, 0.5), "f4[a,8,6,3]")
    yield operator(
        "tf.image.crop_to_bounding_box", lambda x: tf.image.crop_to_bounding_box(x, 1, 2, 3, 2), "f4[a,8,6,3]"
    )
    yield operator(
        "tf.image.pad_to_bounding_box", lambda x: tf.image.pad_to_bounding_box(x, 1, 2, 9, 10), "f4[a,4,5,3]"
    )
    yield operator("tf.image.sobel_edges", tf.image.sobel_edges, "f4[a,4,5,3]")
    yield operator("tf.image.total_variation", tf.image.total_variation, "f4[a,4,5,3]")
    yield operator("tf.image.image_gradients", tf.image.image_gradients, "f4[a,4,5,3]")
    yield operator("tf.image.psnr", lambda x, y: tf.image.psnr(x, y, 1.0), "f4[a,4,5,3]:prob f4[a,4,5,3]:prob")
    yield operator(
        "tf.image.ssim", lambda x, y: tf.image.ssim(x, y, 1.0), "f4[a,14,15,3]:prob f4[a,14,15,3]:prob", "cancels"
    )
    yield operator(
        "tf.image.convert_image_dtype", lambda x: tf.image.convert_image_dtype(x, tf.float32), "u1[a,4,5,3]:image"
    )
    yield operator(
        "tf.image.convert_image_dtype to u1", lambda x: tf.image.convert_image_dtype(x, tf.uint8), "f4[a,4,5,3]:prob"
    )


def _boxes() -> Iterator[Case]:
    for method in ("bilinear", "nearest"):
        yield operator(
            f"tf.image.crop_and_resize {method}",
            lambda x, b, i, m=method: tf.image.crop_and_resize(x, b, i, [4, 5], m, 0.7),
            "f4[2,7,6,3] f4[a,4]:box i4[a]:two",
        )
    yield operator(
        "tf.image.crop_and_resize one",
        lambda x, b: tf.image.crop_and_resize(x, b, [0, 1], [1, 3]),
        "f4[2,a,6,3] f4[2,4]:box",
    )
    yield operator(
        "tf.image.non_max_suppression",
        lambda b, s: tf.image.non_max_suppression(b, s, 5, 0.4),
        "f4[9,4]:box f4[9]:prob",
    )
    yield operator(
        "tf.image.non_max_suppression score",
        lambda b, s: tf.image.non_max_suppression(b, s, 3, 0.3, 0.5),
        "f4[9,4]:box f4[9]:prob",
    )
    yield operator(
        "tf.image.non_max_suppression_padded",
        lambda b, s: tf.image.non_max_suppression_padded(b, s, 12, 0.4, pad_to_max_output_size=True),
        "f4[9,4]:box f4[9]:prob",
    )
    yield operator(
        "tf.image.non_max_suppression_with_scores",
        lambda b, s: tf.image.non_max_suppression_with_scores(b, s, 5, 0.4),
        "f4[9,4]:box f4[9]:prob",
    )
    yield operator(
        "tf.image.non_max_suppression soft",
        lambda b, s: tf.image.non_max_suppression_with_scores(b, s, 5, 0.4, soft_nms_sigma=0.5),
        "f4[9,4]:box f4[9]:prob",
    )
    yield operator(
        "tf.image.combined_non_max_suppression",
        lambda b, s: tf.image.combined_non_max_suppression(b, s, 3, 5),
        "f4[a,9,1,4]:prob f4[a,9,2]:prob",
    )


def _convolutions() -> Iterator[Case]:
    for padding in ("SAME", "VALID"):
        for stride in (1, 2, 3):
            yield operator(
                f"tf.nn.conv2d {padding} {stride}",
                lambda x, w, p=padding, s=stride: tf.nn.conv2d(x, w, s, p),
                "f4[a,9,10,3] f4[3,4,3,5]",
            )
            yield operator(
                f"tf.nn.conv2d {padding} {stride} dynamic",
                lambda x, w, p=padding, s=stride: tf.nn.conv2d(tf.tile(x, [1, 4, 4, 1]), w, s, p),
                "f4[a,b,c,3] f4[3,4,3,5]",
            )
    yield operator(
        "tf.nn.conv2d dilated", lambda x, w: tf.nn.conv2d(x, w, 1, "SAME", dilations=2), "f4[a,9,10,3] f4[3,3,3,5]"
    )
    yield operator(
        "tf.nn.conv2d explicit",
        lambda x, w: tf.nn.conv2d(x, w, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]),
        "f4[a,9,10,3] f4[3,3,3,5]",
    )
    yield operator("tf.nn.conv2d grouped", lambda x, w: tf.nn.conv2d(x, w, 1, "SAME"), "f4[a,9,10,4] f4[3,3,2,6]")
    yield operator("tf.nn.conv1d", lambda x, w: tf.nn.conv1d(x, w, 2, "SAME"), "f4[a,9,3] f4[3,3,5]")
    yield operator(
        "tf.nn.conv3d", lambda x, w: tf.nn.conv3d(x, w, [1, 2, 1, 2, 1], "SAME"), "f4[a,5,6,7,2] f4[2,3,2,2,4]"
    )
    yield operator(
        "tf.nn.atrous_conv2d", lambda x, w: tf.nn.atrous_conv2d(x, w, 2, "VALID"), "f4[a,9,10,3] f4[3,3,3,5]"
    )
    yield operator(
        "tf.nn.depthwise_conv2d",
        lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "SAME"),
        "f4[a,9,10,3] f4[3,3,3,2]",
    )
    yield operator(
        "tf.nn.separable_conv2d",
        lambda x, w, p: tf.nn.separable_conv2d(x, w, p, [1, 1, 1, 1], "VALID"),
        "f4[a,9,10,3] f4[3,3,3,2] f4[1,1,6,4]",
    )


def _transposed_convolutions() -> Iterator[Case]:
    for padding, size in (("SAME", (18, 20)), ("SAME", (17, 19)), ("VALID", (20, 21)), ("VALID", (19, 21))):
        yield operator(
            f"tf.nn.conv2d_transpose {padding} {size}",
            lambda x, w, p=padding, s=size: tf.nn.conv2d_transpose(x, w, [tf.shape(x)[0], *s, 5], 2, p),
            "f4[a,9,10,3] f4[3,3,5,3]" if size[0] != 20 else "f4[a,9,10,3] f4[4,3,5,3]",
        )
    yield operator(
        "tf.nn.conv2d_transpose doubled",
        lambda x, w: tf.nn.conv2d_transpose(
            x, w, [tf.shape(x)[0], tf.shape(x)[1] * 2, tf.shape(x)[2] * 2, 5], 2, "SAME"
        ),
        "f4[a,b,c,3] f4[3,3,5,3]",
    )
    yield operator(
        "tf.nn.conv2d_transpose computed",
        lambda x, w, y: tf.nn.conv2d_transpose(x, w, [tf.shape(x)[0], tf.shape(y)[0] * 2 - 1, 20, 5], 2, "SAME"),
        "f4[a,b,10,3] f4[3,3,5,3] f4[b]",
    )
    yield operator(
        "tf.nn.conv1d_transpose",
        lambda x, w: tf.nn.conv1d_transpose(x, w, [tf.shape(x)[0], 18, 5], 2),
        "f4[a,9,3] f4[3,5,3]",
    )
    yield operator(
        "tf.nn.conv3d_transpose",
        lambda x, w: tf.nn.conv3d_transpose(x, w, [tf.shape(x)[0], 6, 8, 10, 4], 2),
        "f4[a,3,4,5,2] f4[2,3,2,4,2]",
    )


def _pools() -> Iterator[Case]:
    for name in ("max_pool2d", "avg_pool2d"):
        for padding in ("SAME", "VALID"):
            yield operator(
                f"tf.nn.{name} {padding}", lambda x, n=name, p=padding: getattr(tf.nn, n)(x, 3, 2, p), "f4[a,9,10,3]"
            )
    yield operator("tf.nn.max_pool1d", lambda x: tf.nn.max_pool1d(x, 3, 2, "SAME"), "f4[a,9,3]")
    yield operator("tf.nn.avg_pool3d", lambda x: tf.nn.avg_pool3d(x, 2, 2, "SAME"), "f4[a,5,4,3,2]")
    for padding in ("SAME", "VALID"):
        yield operator(
            f"tf.nn.max_pool_with_argmax {padding}",
            lambda x, p=padding: tf.nn.max_pool_with_argmax(x, 3, 2, p),
            "f4[a,9,10,3]",
        )
    yield operator("tf.nn.lrn", lambda x: tf.nn.lrn(x, 2, 1.5, 0.3, 0.6), "f4[a,4,5,8]")
    yield operator(
        "tf.nn.batch_normalization",
        lambda x, m, v: tf.nn.batch_normalization(x, m, v, 0.1, 2.0, 1e-3),
        "f4[a,4,3] f4[3] f4[3]:pos",
    )
    yield operator("tf.nn.bias_add", tf.nn.bias_add, "f4[a,4,3] f4[3]")
    yield operator(
        "tf.nn.pool dilated", lambda x: tf.nn.pool(x, [2, 2], "MAX", dilations=[2, 2], padding="VALID"), "f4[a,9,10,3]"
    )
    yield operator("tf.nn.with_space_to_batch", lambda x: tf.nn.pool(x, [2], "AVG", dilations=[2]), "f4[a,9,3]")
    yield operator(
        "tf.nn.erosion2d",
        lambda x, f: tf.nn.erosion2d(x, f, [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
        "f4[a,5,6,2] f4[3,3,2]",
    )


def _matrices() -> Iterator[Case]:
    yield operator("tf.matmul", tf.matmul, "f4[a,3] f4[3,b]")
    yield operator(
        "tf.matmul turned", lambda x, y: tf.matmul(x, y, transpose_a=True, transpose_b=True), "f4[3,a] f4[b,3]"
    )
    yield operator("tf.matmul batch", lambda x, y: tf.matmul(x, y, adjoint_b=True), "f4[a,2,3] f4[a,b,3]")
    yield operator("tf.matmul broadcast", tf.matmul, "f4[a,1,2,3] f4[b,3,4]")
    yield operator("tf.matmul i4", tf.matmul, "i4[a,3] i4[3,b]")
    yield operator("tf.matmul i4 turned", lambda x, y: tf.matmul(x, y, transpose_b=True), "i4[a,3] i4[b,3]")
    yield operator("tf.matmul f8", tf.matmul, "f8[a,3] f8[3,b]")
    yield operator("tf.matmul f2", tf.matmul, "f2[a,3] f2[3,b]")
    yield operator("tf.linalg.matvec", tf.linalg.matvec, "f4[a,3] f4[3]")
    yield operator("tf.tensordot", lambda x, y: tf.tensordot(x, y, [[1, 2], [0, 1]]), "f4[a,2,3] f4[2,3,b]")
    for equation, text in (
        ("ij,jk->ik", "f4[a,3] f4[3,b]"),
        ("bij,bjk->bik", "f4[a,2,3] f4[a,3,b]"),
        ("...ij,...jk->...ik", "f4[a,2,3] f4[a,3,b]"),
        ("ii->i", "f4[3,3]"),
        ("ijk->kji", "f4[a,2,b]"),
        ("ij->", "f4[a,b]"),
        ("bhqd,bhkd->bhqk", "f4[a,2,b,4] f4[a,2,c,4]"),
        ("i,j->ij", "i4[a] i4[b]"),
    ):
        yield operator(f"tf.einsum {equation}", lambda *x, q=equation: tf.einsum(q, *x), text)


def _factors() -> Iterator[Case]:
    yield operator("tf.linalg.det", tf.linalg.det, "f4[a,3,3]")
    yield operator("tf.linalg.det one", tf.linalg.det, "f4[4,4]")
    yield operator("tf.linalg.slogdet", tf.linalg.slogdet, "f4[a,3,3]")
    yield operator("tf.linalg.inv", tf.linalg.inv, "f4[a,3,3]:spd")
    yield operator("tf.linalg.inv adjoint", lambda x: tf.linalg.inv(x, adjoint=True), "f4[a,2,2]:spd")
    yield operator("tf.linalg.inv 8", tf.linalg.inv, "f4[a,8,8]:spd")
    yield operator("tf.linalg.solve", tf.linalg.solve, "f4[a,3,3]:spd f4[a,3,2]")
    yield operator("tf.linalg.cholesky", tf.linalg.cholesky, "f4[a,5,5]:spd")
    yield operator(
        "tf.linalg.cholesky_solve",
        lambda x, y: tf.linalg.cholesky_solve(tf.linalg.cholesky(x), y),
        "f4[a,4,4]:spd f4[a,4,2]",
    )
    yield operator("tf.linalg.triangular_solve", tf.linalg.triangular_solve, "f4[a,4,4]:spd f4[a,4,2]")
    yield operator(
        "tf.linalg.triangular_solve upper",
        lambda x, y: tf.linalg.triangular_solve(x, y, lower=False, adjoint=True),
        "f4[a,4,4]:spd f4[a,4,2]",
    )
    yield operator("tf.linalg.logdet", tf.linalg.logdet, "f4[a,3,3]:spd")
    yield operator("tf.linalg.svd", tf.linalg.svd, "f4[a,3,3]")
    yield operator("tf.linalg.qr", tf.linalg.qr, "f4[a,3,3]")
    yield operator("tf.linalg.eigh", tf.linalg.eigh, "f4[a,3,3]:spd")
    yield operator("tf.linalg.cross", tf.linalg.cross, "f4[a,3] f4[a,3]")
    yield operator("tf.linalg.norm", tf.linalg.norm, "f4[a,3]")
    yield operator("tf.linalg.norm 1", lambda x: tf.linalg.norm(x, 1, axis=1), "f4[a,3]")
    yield operator("tf.linalg.normalize", lambda x: tf.linalg.normalize(x, axis=1), "f4[a,3]")
    yield operator("tf.linalg.matrix_transpose", tf.linalg.matrix_transpose, "f4[a,2,b]")
    yield operator("tf.linalg.expm", tf.linalg.expm, "f4[2,2]")
    yield operator("tf.linalg.lu", tf.linalg.lu, "f4[3,3]:spd")
    yield operator(
        "tf.linalg.tridiagonal_solve", lambda x: tf.linalg.tridiagonal_solve(x, tf.ones([4, 1])), "f4[3,4]:pos"
    )
    yield operator(
        "tf.nn.softmax_cross_entropy_with_logits", tf.nn.softmax_cross_entropy_with_logits, "f4[a,5]:prob f4[a,5]"
    )
    yield operator(
        "tf.nn.sparse_softmax_cross_entropy_with_logits",
        tf.nn.sparse_softmax_cross_entropy_with_logits,
        "i4[a]:small f4[a,5]",
    )
    yield operator(
        "tf.nn.sigmoid_cross_entropy_with_logits", tf.nn.sigmoid_cross_entropy_with_logits, "f4[a,5]:prob f4[a,5]:large"
    )
    yield operator("tf.nn.l2_loss", tf.nn.l2_loss, "f4[a,5]")


def _texts() -> Iterator[Case]:
    yield operator("tf.strings.join", lambda x, y: tf.strings.join([x, y, "z"], "-"), "s[a] s[a]")
    yield operator("tf.strings.regex_full_match", lambda x: tf.strings.regex_full_match(x, "[a-c,]+"), "s[a,3]")
    yield operator("tf.strings.as_string", tf.strings.as_string, "i4[a]")
    yield operator("tf.strings.as_string float", tf.strings.as_string, "f4[a]")
    yield operator("tf.strings.lower", tf.strings.lower, "s[a]")
    yield operator("tf.strings.length", tf.strings.length, "s[a]")
    yield operator("tf.equal text", tf.equal, "s[a] s[a]")
    yield operator("tf.gather text", tf.gather, "s[5] i4[a]:small")
    yield operator("tf.concat text", lambda x, y: tf.concat([x, y], 0), "s[a] s[b]")
    yield operator("tf.where text", tf.where, "b1[a] s[a] s[a]")
    yield operator("tf.random.uniform", lambda x: x + tf.random.uniform([3]), "f4[a,3]")
    yield operator(
        "tf.random.stateless_normal", lambda x: x + tf.random.stateless_normal(tf.shape(x), [1, 2]), "f4[a,3]"
    )
    yield operator(
        "tf.random.stateless_normal constant", lambda x: x + tf.random.stateless_normal([3], [1, 2]), "f4[a,3]"
    )
    yield operator("tf.nn.dropout", lambda x: tf.nn.dropout(x, 0.5), "f4[a,3]")
