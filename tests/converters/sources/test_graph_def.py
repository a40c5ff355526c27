"""A frozen GraphDef: placeholders are inputs, unconsumed nodes are outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from judging import Faithful, described

from assay import AssayError
from assay.converters.sources import open_source

v1: Any = tf.compat.v1


def frozen(path: Path, build: Any) -> Path:
    with tf.Graph().as_default() as graph:
        build()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def linear() -> None:
    x = v1.placeholder(tf.float32, [None, 6], name="x")
    y = tf.matmul(x, tf.constant([[1.0, -2.0, 0.5]] * 6), name="y")
    tf.nn.softmax(y, name="probability")
    tf.reduce_max(y, axis=1, name="best")


def test_placeholders_and_ends_are_the_interface(tmp_path: Path, faithful: Faithful) -> None:
    bundle = faithful(frozen(tmp_path / "graph.pb", linear))
    assert described(bundle) == (
        {"x": "float32[batch,6]"},
        {"probability": "float32[batch,3]", "best": "float32[batch]"},
    )


def test_a_graph_without_placeholder_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "graph.pb", lambda: tf.identity(tf.constant(1.0)))
    with pytest.raises(AssayError, match="has no placeholder or no output node"):
        open_source(path)


def test_a_truncated_graph_is_refused(tmp_path: Path) -> None:
    path = frozen(tmp_path / "graph.pb", linear)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(AssayError, match=r"graph\.pb is no GraphDef, or is truncated"):
        open_source(path)
