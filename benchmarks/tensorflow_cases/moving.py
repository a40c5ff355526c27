"""Operators that move, pick, make or count elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from tensorflow_cases.case import Case, filled, operator

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    """All of this family."""
    yield from _slices()
    yield from _made()
    yield from _picked()
    yield from _sorted()
    yield from _diagonals()
    yield from _reduced()
    yield from _scanned()
    yield from _segmented()
    yield from _blocks()


def _slices() -> Iterator[Case]:
    yield operator("tf.slice size -1", lambda x: tf.slice(x, [1, 0, 2], [-1, -1, 2]), "f4[5,a,6]")
    yield operator("tf.slice computed", lambda x, n: tf.slice(x, [n, 0], [-1, 2]), "f4[5,3] i4[]:two")
    yield operator("tf.slice computed sizes", lambda x, n: tf.slice(x, [1, 0], [n, -1]), "f4[5,3] i4[]:two")
    yield operator("tf.slice by shape", lambda x: tf.slice(x, [0, 0], [tf.shape(x)[0], 2]), "f4[a,3]")
    yield operator("x[1:-1]", lambda x: x[1:-1, ::2], "f4[6,a]")
    yield operator("x[::-1]", lambda x: x[::-1, ::-2], "f4[a,5]")
    yield operator("x[-2:]", lambda x: x[-2:], "f4[a,5]")
    yield operator("x[...,1]", lambda x: x[..., 1], "f4[a,b,3]")
    yield operator("x[...,None]", lambda x: x[..., tf.newaxis], "f4[a,3]")
    yield operator("x[None,:,1,...,::2]", lambda x: x[tf.newaxis, :, 1, ..., ::2], "f4[a,3,b,5]")
    yield operator("x[0,...,None,-1]", lambda x: x[0, ..., tf.newaxis, -1], "f4[a,b,4]")
    yield operator("x[n]", lambda x, n: x[n], "f4[5,a] i4[]:two")
    yield operator("x[:,n:]", lambda x, n: x[:, n:], "f4[a,5] i4[]:two")
    yield operator("x[-1-n]", lambda x, n: x[:, -1 - n], "f4[a,5] i4[]:two")
    yield operator("x[4:1:-1]", lambda x: x[4:1:-1], "f4[6,a]")
    yield operator("x[1:1]", lambda x: x[1:1], "f4[6,a]")
    yield operator("x[:n] i2", lambda x, n: x[:n], "i2[6,a] i4[]:two")
    yield operator("x[:shape-1]", lambda x: x[: tf.shape(x)[0] - 1], "f4[a,2]")
    yield operator("tf.strided_slice", lambda x: tf.strided_slice(x, [3, 0], [0, 4], [-1, 2]), "f4[5,6]")
    yield operator("tf.split", lambda x: tf.split(x, 3, axis=1), "f4[a,6]")
    yield operator("tf.split sizes", lambda x: tf.split(x, [1, -1, 2], axis=-1), "f4[a,6]")
    yield operator("tf.split dynamic rest", lambda x: tf.split(x, [1, -1], axis=0), "f4[a,6]")
    yield operator("tf.unstack", lambda x: tf.unstack(x, axis=1), "f4[a,3,b]")
    yield operator("tf.stack", lambda x, y: tf.stack([x, y], axis=-1), "f4[a,3] f4[a,3]")
    yield operator("tf.concat", lambda x, y: tf.concat([x, y], axis=1), "f4[a,3] f4[a,b]")
    yield operator("tf.reverse", lambda x: tf.reverse(x, [0, -1]), "f4[a,3,b]")
    yield operator("tf.reverse i1", lambda x: tf.reverse(x, [1]), "i1[a,3]")
    yield operator("raw.Reverse", lambda x: raw.Reverse(tensor=x, dims=[True, False]), "f4[a,3]")
    yield operator("tf.reverse_sequence", lambda x, n: tf.reverse_sequence(x, n, 1, 0), "f4[a,5,2] i4[a]:small")
    yield operator("tf.reverse_sequence axes", lambda x, n: tf.reverse_sequence(x, n, 0, 2), "f4[5,2,a] i8[a]:small")
    yield operator("tf.roll", lambda x: tf.roll(x, [1, -2], [0, 1]), "f4[a,5]")
    yield operator("tf.roll computed", lambda x, n: tf.roll(x, n, 0), "f4[a,5] i4[]")
    yield operator("tf.pad", lambda x: tf.pad(x, [[1, 0], [2, 1]], constant_values=3.0), "f4[a,3]")
    yield operator("tf.pad i2", lambda x: tf.pad(x, [[1, 0], [2, 1]]), "i2[a,3]")
    yield operator("tf.pad bool", lambda x: tf.pad(x, [[1, 0], [2, 1]]), "b1[a,3]")
    yield operator("tf.pad reflect", lambda x: tf.pad(x, [[0, 0], [2, 1]], "REFLECT"), "f4[a,3]")
    yield operator("tf.pad symmetric", lambda x: tf.pad(x, [[1, 0], [3, 2]], "SYMMETRIC"), "f4[a,3]")
    yield operator("tf.pad symmetric dynamic", lambda x: tf.pad(x, [[1, 1], [0, 0]], "SYMMETRIC"), "i4[a,3]")
    yield operator("tf.transpose", lambda x: tf.transpose(x, [2, 0, 1]), "f4[a,3,b]")
    yield operator("tf.expand_dims", lambda x: tf.expand_dims(x, -2), "f4[a,3]")
    yield operator("tf.squeeze", lambda x: tf.squeeze(x, [1]), "f4[a,1,3]")
    yield operator("tf.reshape", lambda x: tf.reshape(x, [-1, 6]), "f4[a,2,3]")
    yield filled(operator("tf.reshape dynamic", lambda x: tf.reshape(x, [tf.shape(x)[0] * 2, -1]), "f4[a,2,b]"))
    yield operator("tf.tile", lambda x: tf.tile(x, [2, 1, 3]), "f4[a,2,b]")
    yield operator("tf.tile computed", lambda x, n: tf.tile(x, [1, n]), "i4[a,2] i4[]:small")
    yield operator("tf.repeat", lambda x: tf.repeat(x, 3, axis=1), "f4[a,2]")
    yield operator("tf.repeat each", lambda x: tf.repeat(x, [1, 0, 2], axis=1), "f4[a,3]")
    yield operator("tf.meshgrid", lambda x, y: tf.meshgrid(x, y), "f4[a] f4[b]")


def _made() -> Iterator[Case]:
    yield operator("tf.fill", lambda n: tf.fill([n, 2], 3.5), "i4[]:pos")
    yield operator("tf.zeros", lambda x: tf.zeros([tf.shape(x)[0], 3]) + x, "f4[a,3]")
    yield operator("tf.zeros_like", tf.zeros_like, "f4[a,3]")
    yield operator("tf.ones_like", tf.ones_like, "i2[a,3]")
    yield operator("tf.ones_like bool", tf.ones_like, "b1[a,3]")
    yield operator("tf.range", lambda n: tf.range(n), "i4[]:pos")
    yield operator("tf.range step", lambda n: tf.range(10, n, -2), "i4[]:pos")
    yield operator("tf.range floats", lambda x: tf.range(0.0, x, 0.5), "f4[]:pos")
    yield operator("tf.linspace", lambda x, y: tf.linspace(x, y, 7), "f4[] f4[]")
    yield operator("tf.one_hot", lambda x: tf.one_hot(x, 4), "i4[a,3]:small")
    yield operator("tf.one_hot -1", lambda x: tf.one_hot(x, 4), "i4[a,3]")
    yield operator("tf.one_hot axis", lambda x: tf.one_hot(x, 4, 5, -5, axis=1), "i8[a,3]")
    yield operator("tf.one_hot u1", lambda x: tf.one_hot(x, 3, dtype=tf.int32), "u1[a]")
    yield operator("tf.broadcast_to", lambda x: tf.broadcast_to(x, [2, 4, 3]), "f4[4,1]")
    yield operator("tf.broadcast_to dynamic", lambda x, y: tf.broadcast_to(x, tf.shape(y)), "f4[3] f4[a,3]")
    yield operator(
        "tf.broadcast_dynamic_shape", lambda x, y: tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y)), "f4[a,1] f4[3]"
    )
    yield operator("tf.shape", tf.shape, "f4[a,3,b]")
    yield operator("tf.size", tf.size, "f4[a,3,b]")
    yield operator("tf.rank", tf.rank, "f4[a,3,b]")
    yield operator("tf.shape_n", lambda x, y: tf.shape_n([x, y]), "f4[a,3] f4[b]")
    yield operator("tf.eye", lambda x: tf.eye(tf.shape(x)[0]), "f4[a,3]")
    yield operator("tf.eye batch", lambda x: tf.eye(3, 4) + x, "f4[a,1,1]")
    yield operator("tf.sequence_mask", lambda n: tf.sequence_mask(n, 5), "i4[a]:small")
    yield operator("tf.sequence_mask dynamic", tf.sequence_mask, "i4[a]:small")


def _picked() -> Iterator[Case]:
    yield operator("tf.gather", tf.gather, "f4[5,a] i4[b]:small")
    yield operator("tf.gather axis", lambda x, i: tf.gather(x, i, axis=-1), "f4[a,5] i8[b,2]:small")
    yield operator("tf.gather i2", lambda x, i: tf.gather(x, tf.cast(i, tf.int32)), "i2[5,a] i2[b]:small")
    yield operator("tf.gather batch", lambda x, i: tf.gather(x, i, batch_dims=1), "f4[a,5,3] i4[a,b]:small")
    yield operator(
        "tf.gather batch axis", lambda x, i: tf.gather(x, i, axis=2, batch_dims=1), "f4[a,3,5] i4[a,b]:small"
    )
    yield operator("tf.gather batch row", lambda x, i: tf.gather(x, i, axis=1, batch_dims=1), "f4[a,5] i4[a]:small")
    yield operator("tf.gather_nd", tf.gather_nd, "f4[5,5,a] i4[b,2]:small")
    yield operator("tf.gather_nd batch", lambda x, i: tf.gather_nd(x, i, batch_dims=1), "f4[a,5,3] i4[a,2,1]:small")
    yield operator("tf.scatter_nd duplicates", lambda i, u: tf.scatter_nd(i, u, [5, 3]), "i4[a,1]:small f4[a,3]")
    yield operator("tf.scatter_nd ints", lambda i, u: tf.scatter_nd(i, u, [5]), "i4[a,1]:small i4[a]")
    yield operator(
        "tf.scatter_nd computed", lambda i, u, x: tf.scatter_nd(i, u, tf.shape(x)), "i4[a,1]:two f4[a] f4[9]"
    )
    yield operator("tf.tensor_scatter_nd_update", tf.tensor_scatter_nd_update, "f4[5,3] i4[1,1]:small f4[1,3]")
    yield operator("tf.tensor_scatter_nd_add", tf.tensor_scatter_nd_add, "f4[5,3] i4[a,1]:small f4[a,3]")
    yield operator("tf.tensor_scatter_nd_add i1", tf.tensor_scatter_nd_add, "i1[5] i4[a,1]:small i1[a]:wide")
    yield operator("tf.tensor_scatter_nd_sub", tf.tensor_scatter_nd_sub, "f4[5,3] i4[a,1]:small f4[a,3]")
    yield operator("tf.tensor_scatter_nd_max", tf.tensor_scatter_nd_max, "f4[5,3] i4[a,1]:small f4[a,3]")
    yield operator("tf.tensor_scatter_nd_min", tf.tensor_scatter_nd_min, "i4[5,3] i4[a,1]:small i4[a,3]")
    yield operator("tf.where nonzero", tf.where, "b1[a,b]")
    yield operator("tf.where nonzero float", tf.where, "f4[a,9]:zeros")
    yield operator("tf.boolean_mask", tf.boolean_mask, "f4[a,3] b1[a]")
    yield operator("tf.boolean_mask matrix", tf.boolean_mask, "f4[a,b,2] b1[a,b]")
    yield operator("tf.dynamic_partition", lambda x, p: tf.dynamic_partition(x, p, 3), "f4[a,2] i4[a]:below3")
    yield operator("tf.dynamic_partition matrix", lambda x, p: tf.dynamic_partition(x, p, 2), "f4[a,b,2] i4[a,b]:two")
    yield operator("tf.dynamic_stitch", lambda x, y: tf.dynamic_stitch([[0, 2], [1, 3]], [x, y]), "f4[2,3] f4[2,3]")
    yield operator(
        "tf.dynamic_stitch duplicates", lambda x, y: tf.dynamic_stitch([[0, 1, 2], [1, 0]], [x, y]), "f4[3,3] f4[2,3]"
    )
    yield operator("tf.math.invert_permutation", tf.math.invert_permutation, "i4[a]:permutation")
    yield operator("tf.nn.embedding_lookup", tf.nn.embedding_lookup, "f4[5,3] i4[a,b]:small")


def _sorted() -> Iterator[Case]:
    yield operator("tf.math.top_k", lambda x: tf.math.top_k(x, 3), "f4[a,7]")
    yield operator("tf.math.top_k ties", lambda x: tf.math.top_k(x, 5), "f4[a,7]:ties")
    yield operator("tf.math.top_k i2", lambda x: tf.math.top_k(x, 2), "i2[a,7]")
    yield operator("tf.math.top_k computed", lambda x, k: tf.math.top_k(x, k), "f4[a,9] i4[]:pos")
    yield operator("tf.math.top_k u2", lambda x: tf.math.top_k(x, 2), "u2[a,7]")
    yield operator("tf.sort", tf.sort, "f4[a,7]")
    yield operator("tf.sort descending axis", lambda x: tf.sort(x, 0, "DESCENDING"), "i4[a,7]")
    yield operator("tf.argsort", lambda x: tf.argsort(x, stable=True), "f4[a,7]")
    yield operator("tf.math.in_top_k", lambda t, p: tf.math.in_top_k(t, p, 2), "i4[a]:small f4[a,5]")
    yield operator("tf.math.in_top_k ties", lambda t, p: tf.math.in_top_k(t, p, 2), "i4[a]:small f4[a,4]:ties")
    yield operator("tf.unique", tf.unique, "i4[9]:small")
    yield operator("tf.unique floats", tf.unique, "f4[9]:ties")
    yield operator("tf.unique_with_counts", tf.unique_with_counts, "i8[9]:small")
    yield operator("tf.searchsorted", tf.searchsorted, "f4[a,7]:sorted f4[a,3]")
    yield operator(
        "tf.searchsorted right", lambda s, v: tf.searchsorted(s, v, side="right"), "i4[a,7]:sorted i4[a,3]:small"
    )
    yield operator("raw.ListDiff", lambda x, y: raw.ListDiff(x=x, y=y), "i4[9]:small i4[2]:small")
    yield operator("raw.Bucketize", lambda x: raw.Bucketize(input=x, boundaries=[-1.0, 0.0, 2.5]), "f4[a,9]:ties")
    yield operator("raw.Bucketize i4", lambda x: raw.Bucketize(input=x, boundaries=[-1.0, 0.0, 2.5]), "i4[a,9]")
    yield operator("tf.math.approx_max_k", lambda x: tf.math.approx_max_k(x, 2), "f4[a,7]")


def _diagonals() -> Iterator[Case]:
    yield operator("tf.linalg.diag", tf.linalg.diag, "f4[a,3]")
    yield operator("tf.linalg.diag k", lambda x: tf.linalg.diag(x, k=1), "f4[a,3]")
    yield operator("tf.linalg.diag below", lambda x: tf.linalg.diag(x, k=-2, padding_value=7.0), "f4[a,3]")
    yield operator("tf.linalg.diag band", lambda x: tf.linalg.diag(x, k=(-1, 1)), "f4[a,3,4]")
    yield operator(
        "tf.linalg.diag band left",
        lambda x: tf.linalg.diag(x, k=(-1, 1), align="LEFT_RIGHT", num_rows=5, num_cols=4),
        "f4[a,3,4]",
    )
    yield operator("tf.linalg.diag dynamic", tf.linalg.diag, "i4[a]")
    yield operator("tf.linalg.diag_part", tf.linalg.diag_part, "f4[a,3,4]")
    yield operator("tf.linalg.diag_part dynamic", tf.linalg.diag_part, "f4[a,b]")
    yield operator("tf.linalg.diag_part band", lambda x: tf.linalg.diag_part(x, k=(-1, 2)), "f4[a,3,4]")
    yield operator("tf.linalg.diag_part k", lambda x: tf.linalg.diag_part(x, k=-1), "f4[a,4,3]")
    yield operator("tf.linalg.set_diag", tf.linalg.set_diag, "f4[a,3,4] f4[a,3]")
    yield operator("tf.linalg.set_diag k", lambda x, d: tf.linalg.set_diag(x, d, k=-1), "f4[a,4,4] f4[a,3]")
    yield operator("tf.linalg.band_part", lambda x: tf.linalg.band_part(x, 1, -1), "f4[a,b,4]")
    yield operator("tf.linalg.band_part i4", lambda x: tf.linalg.band_part(x, 0, 2), "i4[4,4]")
    yield operator("tf.linalg.tensor_diag", tf.linalg.tensor_diag, "f4[a]")
    yield operator("tf.linalg.tensor_diag_part", tf.linalg.tensor_diag_part, "f4[4,4]")
    yield operator("tf.linalg.trace", tf.linalg.trace, "f4[a,3,3]")


def _reduced() -> Iterator[Case]:
    for name in ["sum", "mean", "max", "min", "prod", "logsumexp", "std", "variance", "euclidean_norm"]:
        function = getattr(tf.math, f"reduce_{name}")
        yield operator(f"tf.reduce_{name}", _along(function, 1), "f4[a,3,b]")
    for name in ["sum", "max", "prod", "min"]:
        function = getattr(tf.math, f"reduce_{name}")
        for dtype in ("i4", "i1", "u1", "i8"):
            yield operator(f"tf.reduce_{name} {dtype}", _along(function, [0, -1]), f"{dtype}[a,3,b]")
    yield operator("tf.reduce_mean i4", _along(tf.reduce_mean, 1), "i4[a,5]")
    yield operator("tf.reduce_sum all", tf.reduce_sum, "f4[a,3,b]")
    yield operator("tf.reduce_sum keepdims", lambda x: tf.reduce_sum(x, [1, 2], keepdims=True), "f4[a,3,b]")
    yield operator("tf.reduce_sum no axes", lambda x: tf.reduce_sum(x, []), "f4[a,3]")
    yield operator("tf.reduce_sum f2", lambda x: tf.reduce_sum(x, 1), "f2[a,9]")
    yield operator("tf.reduce_max edges", lambda x: tf.reduce_max(x, 1), "f4[a,7]:ties")
    yield operator("tf.reduce_all", lambda x: tf.reduce_all(x, 1), "b1[a,3]")
    yield operator("tf.reduce_any", lambda x: tf.reduce_any(x, 1, keepdims=True), "b1[a,3]")
    yield operator("tf.reduce_any all", tf.reduce_any, "b1[a,3]")
    yield operator("tf.reduce_sum empty", lambda x: tf.reduce_sum(x[:, 3:], 1), "f4[a,3]")
    yield operator("tf.reduce_any empty", lambda x: tf.reduce_any(x[:, 3:], 1), "b1[a,3]")
    yield operator("tf.reduce_all empty", lambda x: tf.reduce_all(x[:, 3:], 1), "b1[a,3]")
    yield operator("tf.reduce_max empty", lambda x: tf.reduce_max(x[:, 3:], 1), "f4[a,3]")


def _scanned() -> Iterator[Case]:
    yield operator("tf.argmax", lambda x: tf.argmax(x, 1), "f4[a,7]")
    yield operator("tf.argmax ties", lambda x: tf.argmax(x, -1, tf.int32), "f4[a,7]:ties")
    yield operator("tf.argmin", lambda x: tf.argmin(x, 0), "f4[5,b]:ties")
    yield operator("tf.argmax i2", lambda x: tf.argmax(x, 1), "i2[a,7]")
    yield operator("tf.argmax edges", lambda x: tf.argmax(x, 1), "f4[a,7]:edge")
    yield operator("tf.cumsum", lambda x: tf.cumsum(x, 1), "f4[a,5]")
    yield operator("tf.cumsum reverse", lambda x: tf.cumsum(x, 1, reverse=True, exclusive=True), "i4[a,5]")
    yield operator("tf.cumsum exclusive", lambda x: tf.cumsum(x, 0, exclusive=True), "f4[a,5]")
    yield operator("tf.math.cumprod", lambda x: tf.math.cumprod(x, 1), "f4[a,5]")
    yield operator("tf.math.cumprod reverse", lambda x: tf.math.cumprod(x, 0, reverse=True, exclusive=True), "f4[a,5]")
    yield operator("tf.math.cumprod dynamic", lambda x: tf.math.cumprod(x, 0), "f4[a,b]")
    yield operator("tf.math.cumprod exclusive", lambda x: tf.math.cumprod(x, -1, exclusive=True), "i4[a,b]")
    yield operator("tf.math.cumulative_logsumexp dynamic", lambda x: tf.math.cumulative_logsumexp(x, 0), "f4[a,5]")
    yield operator("tf.math.cumulative_logsumexp", lambda x: tf.math.cumulative_logsumexp(x, 1), "f4[a,5]")
    yield operator(
        "tf.math.cumulative_logsumexp exclusive",
        lambda x: tf.math.cumulative_logsumexp(x, 1, exclusive=True),
        "f4[a,5]",
    )
    yield operator("tf.math.bincount", lambda x: tf.math.bincount(x, minlength=5, maxlength=5), "i4[a]:small")
    yield operator("tf.math.bincount dynamic", tf.math.bincount, "i4[9]:small")
    yield operator(
        "tf.math.bincount weights", lambda x, w: tf.math.bincount(x, w, minlength=6, maxlength=6), "i4[a]:small f4[a]"
    )
    yield operator(
        "tf.math.bincount binary",
        lambda x: tf.math.bincount(x, minlength=5, maxlength=5, binary_output=True, axis=-1),
        "i4[a,9]:small",
    )
    yield operator(
        "tf.math.confusion_matrix", lambda x, y: tf.math.confusion_matrix(x, y, 5), "i4[a]:small i4[a]:small"
    )


def _segmented() -> Iterator[Case]:
    for name in ["sum", "mean", "max", "min", "prod"]:
        yield operator(f"tf.math.segment_{name}", getattr(tf.math, f"segment_{name}"), "f4[9,2] i4[9]:sorted")
        yield operator(
            f"tf.math.segment_{name} empty", _with_ids(getattr(tf.math, f"segment_{name}"), [0, 0, 2, 4]), "f4[4,2]"
        )
        yield operator(
            f"tf.math.unsorted_segment_{name}",
            _segments(getattr(tf.math, f"unsorted_segment_{name}"), 7),
            "f4[a,2] i4[a]:small",
        )
    yield operator(
        "tf.math.unsorted_segment_sum negative", _segments(tf.math.unsorted_segment_sum, 10), "f4[a,2] i4[a]"
    )
    yield operator(
        "tf.math.unsorted_segment_max i4", _segments(tf.math.unsorted_segment_max, 10), "i4[a,b] i4[a,b]:small"
    )
    yield operator(
        "tf.math.unsorted_segment_sqrt_n", _segments(tf.math.unsorted_segment_sqrt_n, 6), "f4[a,2] i4[a]:small"
    )
    yield operator("tf.sparse.segment_sum", lambda x, i: tf.sparse.segment_sum(x, i, [0, 0, 2]), "f4[5,2] i4[3]:small")
    yield operator(
        "tf.sparse.segment_mean",
        lambda x, i: tf.sparse.segment_mean(x, i, [0, 0, 2], num_segments=4),
        "f4[5,2] i4[3]:small",
    )
    yield operator(
        "tf.sparse.segment_sqrt_n", lambda x, i: tf.sparse.segment_sqrt_n(x, i, [0, 0, 2]), "f4[5,2] i4[3]:small"
    )
    yield filled(operator("tf.nn.moments", lambda x: tf.nn.moments(x, [0, 1]), "f4[a,3,2]"))
    yield operator("tf.nn.l2_normalize", lambda x: tf.nn.l2_normalize(x, 1), "f4[a,3]")
    yield operator("tf.nn.softmax", tf.nn.softmax, "f4[a,3]")
    yield operator("tf.nn.softmax axis", lambda x: tf.nn.softmax(x, 1), "f4[a,3,b]")
    yield operator("tf.nn.log_softmax", tf.nn.log_softmax, "f4[a,3]:large")
    yield operator("tf.math.count_nonzero", lambda x: tf.math.count_nonzero(x, 1), "f4[a,9]:zeros")


def _along(function: Callable[..., Any], axis: Any) -> Callable[..., Any]:
    return lambda x: function(x, axis)


def _with_ids(function: Callable[..., Any], ids: Any) -> Callable[..., Any]:
    return lambda x: function(x, ids)


def _segments(function: Callable[..., Any], count: Any) -> Callable[..., Any]:
    return lambda x, ids: function(x, ids, count)


def _blocks() -> Iterator[Case]:
    yield operator("tf.space_to_batch", lambda x: tf.space_to_batch(x, [2, 3], [[1, 1], [0, 2]]), "f4[a,4,4,2]")
    yield operator(
        "tf.space_to_batch dynamic",
        lambda x: tf.space_to_batch(tf.tile(x, [1, 2, 2, 1]), [2, 2], [[0, 0], [0, 0]]),
        "f4[a,b,c,2]",
    )
    yield operator(
        "tf.batch_to_space",
        lambda x: tf.batch_to_space(tf.tile(x, [4, 1, 1, 1]), [2, 2], [[0, 1], [1, 0]]),
        "f4[a,3,b,2]",
    )
    yield operator("tf.nn.space_to_depth", lambda x: tf.nn.space_to_depth(x, 2), "f4[a,4,6,3]")
    yield operator("tf.nn.depth_to_space", lambda x: tf.nn.depth_to_space(x, 2), "f4[a,b,c,8]")
    yield operator(
        "tf.nn.depth_to_space NCHW",
        lambda x: raw.SpaceToDepth(input=tf.transpose(x, [0, 2, 3, 1]), block_size=2),
        "f4[a,3,4,4]",
    )
    yield operator("tf.nn.depth_to_space i4", lambda x: tf.nn.depth_to_space(x, 2), "i4[a,b,c,8]")
    for padding in ("SAME", "VALID"):
        yield operator(
            f"tf.image.extract_patches {padding}",
            lambda x, p=padding: tf.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], p),
            "f4[a,7,6,2]",
        )
    yield operator(
        "tf.image.extract_patches rates",
        lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 1, 2, 1], [1, 2, 1, 1], "VALID"),
        "i4[a,7,6,2]",
    )
    for padding in ("SAME", "VALID"):
        yield operator(
            f"tf.nn.dilation2d {padding}",
            lambda x, f, p=padding: tf.nn.dilation2d(x, f, [1, 2, 1, 1], p, "NHWC", [1, 1, 2, 1]),
            "f4[a,7,6,2] f4[3,2,2]",
        )
