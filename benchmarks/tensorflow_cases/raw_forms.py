"""Operators that TensorFlow's Python calls no longer write, but old graphs hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tensorflow_cases.case import Case, filled, operator

raw = tf.raw_ops


def cases() -> Iterator[Case]:
    """All of this family."""
    yield from map(filled, _cases())
    yield from map(filled, _more())
    yield from map(filled, _refused())


def _cases() -> Iterator[Case]:
    yield operator("raw.Inv", lambda x: raw.Inv(x=x), "f4[a,3]:pos")
    yield operator("raw.Add", lambda x, y: raw.Add(x=x, y=y), "f4[a,3] f4[3]")
    yield operator("raw.MaxPool3D", lambda x: tf.nn.max_pool3d(x, 2, 2, "SAME"), "f4[a,5,4,3,2]")
    for name in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        yield operator(f"raw.{name}", _normalized(name), "f4[a,4,5,3] f4[3]:pos")
    yield operator("raw.LinSpace", lambda x, y: raw.LinSpace(start=x, stop=y, num=6), "f4[] f4[]")
    yield operator("raw.LinSpace one", lambda x, y: raw.LinSpace(start=x, stop=y, num=1), "f4[] f4[]")
    yield operator("raw.Gather", lambda x, i: raw.Gather(params=x, indices=i), "f4[5,a] i4[b]:small")
    yield operator(
        "raw.ParallelDynamicStitch",
        lambda x, y: raw.ParallelDynamicStitch(indices=[[0, 2], [1, 3]], data=[x, y]),
        "f4[2,3] f4[2,3]",
    )
    yield operator("raw.InTopK", lambda p, t: raw.InTopK(predictions=p, targets=t, k=2), "f4[a,5] i4[a]:small")
    yield operator("raw.UniqueV2", lambda x: raw.UniqueV2(x=x, axis=[0]), "i8[9]:small")
    yield operator("raw.UniqueV2 rows", lambda x: raw.UniqueV2(x=x, axis=[0]), "i8[7,2]:two")
    yield operator("raw.UniqueWithCountsV2", lambda x: raw.UniqueWithCountsV2(x=x, axis=[0]), "i4[9]:small")
    yield operator("raw.MatrixDiag", lambda x: raw.MatrixDiag(diagonal=x), "f4[a,3]")
    yield operator("raw.MatrixDiagPart", lambda x: raw.MatrixDiagPart(input=x), "f4[a,3,4]")
    yield operator("raw.MatrixSetDiag", lambda x, d: raw.MatrixSetDiag(input=x, diagonal=d), "f4[a,3,4] f4[a,3]")
    yield operator(
        "raw.MatrixDiagV2",
        lambda x: raw.MatrixDiagV2(diagonal=x, k=[-1, 0], num_rows=-1, num_cols=-1, padding_value=0.5),
        "f4[a,2,4]",
    )
    yield operator(
        "raw.MatrixDiagPartV2", lambda x: raw.MatrixDiagPartV2(input=x, k=[-1, 1], padding_value=0.5), "f4[a,3,4]"
    )
    yield operator(
        "raw.MatrixSetDiagV2", lambda x, d: raw.MatrixSetDiagV2(input=x, diagonal=d, k=1), "f4[a,3,4] f4[a,3]"
    )


def _more() -> Iterator[Case]:
    yield operator("raw.Bincount", lambda x: raw.Bincount(arr=x, size=6, weights=np.zeros(0, np.int32)), "i4[9]:small")
    rows = {"indices": [0, 2, 1], "segment_ids": [0, 0, 2]}
    yield operator("raw.SparseSegmentMean", lambda x: raw.SparseSegmentMean(data=x, **rows), "f4[5,2]")
    for kind in ("Sum", "SqrtN"):
        yield operator(
            f"raw.SparseSegment{kind}WithNumSegments",
            lambda x, k=kind: getattr(raw, f"SparseSegment{k}WithNumSegments")(data=x, num_segments=4, **rows),
            "f4[5,2]",
        )
    yield operator(
        "raw.SpaceToBatch", lambda x: raw.SpaceToBatch(input=x, paddings=[[0, 0], [1, 1]], block_size=2), "f4[a,4,6,2]"
    )
    yield operator(
        "raw.BatchToSpace",
        lambda x: raw.BatchToSpace(input=tf.tile(x, [4, 1, 1, 1]), crops=[[0, 1], [0, 0]], block_size=2),
        "f4[a,4,6,2]",
    )
    yield operator(
        "raw.NonMaxSuppression", _suppressed("NonMaxSuppression", iou_threshold=0.4), "f4[9,4]:box f4[9]:prob"
    )
    yield operator(
        "raw.NonMaxSuppressionV2", _suppressed("NonMaxSuppressionV2", iou_threshold=0.4), "f4[9,4]:box f4[9]:prob"
    )
    for padded in (False, True):
        yield operator(
            f"raw.NonMaxSuppressionV4 {padded}",
            _suppressed("NonMaxSuppressionV4", iou_threshold=0.4, score_threshold=0.3, pad_to_max_output_size=padded),
            "f4[9,4]:box f4[9]:prob",
        )
    yield operator("raw.BatchMatMul", lambda x, y: raw.BatchMatMul(x=x, y=y, adj_x=True), "f4[a,3,2] f4[a,3,b]")
    yield operator("raw.BatchMatMulV3", lambda x, y: raw.BatchMatMulV3(x=x, y=y, Tout=tf.float32), "f4[a,2,3] f4[3,b]")
    yield operator("raw.RegexFullMatch", lambda x: raw.RegexFullMatch(input=x, pattern="a.*"), "s[a]")
    for name in ("EnsureShape", "CheckNumerics", "CheckNumericsV2", "Snapshot"):
        yield operator(f"raw.{name}", _passed(name), "f4[a,3]")
    yield operator("tf.Variable", _variable, "f4[a,3]")


def _normalized(name: str) -> Callable[[Any, Any], Any]:
    def function(x: Any, variance: Any) -> Any:
        options = {"scale": [1.0, 2.0, 0.5], "offset": [0.0, 1.0, -1.0], "mean": [0.1, 0.2, 0.3]}
        return getattr(raw, name)(x=x, variance=variance, is_training=False, **options)[0]

    return function


def _suppressed(name: str, **options: Any) -> Callable[[Any, Any], Any]:
    return lambda boxes, scores: getattr(raw, name)(boxes=boxes, scores=scores, max_output_size=5, **options)


def _passed(name: str) -> Callable[[Any], Any]:
    if name == "EnsureShape":
        return lambda x: raw.EnsureShape(input=x, shape=[None, 3])
    if name == "Snapshot":
        return lambda x: raw.Snapshot(input=x)
    return lambda x: getattr(raw, name)(tensor=x, message="not finite")


_HELD = tf.Variable([1.0, 2.0, 3.0], name="held")


def _variable(x: Any) -> Any:
    return x * _HELD


def _refused() -> Iterator[Case]:
    yield operator("tf.strings.upper", tf.strings.upper, "s[a]")
    yield operator("tf.strings.substr", lambda x: tf.strings.substr(x, 0, 1), "s[a]")
    yield operator("tf.strings.strip", tf.strings.strip, "s[a]")
    yield operator("tf.strings.regex_replace", lambda x: tf.strings.regex_replace(x, "a", "b"), "s[a]")
